/** What nft prints as JSON, reduced to what is looked for in it. Versions differ in order and in what else they tell. */
import { DayflyError } from '../../base/errors.ts'

type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json }

export interface ListedElement {
  readonly set: string
  readonly key: readonly (string | number)[]
  /** Of a map: what the key leads to, where that is a plain value. */
  readonly value: string | number | undefined
  /** Packets, where the element counts. */
  readonly packets: number
}

const isArray = (value: Json | undefined): value is readonly Json[] => Array.isArray(value)

const member = (value: Json | undefined, name: string): Json | undefined =>
  typeof value === 'object' && value !== null && !isArray(value) ? value[name] : undefined

const objects = (output: string): readonly Json[] => {
  let parsed: Json
  try {
    parsed = JSON.parse(output)
  } catch (error) {
    throw new DayflyError('host', `nftables printed what is no JSON: ${output.slice(0, 200)}`, { cause: error })
  }
  const list = member(parsed, 'nftables')
  if (!isArray(list)) throw new DayflyError('host', `nftables printed no list of objects: ${output.slice(0, 200)}`)
  return list
}

const isKeyPart = (value: Json): value is string | number => typeof value === 'string' || typeof value === 'number'

/** Elements of all sets and maps in the output of `list sets`, `list set` or `list map`. Those whose key is no plain value (intervals) are left out. */
export const listedElements = (output: string): ListedElement[] =>
  objects(output).flatMap(object => {
    const map = member(object, 'map')
    const set = map ?? member(object, 'set')
    const name = member(set, 'name')
    const elements = member(set, 'elem')
    if (typeof name !== 'string' || !isArray(elements)) return []
    return elements.flatMap(entry => {
      const [item = null, value] = map !== undefined && isArray(entry) ? entry : [entry]
      const detail = member(item, 'elem')
      const plain = detail === undefined ? item : (member(detail, 'val') ?? null)
      const key = member(plain, 'concat') ?? [plain]
      const packets = member(member(detail, 'counter'), 'packets')
      if (!isArray(key) || !key.every(isKeyPart)) return []
      return [
        { set: name, key, value: value !== undefined && isKeyPart(value) ? value : undefined, packets: typeof packets === 'number' ? packets : 0 },
      ]
    })
  })

export interface ListedTable {
  readonly family: string
  readonly name: string
  /** Never used again by the kernel: a table that was deleted and made again has another. */
  readonly handle: number
}

/** The output of `list tables`. */
export const listedTables = (output: string): ListedTable[] =>
  objects(output).flatMap(object => {
    const table = member(object, 'table')
    const [family, name, handle] = [member(table, 'family'), member(table, 'name'), member(table, 'handle')]
    return typeof family === 'string' && typeof name === 'string' && typeof handle === 'number' ? [{ family, name, handle }] : []
  })

/** Names of the chains, and of the sets and maps, in the text output of `list table`. */
export const namesIn = (output: string, kind: 'chain' | 'set'): string[] =>
  [...output.matchAll(kind === 'chain' ? /^\tchain (\S+) \{/gm : /^\t(?:set|map) (\S+) \{/gm)].map(([, name = '']) => name)

/** The comment of the table itself in the text output of `list table`: version 1.0.6 leaves it out of JSON. */
export const tableComment = (output: string): string | undefined => /^\tcomment "([^"]*)"$/m.exec(output)?.[1]
