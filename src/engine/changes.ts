/** What differs between two specs of an environment, and what that does to what runs. Pure. */
import type { EnvironmentSpec } from '../model/environment.ts'
import { canonicalJson } from '../model/record.ts'
import type { Change } from './engine.ts'
import { inOrder, revisionOf } from './revision.ts'

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> => typeof value === 'object' && value !== null && !Array.isArray(value)
const same = (left: unknown, right: unknown): boolean => canonicalJson(left ?? null) === canonicalJson(right ?? null)

/** Paths at which two values differ, the deepest members that are objects in both. */
export const differences = (left: unknown, right: unknown, path = ''): string[] => {
  if (same(left, right)) return []
  if (!isRecord(left) || !isRecord(right)) return [path]
  const keys = [...new Set([...Object.keys(left), ...Object.keys(right)])]
  return keys.flatMap(key => differences(left[key], right[key], path === '' ? key : `${path}.${key}`))
}

type Named = Readonly<Record<string, unknown>>

const namedChanges = (
  subject: Change['subject'],
  before: Named,
  after: Named,
  effect: (name: string, kind: Change['kind']) => Change['effect'],
  more: (name: string) => string[] = () => [],
): Change[] => {
  const names = [...Object.keys(after), ...Object.keys(before).filter(name => !(name in after))]
  return names.flatMap((name): Change[] => {
    const kind = !(name in before) ? 'added' : !(name in after) ? 'removed' : 'changed'
    const fields = kind === 'changed' ? [...differences(before[name], after[name]), ...more(name)] : []
    return kind === 'changed' && fields.length === 0 ? [] : [{ subject, name, kind, fields, effect: effect(name, kind) }]
  })
}

const volumesOf = (spec: EnvironmentSpec | undefined): Named => Object.fromEntries((spec?.volumes ?? []).map(name => [name, {}]))

/** From `before` (none: everything is added) to `after`; workloads in the order in which they start. */
export const changesBetween = (before: EnvironmentSpec | undefined, after: EnvironmentSpec): Change[] => {
  const ordered = Object.fromEntries(inOrder(after).map(name => [name, after.workloads[name]]))
  /** Secrets that are the same but for their content; which it is or was, nobody says. */
  const contents = (name: string): string[] => {
    const [left, right] = [before?.secretDigests?.[name] ?? {}, after.secretDigests?.[name] ?? {}]
    const there = before?.workloads[name]?.secrets ?? []
    return Object.keys(right).flatMap(secret => (there.includes(secret) && left[secret] !== right[secret] ? [`secrets.${secret}`] : []))
  }
  const workloads = namedChanges(
    'workload',
    before?.workloads ?? {},
    ordered,
    (name, kind) => {
      if (kind !== 'changed') return kind === 'added' ? 'started' : 'stopped'
      return before && revisionOf(before, name) === revisionOf(after, name) ? 'kept' : 'replaced'
    },
    contents,
  )
  // What is not written differently, but made from something that is: a configuration, a dependency.
  const drawn = Object.keys(ordered)
    .filter(
      name => before?.workloads[name] && !workloads.some(change => change.name === name) && revisionOf(before, name) !== revisionOf(after, name),
    )
    .map((name): Change => ({ subject: 'workload', name, kind: 'changed', fields: [], effect: 'replaced' }))
  const kept = (): Change['effect'] => 'kept'
  const whole = (subject: Change['subject'], left: unknown, right: unknown): Change[] => {
    const fields = before ? differences(left, right) : []
    return fields.length === 0 ? [] : [{ subject, name: '', kind: 'changed', fields, effect: 'kept' }]
  }
  return [
    ...workloads,
    ...drawn,
    ...namedChanges('network', before?.networks ?? {}, after.networks ?? {}, kept),
    ...namedChanges('volume', volumesOf(before), volumesOf(after), kept),
    ...namedChanges('config', before?.configs ?? {}, after.configs ?? {}, kept).map(change => ({ ...change, fields: [] })),
    ...whole('lease', before?.lease, after.lease),
    ...whole('labels', before?.labels, after.labels),
  ]
}
