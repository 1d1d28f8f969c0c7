/**
 * The sensor's process and what it is told: it is started, started again when it dies, with growing pauses, and told everything again. While there is none,
 * nobody sees what lives: of each container from when to when.
 *
 *   starting ──▶ attached ──▶ down ──▶ starting (after 0.5 s to 60 s) …      absent: nothing on this host to see with
 */

import type { Registration } from '../../../backends/linux/sensor.ts'
import { messageOf } from '../../../base/errors.ts'
import type { Log } from '../../../base/log.ts'
import type { SensorFlags } from '../../../host/sensor/protocol.ts'
import type { Sensor, SensorListeners } from '../../../host/sensor/sensor.ts'
import { openSensor, SensorError } from '../../../host/sensor/sensor.ts'
import type { SensorCounts } from '../../../model/kernel-event.ts'
import type { SensorSettings } from './messages.ts'

const firstPause = 500
const longestPause = 60_000
/** A sensor that saw for as long as this (ms) has died for another reason than the one before. */
const longService = 60_000

export interface WatchState {
  readonly state: 'starting' | 'attached' | 'down' | 'absent'
  readonly reason: string | undefined
  readonly missing: readonly string[]
  readonly restarts: number
}

export interface WatchOptions {
  /** Path of its program; undefined: there is none, for this reason. */
  readonly binary: string | undefined
  readonly absence: string
  readonly listeners: SensorListeners
  readonly settings: SensorSettings
  readonly log: Log
  readonly onState: (state: WatchState) => void
  /** The kernel stamps what happens in it from now on; or `reason`. */
  readonly onRegistered: (cookie: number, reason: string | undefined) => void
  /** Nobody saw what it did. Wall ms. */
  readonly onGap: (cookie: number, from: number, to: number) => void
  /** When somebody has last seen what an earlier daemon has started (wall ms). */
  readonly seenUntil: number | undefined
}

export interface Watch extends AsyncDisposable {
  readonly state: WatchState
  register(registration: Registration): void
  /** Resolves when all that was seen of it was told, to how much that was; to undefined when the sensor does not know it. Never rejects. */
  release(cookie: number): Promise<SensorCounts | undefined>
  set(settings: SensorSettings): void
  /** Of all that it ever saw; undefined while there is none. */
  counts(): Promise<SensorCounts | undefined>
}

interface Watched {
  readonly registration: Registration
  /** Wall ms: since then nobody sees what it does; undefined: it is seen. */
  blindSince: number | undefined
}

const flagsOf = ({ droppedBinaries, connections }: SensorSettings): SensorFlags => ({ droppedBinaries, connections })

export const createWatch = (options: WatchOptions): Watch => {
  const { binary, log, listeners } = options
  const watched = new Map<number, Watched>()
  let settings = options.settings
  let sensor: Sensor | undefined
  let closed = false
  let pause = firstPause
  let again: NodeJS.Timeout | undefined
  let state: WatchState =
    binary === undefined
      ? { state: 'absent', reason: options.absence, missing: [], restarts: 0 }
      : { state: 'starting', reason: undefined, missing: [], restarts: 0 }

  const change = (next: Partial<WatchState>): void => {
    state = { ...state, ...next }
    options.onState(state)
  }

  const tell = async (to: Sensor, { registration, blindSince }: Watched): Promise<void> => {
    const { cookie, namespace: inode, root } = registration
    try {
      await to.registerNamespace({ cookie, inode, root, flags: flagsOf(settings) })
    } catch (error) {
      // Its container is gone, or the sensor is, which tells it again.
      if (watched.has(cookie) && !(error instanceof SensorError && error.errno === 'EPIPE')) {
        log.warn('the sensor does not watch a container', { cookie, error })
        options.onRegistered(cookie, messageOf(error))
      }
      return
    }
    const now = watched.get(cookie)
    if (now === undefined || to !== sensor) return
    now.blindSince = undefined
    if (blindSince !== undefined) options.onGap(cookie, blindSince, Date.now())
    options.onRegistered(cookie, undefined)
  }

  const setPaths = (to: Sensor, before: SensorSettings | undefined, after: SensorSettings): void => {
    for (const [kind, key] of [
      ['sensitive', 'sensitivePaths'],
      ['write', 'writePaths'],
    ] as const) {
      const had = new Set(before?.[key])
      const wanted = new Set(after[key])
      const failed = (path: string) => (error: unknown) => log.warn('the sensor does not take a path', { kind, path, error })
      for (const path of had.difference(wanted)) to.removePath(kind, path).catch(failed(path))
      for (const path of wanted.difference(had)) to.addPath(kind, path).catch(failed(path))
    }
  }

  const start = async (): Promise<void> => {
    if (binary === undefined || closed) return
    try {
      const opened = await openSensor({ binary }, listeners)
      if (closed) return await opened[Symbol.asyncDispose]()
      const since = Date.now()
      sensor = opened
      setPaths(opened, undefined, settings)
      const missing = opened.facts.missing.map(({ probe, reason }) => `${probe}: ${reason}`)
      log.info('the sensor sees', { process: opened.pid, probes: opened.facts.probes.length, missing })
      for (const one of [...watched.values()]) void tell(opened, one)
      change({ state: 'attached', reason: undefined, missing })
      void opened.closed.then(reason => died(reason, since))
    } catch (error) {
      if (closed) return
      log.error('the sensor cannot be started', { error })
      fail(messageOf(error))
    }
  }

  const fail = (reason: string): void => {
    // Who waits for it waits in vain.
    for (const cookie of watched.keys()) options.onRegistered(cookie, reason)
    change({ state: 'down', reason, restarts: state.restarts + 1 })
    again = setTimeout(() => void start(), pause)
    pause = Math.min(pause * 2, longestPause)
  }

  const died = (reason: SensorError, since: number): void => {
    sensor = undefined
    if (closed) return
    const now = Date.now()
    for (const one of watched.values()) one.blindSince ??= now
    log.error('the sensor has died; what lives goes on unseen until there is another', { reason: reason.message, after: pause })
    if (now - since > longService) pause = firstPause
    fail(reason.message)
  }

  void start()
  return {
    get state() {
      return state
    },
    register: registration => {
      const { cookie, adopted } = registration
      const now = Date.now()
      const unseen = sensor === undefined && state.state !== 'starting' ? now : undefined
      const one: Watched = { registration, blindSince: adopted ? Math.min(options.seenUntil ?? now, now) : unseen }
      watched.set(cookie, one)
      if (sensor !== undefined) void tell(sensor, one)
      else if (state.state !== 'starting') options.onRegistered(cookie, state.reason ?? 'there is no sensor')
    },
    release: async cookie => {
      const one = watched.get(cookie)
      watched.delete(cookie)
      // An absence is told once; of what nobody ever saw there is no end.
      if (one?.blindSince !== undefined && state.state !== 'absent') options.onGap(cookie, one.blindSince, Date.now())
      try {
        return await sensor?.unregister(cookie)
      } catch (error) {
        if (!(error instanceof SensorError && (error.errno === 'ENOENT' || error.errno === 'EPIPE')))
          log.warn('a container could not be released', { error })
        return undefined
      }
    },
    set: next => {
      const before = settings
      settings = next
      if (sensor === undefined) return
      setPaths(sensor, before, next)
      if (JSON.stringify(flagsOf(before)) === JSON.stringify(flagsOf(next))) return
      for (const cookie of watched.keys()) sensor.setFlags(cookie, flagsOf(next)).catch(error => log.debug('flags were not set', { cookie, error }))
    },
    counts: async () => await sensor?.counts().catch(() => undefined),
    [Symbol.asyncDispose]: async () => {
      closed = true
      clearTimeout(again)
      await sensor?.[Symbol.asyncDispose]()
    },
  }
}
