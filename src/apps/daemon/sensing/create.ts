/**
 * Sensing as the daemon has it: what the backend tells of containers and the engine of instances goes to a thread of its own, which is told all of it again
 * when the one before has crashed.
 *
 *   thread: starting ──▶ serving ──▶ crashed ──▶ starting (after 0.1 s to 10 s) …      closed from everywhere
 */
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import type { Bound, Registration, Sensor } from '../../../backends/linux/sensor.ts'
import { abortable, settledWithin } from '../../../base/abort.ts'
import { DayflyError } from '../../../base/errors.ts'
import type { Log } from '../../../base/log.ts'
import { defaultDetectionSettings } from '../../../detect/settings/settings.ts'
import type { Testimony, Witness } from '../../../engine/witness.ts'
import { introductionOf } from './introduction.ts'
import type { Detected, FromSensing, Introduction, RuleSettings, SensingOptions, SensorHealth, SensorSettings, ToSensing } from './messages.ts'
import { sensorSettingsOf } from './settings.ts'

/**
 *   auto      where this host has a sensor, everything is seen; where not, everything goes on, and records say so
 *   require   nothing starts that is not seen
 *   off       no sensor is started
 */
export type SensorDemand = 'auto' | 'off' | 'require'

export interface SensingParts {
  readonly demand: SensorDemand
  readonly stateDir: string
  readonly runDir: string
  /** Path of the sensor's program, or why there is no use in starting it. */
  readonly sensor: { readonly binary: string } | { readonly absence: string }
  readonly log: Log
}

/** Where what is found goes. */
export interface SensingSink {
  /** Into the record of an environment. Must not throw. */
  readonly testify: (environment: string, testimony: Testimony) => void
  /** Detections as they come. `left`: so many more that came at once are not told. Must not throw, and must not take long. */
  readonly onDetections: (detections: readonly Detected[], left: number) => void
}

export interface Sensing extends AsyncDisposable {
  /** For the backend. */
  readonly sensor: Sensor
  /** For the engine. */
  readonly witness: Witness
  /** What is found until then waits. */
  begin(sink: SensingSink): void
  health(): SensorHealth
  set(settings: SensorSettings): void
  setRules(rules: RuleSettings): void
  /** Makes room on the disk where there is too much: of these, which have ended, the oldest first. */
  prune(ended: readonly string[]): void
}

/** ms that a start waits for the kernel to know its container. */
const registerPatience = 5_000
/** ms for the last of an environment: longer than the thread's own patience with the sensor. */
const settlePatience = 15_000
/** ms, when there is no thread at the moment. */
const absentPatience = 3_000
const closePatience = 5_000
const firstPause = 100
const longestPause = 10_000

interface Registered {
  readonly registration: Registration
  readonly released: () => void
  /** The sensor has said something of it. */
  readonly answered: PromiseWithResolvers<void>
  /** Why the kernel does not stamp what happens in it; undefined: it does. */
  reason: string | undefined
  /** The backend needs it no more; the thread has still to say that it is gone. */
  gone: boolean
}

const unanswered: Testimony = {
  ...{ instance: undefined, type: 'activity.lost', reason: 'whoever keeps what instances do did not answer in time' },
  data: { code: 'timeout' },
}

export const createSensing = (parts: SensingParts): Sensing => {
  const { demand, log } = parts
  let sink: SensingSink | undefined
  let waiting: ((sink: SensingSink) => void)[] = []
  const give = (work: (sink: SensingSink) => void): void => {
    if (sink === undefined) waiting.push(work)
    else work(sink)
  }
  const testify = (environment: string, testimony: Testimony): void => give(to => to.testify(environment, testimony))
  const seenFile = join(parts.runDir, 'sensor.seen')
  const registered = new Map<number, Registered>()
  const introduced = new Map<string, Map<string, Introduction>>()
  const bound = new Map<string, Bound>()
  const settling = new Map<string, PromiseWithResolvers<readonly Testimony[]>>()
  const settled = new Map<string, Promise<readonly Testimony[]>>()
  const told = new Set<string>()
  const absence = demand === 'off' ? 'the daemon runs with --sensor off' : 'absence' in parts.sensor ? parts.sensor.absence : ''
  let settings = sensorSettingsOf(defaultDetectionSettings)
  let rules: RuleSettings | undefined
  let worker: Worker | undefined
  let closed = false
  let pause = firstPause
  let again: NodeJS.Timeout | undefined
  let health: SensorHealth = {
    ...{ state: absence === '' ? 'starting' : 'absent', reason: absence === '' ? undefined : absence, missing: [], restarts: 0 },
    ...{ emitted: 0, dropped: 0, unowned: 0, faults: 0, rules: 0, ruleFault: undefined },
  }

  const tell = (message: ToSensing): void => worker?.postMessage(message)

  const forgetEnvironment = (environment: string): void => {
    for (const instance of introduced.get(environment)?.keys() ?? []) {
      bound.delete(instance)
      told.delete(instance)
    }
    introduced.delete(environment)
    told.delete(environment)
  }

  const releasedFrom = (cookie: number): void => {
    const one = registered.get(cookie)
    registered.delete(cookie)
    one?.released()
    one?.answered.resolve()
  }

  const hear = (message: FromSensing): void => {
    switch (message.type) {
      case 'registered': {
        const one = registered.get(message.cookie)
        if (one !== undefined) one.reason = message.reason
        one?.answered.resolve()
        break
      }
      case 'released':
        releasedFrom(message.cookie)
        break
      case 'detections':
        give(to => to.onDetections(message.detections, message.left))
        break
      case 'testimony':
        for (const one of message.testimony) testify(message.environment, one)
        break
      case 'settled':
        settling.get(message.environment)?.resolve(message.testimony)
        settling.delete(message.environment)
        break
      case 'health':
        health = message.health
        break
      case 'log':
        log[message.level](message.message, message.fields)
        break
      case 'ready':
        pause = firstPause
        break
    }
  }

  const optionsNow = (seenUntil: number | undefined): SensingOptions => ({
    ...{ stateDir: parts.stateDir, sensor: absence === '' && 'binary' in parts.sensor ? parts.sensor.binary : undefined, absence },
    ...{ settings, rules, seenFile, seenUntil },
  })

  /** Everything that the thread has to know of what lives. */
  const remind = (): void => {
    for (const those of introduced.values()) for (const introduction of those.values()) tell({ type: 'introduce', introduction })
    for (const [cookie, one] of registered) {
      if (one.gone) releasedFrom(cookie)
      else tell({ type: 'register', registration: { ...one.registration, adopted: true } })
    }
    for (const one of bound.values()) tell({ type: 'bind', bound: one })
    for (const environment of settling.keys()) tell({ type: 'settle', environment })
  }

  const start = (seenUntil: number | undefined): void => {
    const thread = new Worker(new URL('./thread.ts', import.meta.url), { workerData: optionsNow(seenUntil), name: 'dayfly-sensing' })
    worker = thread
    thread.on('message', hear)
    thread.on('error', error => log.error('the thread of sensing has crashed', { error }))
    thread.on('exit', () => {
      if (worker !== thread) return
      worker = undefined
      if (closed) return
      const reason = 'the thread of sensing has crashed'
      health = { ...health, state: 'down', reason, restarts: health.restarts + 1 }
      for (const one of registered.values()) {
        one.reason = reason
        one.answered.resolve()
      }
      const since = Date.now()
      again = setTimeout(() => start(since), pause)
      pause = Math.min(pause * 2, longestPause)
    })
    remind()
  }

  /** Once for each environment, or instance: later than now, for nothing that starts waits for the record. */
  const tellOnce = (key: string, environment: string, testimony: Testimony): void => {
    if (told.has(key)) return
    told.add(key)
    setImmediate(() => testify(environment, testimony))
  }

  const unseen = (cookie: number, reason: string): void => {
    if (demand === 'require') {
      throw new DayflyError('host', `no sensor sees the instance, and this daemon starts nothing unseen: ${reason}`, {
        field: '--sensor',
        remedy: '`dayfly doctor` says what it lacks. With --sensor auto instances start without it.',
      })
    }
    const whose = [...bound.values()].find(one => one.cookie === cookie)
    if (whose === undefined) return
    tellOnce(whose.environment, whose.environment, { instance: undefined, type: 'sensor.absent', reason, data: {} })
  }

  const sensor: Sensor = {
    register: (registration, released) => {
      const one: Registered = { registration, released, answered: Promise.withResolvers(), reason: undefined, gone: false }
      registered.set(registration.cookie, one)
      tell({ type: 'register', registration })
    },
    sees: async cookie => {
      if (health.state === 'absent') return unseen(cookie, absence)
      const one = registered.get(cookie)
      // It has ended before it could be registered: there is nothing that could start.
      if (one === undefined) return
      const answered = health.state === 'down' || (await settledWithin(one.answered.promise, registerPatience))
      const reason = answered ? (one.reason ?? (health.state === 'down' ? health.reason : undefined)) : 'it did not answer in time'
      if (reason !== undefined || !answered) unseen(cookie, reason ?? 'it has died')
    },
    bind: one => {
      bound.set(one.instance, one)
      tell({ type: 'bind', bound: one })
      if (one.cookie !== undefined) return
      tellOnce(one.instance, one.environment, {
        ...{ instance: one.instance, type: 'sensor.blind', reason: 'the kernel of this host does not see into gVisor' },
        data: { runtime: 'runsc' },
      })
    },
    sample: (sample, last) => tell({ type: 'sample', sample, last }),
    asked: question => tell({ type: 'asked', question }),
    release: (cookie, instance) => {
      if (instance !== undefined) bound.delete(instance)
      const one = cookie === undefined ? undefined : registered.get(cookie)
      if (one !== undefined) one.gone = true
      tell({ type: 'release', cookie, instance })
      if (worker === undefined && cookie !== undefined) releasedFrom(cookie)
    },
  }

  const askForEnd = async (environment: string): Promise<readonly Testimony[]> => {
    const answer = Promise.withResolvers<readonly Testimony[]>()
    settling.set(environment, answer)
    tell({ type: 'settle', environment })
    try {
      return await abortable(answer.promise, AbortSignal.timeout(worker === undefined ? absentPatience : settlePatience))
    } catch (error) {
      log.warn('the last of what an environment did is not known to be kept', { environment, error })
      return [unanswered]
    } finally {
      settling.delete(environment)
    }
  }

  const witness: Witness = {
    introduce: (environment, instance, secrets) => {
      const introduction = introductionOf(environment, instance, secrets)
      const those = introduced.get(environment.id) ?? new Map<string, Introduction>()
      introduced.set(environment.id, those.set(instance.id, introduction))
      tell({ type: 'introduce', introduction })
    },
    settle: environment => {
      if (!introduced.has(environment) && !settled.has(environment)) return Promise.resolve([])
      const before = settled.get(environment) ?? askForEnd(environment)
      settled.set(environment, before)
      return before
    },
    sealed: environment => {
      settled.delete(environment)
      forgetEnvironment(environment)
    },
    purge: environment => tell({ type: 'purge', environment }),
  }

  start(seenUntil(seenFile))
  return {
    sensor,
    witness,
    begin: to => {
      sink = to
      for (const work of waiting) work(to)
      waiting = []
    },
    health: () => health,
    set: next => {
      if (JSON.stringify(next) === JSON.stringify(settings)) return
      settings = next
      tell({ type: 'settings', settings })
    },
    setRules: next => {
      if (JSON.stringify(next) === JSON.stringify(rules)) return
      rules = next
      tell({ type: 'rules', rules })
    },
    prune: ended => tell({ type: 'prune', ended }),
    [Symbol.asyncDispose]: async () => {
      if (closed) return
      closed = true
      clearTimeout(again)
      const thread = worker
      if (thread === undefined) return
      const over = Promise.withResolvers<void>()
      thread.once('exit', () => over.resolve())
      tell({ type: 'close' })
      await settledWithin(over.promise, closePatience)
      await thread.terminate()
      for (const cookie of [...registered.keys()]) releasedFrom(cookie)
    },
  }
}

const seenUntil = (file: string): number | undefined => statSync(file, { throwIfNoEntry: false })?.mtimeMs
