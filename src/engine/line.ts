/**
 * Who is let in. What would be too much now is refused, or waits in line: in the order in which it came, behind all that waits for the same room, be it
 * its owner's or the host's. Whoever came later does not pass, even where it would fit: else what is large would wait for ever.
 *
 *   comes ──▶ is there room, and nobody before it? ──yes──▶ begins, in the same instant
 *                          └──no──▶ waits (its place is told as it changes) ──▶ begins · its patience is over · it was given up
 *
 * A line is in memory only. What waits has nothing on the host or in the store, so nothing is left of it when its client or the daemon goes.
 */
import { abortError, onAbort, throwIfAborted } from '../base/abort.ts'
import type { Agenda } from '../base/agenda.ts'
import type { Clock } from '../base/clock.ts'
import { formatDuration } from '../base/durations.ts'
import { DayflyError } from '../base/errors.ts'
import type { Log } from '../base/log.ts'
import type { EnvironmentSpec } from '../model/environment.ts'
import type { Claim, Excess } from './quotas.ts'
import { holdersOf } from './quotas.ts'

export interface Place {
  /** From 1: so many begin before it, less one. */
  readonly place: number
  /** What is missing, for people. */
  readonly reason: string
}

/** Whether something may wait for room, and who wants to know what it waits for. */
export interface Waiting {
  /** ms. Undefined: where there is no room it is refused. */
  readonly patience: number | undefined
  /** Called at once where it waits, then at each change. Must not throw. */
  readonly onPlace: (place: Place) => void
}

export interface Line {
  /**
   * Calls `begin` once there is room; in the same instant, so nothing comes in between. Rejects `exhausted` when there is none (in time), and when `signal`
   * aborts before.
   */
  enter<T>(spec: EnvironmentSpec, waiting: Waiting | undefined, signal: AbortSignal, begin: (claim: Claim) => Promise<T>): Promise<T>
  /** There may be room now. */
  look(): void
}

interface LineParts {
  readonly excessOf: (spec: EnvironmentSpec) => Excess | undefined
  readonly claim: (spec: EnvironmentSpec) => Claim
  readonly clock: Clock
  readonly agenda: Agenda
  readonly closing: AbortSignal
  readonly log: Log
}

/** How often (ms) it is seen whether there is room: memory comes back, and a minute passes, without anybody saying so. */
const pause = 1000
/** More than this do not wait at once. */
const longest = 1000

interface Entry {
  readonly spec: EnvironmentSpec
  readonly onPlace: ((place: Place) => void) | undefined
  /** Takes it out and begins. */
  readonly admit: () => void
  of: Excess['of']
  place: Place | undefined
}

const remedy = 'End an environment (dayfly down), ask for lower limits, or wait in line: --queue DURATION.'

export const createLine = ({ excessOf, claim, clock, agenda, closing, log }: LineParts): Line => {
  /** In the order in which they came. */
  let entries: Entry[] = []
  let timer: Disposable | undefined

  const leave = (entry: Entry): void => {
    entries = entries.filter(other => other !== entry)
    if (entries.length > 0) return
    timer?.[Symbol.dispose]()
    timer = undefined
  }

  const tell = (entry: Entry, place: Place): void => {
    if (entry.place?.place === place.place && entry.place.reason === place.reason) return
    entry.place = place
    entry.onPlace?.(place)
  }

  /** Lets in whom there is room for, and tells the others their places. */
  const look = (): void => {
    /** What the first one waits for, by owner and for the host; and how many wait there. */
    const owners = new Map<string, { readonly reason: string; count: number }>()
    const host = { reason: '', count: 0 }
    for (const entry of entries) {
      const [owner, team] = holdersOf(entry.spec)
      const before = owners.get(owner) ?? owners.get(team)
      const excess = before ? undefined : excessOf(entry.spec)
      if (!before && !excess && host.count === 0) {
        entry.admit()
        continue
      }
      entry.of = before || excess?.of === 'owner' || excess?.of === 'team' ? 'owner' : 'host'
      if (entry.of === 'host') {
        if (host.count === 0) host.reason = excess?.reason ?? ''
        host.count++
        // Those of its owner come after it all the same, and so after all that it comes after.
        owners.set(owner, { reason: host.reason, count: host.count })
        tell(entry, { place: host.count, reason: host.reason })
      } else {
        const line = before ?? { reason: excess?.reason ?? '', count: 0 }
        line.count++
        owners.set(owner, line)
        // Nobody of the team passes who waits for the team's room.
        if (excess?.of === 'team') owners.set(team, line)
        tell(entry, { place: line.count, reason: line.reason })
      }
    }
    again()
  }

  const again = (): void => {
    timer?.[Symbol.dispose]()
    timer = entries.length === 0 || closing.aborted ? undefined : agenda.at(clock.boot() + pause, lookAgain)
  }

  /** For those who wait already: a store that cannot be read now can be read later. */
  const lookAgain = (): void => {
    try {
      look()
    } catch (error) {
      log.warn('it could not be seen whether there is room for what waits in line', { error })
      again()
    }
  }

  const refusal = ({ place }: Entry): DayflyError => {
    const before = (place?.place ?? 1) - 1
    const others = before === 0 ? '' : `; ${before} wait${before === 1 ? 's' : ''} in line before it`
    return new DayflyError('exhausted', `${place?.reason ?? 'there is no room'}${others}`, { remedy })
  }

  return {
    look: lookAgain,
    enter: async <T>(spec: EnvironmentSpec, waiting: Waiting | undefined, signal: AbortSignal, begin: (claim: Claim) => Promise<T>): Promise<T> => {
      throwIfAborted(signal)
      throwIfAborted(closing)
      const { promise, resolve, reject } = Promise.withResolvers<T>()
      const hopeless = excessOf(spec)
      if (hopeless?.never) throw new DayflyError('exhausted', hopeless.reason, { remedy: 'Ask for less.' })
      const patience = waiting?.patience
      let begun = false
      const entry: Entry = {
        ...{ spec, onPlace: patience === undefined ? undefined : waiting?.onPlace, of: 'owner', place: undefined },
        admit: () => {
          begun = true
          leave(entry)
          resolve(begin(claim(spec)))
        },
      }
      entries = [...entries, entry]
      try {
        look()
      } catch (error) {
        leave(entry)
        throw error
      }
      if (begun) return await promise
      if (patience === undefined || entries.length > longest) {
        leave(entry)
        throw patience === undefined
          ? refusal(entry)
          : new DayflyError('exhausted', `${longest} wait in line already`, { remedy: 'Try again later.' })
      }
      const giveUp = (error: Error): void => {
        if (begun) return
        leave(entry)
        reject(error)
        lookAgain()
      }
      using _gone = onAbort(signal, () => giveUp(abortError(signal)))
      using _closing = onAbort(closing, () => giveUp(abortError(closing)))
      using _limit = agenda.at(clock.boot() + patience, () => {
        const { message } = refusal(entry)
        giveUp(new DayflyError('exhausted', `${message}; it waited in line for ${formatDuration(patience)}`, { remedy }))
      })
      return await promise
    },
  }
}
