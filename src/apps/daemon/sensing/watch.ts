/**
 * The sensor's process and what it is told: it is started, started again when it dies or hangs, with growing pauses, and told everything again. While there is
 * none, nobody sees what lives: of each container from when to when.
 *
 *   starting ──▶ attached ──▶ down ──▶ starting (after 0.5 s to 60 s) …      absent: nothing on this host to see with
 */
import type { Registration } from '../../../backends/linux/sensor.ts'
import { settledWithin } from '../../../base/abort.ts'
import { messageOf } from '../../../base/errors.ts'
import type { Log } from '../../../base/log.ts'
import type { SensorFlags } from '../../../host/sensor/protocol.ts'
import type { Sensor, SensorListeners } from '../../../host/sensor/sensor.ts'
import { openSensor, SensorError } from '../../../host/sensor/sensor.ts'
import type { SensedEvent, SensorCounts } from '../../../model/kernel-event.ts'
import { kernelEventTypes } from '../../../model/kernel-event.ts'
import type { EarlySensor } from './early-sensor.ts'
import type { SensorSettings } from './messages.ts'

const firstPause = 500
const longestPause = 60_000
/** A sensor that saw for as long as this (ms) has died for another reason than the one before. */
const longService = 60_000
/** ms that the sensor may take to answer. One that takes longer hangs. */
const answerPatience = 10_000

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
  /** It is being started already. */
  readonly early?: EarlySensor | undefined
  readonly listeners: SensorListeners
  readonly settings: SensorSettings
  readonly log: Log
  readonly onState: (state: WatchState) => void
  /** The kernel stamps what happens in it from now on; or `reason`. */
  readonly onRegistered: (cookie: number, reason: string | undefined) => void
  /** Nobody saw what it did. Wall ms. */
  readonly onGap: (cookie: number, from: number, to: number) => void
  /** ms; for tests. */
  readonly patience?: number
}

export interface Watch extends AsyncDisposable {
  readonly state: WatchState
  /** Wall ms: all that happened until then was told, by this sensor or one before. undefined: there was none yet. */
  readonly seenUntil: number | undefined
  /** `blindSince`: wall ms, since when nobody sees what it does. */
  register(registration: Registration, blindSince: number | undefined): void
  /** It starts although nobody has said that it is seen. */
  startsUnseen(cookie: number): void
  /**
   * Resolves when all that was seen of it was told, to how much that was, by all sensors that saw it: of those that died what they had told. To undefined when
   * none has. Never rejects.
   */
  release(cookie: number): Promise<SensorCounts | undefined>
  set(settings: SensorSettings): void
  /** Of all that it ever saw; undefined while there is none. One that does not answer is killed. */
  counts(): Promise<SensorCounts | undefined>
}

type Tally = { -readonly [K in keyof SensorCounts['emitted']]: SensorCounts['emitted'][K] }

interface Watched {
  readonly registration: Registration
  /** Wall ms: since then nobody sees what it does; undefined: it is seen. */
  blindSince: number | undefined
  /** What this sensor has told of it, and what those before it had. */
  told: Tally
  before: Tally
  /** It is gone: another sensor is not told of it. */
  releasing: boolean
}

/** What this sensor can do of it: what it cannot, it says that it is missing. */
const flagsOf = ({ droppedBinaries, connections, listeners, scripts }: SensorSettings, to: Sensor): SensorFlags => ({
  ...{ droppedBinaries, connections, listeners },
  scripts: to.facts.probes.includes('open_exec') ? scripts : 'off',
})

/** The sensor is gone, by itself or because it was ended. */
const isGone = (error: unknown): boolean => error instanceof SensorError && (error.errno === 'EPIPE' || error.errno === 'ECANCELED')

const addTo = (sums: Tally, more: Tally): Tally => {
  for (const type of kernelEventTypes) if (more[type] !== undefined) sums[type] = (sums[type] ?? 0) + more[type]
  return sums
}

export const createWatch = (options: WatchOptions): Watch => {
  const { binary, log, listeners, patience = answerPatience } = options
  const watched = new Map<number, Watched>()
  let { settings, early } = options
  let sensor: Sensor | undefined
  let closed = false
  let pause = firstPause
  let again: NodeJS.Timeout | undefined
  let seenUntil: number | undefined
  /** ms: when it last said something. */
  let heardAt = Number.NEGATIVE_INFINITY
  let counting: Promise<SensorCounts | undefined> | undefined
  let state: WatchState =
    binary === undefined
      ? { state: 'absent', reason: options.absence, missing: [], restarts: 0 }
      : { state: 'starting', reason: undefined, missing: [], restarts: 0 }

  const change = (next: Partial<WatchState>): void => {
    state = { ...state, ...next }
    options.onState(state)
  }

  const tally = (events: readonly SensedEvent[]): void => {
    heardAt = performance.now()
    for (const { cookie, type, count = 1 } of events) {
      const told = watched.get(cookie)?.told
      if (told !== undefined) told[type] = (told[type] ?? 0) + count
    }
  }

  const tell = async (to: Sensor, { registration }: Watched): Promise<void> => {
    const { cookie, namespace: inode, root, pid } = registration
    try {
      await to.registerNamespace({ cookie, inode, root, ...(pid === undefined ? {} : { pid }), flags: flagsOf(settings, to) })
    } catch (error) {
      // Its container is gone, or the sensor is, which tells it again.
      if (watched.has(cookie) && !isGone(error)) {
        log.warn('the sensor does not watch a container', { cookie, error })
        options.onRegistered(cookie, messageOf(error))
      }
      return
    }
    const now = watched.get(cookie)
    if (now === undefined || to !== sensor) return
    const { blindSince } = now
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
      const hearing: SensorListeners = {
        ...listeners,
        onEvents: events => {
          tally(events)
          listeners.onEvents(events)
        },
      }
      const first = early
      early = undefined
      const opened = await (first === undefined ? openSensor({ binary }, hearing) : first.take(hearing))
      if (closed) return await opened[Symbol.asyncDispose]()
      const since = Date.now()
      sensor = opened
      seenUntil = since
      setPaths(opened, undefined, settings)
      const missing = opened.facts.missing.map(({ probe, reason }) => `${probe}: ${reason}`)
      log.info('the sensor sees', { process: opened.pid, probes: opened.facts.probes.length, missing })
      for (const one of watched.values()) if (!one.releasing) void tell(opened, one)
      change({ state: 'attached', reason: undefined, missing })
      void opened.closed.then(reason => died(opened, reason, since))
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

  const died = (which: Sensor, reason: SensorError, since: number): void => {
    if (which !== sensor) return
    sensor = undefined
    if (closed) return
    // What it had not told yet is lost with it: all is certain only up to its last answer.
    for (const one of watched.values()) {
      one.blindSince ??= seenUntil ?? since
      one.before = addTo(one.before, one.told)
      one.told = {}
    }
    log.error('the sensor has died; what lives goes on unseen until there is another', { reason: reason.message, after: pause })
    if (Date.now() - since > longService) pause = firstPause
    fail(reason.message)
  }

  const count = async (asked: Sensor): Promise<SensorCounts | undefined> => {
    const when = Date.now()
    const answer = asked.counts().then(
      counts => {
        if (asked === sensor) seenUntil = when
        return counts
      },
      () => undefined,
    )
    do {
      if (await settledWithin(answer, patience)) return await answer
      // Whose events are still being read is slow to be heard, and does not hang: the answer comes after them.
    } while (performance.now() - heardAt < patience)
    if (asked === sensor) {
      log.error('the sensor does not answer; it is killed', { process: asked.pid, after: patience })
      void asked[Symbol.asyncDispose]()
    }
    return undefined
  }

  void start()
  return {
    get state() {
      return state
    },
    get seenUntil() {
      return seenUntil
    },
    register: (registration, blindSince) => {
      const one: Watched = { registration, blindSince, told: {}, before: {}, releasing: false }
      watched.set(registration.cookie, one)
      if (sensor !== undefined) void tell(sensor, one)
      else if (state.state !== 'starting') options.onRegistered(registration.cookie, state.reason ?? 'there is no sensor')
    },
    startsUnseen: cookie => {
      const one = watched.get(cookie)
      if (one !== undefined) one.blindSince ??= Date.now()
    },
    release: async cookie => {
      const one = watched.get(cookie)
      // It stays until it is answered for, so that what comes meanwhile is counted.
      if (one !== undefined) one.releasing = true
      const asked = sensor
      let counts: SensorCounts | undefined
      try {
        counts = await asked?.unregister(cookie)
      } catch (error) {
        if (!isGone(error) && !(error instanceof SensorError && error.errno === 'ENOENT')) log.warn('a container could not be released', { error })
      }
      if (watched.get(cookie) === one) watched.delete(cookie)
      if (one === undefined) return counts
      // An absence is told once; of what nobody ever saw there is no end.
      if (one.blindSince !== undefined && state.state !== 'absent') options.onGap(cookie, one.blindSince, Date.now())
      const emitted = addTo({ ...one.before }, counts?.emitted ?? one.told)
      if (counts === undefined && Object.keys(emitted).length === 0) return undefined
      return { emitted, dropped: counts?.dropped ?? {}, filtered: counts?.filtered ?? {} }
    },
    set: next => {
      const before = settings
      settings = next
      if (sensor === undefined) return
      setPaths(sensor, before, next)
      const flags = flagsOf(next, sensor)
      if (JSON.stringify(flagsOf(before, sensor)) === JSON.stringify(flags)) return
      for (const cookie of watched.keys()) sensor.setFlags(cookie, flags).catch(error => log.debug('flags were not set', { cookie, error }))
    },
    counts: async () => {
      if (sensor === undefined) return undefined
      counting ??= count(sensor).finally(() => {
        counting = undefined
      })
      return await counting
    },
    [Symbol.asyncDispose]: async () => {
      closed = true
      clearTimeout(again)
      await sensor?.[Symbol.asyncDispose]()
    },
  }
}
