/** Questions for names come as fast as a workload asks them: so many of an instance are told, and the others counted. */

/** A second, on average; and at once. */
const rate = 100
const burst = 1_000

export interface QuestionFlow {
  /** Whether the next one of it is to be told. */
  admit(instance: string): boolean
  /** It is gone: how many were not told. */
  forget(instance: string): number
}

interface Bucket {
  tokens: number
  /** ms. */
  at: number
  left: number
}

/** `now`: ms of a clock that only moves on. */
export const createQuestionFlow = (now: () => number = () => performance.now()): QuestionFlow => {
  const buckets = new Map<string, Bucket>()
  return {
    admit: instance => {
      const at = now()
      const bucket = buckets.get(instance) ?? { tokens: burst, at, left: 0 }
      buckets.set(instance, bucket)
      bucket.tokens = Math.min(burst, bucket.tokens + ((at - bucket.at) / 1000) * rate)
      bucket.at = at
      if (bucket.tokens < 1) {
        bucket.left++
        return false
      }
      bucket.tokens--
      return true
    },
    forget: instance => {
      const left = buckets.get(instance)?.left ?? 0
      buckets.delete(instance)
      return left
    },
  }
}
