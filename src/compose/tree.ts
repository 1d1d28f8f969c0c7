/**
 * A document as a tree whose nodes know where they were written: files are merged, extended and included, and every message still names the
 * file, line and column that the user has to change. Nodes are never changed once made, so they may be shared (YAML aliases share them).
 */

/** Where something was written; line and column count from 1. */
export interface Origin {
  readonly file: string
  readonly line: number
  readonly column: number
}

export type Value = string | number | boolean | null

/** `!reset` removes what files before this one said, `!override` replaces it. */
export type Tag = 'reset' | 'override'

export interface Scalar {
  readonly kind: 'scalar'
  readonly value: Value
  /** The value as text, exact for integers that a number cannot hold. Empty for null. */
  readonly text: string
  /** What the file says, where variables were put into it: messages quote this and never the values of variables. */
  readonly template?: string
  readonly origin: Origin
  readonly tag?: Tag
}

export interface Sequence {
  readonly kind: 'sequence'
  readonly items: readonly Node[]
  readonly origin: Origin
  readonly tag?: Tag
}

export interface Entry {
  /** Where the key was written. */
  readonly key: Origin
  readonly value: Node
}

export interface Mapping {
  readonly kind: 'mapping'
  readonly entries: ReadonlyMap<string, Entry>
  readonly origin: Origin
  readonly tag?: Tag
}

export type Node = Scalar | Sequence | Mapping
export type Path = readonly (string | number)[]

export const scalar = (value: Value, origin: Origin, text = value === null ? '' : String(value)): Scalar => ({ kind: 'scalar', value, text, origin })

export const sequence = (items: readonly Node[], origin: Origin): Sequence => ({ kind: 'sequence', items, origin })

/** A mapping of nodes; each key is said to be written where its value was. */
export const mapping = (members: Iterable<readonly [string, Node]>, origin: Origin): Mapping => ({
  kind: 'mapping',
  entries: new Map([...members].map(([name, value]) => [name, { key: value.origin, value }])),
  origin,
})

export const isMapping = (node: Node | undefined): node is Mapping => node?.kind === 'mapping'
export const isSequence = (node: Node | undefined): node is Sequence => node?.kind === 'sequence'
export const isScalar = (node: Node | undefined): node is Scalar => node?.kind === 'scalar'
export const isNull = (node: Node | undefined): boolean => node?.kind === 'scalar' && node.value === null
export const isText = (node: Node | undefined): node is Scalar & { readonly value: string } =>
  node?.kind === 'scalar' && typeof node.value === 'string'

/** Whether a text has something that may be a variable. */
export const hasVariable = (node: Node | undefined): boolean => isText(node) && node.value.includes('$')

/** The member of a mapping, or undefined: also when it is no mapping. */
export const member = (node: Node | undefined, name: string): Node | undefined => (isMapping(node) ? node.entries.get(name)?.value : undefined)

/** Members of a mapping with their names; none when it is no mapping. */
export const members = (node: Node | undefined): (readonly [string, Node])[] =>
  isMapping(node) ? [...node.entries].map(([name, entry]) => [name, entry.value] as const) : []

export const items = (node: Node | undefined): readonly Node[] => (isSequence(node) ? node.items : [])

/** The same mapping with one member set (in its place, or last) or, when undefined, left out. */
export const withMember = (node: Mapping, name: string, value: Node | undefined): Mapping => {
  const entries = new Map(node.entries)
  if (value === undefined) entries.delete(name)
  else entries.set(name, { key: entries.get(name)?.key ?? value.origin, value })
  return { ...node, entries }
}

/** The same mapping with each member replaced; undefined leaves one out. */
export const mapMembers = (node: Mapping, change: (value: Node, name: string) => Node | undefined): Mapping => {
  const entries = new Map<string, Entry>()
  for (const [name, entry] of node.entries) {
    const value = change(entry.value, name)
    if (value !== undefined) entries.set(name, value === entry.value ? entry : { key: entry.key, value })
  }
  return { ...node, entries }
}

/** The node at a path, or undefined. */
export const at = (node: Node | undefined, path: Path): Node | undefined =>
  path.reduce<Node | undefined>((parent, part) => (isSequence(parent) ? parent.items[Number(part)] : member(parent, String(part))), node)

/** Where to look for what a path names: its key, else the nearest thing around it that was written. */
export const originAt = (node: Node, path: Path): Origin => {
  let here = node.origin
  let parent: Node | undefined = node
  for (const part of path) {
    if (isMapping(parent)) {
      const entry: Entry | undefined = parent.entries.get(String(part))
      if (entry === undefined) return here
      here = entry.key
      parent = entry.value
    } else if (isSequence(parent)) {
      parent = parent.items[Number(part)]
      if (parent === undefined) return here
      here = parent.origin
    } else return here
  }
  return here
}

/** Plain data, as JSON has it. */
export const plain = (node: Node): unknown => {
  if (node.kind === 'scalar') return node.value
  if (node.kind === 'sequence') return node.items.map(plain)
  return Object.fromEntries([...node.entries].map(([name, entry]) => [name, plain(entry.value)]))
}

/** Plain data as nodes, all written at one place. Members that are undefined are left out. */
export const fromPlain = (value: unknown, origin: Origin): Node => {
  if (Array.isArray(value))
    return sequence(
      value.map(item => fromPlain(item, origin)),
      origin,
    )
  if (typeof value === 'object' && value !== null) {
    return mapping(
      Object.entries(value)
        .filter(([, item]) => item !== undefined)
        .map(([name, item]) => [name, fromPlain(item, origin)] as const),
      origin,
    )
  }
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? scalar(value, origin) : scalar(null, origin)
}

/** `['services', 'web', 'ports', 0]` → `services.web.ports[0]`; a name with other characters is quoted. */
export const pathText = (path: Path): string =>
  path
    .map(part => (typeof part === 'number' ? `[${part}]` : /^[\w$-]+$/.test(part) ? `.${part}` : `[${JSON.stringify(part)}]`))
    .join('')
    .replace(/^\./, '')

interface Branch<T> {
  readonly children: Map<string, Branch<T>>
  value?: T
}

/**
 * Values by path patterns like `services.*.ports`, where `*` is any name or index: what a path matches, the most literal first. Every node of a
 * document is asked about many times, so this takes no more steps than the path has parts (and few branches have both a name and `*`).
 */
export const patternTable = <T>(table: Readonly<Record<string, T>>): ((path: Path) => T | undefined) => {
  const root: Branch<T> = { children: new Map() }
  for (const [text, value] of Object.entries(table)) {
    let branch = root
    for (const part of text.split('.')) {
      const next: Branch<T> = branch.children.get(part) ?? { children: new Map() }
      branch.children.set(part, next)
      branch = next
    }
    branch.value = value
  }
  const find = (branch: Branch<T>, path: Path, index: number): T | undefined => {
    if (index === path.length) return branch.value
    const named = branch.children.get(String(path[index]))
    const found = named === undefined ? undefined : find(named, path, index + 1)
    if (found !== undefined) return found
    const any = branch.children.get('*')
    return any === undefined ? undefined : find(any, path, index + 1)
  }
  return path => find(root, path, 0)
}
