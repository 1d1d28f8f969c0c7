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
import type { ActivityHead } from '../../../model/activity.ts'
import { introductionOf } from './introduction.ts'
import type { Detected, FromSensing, Introduction, RuleSettings, SensingOptions, SensorHealth, SensorSettings, ToSensing } from './messages.ts'
import { createQuestionFlow } from './question-flow.ts'
import { sensorSettingsOf } from './settings.ts'
import { gapTestimony, lostTestimony } from './testimonies.ts'

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
  /**
   * The record of an environment is closed and binds this head: what was kept of it after that goes, and nothing is kept any more. Rejects `host` when that
   * cannot be done now; it may be asked again.
   */
  cut(environment: string, head: ActivityHead): Promise<void>
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
/** A thread that served for as long as this (ms) has crashed for another reason than the one before. */
const longService = 60_000
/** Testimonies of instances that are gone wait for the end of their environment; of one that has more of them, the oldest are told at once. */
const mostFinals = 200

interface Registered {
  readonly registration: Registration
  /** Wall ms. */
  readonly at: number
  /** Wall ms: since then nobody saw it, as far as is known from before. */
  readonly blind: number | undefined
  /** The kernel has stamped what happens in it. */
  seen: boolean
  readonly released: () => void
  /** The sensor has said something of it. */
  readonly answered: PromiseWithResolvers<void>
  /** Why the kernel does not stamp what happens in it; undefined: it does. */
  reason: string | undefined
  /** The backend needs it no more; the thread has still to say that it is gone. */
  gone: boolean
  /** Whose it was when it went; undefined: nobody's. */
  whose: Pick<Bound, 'environment' | 'instance'> | undefined
}

interface Introduced {
  readonly introduction: Introduction
  /** The thread has said something of it. */
  readonly answered: PromiseWithResolvers<void>
  /** Why nothing of it can be kept or judged; undefined: it can. */
  reason: string | undefined
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
  const seenBefore = seenUntil(seenFile)
  const registered = new Map<number, Registered>()
  const introduced = new Map<string, Map<string, Introduced>>()
  const bound = new Map<string, Bound>()
  const boundBy = new Map<number, Bound>()
  const finals = new Map<string, Testimony[]>()
  const cuts = new Map<string, { readonly head: ActivityHead; readonly done: PromiseWithResolvers<void> }>()
  const settling = new Map<string, PromiseWithResolvers<readonly Testimony[]>>()
  const settled = new Map<string, Promise<readonly Testimony[]>>()
  /** Of these the answer did not come in time; and what came after. */
  const unsettled = new Set<string>()
  const late = new Map<string, readonly Testimony[]>()
  const told = new Set<string>()
  const absence = demand === 'off' ? 'the daemon runs with --sensor off' : 'absence' in parts.sensor ? parts.sensor.absence : ''
  let settings = sensorSettingsOf(defaultDetectionSettings)
  let rules: RuleSettings | undefined
  let worker: Worker | undefined
  let closed = false
  let pause = firstPause
  let readyAt: number | undefined
  let again: NodeJS.Timeout | undefined
  let health: SensorHealth = {
    ...{ state: absence === '' ? 'starting' : 'absent', reason: absence === '' ? undefined : absence, missing: [], restarts: 0 },
    ...{ emitted: 0, dropped: 0, unowned: 0, faults: 0, rules: 0, ruleFault: undefined },
  }

  const questions = createQuestionFlow()

  const tell = (message: ToSensing): void => worker?.postMessage(message)

  const forgetEnvironment = (environment: string): void => {
    for (const instance of introduced.get(environment)?.keys() ?? []) forgetInstance(environment, instance)
    introduced.delete(environment)
    finals.delete(environment)
    told.delete(environment)
  }

  const forgetInstance = (environment: string, instance: string): void => {
    unbind(instance)
    told.delete(instance)
    introduced.get(environment)?.delete(instance)
  }

  const unbind = (instance: string): void => {
    const cookie = bound.get(instance)?.cookie
    if (cookie !== undefined) boundBy.delete(cookie)
    bound.delete(instance)
  }

  /** What the record is to say of an instance that is gone. */
  const keepFinal = (environment: string, testimony: readonly Testimony[]): void => {
    const those = finals.get(environment) ?? []
    finals.set(environment, those)
    those.push(...testimony)
    for (const one of those.splice(0, Math.max(0, those.length - mostFinals))) testify(environment, one)
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
        if (one !== undefined) {
          one.reason = message.reason
          one.seen ||= message.reason === undefined
        }
        one?.answered.resolve()
        break
      }
      case 'introduced': {
        const one = introduced.get(message.environment)?.get(message.instance)
        if (one !== undefined) one.reason = message.reason
        one?.answered.resolve()
        break
      }
      case 'released':
        if (message.cookie !== undefined) releasedFrom(message.cookie)
        if (message.environment === undefined || message.instance === undefined) break
        keepFinal(message.environment, message.testimony)
        forgetInstance(message.environment, message.instance)
        break
      case 'cut': {
        const { done } = cuts.get(message.environment) ?? {}
        cuts.delete(message.environment)
        if (message.reason === undefined) done?.resolve()
        else done?.reject(new DayflyError('host', `what is kept beyond a closed record could not be removed: ${message.reason}`))
        break
      }
      case 'detections':
        give(to => to.onDetections(message.detections, message.left))
        break
      case 'testimony':
        for (const one of message.testimony) testify(message.environment, one)
        break
      case 'settled':
        settling.get(message.environment)?.resolve(message.testimony)
        // Too late for whoever asked: he may ask again.
        if (!settling.has(message.environment) && unsettled.delete(message.environment)) late.set(message.environment, message.testimony)
        settling.delete(message.environment)
        break
      case 'health':
        health = message.health
        break
      case 'log':
        log[message.level](message.message, message.fields)
        break
      case 'ready':
        readyAt = performance.now()
        break
    }
  }

  const optionsNow = (): SensingOptions => ({
    ...{ stateDir: parts.stateDir, sensor: absence === '' && 'binary' in parts.sensor ? parts.sensor.binary : undefined, absence },
    ...{ settings, rules, seenFile },
  })

  /** Wall ms: since when nobody sees it, now that there is another thread. */
  const blindSince = ({ at, blind, seen }: Registered): number =>
    seen ? Math.max(at, Math.min(seenUntil(seenFile) ?? at, Date.now())) : (blind ?? at)

  /** It has ended, and no thread can say how: the one that knew it is no more. */
  const endUnseen = (cookie: number, one: Registered): void => {
    if (one.whose !== undefined) {
      const { environment, instance } = one.whose
      if (absence === '') keepFinal(environment, [gapTestimony(instance, blindSince(one), Date.now())])
      forgetInstance(environment, instance)
    }
    releasedFrom(cookie)
  }

  /** Everything that the thread has to know of what lives. */
  const remind = (): void => {
    for (const [cookie, one] of registered) if (one.gone) endUnseen(cookie, one)
    for (const those of introduced.values()) for (const { introduction } of those.values()) tell({ type: 'introduce', introduction })
    for (const one of registered.values()) tell({ type: 'register', registration: one.registration, blindSince: blindSince(one) })
    for (const one of bound.values()) tell({ type: 'bind', bound: one })
    for (const environment of settling.keys()) tell({ type: 'settle', environment })
    for (const [environment, { head }] of cuts) tell({ type: 'cut', environment, head })
  }

  const start = (): void => {
    const thread = new Worker(new URL('./thread.ts', import.meta.url), { workerData: optionsNow(), name: 'dayfly-sensing' })
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
      for (const those of introduced.values()) for (const one of those.values()) one.answered.resolve()
      if (readyAt !== undefined && performance.now() - readyAt > longService) pause = firstPause
      readyAt = undefined
      again = setTimeout(start, pause)
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
    tell({ type: 'unseen', cookie })
    const whose = boundBy.get(cookie)
    if (whose === undefined) return
    tellOnce(whose.environment, whose.environment, { instance: undefined, type: 'sensor.absent', reason, data: {} })
  }

  const sensor: Sensor = {
    register: (registration, released) => {
      const at = Date.now()
      // What an earlier daemon has started goes on: when its sensor saw last, is on the disk.
      const blind = registration.adopted ? Math.min(seenBefore ?? at, at) : undefined
      const one: Registered = {
        registration,
        at,
        blind,
        seen: false,
        released,
        answered: Promise.withResolvers(),
        reason: undefined,
        gone: false,
        whose: undefined,
      }
      registered.set(registration.cookie, one)
      tell({ type: 'register', registration, blindSince: blind })
    },
    sees: async cookie => {
      if (health.state === 'absent') return unseen(cookie, absence)
      const one = registered.get(cookie)
      // It has ended before it could be registered: there is nothing that could start.
      if (one === undefined) return
      const whose = boundBy.get(cookie)
      const introduction = whose === undefined ? undefined : introduced.get(whose.environment)?.get(whose.instance)
      const both = Promise.all([one.answered.promise, introduction?.answered.promise])
      const answered = health.state === 'down' || (await settledWithin(both, registerPatience))
      const known = one.reason ?? introduction?.reason ?? (health.state === 'down' ? (health.reason ?? 'it has died') : undefined)
      const reason = answered ? known : 'it did not answer in time'
      if (reason !== undefined) unseen(cookie, reason)
    },
    bind: one => {
      bound.set(one.instance, one)
      if (one.cookie !== undefined) boundBy.set(one.cookie, one)
      tell({ type: 'bind', bound: one })
      if (one.cookie !== undefined) {
        if (!one.adopted || registered.has(one.cookie) || health.state === 'absent') return
        const [from, to] = [Math.min(seenBefore ?? Date.now(), Date.now()), Date.now()]
        const reason = 'it has ended while no daemon lived, and nobody saw how'
        return tellOnce(one.instance, one.environment, gapTestimony(one.instance, from, to, reason))
      }
      tellOnce(one.instance, one.environment, {
        ...{ instance: one.instance, type: 'sensor.blind', reason: 'the kernel of this host does not see into gVisor' },
        data: { runtime: 'runsc' },
      })
    },
    sample: (sample, last) => tell({ type: 'sample', sample, last }),
    asked: question => {
      if (questions.admit(question.instance)) tell({ type: 'asked', question })
    },
    release: (cookie, instance) => {
      const environment = instance === undefined ? undefined : bound.get(instance)?.environment
      if (instance !== undefined) unbind(instance)
      const one = cookie === undefined ? undefined : registered.get(cookie)
      if (one !== undefined) {
        one.gone = true
        one.whose = instance === undefined || environment === undefined ? undefined : { environment, instance }
      }
      tell({ type: 'release', cookie, instance, unasked: instance === undefined ? 0 : questions.forget(instance) })
      if (worker !== undefined) return
      if (cookie !== undefined && one !== undefined) endUnseen(cookie, one)
      if (environment !== undefined && instance !== undefined) forgetInstance(environment, instance)
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
      unsettled.add(environment)
      settled.delete(environment)
      return [lostTestimony('whoever keeps what instances do did not answer in time', 'timeout')]
    } finally {
      settling.delete(environment)
    }
  }

  /** The same again and again until the record is closed; what did not come in time is asked for anew. */
  const settle = (environment: string): Promise<readonly Testimony[]> => {
    const came = late.get(environment)
    const before = settled.get(environment) ?? (came === undefined ? askForEnd(environment) : Promise.resolve(came))
    settled.set(environment, before)
    return before.then(testimony => [...(finals.get(environment) ?? []), ...testimony])
  }

  const witness: Witness = {
    introduce: (environment, instance, secrets) => {
      const introduction = introductionOf(environment, instance, secrets)
      const those = introduced.get(environment.id) ?? new Map<string, Introduced>()
      introduced.set(environment.id, those.set(instance.id, { introduction, answered: Promise.withResolvers(), reason: undefined }))
      tell({ type: 'introduce', introduction })
    },
    settle,
    sealed: environment => {
      settled.delete(environment)
      unsettled.delete(environment)
      late.delete(environment)
      forgetEnvironment(environment)
    },
    purge: environment => tell({ type: 'purge', environment }),
  }

  start()
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
    cut: async (environment, head) => {
      if (closed) throw new DayflyError('host', 'sensing has ended')
      const before = cuts.get(environment)
      const done = before?.done ?? Promise.withResolvers<void>()
      // Whoever has asked may have given up.
      done.promise.catch(() => undefined)
      cuts.set(environment, { head, done })
      tell({ type: 'cut', environment, head })
      try {
        await abortable(done.promise, AbortSignal.timeout(settlePatience))
      } catch (error) {
        throw error instanceof DayflyError && error.code === 'host'
          ? error
          : new DayflyError('host', 'whoever keeps what instances do does not answer', { cause: error })
      }
    },
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
      for (const { done } of cuts.values()) done.reject(new DayflyError('host', 'sensing has ended'))
    },
  }
}

const seenUntil = (file: string): number | undefined => statSync(file, { throwIfNoEntry: false })?.mtimeMs
