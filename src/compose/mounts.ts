/** The short form of a volume: `[SOURCE:]TARGET[:OPTIONS]`. */
import { posix } from 'node:path'

export interface ShortMount {
  readonly type: 'bind' | 'volume'
  /** A path as written, or the name of a volume; absent for an anonymous volume. */
  readonly source?: string
  readonly target: string
  readonly readOnly: boolean
  readonly nocopy: boolean
  readonly propagation?: string
  readonly selinux?: string
  /** Options that mean nothing to docker compose either. */
  readonly unknown: readonly string[]
}

const propagations: ReadonlySet<string> = new Set(['rprivate', 'private', 'rshared', 'shared', 'rslave', 'slave'])

const isWindowsDrive = (text: string): boolean => /^[A-Za-z]:/.test(text)

/** Whether a source is a path rather than the name of a volume. */
export const isPath = (source: string): boolean => /^[./~]/.test(source) || source.startsWith('\\\\') || isWindowsDrive(source)

/** Colons separate, but not the one after the letter of a Windows drive. */
const sections = (text: string): string[] => {
  const found: string[] = []
  for (const part of text.split(':')) {
    const last = found.at(-1)
    if (last !== undefined && /^[A-Za-z]$/.test(last)) found[found.length - 1] = `${last}:${part}`
    else found.push(part)
  }
  return found
}

const anonymous = (target: string): ShortMount => ({ type: 'volume', target, readOnly: false, nocopy: false, unknown: [] })

/** The mount that a short form stands for, or what is wrong with it. */
export const parseMount = (text: string): ShortMount | string => {
  if (text === '') return 'it is empty'
  if (text.length <= 2) return anonymous(text)
  const found = sections(text)
  if (found.some(part => part === '')) return 'there is nothing between two colons'
  if (found.length > 3) return 'there are too many colons'
  const [source = '', target, options = ''] = found
  if (target === undefined) return { ...anonymous(posix.normalize(source).replace(/(.)\/$/, '$1')) }
  const words = options === '' ? [] : options.split(',')
  const propagation = words.findLast(word => propagations.has(word))
  const selinux = words.findLast(word => word === 'z' || word === 'Z')
  return {
    type: isPath(source) ? 'bind' : 'volume',
    source,
    target: posix.normalize(target).replace(/(.)\/$/, '$1'),
    readOnly: words.findLast(word => word === 'ro' || word === 'rw') === 'ro',
    nocopy: words.includes('nocopy'),
    ...(propagation === undefined ? {} : { propagation }),
    ...(selinux === undefined ? {} : { selinux }),
    unknown: words.filter(word => !['ro', 'rw', 'nocopy', 'z', 'Z'].includes(word) && !propagations.has(word)),
  }
}
