/**
 * The thread of sensing, apart from how it is started: from the sensor's events to what is judged and kept.
 *
 *   sensor ── events ──▶ attribution ── of whom, without secrets ──▶ detector ── detections ──▶ the daemon
 *   samples, names ─────────┘                                  └──▶ keeping ──▶ store; its heads ──▶ the record
 */
import { utimesSync, writeFileSync } from 'node:fs'
import type { Bound } from '../../../backends/linux/sensor.ts'
import { settledWithin } from '../../../base/abort.ts'
import { errnoOf, messageOf } from '../../../base/errors.ts'
import type { Log } from '../../../base/log.ts'
import type { RuledDetector } from '../../../detect/create.ts'
import { subjectFacts } from '../../../detect/subject.ts'
import type { Testimony } from '../../../engine/witness.ts'
import type { SensorCounts } from '../../../model/kernel-event.ts'
import type { ActivityStore } from '../../../store/activity/activity-store.ts'
import type { Attributed } from './attribution.ts'
import { createAttribution } from './attribution.ts'
import { createBootTime } from './boot-time.ts'
import type { EarlySensor } from './early-sensor.ts'
import { createHashes } from './hashes.ts'
import { createKeeping } from './keeping.ts'
import type { Detected, FromSensing, Introduction, RuleSettings, SensingOptions, SensorHealth, ToSensing } from './messages.ts'
import { createQuestions } from './questions.ts'
import { createSampler } from './samples.ts'
import { gapTestimony, lostTestimony } from './testimonies.ts'
import { createUsages } from './usage.ts'
import { createWatch } from './watch.ts'

/** ms between looks at what is due to be written. */
const lookInterval = 100
const secondInterval = 1_000
const markInterval = 10_000
/** ms that the sensor has at an environment's end to tell the last of it. */
const settlePatience = 5_000
/** ms after its end that something may still come of an instance, e.g. what the name server has written down. */
const linger = 5_000
/** ms in which all that is to be on the disk for good is put there together. */
const syncInterval = 20
/** Detections that are told at once. */
const mostDetections = 500

export interface PlaneParts {
  readonly options: SensingOptions
  /** The sensor, where it is being started already. */
  readonly early: EarlySensor | undefined
  readonly store: ActivityStore
  readonly detector: RuledDetector
  readonly log: Log
  readonly say: (message: FromSensing) => void
}

export interface Plane extends AsyncDisposable {
  hear(message: Exclude<ToSensing, { readonly type: 'close' }>): void
}

export const createPlane = ({ options, early, store, detector, log, say }: PlaneParts): Plane => {
  const time = createBootTime()
  const keeping = createKeeping(store, log)
  const usages = createUsages(store)
  const questions = createQuestions()
  const hashes = createHashes()
  /** Instances of each environment that something may still come of. */
  const environments = new Map<string, Set<string>>()
  /** By instance: under way. */
  const releases = new Map<string, Promise<void>>()
  /** Instances of which nothing is left, and since when (ms). */
  const ended = new Map<string, number>()
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
    ...{ binary: options.sensor, absence: options.absence, early, settings: options.settings, log },
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
      testify(whose.environment, gapTestimony(whose.instance, from, to))
    },
  })
  const sampler = createSampler(sample => {
    if (attribution.subjectOf(sample.instance) === undefined) return
    usages.see(sample)
    keeping.add(sample)
  })

  const health = (): SensorHealth => ({ ...watch.state, ...sums, unowned: attribution.lost, faults, rules, ruleFault })
  const tellHealth = (): void => say({ type: 'health', health: health() })

  /** Returns why nothing of it can be kept or judged. */
  const introduce = ({ subject, secrets }: Introduction): string | undefined => {
    const { environment, instance, workload, image, imageName, owner } = subject
    try {
      keeping.introduce({ environment, instance, workload, image, imageName, owner })
      detector.introduce(subject)
      attribution.introduce(subject, secrets)
      const those = environments.get(environment) ?? new Set()
      environments.set(environment, those.add(instance))
      return undefined
    } catch (error) {
      log.error('an instance cannot be watched', { instance, error })
      forgetInstance(environment, instance)
      return messageOf(error)
    }
  }

  const forgetInstance = (environment: string, instance: string): void => {
    detector.forget(instance)
    attribution.forget(instance)
    sampler.remove(instance)
    releases.delete(instance)
    ended.delete(instance)
    const those = environments.get(environment)
    those?.delete(instance)
    if (those?.size === 0) environments.delete(environment)
  }

  const bind = (bound: Bound): void => {
    const { cookie, environment, instance } = bound
    sampler.add(bound)
    if (cookie === undefined) return
    cookies.set(cookie, { environment, instance })
    attribution.bind(cookie, instance, bound.ids)
  }

  const sum = (counts: Readonly<Record<string, number>>): number => Object.values(counts).reduce((total, count) => total + count, 0)

  const totalsOf = (instance: string, counts: SensorCounts | undefined): Testimony[] => {
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

  /** Its first answer counts: what becomes of it later is told of nobody. */
  const release = async (cookie: number | undefined, instance: string | undefined, unasked: number): Promise<void> => {
    if (instance !== undefined) {
      sampler.remove(instance)
      if (unasked > 0) attribution.miss(instance, 'dns', unasked)
    }
    const counts = cookie === undefined ? undefined : await watch.release(cookie)
    if (cookie !== undefined) {
      attribution.release(cookie)
      cookies.delete(cookie)
    }
    tellDetections()
    const environment = instance === undefined ? undefined : attribution.subjectOf(instance)?.environment
    const testimony = instance === undefined || environment === undefined ? [] : [...totalsOf(instance, counts), ...usages.settle([instance])]
    if (instance !== undefined && environment !== undefined) ended.set(instance, performance.now())
    say({ type: 'released', cookie, instance, environment, testimony })
  }

  const noteRelease = (instance: string | undefined, released: Promise<void>): void => {
    if (instance !== undefined) releases.set(instance, released)
  }

  /** What is said to be kept is on the disk for good first: once for all that ends at the same time. */
  const syncing: (() => void)[] = []
  let syncTimer: NodeJS.Timeout | undefined
  const syncNow = (): void => {
    clearTimeout(syncTimer)
    syncTimer = undefined
    if (syncing.length === 0) return
    attempt('write what is kept for good', () => store.sync())
    for (const work of syncing.splice(0)) work()
  }
  const onceSynced = (work: () => void): void => {
    syncing.push(work)
    syncTimer ??= setTimeout(syncNow, syncInterval)
  }

  const settle = async (environment: string): Promise<void> => {
    const instances = [...(environments.get(environment) ?? [])]
    const told = await settledWithin(Promise.all(instances.map(instance => releases.get(instance))), settlePatience)
    tellDetections()
    const late: Testimony[] = []
    if (!told) {
      log.warn('the sensor has not told the last of an environment in time', { environment })
      late.push(lostTestimony('the sensor did not tell the last of it in time', 'timeout'))
      // What was counted here is all that will be known of these.
      late.push(...instances.filter(instance => !ended.has(instance)).flatMap(instance => totalsOf(instance, undefined)))
    }
    const testimony: Testimony[] = [...usages.settle(instances), ...late, ...keeping.settle(environment)]
    finish(environment)
    const answer = (): void => say({ type: 'settled', environment, testimony })
    if (testimony.length === 0) answer()
    else onceSynced(answer)
  }

  /** Nothing of it is told or kept any more. */
  const finish = (environment: string): void => {
    for (const instance of [...(environments.get(environment) ?? [])]) forgetInstance(environment, instance)
    environments.delete(environment)
    keeping.finish(environment)
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
      case 'introduce': {
        const { environment, instance } = message.introduction.subject
        say({ type: 'introduced', environment, instance, reason: introduce(message.introduction) })
        break
      }
      case 'register':
        attribution.register(message.registration.cookie)
        watch.register(message.registration, message.blindSince)
        break
      case 'unseen':
        watch.startsUnseen(message.cookie)
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
        noteRelease(
          message.instance,
          release(message.cookie, message.instance, message.unasked).catch(error => {
            log.error('the last of an instance could not be told', { instance: message.instance, error })
            // Nobody waits for an answer that never comes.
            say({ type: 'released', cookie: message.cookie, instance: message.instance, environment: undefined, testimony: [] })
          }),
        )
        break
      case 'settle':
        settle(message.environment).catch((error: unknown) => {
          log.error('the last of an environment could not be kept', { environment: message.environment, error })
          const testimony = [lostTestimony('the last of what it did could not be kept', 'internal')]
          say({ type: 'settled', environment: message.environment, testimony })
        })
        break
      case 'cut':
        finish(message.environment)
        store.cut(message.environment, message.head)
        say({ type: 'cut', environment: message.environment, reason: undefined })
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
    const { seenUntil } = watch
    if (watch.state.state !== 'attached' || seenUntil === undefined) return
    try {
      utimesSync(options.seenFile, seenUntil / 1000, seenUntil / 1000)
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT') throw error
      writeFileSync(options.seenFile, '', { mode: 0o600 })
      utimesSync(options.seenFile, seenUntil / 1000, seenUntil / 1000)
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
    for (const [instance, since] of ended) {
      if (performance.now() - since < linger) break
      forgetInstance(attribution.subjectOf(instance)?.environment ?? '', instance)
    }
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
        if (message.type === 'cut') say({ type: 'cut', environment: message.environment, reason: messageOf(error) })
      }
      // What was judged is told at once, and not with somebody's next event.
      tellDetections()
    },
    [Symbol.asyncDispose]: async () => {
      for (const timer of timers) clearInterval(timer)
      sampler[Symbol.dispose]()
      await watch[Symbol.asyncDispose]()
      tellDetections()
      keeping.look(Number.POSITIVE_INFINITY)
      syncNow()
      for (const { environment, testimony } of keeping.marks()) testify(environment, testimony)
    },
  }
}
