/**
 * How many of a thing to keep ready: as many as were taken in the busiest `burst` of the recent past. Pure; the clock is an argument.
 */
export interface Demand {
  /** One was taken at `now` (ms of any clock that only moves forward). */
  took(now: number): void
  /** The size of the largest burst that is not older than `memory`. */
  peak(now: number): number
  /** How many were taken within `memory`. */
  recent(now: number): number
}

interface Bucket {
  readonly from: number
  count: number
}

export const trackDemand = (burst: number, memory: number): Demand => {
  let buckets: Bucket[] = []
  const forget = (now: number): void => {
    buckets = buckets.filter(bucket => now - bucket.from <= memory)
  }
  return {
    took: now => {
      const last = buckets.at(-1)
      if (last !== undefined && now - last.from < burst) last.count += 1
      else {
        forget(now)
        buckets.push({ from: now, count: 1 })
      }
    },
    peak: now => {
      forget(now)
      return buckets.reduce((most, bucket) => Math.max(most, bucket.count), 0)
    },
    recent: now => {
      forget(now)
      return buckets.reduce((sum, bucket) => sum + bucket.count, 0)
    },
  }
}
