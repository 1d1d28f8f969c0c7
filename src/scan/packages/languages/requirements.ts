/** requirements.txt: what it pins exactly. A range says nothing about what will be installed. */
import type { Cataloguer } from '../../catalogue.ts'
import { collecting, isWord } from '../system/collect.ts'
import { eachLine } from '../system/lines.ts'
import { baseName, isForeign, languagePackage } from './found.ts'

const longest = 4096

const isNamed = (path: string): boolean => {
  const name = baseName(path)
  return name.startsWith('requirements') || name.endsWith('requirements.txt') || path.endsWith(`requirements/${name}`)
}

const isNameCharacter = (code: number): boolean =>
  (code >= 48 && code <= 57) || (code >= 65 && code <= 90) || (code >= 97 && code <= 122) || code === 45 || code === 46 || code === 95

/** `name` and `1.2.3` of `name[extra] == 1.2.3 ; python_version > "3" --hash=… # why`, else undefined. */
export const parseRequirement = (line: string): { name: string; version: string } | undefined => {
  const comment = line.search(/(?:^|\s)#/)
  const text = (comment < 0 ? line : line.slice(0, comment)).trim()
  let end = 0
  while (end < text.length && isNameCharacter(text.charCodeAt(end))) end++
  if (end === 0 || text.startsWith('-')) return undefined
  let rest = text.slice(end).trimStart()
  if (rest.startsWith('[')) rest = rest.slice(rest.indexOf(']') + 1).trimStart()
  const [clauses = ''] = rest.split(/;|\s--/, 1)
  for (const clause of clauses.replace(/[()\\]/g, '').split(',')) {
    const exact = clause.trim()
    if (!exact.startsWith('==')) continue
    const version = exact.slice(exact.startsWith('===') ? 3 : 2).trim()
    if (isWord(version) && !version.includes('*')) return { name: text.slice(0, end), version }
  }
  return undefined
}

export const requirements: Cataloguer = {
  name: 'requirements',
  wants: ({ kind, path }) => kind === 'file' && path.endsWith('.txt') && path.includes('requirements') && isNamed(path) && !isForeign(path),
  read: (entry, content, _distribution, signal) =>
    collecting(entry, signal, async collector => {
      await eachLine(content, signal, (bytes, start, end) => {
        const found = parseRequirement(bytes.toString('utf8', start, Math.min(end, start + longest)))
        if (found) collector.add(languagePackage('pypi', found.name, found.version, entry.path))
      })
    }),
}
