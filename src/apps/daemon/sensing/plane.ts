/**
 * The thread of sensing, apart from how it is started: from the sensor's events to what is judged and kept.
 *
 *   sensor ── events ──▶ attribution ── of whom, without secrets ──▶ detector ── detections ──▶ the daemon
 *   samples, names ─────────┘                                  └──▶ keeping ──▶ store; its heads ──▶ the record
 */
import { utimesSync, writeFileSync } from 'node:fs'
import type { Bound } from '../../../backends/linux/sensor.ts'
import { settledWithin } from '../../../base/abort.ts'
import { errnoOf } from '../../../base/errors.ts'
import type { Log } from '../../../base/log.ts'
import type { RuledDetector } from '../../../detect/create.ts'
import { subjectFacts } from '../../../detect/subject.ts'
import type { Testimony } from '../../../engine/witness.ts'
import type { SensorCounts } from '../../../model/kernel-event.ts'
import type { ActivityStore } from '../../../store/activity/activity-store.ts'
import type { Attributed } from './attribution.ts'
import { createAttribution } from './attribution.ts'
import { createBootTime } from './boot-time.ts'
import { createHashes } from './hashes.ts'
import { createKeeping } from './keeping.ts'
import type { Detected, FromSensing, Introduction, RuleSettings, SensingOptions, SensorHealth, ToSensing } from './messages.ts'
import { createQuestions } from './questions.ts'
import { createSampler } from './samples.ts'
import { createUsages } from './usage.ts'
import { createWatch } from './watch.ts'

/** ms between looks at what is due to be written. */
const lookInterval = 100
const secondInterval = 1_000
const markInterval = 10_000
/** ms that the sensor has at an environment's end to tell the last of it. */
const settlePatience = 5_000
/** Detections that are told at once. */
const mostDetections = 500

export interface PlaneParts {
  readonly options: SensingOptions
  readonly store: ActivityStore
  readonly detector: RuledDetector
  readonly log: Log
  readonly say: (message: FromSensing) => void
}

export interface Plane extends AsyncDisposable {
  hear(message: Exclude<ToSensing, { readonly type: 'close' }>): void
}

export const createPlane = ({ options, store, detector, log, say }: PlaneParts): Plane => {
  const time = createBootTime()
  const keeping = createKeeping(store, log)
  const usages = createUsages(store)
  const questions = createQuestions()
  const hashes = createHashes()
  const environments = new Map<string, Set<string>>()
  const releases = new Map<string, Promise<void>>()
  const totals = new Map<string, SensorCounts>()
  const cookies = new Map<number, { readonly environment: string; readonly instance: string }>()
  let detected: Detected[] = []
  let left = 0
  let faults = 0
  let rules = 0
  let ruleFault: string | undefined
  let sums = { emitted: 0, dropped: 0 }

  const testify = (environment: string, ...testimony: readonly Testimony[]): void => say({ type: 'testimony', environment, testimony })

  const judge = ({ subject, event }: Attributed): void => {
    try {
      for (const detection of detector.observe(event)) {
        if (detected.length < mostDetections) detected.push({ subject, detection })
        else left++
      }
    } catch (error) {
      faults++
      if (faults <= 10) log.error('an event could not be judged', { type: event.type, instance: event.instance, error })
    }
  }
  const tellDetections = (): void => {
    if (detected.length === 0) return
    say({ type: 'detections', detections: detected, left })
    detected = []
    left = 0
  }

  const attribution = createAttribution(time.toWall, attributed => {
    const { event } = attributed
    questions.see(event)
    hashes.await(event)
    keeping.add(event)
    judge(attributed)
  })

  const watch = createWatch({
    ...{ binary: options.sensor, absence: options.absence, settings: options.settings, log, seenUntil: options.seenUntil },
    listeners: {
      onEvents: events => {
        for (const event of events) attribution.take(event)
        tellDetections()
      },
      onHash: hashes.found,
    },
    onState: () => tellHealth(),
    onRegistered: (cookie, reason) => say({ type: 'registered', cookie, reason }),
    onGap: (cookie, from, to) => {
      const whose = cookies.get(cookie)
      if (whose === undefined) return
      const seconds = Math.max(0, to - from) / 1000
      testify(whose.environment, {
        ...{ instance: whose.instance, type: 'sensor.gap', reason: `for ${seconds.toFixed(1)} s nobody saw what it did` },
        data: { from, to },
      })
    },
  })
  const sampler = createSampler(sample => {
    if (attribution.subjectOf(sample.instance) === undefined) return
    usages.see(sample)
    keeping.add(sample)
  })

  const health = (): SensorHealth => ({ ...watch.state, ...sums, unowned: attribution.lost, faults, rules, ruleFault })
  const tellHealth = (): void => say({ type: 'health', health: health() })

  const introduce = ({ subject, secrets }: Introduction): void => {
    const { environment, instance, workload, image, imageName, owner } = subject
    const those = environments.get(environment) ?? new Set()
    environments.set(environment, those.add(instance))
    keeping.introduce({ environment, instance, workload, image, imageName, owner })
    detector.introduce(subject)
    attribution.introduce(subject, secrets)
  }

  const bind = (bound: Bound): void => {
    const { cookie, environment, instance } = bound
    sampler.add(bound)
    if (cookie === undefined) return
    cookies.set(cookie, { environment, instance })
    attribution.bind(cookie, instance, bound.ids)
  }

  const release = (cookie: number | undefined, instance: string | undefined): void => {
    if (instance !== undefined) sampler.remove(instance)
    if (cookie === undefined) return
    const released = watch.release(cookie).then(counts => {
      if (instance !== undefined && counts !== undefined) totals.set(instance, counts)
      attribution.release(cookie)
      cookies.delete(cookie)
      say({ type: 'released', cookie })
    })
    if (instance === undefined) return
    releases.set(instance, released)
  }

  const sum = (counts: Readonly<Record<string, number>>): number => Object.values(counts).reduce((total, count) => total + count, 0)

  const totalsOf = (instance: string): Testimony[] => {
    const counts = totals.get(instance)
    const unowned = attribution.lostOf(instance)
    if (counts === undefined && sum(unowned) === 0) return []
    const subject = attribution.subjectOf(instance)
    const { emitted, dropped, filtered } = counts ?? { emitted: {}, dropped: {}, filtered: {} }
    const lost = sum(dropped) + sum(unowned)
    const reason = `${sum(emitted)} events were seen of it${lost === 0 ? '' : `, ${lost} were lost`}`
    return [
      {
        instance,
        type: 'sensor.totals',
        reason,
        data: {
          emitted,
          dropped,
          filtered,
          ...(sum(unowned) === 0 ? {} : { unowned }),
          ...(subject === undefined ? {} : { subject: subjectFacts(subject) }),
        },
      },
    ]
  }

  const settle = async (environment: string): Promise<void> => {
    const instances = [...(environments.get(environment) ?? [])]
    const told = await settledWithin(Promise.all(instances.map(instance => releases.get(instance))), settlePatience)
    if (!told) log.warn('the sensor has not told the last of an environment in time', { environment })
    tellDetections()
    const testimony: Testimony[] = [...instances.flatMap(totalsOf), ...usages.settle(instances), ...keeping.settle(environment)]
    for (const instance of instances) {
      detector.forget(instance)
      attribution.forget(instance)
      sampler.remove(instance)
      releases.delete(instance)
      totals.delete(instance)
    }
    environments.delete(environment)
    keeping.forget(environment)
    say({ type: 'settled', environment, testimony })
  }

  /** Retentions that are over, and could not be carried out: a full disk is no reason to keep what is to go. */
  const overdue = new Set<string>()
  const purge = (environment: string): void => {
    overdue.add(environment)
    store.purge(environment)
    overdue.delete(environment)
  }
  const purgeOverdue = (): void => {
    for (const environment of overdue) purge(environment)
  }

  const prune = (ended: readonly string[]): void => {
    for (const { environment, head } of store.prune(ended)) {
      log.warn('what instances did was thrown away to make room before its retention was over', { environment, entries: head.entries })
    }
  }

  const setRules = (next: RuleSettings): void => {
    try {
      rules = detector.setRules(next)
      ruleFault = undefined
      log.info('the detection rules are in force', { rules, files: next.files.length })
    } catch (error) {
      ruleFault = error instanceof Error ? error.message : String(error)
      log.error('the detection rules are faulty: those before them stay in force', { error })
    }
    tellHealth()
  }

  const hear = (message: Parameters<Plane['hear']>[0]): void => {
    switch (message.type) {
      case 'introduce':
        introduce(message.introduction)
        break
      case 'register':
        attribution.register(message.registration.cookie)
        watch.register(message.registration)
        break
      case 'bind':
        bind(message.bound)
        break
      case 'sample':
        sampler.note(message.sample)
        if (message.last) sampler.remove(message.sample.instance)
        break
      case 'asked':
        attribution.takeOf(message.question.instance, questions.eventOf(message.question, time.now()))
        break
      case 'release':
        release(message.cookie, message.instance)
        break
      case 'settle':
        void settle(message.environment)
        break
      case 'purge':
        purge(message.environment)
        break
      case 'prune':
        prune(message.ended)
        break
      case 'settings':
        watch.set(message.settings)
        break
      case 'rules':
        setRules(message.rules)
        break
    }
  }

  /** What the next daemon knows of how long somebody saw. */
  const noteSeen = (): void => {
    if (watch.state.state !== 'attached') return
    try {
      const now = Date.now() / 1000
      utimesSync(options.seenFile, now, now)
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') writeFileSync(options.seenFile, '', { mode: 0o600 })
      else throw error
    }
  }
  const attempt = (what: string, work: () => void): void => {
    try {
      work()
    } catch (error) {
      log.warn(`sensing could not ${what}`, { error })
    }
  }
  const eachSecond = async (): Promise<void> => {
    time.adjust()
    attribution.expire(time.now())
    hashes.expire(time.toWall(time.now()))
    attempt('note that it sees', noteSeen)
    attempt('throw away what is past its retention', purgeOverdue)
    attempt('tidy up', () => void store.tidy())
    const counts = await watch.counts()
    const before = health()
    if (counts !== undefined) sums = { emitted: sum(counts.emitted), dropped: sum(counts.dropped) }
    if (JSON.stringify(before) !== JSON.stringify(health())) tellHealth()
  }
  const timers = [
    setInterval(() => attempt('write what instances do', () => keeping.look(Date.now())), lookInterval),
    setInterval(() => void eachSecond().catch((error: unknown) => log.warn('sensing could not look after itself', { error })), secondInterval),
    setInterval(() => {
      attempt('say how far it has got', () => {
        for (const { environment, testimony } of keeping.marks()) testify(environment, testimony)
      })
    }, markInterval),
  ]
  if (options.rules !== undefined) setRules(options.rules)

  return {
    hear: message => {
      try {
        hear(message)
      } catch (error) {
        log.error('sensing could not do what it was told', { order: message.type, error })
        // Nobody waits for an answer that never comes.
        if (message.type === 'release' && message.cookie !== undefined) say({ type: 'released', cookie: message.cookie })
      }
    },
    [Symbol.asyncDispose]: async () => {
      for (const timer of timers) clearInterval(timer)
      sampler[Symbol.dispose]()
      await watch[Symbol.asyncDispose]()
      tellDetections()
      keeping.look(Number.POSITIVE_INFINITY)
      for (const { environment, testimony } of keeping.marks()) testify(environment, testimony)
    },
  }
}
