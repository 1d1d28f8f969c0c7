/**
 * Throwing records away when their retention is over. Retention is counted on the wall clock, from the end of the environment, over restarts of the
 * host; so a wall clock that jumps ahead could throw away everything at once. The rule: a record goes when wall now − endedAt > retention AND the wall
 * clock has been steady, that is
 * - since this daemon started: for `settling`, so that a host that boots with a wrong clock has set it by then;
 * - after a step of more than a minute against the boot clock: for a day, in which somebody notices or NTP takes it back;
 * - when it is more than `longestAbsence` ahead of what was last seen before a restart: for a day, too.
 * A clock that jumps back only keeps records longer.
 */
import { rm } from 'node:fs/promises'
import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import type { Instance } from '../model/instance.ts'
import type { Store } from './store.ts'
import type { Witness } from './witness.ts'

const settling = 600_000
const distrust = 86_400_000
const longestAbsence = 7 * 86_400_000
const largestStep = 60_000
const seenEvery = 3_600_000
const seenFact = 'wall-clock.seen'
/** Records purged by one sweep, at most: the others follow with the next. */
const batch = 200

/** Says whether the wall clock may be believed now; call it regularly, it notices steps between two calls. */
export const createWallTrust = (clock: Clock, store: Store, log: Log): (() => boolean) => {
  const seen = Number(store.fact(seenFact) ?? Number.NaN)
  const farAhead = clock.wall() - seen > longestAbsence
  let trustedFrom = clock.boot() + (farAhead ? distrust : settling)
  let last = { wall: clock.wall(), boot: clock.boot() }
  let written = Number.isNaN(seen) ? Number.NEGATIVE_INFINITY : seen

  return () => {
    const now = { wall: clock.wall(), boot: clock.boot() }
    const step = now.wall - last.wall - (now.boot - last.boot)
    last = now
    if (Math.abs(step) > largestStep) {
      trustedFrom = now.boot + distrust
      log.warn('the wall clock was stepped: no record is purged for a day', { milliseconds: step })
    }
    if (now.boot < trustedFrom) return false
    if (Math.abs(now.wall - written) > seenEvery) {
      store.setFact(seenFact, String(now.wall))
      written = now.wall
    }
    return true
  }
}

/** Purges what is past its retention, logs first: what a crash leaves is a record without logs, which the next purge takes. */
export const purgeExpired = async (
  store: Store,
  clock: Clock,
  log: Log,
  logPath: (instance: Instance) => string,
  accessLogPath: (environment: string) => string,
  forensicsPath: (environment: string) => string,
  witness: Pick<Witness, 'purge'>,
): Promise<void> => {
  for (const id of store.expired(clock.wall(), batch)) {
    for (const instance of store.instances(id)) await rm(logPath(instance), { force: true })
    await rm(accessLogPath(id), { force: true })
    await rm(forensicsPath(id), { recursive: true, force: true })
    witness.purge(id)
    store.purge(id)
    log.info('a record was purged: its retention is over', { environment: id })
  }
}
