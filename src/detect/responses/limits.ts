/** How much of the same is let through: pure but for what it remembers, with the time given to it, and never more than so many things remembered. */

export interface Once {
  /** Whether it is the first of its key within the window. */
  first(key: string, now: number): boolean
  /** What was let through before has come to nothing: the next one is the first again. */
  forget(key: string): void
}

/** Keys beyond this many push the oldest out: what is said twice then is better than memory without end. */
const mostKeys = 100_000

/** `window` in ms, counted from the first. */
export const once = (window: number): Once => {
  const seen = new Map<string, number>()
  const tidy = (now: number): void => {
    for (const [key, at] of seen) {
      if (now - at < window && seen.size <= mostKeys) return
      seen.delete(key)
    }
  }
  return {
    first: (key, now) => {
      tidy(now)
      const before = seen.get(key)
      if (before !== undefined && now - before < window) return false
      seen.delete(key)
      seen.set(key, now)
      return true
    },
    forget: key => void seen.delete(key),
  }
}

export interface Rate {
  readonly count: number
  /** ms */
  readonly per: number
}

/** A bucket for each key, as full as `count` at first: whether one more may pass now. */
export const rateLimit = ({ count, per }: Rate): ((key: string, now: number) => boolean) => {
  const buckets = new Map<string, { left: number; at: number }>()
  return (key, now) => {
    const bucket = buckets.get(key) ?? { left: count, at: now }
    const left = Math.min(count, bucket.left + (Math.max(0, now - bucket.at) * count) / per)
    const passes = left >= 1
    // Used last stands last: what is full again by now is what went first.
    buckets.delete(key)
    buckets.set(key, { left: passes ? left - 1 : left, at: now })
    for (const [other, { at }] of buckets) {
      if (now - at < per && buckets.size <= mostKeys) break
      buckets.delete(other)
    }
    return passes
  }
}
