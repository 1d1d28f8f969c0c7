/** The sensor, told to watch whatever pid namespaces there are, and the detector: what the containers of other runtimes do, and what rules say of it. Nothing is enforced. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { DetectorRules } from '../../detect/create.ts'
import { createDetector } from '../../detect/create.ts'
import type { Detection, Subject } from '../../detect/detector.ts'
import { anywhere } from '../../detect/egress.ts'
import { sensitivePaths, writePaths } from '../../detect/rules/watched.ts'
import type { Stranger } from '../../host/sensor/protocol.ts'
import type { SensorError } from '../../host/sensor/sensor.ts'
import { openSensor } from '../../host/sensor/sensor.ts'
import { requireSensor } from '../../host/sensor/support.ts'
import type { KernelEvent, SensedEvent, SensorCounts } from '../../model/kernel-event.ts'
import { kernelEventTypes } from '../../model/kernel-event.ts'
import { nativeDir } from '../daemon/native.ts'
import { createBootTime } from '../daemon/sensing/boot-time.ts'
import { createRedactor } from '../daemon/sensing/redaction.ts'
import type { Container } from './containers.ts'
import { identify, shortId } from './containers.ts'

/** ms: how often the wall clock is looked at. */
const clockInterval = 1_000
/** ms that the last of what was seen may take to arrive. */
const lastPatience = 5_000

/** None of these may throw. In the order in which it happened. */
export interface WatchListeners {
  /** Before its first event. */
  onContainer(container: Container): void
  onEvent(event: KernelEvent, container: Container): void
  onDetection(detection: Detection, container: Container): void
  /** All of it is told. */
  onGone(container: Container, counts: SensorCounts): void
}

export interface Watching extends AsyncDisposable {
  /** Which probes this kernel does not have, and why. */
  readonly missing: readonly { readonly probe: string; readonly reason: string }[]
  /** Resolves, once, with why the sensor ended. */
  readonly ended: Promise<SensorError>
  /** Ends it: all that has happened until now is told first, then resolves to what there was of it. */
  finish(): Promise<Totals>
}

export interface Totals {
  readonly containers: number
  readonly detections: number
  /** Of all that were watched. undefined: the sensor did not say in time. */
  readonly counts: SensorCounts | undefined
  /** Events that rules could not judge. */
  readonly faults: number
}

interface Watched {
  readonly container: Container
  readonly instance: string
}

/** The host's number of its user 0; undefined where it has the host's users, or is gone already. */
const firstUidOf = (pid: number): number | undefined => {
  try {
    const outside = Number(/^\s*0\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/uid_map`, 'latin1'))?.[1] ?? 0)
    return outside === 0 ? undefined : outside
  } catch {
    return undefined
  }
}

const subjectOf = (container: Container, instance: string, pid: number): Subject => ({
  ...{ environment: container.runtime, environmentName: container.group, instance, workload: container.name, kind: container.runtime },
  ...{ image: container.image, imageName: container.imageName, owner: '', labels: container.labels, startedAt: Date.now() },
  ...{ privileged: container.privileged, egress: [anywhere], firstUid: firstUidOf(pid) },
})

type Counted = SensorCounts['emitted']

const together = (left: Counted, right: Counted): Counted => {
  const sums: { -readonly [K in keyof Counted]: Counted[K] } = { ...left }
  for (const type of kernelEventTypes) if (right[type] !== undefined) sums[type] = (sums[type] ?? 0) + right[type]
  return sums
}

const added = (left: SensorCounts, right: SensorCounts): SensorCounts => ({
  emitted: together(left.emitted, right.emitted),
  dropped: together(left.dropped, right.dropped),
  filtered: together(left.filtered, right.filtered),
})

/** Throws `invalid` for rules with errors, before anything is watched, and `host` where there is no sensor. */
export const startWatching = async (rules: DetectorRules, listeners: WatchListeners): Promise<Watching> => {
  const binary = join(nativeDir, 'dayfly-sensor')
  const detector = createDetector(rules)
  requireSensor(binary)
  const time = createBootTime()
  const redact = createRedactor([])
  const watched = new Map<number, Watched>()
  /** A container that is started again has another namespace before the end of the first is told. */
  const lives = new Map<string, number>()
  let [containers, detections, faults] = [0, 0, 0]

  const onStranger = (stranger: Stranger): void => {
    const container = identify(stranger)
    // Those have a daemon that watches them.
    if (container.runtime === 'dayfly') return
    const instance = shortId(container.id)
    containers++
    watched.set(stranger.cookie, { container, instance })
    lives.set(instance, (lives.get(instance) ?? 0) + 1)
    detector.introduce(subjectOf(container, instance, stranger.pid))
    listeners.onContainer(container)
  }

  const eventOf = (sensed: SensedEvent, { container, instance }: Watched): KernelEvent => {
    const { cookie, boot, targetCookie, ...facts } = redact(sensed)
    const target = targetCookie === undefined || targetCookie === cookie ? undefined : watched.get(targetCookie)?.instance
    const whose = { environment: container.runtime, instance }
    return { ...facts, time: time.toWall(boot), ...whose, ...(target === undefined ? {} : { targetInstance: target }) }
  }

  const onEvents = (events: readonly SensedEvent[]): void => {
    for (const sensed of events) {
      const whose = watched.get(sensed.cookie)
      if (whose === undefined) continue
      const event = eventOf(sensed, whose)
      listeners.onEvent(event, whose.container)
      try {
        for (const detection of detector.observe(event)) {
          detections++
          listeners.onDetection(detection, whose.container)
        }
      } catch {
        faults++
      }
    }
  }

  let ended: SensorCounts = { emitted: {}, dropped: {}, filtered: {} }
  const onGone = (cookie: number, counts: SensorCounts): void => {
    const whose = watched.get(cookie)
    if (whose === undefined) return
    watched.delete(cookie)
    ended = added(ended, counts)
    const left = (lives.get(whose.instance) ?? 1) - 1
    if (left > 0) lives.set(whose.instance, left)
    else {
      lives.delete(whose.instance)
      detector.forget(whose.instance)
    }
    listeners.onGone(whose.container, counts)
  }

  const sensor = await openSensor({ binary }, { onEvents, onStranger, onStrangerGone: ({ cookie, counts }) => onGone(cookie, counts) })
  const clock = setInterval(time.adjust, clockInterval)
  const close = async (): Promise<void> => {
    clearInterval(clock)
    await sensor[Symbol.asyncDispose]()
  }
  try {
    await Promise.all([
      ...sensitivePaths.map(path => sensor.addPath('sensitive', path)),
      ...writePaths.map(path => sensor.addPath('write', path)),
      sensor.watch(1),
    ])
  } catch (error) {
    await close()
    throw error
  }

  /** Of those that live, beside those that have ended. One that ends meanwhile is told to have, and so is among these. */
  const allCounts = async (): Promise<SensorCounts> => {
    await sensor.sync()
    const living = await Promise.all([...watched.keys()].map(cookie => sensor.counts(cookie).catch(() => undefined)))
    return living.reduce<SensorCounts>((total, counts) => (counts === undefined ? total : added(total, counts)), ended)
  }
  const lastCounts = async (): Promise<SensorCounts | undefined> => {
    const patience = Promise.withResolvers<undefined>()
    const timer = setTimeout(() => patience.resolve(undefined), lastPatience)
    try {
      return await Promise.race([allCounts(), patience.promise])
    } catch {
      return undefined // The sensor has died: nobody knows.
    } finally {
      clearTimeout(timer)
    }
  }

  return {
    missing: sensor.facts.missing,
    ended: sensor.closed,
    finish: async () => {
      const counts = await lastCounts()
      await close()
      return { containers, detections, counts, faults }
    },
    [Symbol.asyncDispose]: close,
  }
}
