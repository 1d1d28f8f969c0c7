/** The index of a segment while it is made: in memory, until it is written whole. */
import type { Activity, ActivityOrigin } from '../../model/activity.ts'
import type { Kind } from './facets.ts'
import { kinds, originTokens, tellActivity } from './facets.ts'
import { longestSegment } from './postings.ts'

/** A segment is written when it has so many entries. */
export const usualSegment = 16_384
/** Or so many offsets in its lists: entries of very many words. */
const mostOffsets = 2_000_000

interface List {
  last: number
  readonly offsets: number[]
}

export interface SegmentBuilder {
  /** Position of its first entry. */
  readonly first: number
  /** The position that follows. */
  readonly next: number
  readonly entries: number
  readonly since: number
  readonly until: number
  readonly full: boolean
  /** Whether entries up to that position still fit. */
  reaches(position: number): boolean
  /** In the order of positions. Positions may be left out. */
  add(position: number, activity: Activity, origin: ActivityOrigin): void
  lists(): ReadonlyMap<string, readonly number[]>
}

/** An index that begins at that position, and is full with `most` entries. */
export const createSegmentBuilder = (first: number, most: number): SegmentBuilder => {
  const byToken = new Map<string, List>()
  // What a value's tokens are is found out once: values come again and again.
  const byValue = new Map<Kind, Map<string, readonly List[]>>()
  const byInstance = new Map<ActivityOrigin, readonly List[]>()
  let next = first
  let entries = 0
  let offsets = 0
  let since = Number.POSITIVE_INFINITY
  let until = Number.NEGATIVE_INFINITY
  let offset = 0

  const listsOf = (tokens: Iterable<string>): List[] =>
    Array.from(new Set(tokens), token => {
      const known = byToken.get(token)
      if (known) return known
      const made: List = { last: -1, offsets: [] }
      byToken.set(token, made)
      return made
    })

  const put = (lists: readonly List[]): void => {
    for (const list of lists) {
      if (list.last === offset) continue
      list.last = offset
      list.offsets.push(offset)
      offsets++
    }
  }

  const knownOf = (kind: Kind): Map<string, readonly List[]> => {
    const made = new Map<string, readonly List[]>()
    byValue.set(kind, made)
    return made
  }

  const tell = (kind: Kind, value: string): void => {
    const known = byValue.get(kind) ?? knownOf(kind)
    let lists = known.get(value)
    if (!lists) {
      lists = listsOf(kinds[kind](value))
      known.set(value, lists)
    }
    put(lists)
  }

  return {
    first,
    get next() {
      return next
    },
    get entries() {
      return entries
    },
    get since() {
      return since
    },
    get until() {
      return until
    },
    get full() {
      return entries >= most || offsets >= mostOffsets
    },
    reaches: position => position - first < longestSegment,
    add: (position, activity, origin) => {
      offset = position - first
      next = position + 1
      entries++
      if (activity.time < since) since = activity.time
      if (activity.time > until) until = activity.time
      let lists = byInstance.get(origin)
      if (!lists) {
        lists = listsOf(originTokens(origin))
        byInstance.set(origin, lists)
      }
      put(lists)
      tellActivity(activity, tell)
    },
    lists: () => new Map(byToken.entries().map(([token, list]) => [token, list.offsets])),
  }
}
