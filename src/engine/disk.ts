/**
 * What owners' environments occupy on disk. Counting takes long where there are many files, so it is done now and then, never for a start: one
 * counting at a time, in no more than a twentieth of the time, and for owners with a quota only. What counting does not come to the end of counts as more
 * than anybody may have, or else a million empty files would be the way around.
 */

import type { Clock } from '../base/clock.ts'
import { messageOf } from '../base/errors.ts'
import type { Log } from '../base/log.ts'
import type { Backend } from './backend.ts'
import { holdersOf } from './quotas.ts'
import type { Store } from './store.ts'

/** Disposing breaks off what is under way. */
export interface DiskMeter extends Disposable {
  /** Bytes, as they were last counted; infinite where counting did not come to an end. */
  of(owner: string): number
  /** It has ended: nothing of it is there any more. */
  forget(environment: string): void
  /** Counts anew if it is time to. Never rejects. */
  look(): Promise<void>
}

interface DiskParts {
  readonly backend: Pick<Backend, 'disk'>
  readonly store: Pick<Store, 'environments'>
  readonly clock: Clock
  readonly log: Log
  /** Whether what the owner occupies matters to anybody. */
  readonly counts: (holder: string) => boolean
  /** For what one environment occupies (ms). Default 30 000. */
  readonly patience?: number
}

const share = 20

export const createDiskMeter = ({ backend, store, clock, log, counts, patience = 30_000 }: DiskParts): DiskMeter => {
  const known = new Map<string, { readonly holders: readonly string[]; readonly bytes: number }>()
  /** Owner and team of what is being counted. */
  let living = new Map<string, readonly string[]>()
  let notBefore = 0
  let underWay: Promise<void> | undefined
  const closer = new AbortController()

  const bytesOf = (environment: string): number => known.get(environment)?.bytes ?? 0

  const count = async (): Promise<void> => {
    const begun = clock.boot()
    living = new Map(
      store
        .environments({ ended: false })
        .filter(({ spec }) => holdersOf(spec).some(counts))
        .map(({ id, spec }) => [id, holdersOf(spec)]),
    )
    for (const id of known.keys()) if (!living.has(id)) known.delete(id)
    const learn = (id: string, bytes: number): void => {
      const holders = living.get(id)
      // It may have ended meanwhile.
      if (holders !== undefined) known.set(id, { holders, bytes })
    }
    // The small ones first: what takes long is counted when the others are.
    let left = [...living.keys()].toSorted((one, other) => (bytesOf(one) < bytesOf(other) ? -1 : 1))
    while (left.length > 0) {
      const counted = await backend.disk(left, AbortSignal.any([AbortSignal.timeout(patience), closer.signal]))
      if (closer.signal.aborted) return
      for (const id of left) {
        const bytes = counted.get(id)
        if (bytes !== undefined) learn(id, bytes)
      }
      const [first] = left
      const missing = left.filter(id => !counted.has(id))
      // Each has the whole time for itself before it is too much: what somebody else has filled is nobody's fault.
      if (first !== undefined && missing[0] === first) learn(missing.shift() ?? first, Number.POSITIVE_INFINITY)
      left = missing
    }
    notBefore = clock.boot() + (clock.boot() - begun) * share
  }

  return {
    of: holder => known.values().reduce((sum, one) => (one.holders.includes(holder) ? sum + one.bytes : sum), 0),
    forget: environment => {
      for (const memory of [known, living]) memory.delete(environment)
    },
    look: async () => {
      if (clock.boot() < notBefore || closer.signal.aborted) return
      underWay ??= count()
        .catch((error: unknown) => log.warn('what environments occupy on disk could not be counted; it is tried again', { error: messageOf(error) }))
        .finally(() => {
          underWay = undefined
        })
      await underWay
    },
    [Symbol.dispose]: () => closer.abort(),
  }
}
