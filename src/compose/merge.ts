/**
 * One document over another, by the specification's rules: mappings merge, lists append, scalars are replaced; commands, entry points and health
 * checks are replaced whole; what can be written as a list or as a mapping merges by key.
 */
import type { Problems } from './problems.ts'
import type { Entry, Mapping, Node, Path } from './tree.ts'
import { isMapping, isNull, isScalar, isSequence, items, mapping, member, members, patternTable, scalar, sequence } from './tree.ts'

type Merge = (base: Node, over: Node, path: Path, problems: Problems) => Node

/** `NAME=value`, `NAME` in a list, or a mapping: as a list, each entry written where it was. */
const asList = (node: Node): readonly Node[] => {
  if (isSequence(node)) return node.items
  if (isMapping(node)) {
    return members(node)
      .flatMap(([name, value]) => {
        if (isNull(value)) return [scalar(name, value.origin)]
        return (isSequence(value) ? value.items : [value]).map(item => ({
          ...scalar(`${name}=${isScalar(item) ? item.text : ''}`, item.origin),
          ...(isScalar(item) && item.template !== undefined ? { template: `${name}=${item.template}` } : {}),
        }))
      })
      .sort((left, right) => (left.text < right.text ? -1 : left.text > right.text ? 1 : 0))
  }
  return isNull(node) ? [] : [node]
}

const toList: Merge = (base, over) => sequence([...asList(base), ...asList(over)], over.origin)

const hosts: Merge = (base, over) => {
  const before = asList(base)
  const known = new Set(before.map(item => (isScalar(item) ? item.text : '')))
  return sequence([...before, ...asList(over).filter(item => !isScalar(item) || !known.has(item.text))], over.origin)
}

/** A list of names as a mapping, or the mapping that it is. */
const asMapping = (node: Node, value: (name: Node) => Node): Mapping | undefined => {
  if (isMapping(node)) return node
  if (isNull(node)) return mapping([], node.origin)
  if (!isSequence(node)) return undefined
  return mapping(
    node.items.filter(isScalar).map(item => [item.text, value(item)] as const),
    node.origin,
  )
}

const keyed =
  (value: (name: Node) => Node): Merge =>
  (base, over, path, problems) => {
    const left = asMapping(base, value)
    const right = asMapping(over, value)
    // What is neither has the wrong type: it stays, and the schema says so.
    return left === undefined || right === undefined ? over : mergeMappings(left, right, path, problems)
  }

const dependency = (name: Node): Node =>
  mapping(
    [
      ['condition', scalar('service_started', name.origin)],
      ['required', scalar(true, name.origin)],
    ],
    name.origin,
  )

const build: Merge = (base, over, path, problems) => {
  const long = (node: Node): Mapping | undefined =>
    isMapping(node)
      ? node
      : isScalar(node) && !isNull(node)
        ? mapping([['context', node]], node.origin)
        : isNull(node)
          ? mapping([], node.origin)
          : undefined
  const left = long(base)
  const right = long(over)
  return left === undefined || right === undefined ? over : mergeMappings(left, right, path, problems)
}

/** Options belong to a driver: with another driver they are replaced. */
const logging: Merge = (base, over, path, problems) => {
  if (!isMapping(base) || !isMapping(over)) return isNull(over) ? base : over
  const left = member(base, 'driver')
  const right = member(over, 'driver')
  const same = left === undefined || right === undefined || (isScalar(left) && isScalar(right) && left.text === right.text)
  return same ? mergeMappings(base, over, path, problems) : over
}

/** Pools of addresses are known by their subnet. */
const pools: Merge = (base, over, path, problems) => {
  if (!isSequence(base) || !isSequence(over)) return isNull(over) ? base : over
  const subnet = (pool: Node | undefined): string => {
    const value = member(pool, 'subnet')
    return isScalar(value) ? value.text : ''
  }
  const result: Node[] = [...base.items]
  for (const pool of over.items) {
    const index = result.findIndex(other => subnet(other) === subnet(pool))
    const before = result[index]
    if (before === undefined) result.push(pool)
    else result[index] = merge(before, pool, path, problems)
  }
  return sequence(result, over.origin)
}

const replace: Merge = (_base, over) => over

const special = patternTable<Merge>({
  'networks.*.ipam.config': pools,
  'networks.*.labels': toList,
  'volumes.*.labels': toList,
  'services.*.annotations': toList,
  'services.*.build': build,
  'services.*.build.args': toList,
  'services.*.build.additional_contexts': toList,
  'services.*.build.extra_hosts': hosts,
  'services.*.build.labels': toList,
  'services.*.command': replace,
  'services.*.depends_on': keyed(dependency),
  'services.*.deploy.labels': toList,
  'services.*.dns': toList,
  'services.*.dns_opt': toList,
  'services.*.dns_search': toList,
  'services.*.entrypoint': replace,
  'services.*.env_file': toList,
  'services.*.environment': toList,
  'services.*.extra_hosts': hosts,
  'services.*.healthcheck.test': replace,
  'services.*.label_file': toList,
  'services.*.labels': toList,
  'services.*.logging': logging,
  'services.*.models': keyed(name => scalar(null, name.origin)),
  'services.*.networks': keyed(name => scalar(null, name.origin)),
  'services.*.sysctls': toList,
  'services.*.tmpfs': toList,
  'services.*.ulimits.*': replace,
})

const mergeMappings = (base: Mapping, over: Mapping, path: Path, problems: Problems): Mapping => {
  const entries = new Map<string, Entry>(base.entries)
  for (const [name, entry] of over.entries) {
    const before = entries.get(name)
    if (before === undefined) entries.set(name, entry)
    else entries.set(name, { key: entry.key, value: merge(before.value, entry.value, [...path, name], problems) })
  }
  return { ...over, entries }
}

/** `over` over `base`, both at `path`. What cannot be merged is told to `problems` and replaced. */
export const merge: Merge = (base, over, path, problems) => {
  const rule = special(path)
  if (rule !== undefined) return rule(base, over, path, problems)
  if (isNull(over)) return base
  if (isMapping(base) && isMapping(over)) return mergeMappings(base, over, path, problems)
  if (isSequence(base) && isSequence(over)) return sequence([...base.items, ...over.items], over.origin)
  if (base.kind !== over.kind && base.kind !== 'scalar') {
    const kinds = { mapping: 'a mapping', sequence: 'a list', scalar: 'a single value' } as const
    problems.error(over.origin, path, `this is ${kinds[over.kind]}, and what it is merged with is ${kinds[base.kind]}`, {
      remedy: 'Write it in the same form, or replace the other one with the tag !override.',
    })
  }
  return over
}

/** `base` without what is at any of the paths: what `!reset` and `!override` of a later document remove. */
export const without = (base: Node, paths: readonly Path[], here: Path = []): Node => {
  const below = paths.filter(path => path.length > here.length && here.every((part, index) => String(part) === String(path[index])))
  if (below.length === 0 || !isMapping(base)) return base
  const entries = new Map<string, Entry>()
  for (const [name, entry] of base.entries) {
    const gone = below.some(path => path.length === here.length + 1 && String(path.at(-1)) === name)
    if (!gone) entries.set(name, { key: entry.key, value: without(entry.value, below, [...here, name]) })
  }
  return { ...base, entries }
}

/** A document without what is tagged `!reset`, and the paths that its tags remove from what came before. */
export const resolveTags = (node: Node): { node: Node; removed: Path[] } => {
  const removed: Path[] = []
  const walk = (value: Node, path: Path): Node | undefined => {
    if (value.tag !== undefined) removed.push(path)
    if (value.tag === 'reset') return undefined
    const { tag: _, ...untagged } = value
    if (untagged.kind === 'sequence') {
      return { ...untagged, items: items(value).flatMap((item, index) => walk(item, [...path, index]) ?? []) }
    }
    if (untagged.kind === 'scalar') return untagged
    const entries = new Map<string, Entry>()
    for (const [name, entry] of untagged.entries) {
      const kept = walk(entry.value, [...path, name])
      if (kept !== undefined) entries.set(name, { key: entry.key, value: kept })
    }
    return { ...untagged, entries }
  }
  return { node: walk(node, []) ?? mapping([], node.origin), removed }
}
