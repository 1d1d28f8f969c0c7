/**
 * Follows the thresholds in the events of one instance: for each value of `by`, what was seen within the time. Told once; then again only when it has been below
 * the threshold, or `within` later.
 *
 * Bounded: `keys` for each threshold, the one unseen for longest goes first; of each no more values than it takes to be over.
 */
import type { EventContext } from '../fields/context.ts'
import type { Threshold, Told } from './pattern.ts'
import { keyOf } from './pattern.ts'

export const keyLimit = 1024

/** Values, each with when it was last seen (wall ms) and how often, oldest first. */
interface Tally {
  readonly seen: Map<string, { readonly time: number; readonly count: number }>
  count: number
  toldAt: number | undefined
}

export interface CrossedThreshold {
  readonly threshold: Threshold
  readonly told: Told
}

const createFollower = (threshold: Threshold, limit: number) => {
  const tallies = new Map<string, Tally>()
  let numbered = 0

  const tallyOf = (key: string): Tally => {
    const tally = tallies.get(key) ?? { seen: new Map(), count: 0, toldAt: undefined }
    tallies.delete(key)
    tallies.set(key, tally)
    const [oldest] = tallies.size > limit ? tallies.keys() : []
    if (oldest !== undefined) tallies.delete(oldest)
    return tally
  }

  const forget = (tally: Tally, value: string): void => {
    tally.count -= tally.seen.get(value)?.count ?? 0
    tally.seen.delete(value)
  }

  return (context: EventContext): CrossedThreshold | undefined => {
    if (!threshold.trigger.matches(context)) return undefined
    const key = keyOf(threshold.by, context)
    const value = threshold.distinct.length === 0 ? String(numbered++) : keyOf(threshold.distinct, context)
    if (key === undefined || value === undefined) return undefined
    const { time } = context.event
    const tally = tallyOf(key)
    forget(tally, value)
    const count = threshold.distinct.length === 0 ? (context.event.count ?? 1) : 1
    tally.seen.set(value, { time, count })
    tally.count += count
    for (const [each, { time: at }] of tally.seen) {
      if (time - at <= threshold.within && tally.seen.size <= threshold.moreThan + 1) break
      forget(tally, each)
    }
    if (tally.count <= threshold.moreThan) {
      tally.toldAt = undefined
      return undefined
    }
    if (tally.toldAt !== undefined && time - tally.toldAt <= threshold.within) return undefined
    tally.toldAt = time
    return { threshold, told: threshold.output(context) }
  }
}

/** Of one instance. */
export const createThresholdTracker = (
  thresholds: readonly Threshold[],
  limit: number = keyLimit,
): ((context: EventContext, type: string) => readonly CrossedThreshold[]) => {
  const byType = new Map<string, ReturnType<typeof createFollower>[]>()
  for (const threshold of thresholds) {
    const follow = createFollower(threshold, limit)
    for (const type of threshold.trigger.eventTypes) byType.set(type, [...(byType.get(type) ?? []), follow])
  }
  return (context, type) => (byType.get(type) ?? []).flatMap(follow => follow(context) ?? [])
}
