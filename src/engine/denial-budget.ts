/** How many denials are written: whoever may ask can be refused as often as they like, and a record is kept for long. */
import type { Actor } from '../model/event.ts'

/** Of one user, in a minute. */
export const mostDenials = 30
const minute = 60_000

export interface DenialBudget {
  /** How many of this user's were not written since the last one that was; undefined: this one is not either. */
  take(actor: Actor): number | undefined
}

/** `now`: ms that only grow. */
export const createDenialBudget = (now: () => number = () => performance.now()): DenialBudget => {
  const users = new Map<string, { since: number; written: number; unrecorded: number }>()
  return {
    take: ({ kind, name }) => {
      const at = now()
      // What was not written is told however late; there are not many users of a host.
      for (const [key, { since, unrecorded }] of users) if (unrecorded === 0 && at - since >= minute) users.delete(key)
      const key = `${kind} ${name}`
      const before = users.get(key) ?? { since: at, written: 0, unrecorded: 0 }
      const own = at - before.since < minute ? before : { ...before, since: at, written: 0 }
      users.set(key, own)
      if (own.written >= mostDenials) {
        own.unrecorded++
        return undefined
      }
      const { unrecorded } = own
      own.written++
      own.unrecorded = 0
      return unrecorded
    },
  }
}
