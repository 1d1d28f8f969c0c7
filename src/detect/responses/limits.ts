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

interface Buckets {
  has(key: string, now: number): boolean
  /** One that is there. */
  take(key: string, now: number): void
}

const createBuckets = ({ count, per }: Rate): Buckets => {
  const buckets = new Map<string, { left: number; at: number }>()
  const leftOf = (key: string, now: number): number => {
    const { left, at } = buckets.get(key) ?? { left: count, at: now }
    return Math.min(count, left + (Math.max(0, now - at) * count) / per)
  }
  return {
    has: (key, now) => leftOf(key, now) >= 1,
    take: (key, now) => {
      const left = leftOf(key, now) - 1
      // Used last stands last: what is full again by now is what went first.
      buckets.delete(key)
      buckets.set(key, { left, at: now })
      for (const [other, { at }] of buckets) {
        if (now - at < per && buckets.size <= mostKeys) break
        buckets.delete(other)
      }
    },
  }
}

/** A bucket for each key, as full as `count` at first: whether one more may pass now. */
export const rateLimit = (rate: Rate): ((key: string, now: number) => boolean) => {
  const buckets = createBuckets(rate)
  return (key, now) => {
    const passes = buckets.has(key, now)
    if (passes) buckets.take(key, now)
    return passes
  }
}

export interface SharedRates {
  /** Of an instance, where it has one. */
  readonly own?: Rate
  readonly environment: Rate
  readonly all: Rate
  /** Beside these, for what is critical: of an environment, and of all. What is noisy does not take it away. */
  readonly reserve: { readonly environment: Rate; readonly all: Rate }
}

export interface Asker {
  readonly instance: string
  readonly environment: string
  readonly critical: boolean
}

/** One more passes when all that it counts for have room; what has not passed has taken nothing from anybody. */
export const sharedLimit = ({ own, environment, all, reserve }: SharedRates): ((asker: Asker, now: number) => boolean) => {
  const owns = own && createBuckets(own)
  const usual = [createBuckets(environment), createBuckets(all)] as const
  const reserved = [createBuckets(reserve.environment), createBuckets(reserve.all)] as const
  const takes = ([each, one]: typeof usual, key: string, now: number): boolean => {
    if (!each.has(key, now) || !one.has('', now)) return false
    each.take(key, now)
    one.take('', now)
    return true
  }
  return ({ instance, environment: key, critical }, now) => {
    const fitsOwn = owns?.has(instance, now) !== false
    if (fitsOwn && takes(usual, key, now)) {
      owns?.take(instance, now)
      return true
    }
    return critical && takes(reserved, key, now)
  }
}
