/**
 * What an entry can be found by, as tokens: a letter for the facet, a colon, the value. The index holds lists of entries by token, and a filter is groups of
 * tokens, so that an entry fits a filter when it has a token of each group: the only definition of a match there is.
 */
import { posix } from 'node:path'
import { DayflyError } from '../../base/errors.ts'
import type { Activity, ActivityFilter, ActivityOrigin } from '../../model/activity.ts'
import type { KernelEvent, SocketFacts } from '../../model/kernel-event.ts'

type Facet = 'environment' | 'instance' | 'workload' | 'image' | 'owner' | 'type' | 'process' | 'address' | 'port' | 'path' | 'folder' | 'word'

const letters: Readonly<Record<Facet, string>> = {
  ...{ environment: 'e', instance: 'i', workload: 'w', image: 'm', owner: 'o', type: 't' },
  ...{ process: 'x', address: 'a', port: 'n', path: 'p', folder: 'd', word: 's' },
}

const token = (facet: Facet, value: string | number): string => `${letters[facet]}:${value}`

/** Longer words are told apart by so many first letters: keys and encoded contents are no words anybody types. */
const longestWord = 128

const ascii = /^[\0-\x7f]*$/
const asciiWord = /[a-z0-9][a-z0-9._-]*/g
const anyWord = /[\p{L}\p{N}][\p{L}\p{N}._-]*/gu
const joint = /[._-]+/

/** Letters and digits, in lower case; dots, hyphens and underlines are part of a word when they are inside it. */
export const wordsOf = (text: string): string[] => {
  const lower = text.toLowerCase()
  return (lower.match(ascii.test(lower) ? asciiWord : anyWord) ?? []).map(word => word.replace(/[._-]+$/, '').slice(0, longestWord))
}

/** The words of a text, and the parts of those that have joints. */
export const wordTokens = (text: string): string[] =>
  wordsOf(text).flatMap(word => (joint.test(word) ? [word, ...word.split(joint)] : [word]).map(part => token('word', part)))

const addressForm = (address: string): string => address.toLowerCase().replace(/\.$/, '')

const addressTokens = (address: string): string[] => [token('address', addressForm(address)), ...wordTokens(address)]

/** The path, all folders above it, and its words. */
const pathTokens = (path: string): string[] => {
  const folders = [...path.matchAll(/\//g)].map(({ index }) => token('folder', path.slice(0, index + 1)))
  return [token('path', path), ...folders, ...wordTokens(path)]
}

/** How a value of an entry is found. What they give depends on the value alone, so that it can be remembered. */
export const kinds = {
  type: (value: string) => [token('type', value)],
  path: pathTokens,
  text: wordTokens,
  address: addressTokens,
  name: (value: string) => [token('process', value), ...wordTokens(value)],
  program: (value: string) => [token('process', value), token('process', posix.basename(value)), ...wordTokens(value)],
  port: (value: string) => [token('port', value)],
  addresses: (value: string) => value.split(/[\s,;]+/).flatMap(addressTokens),
} as const satisfies Readonly<Record<string, (value: string) => string[]>>

export type Kind = keyof typeof kinds

export type Tell = (kind: Kind, value: string) => void

const tellSocket = (socket: SocketFacts, tell: Tell): void => {
  for (const address of [socket.localAddress, socket.remoteAddress]) {
    if (address === undefined) continue
    tell('address', address)
    if (socket.family === 'unix' && address.startsWith('/')) tell('path', address)
  }
  if (socket.localPort !== undefined) tell('port', String(socket.localPort))
  if (socket.remotePort !== undefined) tell('port', String(socket.remotePort))
}

const tellPath = (path: string, directory: string | undefined, tell: Tell): void => {
  tell('path', path)
  if (directory !== undefined && !path.startsWith('/')) tell('path', posix.join(directory, path))
}

const tellEvent = (event: KernelEvent, tell: Tell): void => {
  tell('name', event.name)
  if (event.exe !== undefined) tell('program', event.exe)
  if (event.type === 'dns') {
    if (event.path !== undefined) tell('address', event.path)
    if (event.detail !== undefined) tell('addresses', event.detail)
  } else {
    if (event.path !== undefined) tellPath(event.path, event.directory, tell)
    if (event.path !== undefined && event.type === 'exec') tell('program', event.path)
    if (event.detail !== undefined) tell('text', event.detail)
  }
  if (event.target !== undefined) tellPath(event.target, event.directory, tell)
  if (event.directory !== undefined) tell('text', event.directory)
  if (event.cwd !== undefined) tell('text', event.cwd)
  if (event.sha256 !== undefined) tell('text', event.sha256)
  if (event.socket !== undefined) tellSocket(event.socket, tell)
  for (const argument of event.args ?? []) tell('text', argument)
}

/** Tells all values that an entry can be found by, but for whose it is. */
export const tellActivity = (activity: Activity, tell: Tell): void => {
  tell('type', activity.type)
  if (activity.type !== 'sample') tellEvent(activity, tell)
}

/** Whose an entry is. */
export const originTokens = ({ environment, instance, workload, image, imageName, owner }: ActivityOrigin): string[] => [
  ...[token('environment', environment), token('instance', instance), token('workload', workload), token('owner', owner)],
  ...new Set([token('image', image), token('image', imageName)]),
]

/** All tokens of an entry. */
export const tokensOf = (activity: Activity, origin: ActivityOrigin): ReadonlySet<string> => {
  const tokens = new Set(originTokens(origin))
  tellActivity(activity, (kind, value) => {
    for (const found of kinds[kind](value)) tokens.add(found)
  })
  return tokens
}

/**
 * What a line of canonical JSON has in it, in lower case, whose entry has this token; undefined: that cannot be told. It leaves out most entries without a closer look.
 */
export const literalOf = (wanted: string): string | undefined => {
  const [letter, value] = [wanted.charAt(0), wanted.slice(2).toLowerCase()]
  if (letter === letters.type) return `"type":"${value}"`
  if (letter === letters.port) return `port":${value}`
  // A folder and a path in it may be told apart from each other: their parts are there.
  const parts = letter === letters.path || letter === letters.folder ? value.split('/') : [value]
  const longest = parts.reduce((left, right) => (right.length > left.length ? right : left), '')
  const told = [letters.process, letters.address, letters.path, letters.folder, letters.word].includes(letter)
  return told && longest !== '' && plain.test(longest) ? longest : undefined
}

/** Needs no escape in JSON. */
const plain = /^[!#-[\]-~]*$/

/** Whether an origin has a token of each of the groups that say whose an entry is. */
export const originFits = (origin: ActivityOrigin, groups: readonly (readonly string[])[]): boolean => {
  const tokens = originTokens(origin)
  return groups.every(group => group.some(wanted => !originLetters.includes(wanted.charAt(0)) || tokens.includes(wanted)))
}

const originLetters = [letters.environment, letters.instance, letters.workload, letters.image, letters.owner]

const listed = (facet: Facet, value: string | undefined): string[][] => (value === undefined ? [] : [[token(facet, value)]])

/** The filter's groups of tokens. Its times are no part of them. Throws `invalid`. */
export const groupsOf = (filter: ActivityFilter): string[][] => {
  const words = filter.text === undefined ? undefined : wordsOf(filter.text)
  if (words?.length === 0) {
    throw new DayflyError('invalid', `text: there is no word in "${filter.text}"`, { field: 'text', remedy: 'Give words: letters and digits.' })
  }
  return [
    ...listed('environment', filter.environment),
    ...(filter.environments === undefined ? [] : [filter.environments.map(environment => token('environment', environment))]),
    ...listed('instance', filter.instance),
    ...listed('workload', filter.workload),
    ...listed('image', filter.image),
    ...listed('owner', filter.owner),
    ...(filter.types === undefined ? [] : [filter.types.map(type => token('type', type))]),
    ...listed('process', filter.process),
    ...listed('address', filter.address === undefined ? undefined : addressForm(filter.address)),
    ...listed('port', filter.port === undefined ? undefined : String(filter.port)),
    ...listed(filter.path?.endsWith('/') ? 'folder' : 'path', filter.path),
    ...[...new Set(words)].map(word => [token('word', word)]),
  ]
}
