/** Reads the keys of one item: each fault is reported with its place, and the item is then refused as a whole. */
import type { ErrorCode, Place, Report, WarningCode } from './diagnostic.ts'
import type { MappingNode, ScalarNode, YamlNode } from './yaml.ts'

/** An item is refused; why has been reported. */
export class Refused extends Error {}

export interface Keys {
  readonly item: string
  readonly place: Place
  readonly has: (key: string) => boolean
  readonly node: (key: string) => YamlNode | undefined
  readonly placeOf: (key: string) => Place
  /** Not there, or empty: refused where it is required. */
  readonly text: (key: string) => ScalarNode | undefined
  readonly required: (key: string) => ScalarNode | undefined
  readonly flag: (key: string) => boolean | undefined
  readonly words: (key: string) => readonly ScalarNode[] | undefined
  readonly warn: (code: WarningCode, message: string, place?: Place) => void
  readonly fail: (message: string, place?: Place, code?: ErrorCode, token?: string) => void
  /** Throws `Refused` when something has failed, here or in a part of it. */
  readonly settle: () => void
  readonly hasFailed: () => boolean
  /** The keys of a mapping within this one. */
  readonly within: (mapping: MappingNode) => Keys
  /** What is called something else than these is warned of. */
  readonly warnUnknown: (known: readonly string[]) => void
}

const truths: Readonly<Record<string, boolean>> = { true: true, yes: true, on: true, y: true, false: false, no: false, off: false, n: false }

export const keysOf = (mapping: MappingNode, item: string, report: Report, onFail?: () => void): Keys => {
  let failed = false
  const node = (key: string): YamlNode | undefined => mapping.entries.get(key)?.value
  const placeOf = (key: string): Place => mapping.entries.get(key)?.place ?? mapping.place
  const fail: Keys['fail'] = (message, place = mapping.place, code = 'LOAD_ERR_YAML_VALIDATE', token = '') => {
    failed = true
    onFail?.()
    report.error(code, place, message, { item, token })
  }
  const text = (key: string): ScalarNode | undefined => {
    const value = node(key)
    if (!value) return undefined
    if (value.kind !== 'scalar') fail(`${key} is one value, not a ${value.kind}`, value.place)
    else if (value.isNull || value.text === '') fail(`${key} is empty: write something, or leave the key out`, value.place)
    else return value
    return undefined
  }
  return {
    item,
    place: mapping.place,
    has: key => mapping.entries.has(key),
    node,
    placeOf,
    text,
    required: key => {
      if (!mapping.entries.has(key)) fail(`${key} is missing`)
      return text(key)
    },
    flag: key => {
      const value = text(key)
      if (!value) return undefined
      const truth = truths[value.text.toLowerCase()]
      if (truth === undefined) fail(`${key} is true or false, not "${value.text}"`, value.place, 'LOAD_ERR_YAML_VALIDATE', value.text)
      return truth
    },
    words: key => {
      const value = node(key)
      if (!value) return undefined
      if (value.kind !== 'sequence') {
        fail(`${key} is a list, like [a, b]`, value.place)
        return undefined
      }
      return value.items.flatMap(entry => {
        if (entry.kind === 'scalar') return [entry]
        fail(`${key} has single values, not a ${entry.kind}`, entry.place)
        return []
      })
    },
    warn: (code, message, place = mapping.place) => report.warning(code, place, message, { item }),
    fail,
    settle: () => {
      if (failed) throw new Refused(item)
    },
    hasFailed: () => failed,
    within: part =>
      keysOf(part, item, report, () => {
        failed = true
        onFail?.()
      }),
    warnUnknown: known => {
      for (const [key, { place }] of mapping.entries)
        if (!known.includes(key)) report.warning('LOAD_UNKNOWN_KEY', place, `there is no key ${key} here: it is ignored`, { item, token: key })
    },
  }
}
