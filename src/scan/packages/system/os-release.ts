/** Which distribution it is: os-release(5). Not a cataloguer: it finds no package, and the others need what it says. */
import type { Distribution } from '../../../model/package.ts'
import type { Content, Entry } from '../../catalogue.ts'
import { printable } from './collect.ts'

/** By rank: where both are files the first one is the distribution. In most images it is a link to the second, and links are not followed. */
export const osReleasePaths = ['etc/os-release', 'usr/lib/os-release'] as const

/** Bytes. Real ones have some 500. */
const most = 64 * 1024

export const isOsRelease = (entry: Entry): boolean => entry.kind === 'file' && osReleasePaths.some(path => path === entry.path)

/** The value of a shell assignment: quotes and backslashes taken away, nothing expanded. */
const unquote = (text: string): string => {
  const trimmed = text.trim()
  const quote = trimmed[0]
  if (quote === "'") return trimmed.slice(1, trimmed.indexOf("'", 1) < 0 ? undefined : trimmed.indexOf("'", 1))
  let value = ''
  for (let at = quote === '"' ? 1 : 0; at < trimmed.length; at++) {
    const character = trimmed[at]
    if (quote === '"' && character === '"') break
    if (character === '\\' && at + 1 < trimmed.length) at++
    value += trimmed[at]
  }
  return value
}

/** A word that goes into purls and on to terminals. */
const word = (text: string | undefined): string => {
  const value = printable(text ?? '', 128).trim()
  return /^[\w.+:~-]*$/.test(value) ? value : ''
}

/** Undefined where the text has no `ID`. */
export const parseOsRelease = (text: string): Distribution | undefined => {
  const values = new Map<string, string>()
  for (const line of text.split('\n')) {
    const equals = line.indexOf('=')
    const key = line.slice(0, equals).trim()
    if (equals > 0 && /^[A-Z][A-Z0-9_]*$/.test(key)) values.set(key, unquote(line.slice(equals + 1)))
  }
  const id = word(values.get('ID')).toLowerCase()
  if (!id) return undefined
  const codename = word(values.get('VERSION_CODENAME'))
  const like = (values.get('ID_LIKE') ?? '')
    .split(/\s/)
    .map(name => word(name).toLowerCase())
    .filter(name => name)
  return { id, version: word(values.get('VERSION_ID')), ...(codename && { codename }), like: like.slice(0, 16) }
}

/** The distribution that a file says, or a problem: a sentence that names the file. */
export const readOsRelease = async (entry: Entry, content: Content): Promise<{ distribution?: Distribution; problem?: string }> => {
  if (content.size > most) return { problem: `${entry.path} is larger than ${most} bytes` }
  const distribution = parseOsRelease((await content.read(0, most)).toString('utf8'))
  return distribution ? { distribution } : { problem: `${entry.path} does not say which distribution it is: it has no ID` }
}
