/** OSV's evaluation: whether a version is in a range. Events are sorted when a record is made, so that this is one pass. */
import { orderOf } from '../versions/order.ts'
import { semver } from '../versions/semver.ts'
import type { VersionOrder } from '../versions/text.ts'
import type { Range, RangeEvent } from './advisory.ts'

/** Where only one order equality can decide about lists of versions, and the list has no more than this. */
const mostComparedVersions = 2_000

export const orderOfRange = (ecosystem: string, range: Range): VersionOrder => (range.semver ? semver : orderOf(ecosystem))

/** '0' comes before every version, pre-releases of 0 too. Of one version, what ends after it comes last. */
export const sortEvents = (events: readonly RangeEvent[], order: VersionOrder): RangeEvent[] =>
  events.toSorted(([kind, version], [otherKind, other]) => {
    const first = Number(otherKind === 'introduced' && other === '0') - Number(kind === 'introduced' && version === '0')
    return first || order.compare(version, other) || Number(kind === 'last_affected') - Number(otherKind === 'last_affected')
  })

export const isInRange = (version: string, range: Range, order: VersionOrder): boolean => {
  if (range.limits.length > 0 && !range.limits.some(limit => limit === '*' || order.compare(version, limit) < 0)) return false
  let affected = false
  for (const [kind, at] of range.events) {
    if (kind === 'introduced') {
      if (at === '0' || order.compare(version, at) >= 0) affected = true
    } else {
      const difference = order.compare(version, at)
      if (difference > 0 || (difference === 0 && kind === 'fixed')) affected = false
    }
  }
  return affected
}

/** Whether `versions` lists it: letter by letter, or written otherwise where there is nothing but the list. */
export const isListed = (ecosystem: string, version: string, versions: readonly string[], hasRanges: boolean): boolean => {
  if (versions.includes(version)) return true
  if (hasRanges || versions.length > mostComparedVersions) return false
  const order = orderOf(ecosystem)
  return order.valid(version) && versions.some(other => order.compare(version, other) === 0 && order.valid(other))
}

/** The versions at which a range that holds `version` says it is fixed, later than it. */
export const fixesAfter = (version: string, range: Range, order: VersionOrder): string[] =>
  range.events.flatMap(([kind, at]) => (kind === 'fixed' && order.compare(at, version) > 0 ? [at] : []))
