/**
 * What is done about detections. What was decided is written before it is done, and what came of it afterwards: what a daemon was killed over, the next one does,
 * where it still makes sense. Nothing here is waited for by whoever has detected it.
 *
 *   detection.raised ──▶ response.decided ──▶ (evidence) ──▶ response.taken · response.failed      or  response.withheld
 */
import { z } from 'zod'
import type { Agenda } from '../base/agenda.ts'
import type { Clock } from '../base/clock.ts'
import { DayflyError, messageOf } from '../base/errors.ts'
import type { Log } from '../base/log.ts'
import type { Detection } from '../detect/detector.ts'
import type { Asker, Once, SharedRates } from '../detect/responses/limits.ts'
import { once, rateLimit, sharedLimit } from '../detect/responses/limits.ts'
import type { Plan } from '../detect/responses/plan.ts'
import { isAsUrgent } from '../detect/responses/plan.ts'
import type { Environment } from '../model/environment.ts'
import type { Event, NewEvent } from '../model/event.ts'
import { dayfly } from '../model/event.ts'
import type { Instance } from '../model/instance.ts'
import { isLive } from '../model/instance.ts'
import type { Lifecycle } from './lifecycle.ts'
import type { Measures } from './measures.ts'
import type { Store } from './store.ts'

export interface Responses {
  /**
   * Writes what was detected and begins what follows from it. The entry of the record, or undefined when the same was written a moment ago, when there was too
   * much, or when its record is closed. Throws while the store cannot write.
   */
  take(detection: Detection, plan: Plan): Event | undefined
  /** After a restart: what was decided and not done is done. */
  adopt(environment: Environment): void
  /** What was not written one by one is written as a number: before the seal, and now and then. Never throws. */
  flush(environment: string): void
  forget(environment: string): void
}

export const decidedType = 'response.decided'
const takenType = 'response.taken'
const failedType = 'response.failed'
const withheldType = 'response.withheld'

/** The same of one instance within this time (ms) is counted, not written; nor is the same done again. */
const window = 60_000
/** Detections that are written one by one. */
const written: SharedRates = {
  ...{ own: { count: 60, per: 60_000 }, environment: { count: 300, per: 60_000 }, all: { count: 1200, per: 60_000 } },
  reserve: { environment: { count: 60, per: 60_000 }, all: { count: 300, per: 60_000 } },
}
/** What is done to processes; and to whole instances, environments and images. A rule that is wrong must not end everything within a minute. */
const killed: SharedRates = {
  ...{ own: { count: 100, per: 10_000 }, environment: { count: 300, per: 10_000 }, all: { count: 1000, per: 10_000 } },
  reserve: { environment: { count: 100, per: 10_000 }, all: { count: 300, per: 10_000 } },
}
const ended: SharedRates = {
  ...{ environment: { count: 20, per: 60_000 }, all: { count: 100, per: 60_000 } },
  reserve: { environment: { count: 5, per: 60_000 }, all: { count: 50, per: 60_000 } },
}
/** Takes of evidence of one environment. */
const evidence = { count: 4, per: 600_000 }
const tries = 3
const firstPause = 1000

const Step = z.enum(['block-image', 'isolate', 'freeze', 'kill-process', 'end-instance', 'end-environment', 'forensics'])
type Step = z.infer<typeof Step>

const Decided = z.object({
  rule: z.string(),
  measures: z.array(Step),
  process: z.object({ pid: z.number(), start: z.number(), name: z.string() }),
  /** Wall ms. */
  detectedAt: z.number(),
})

/** Whether it is the first of its key for whoever remembers that; what could not be written was none. */
type Claim = (memory: Once, key: string, now: number) => boolean

interface Decision extends z.infer<typeof Decided> {
  /** Its place in the record. */
  readonly sequence: number
  readonly environment: string
  readonly instance: Instance
}

interface ResponsesParts {
  readonly store: Store
  readonly clock: Clock
  readonly agenda: Agenda
  readonly lifecycle: Lifecycle
  readonly measures: Measures
  readonly log: Log
  readonly closing: AbortSignal
  readonly background: (work: Promise<unknown>) => void
}

/** Texts of the record are bounded: what was detected may quote a whole command line. */
const longest = 4096
const short = (text: string): string => (text.length > longest ? `${text.slice(0, longest)}…` : text)

const raised = ({ rule, priority, output, fields, tags, source, event }: Detection, { exemption, measures, audit }: Plan): NewEvent['data'] => ({
  ...{ rule, priority, output: short(output), tags: [...tags], source, at: event.time },
  fields: Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, typeof value === 'string' ? short(value) : value])),
  process: { pid: event.pid, vpid: event.vpid, start: event.start, name: event.name, ...(event.exe === undefined ? {} : { exe: short(event.exe) }) },
  event: event.type,
  ...(exemption === undefined ? {} : { exemption }),
  ...(measures.length === 0 ? {} : { measures: [...measures], audit }),
})

export const createResponses = (parts: ResponsesParts): Responses => {
  const { store, clock, agenda, lifecycle, measures, log, closing } = parts
  const told = once(window)
  const begun = once(window)
  const mayWrite = sharedLimit(written)
  const mayKill = sharedLimit(killed)
  const mayEnd = sharedLimit(ended)
  const evidenceOwn = rateLimit(evidence)
  /** By environment, then rule and instance: what is not written yet. */
  const repeated = new Map<string, Map<string, { rule: string; instance: string; count: number }>>()
  /** What is done to one instance is done one after another. */
  const chains = new Map<string, Promise<void>>()

  const count = ({ rule, event: { environment, instance } }: Detection): void => {
    const own = repeated.get(environment) ?? new Map<string, { rule: string; instance: string; count: number }>()
    if (!repeated.has(environment)) agenda.at(clock.boot() + window, () => flush(environment))
    repeated.set(environment, own)
    const key = `${instance} ${rule}`
    const before = own.get(key)
    if (before) before.count++
    else own.set(key, { rule, instance, count: 1 })
  }

  const flush = (environment: string): void => {
    const own = repeated.get(environment)
    repeated.delete(environment)
    if (own === undefined || (store.environment(environment)?.state ?? 'ended') === 'ended') return
    for (const { rule, instance, count } of own.values()) {
      const reason = `${rule}: ${count} more`
      lifecycle.noteEventually({ environment, instance, type: 'detection.repeated', actor: dayfly, reason, data: { rule, count } })
    }
  }

  /** Two of the same key are the same deed. */
  const keyOf = (step: Step, { pid, start }: { pid: number; start: number }, instance: Instance, image: string): string => {
    if (step === 'kill-process') return `${step} ${instance.id} ${pid} ${start}`
    if (step === 'block-image') return `${step} ${image}`
    if (step === 'isolate' || step === 'end-environment') return `${step} ${instance.environment}`
    return `${step} ${instance.id}`
  }

  const askerOf = ({ priority, event: { instance, environment } }: Detection): Asker => ({
    ...{ instance, environment, critical: isAsUrgent(priority, 'critical') },
  })
  const isWithinLimits = (step: Step, asker: Asker, now: number): boolean => {
    if (step === 'kill-process') return mayKill(asker, now)
    return step === 'forensics' ? evidenceOwn(asker.environment, now) : mayEnd(asker, now)
  }

  const withhold = (because: 'audit' | 'limit', detection: Detection, steps: readonly Step[]): void => {
    if (steps.length === 0) return
    const { rule, event } = detection
    const reason = because === 'audit' ? `only audited: ${steps.join(', ')}` : `too much at once: ${steps.join(', ')} is not done`
    const data = { rule, because, measures: [...steps] }
    lifecycle.note({ environment: event.environment, instance: event.instance, type: withheldType, actor: dayfly, reason, data })
  }

  /** Within the transaction: what is to be done about it, or undefined. `claim` says whether it is the first of its kind. */
  const decide = (detection: Detection, plan: Plan, instance: Instance, environment: Environment, claim: Claim): Decision | undefined => {
    const { rule, event } = detection
    const now = clock.boot()
    const image = measures.imageOf(instance, environment)
    const wanted: Step[] = plan.measures.filter(measure => measures.isNeeded(measure, instance, environment))
    // Evidence of what is not there any more cannot be taken.
    if (plan.forensics && isLive(instance.state)) wanted.unshift('forensics')
    const process = { pid: event.pid, start: event.start, name: event.name }
    const fresh = wanted.filter(step => claim(begun, keyOf(step, process, instance, image), now))
    if (fresh.length === 0) return undefined
    if (plan.audit) {
      // Once, as what is too much: every process is a fresh one, and the record has no end.
      if (claim(told, `audit ${instance.id} ${rule}`, now)) withhold('audit', detection, fresh)
      return undefined
    }
    const within = fresh.filter(step => isWithinLimits(step, askerOf(detection), now))
    const beyond = fresh.filter(step => !within.includes(step))
    // Nobody has done it: the next one like it may have it done.
    for (const step of beyond) begun.forget(keyOf(step, process, instance, image))
    if (beyond.length > 0 && claim(told, `beyond ${instance.id} ${rule}`, now)) withhold('limit', detection, beyond)
    if (within.length === 0) return undefined
    const data = { rule, measures: within, process, detectedAt: event.time }
    const reason = `${within.join(', ')}: ${rule}`
    const { sequence } = lifecycle.note({ environment: environment.id, instance: instance.id, type: decidedType, actor: dayfly, reason, data })
    return { ...data, sequence, environment: environment.id, instance }
  }

  const outcome = (decision: Decision, step: Step, type: typeof takenType | typeof failedType, reason: string, since: number): void => {
    const { environment, instance, rule, sequence } = decision
    const data = { action: step, rule, decision: sequence, took: Math.round(clock.boot() - since) }
    lifecycle.noteEventually({ environment, instance: instance.id, type, actor: dayfly, reason, data })
  }

  const pauseFor = (ms: number): Promise<void> =>
    new Promise(resolve => {
      const timer = agenda.at(clock.boot() + ms, resolve)
      closing.addEventListener(
        'abort',
        () => {
          timer[Symbol.dispose]()
          resolve()
        },
        { once: true },
      )
    })

  const attempt = async (decision: Decision, step: Step, since: number): Promise<void> => {
    const { environment, instance, rule, process, sequence, detectedAt } = decision
    const about = { rule, process, detectedAt, decision: sequence }
    for (let tried = 1; !closing.aborted; tried++) {
      try {
        outcome(decision, step, takenType, await measures.carryOut(step, instance, about, closing), since)
        return
      } catch (error) {
        if (closing.aborted) return
        log.warn('a response could not be carried out', { environment, instance: instance.id, step, rule, error: messageOf(error) })
        const hopeless = step === 'forensics' || (error instanceof DayflyError && (error.code === 'not_found' || error.code === 'invalid'))
        if (hopeless || tried === tries) {
          begun.forget(keyOf(step, process, instance, measures.imageOf(instance, store.environment(environment))))
          outcome(decision, step, failedType, `${step} failed: ${messageOf(error)}`, since)
          return
        }
        await pauseFor(firstPause * 4 ** (tried - 1))
      }
    }
  }

  /** `stands`: a daemon that was killed may have left the instance standing still. */
  const carryOut = (decision: Decision, stands = false): void => {
    const { id } = decision.instance
    const since = clock.boot()
    // What protects others does not wait for evidence, nor for what is done to the instance before.
    const [first, then] = [decision.measures.filter(isProtection), decision.measures.filter(step => !isProtection(step))]
    const protecting = first.map(step => attempt(decision, step, since))
    const all = async (): Promise<void> => {
      for (const step of then) await attempt(decision, step, since)
    }
    const inOrder = (): Promise<void> => (stands || then.includes('forensics') ? measures.still(decision.instance, all) : all())
    const before = chains.get(id)
    const own = before === undefined ? inOrder() : before.then(inOrder)
    const chain = own
      .catch((error: unknown) => log.error('a response broke off', { instance: id, error: messageOf(error) }))
      .finally(() => {
        if (chains.get(id) === chain) chains.delete(id)
      })
    chains.set(id, chain)
    parts.background(Promise.allSettled([...protecting, chain]))
  }

  return {
    flush,
    forget: environment => void repeated.delete(environment),
    take: (detection, plan) => {
      const { environment: id, instance: instanceId } = detection.event
      const environment = store.environment(id)
      const instance = store.instance(instanceId)
      if (environment === undefined || environment.state === 'ended' || instance?.environment !== id) return undefined
      const now = clock.boot()
      const claimed: [Once, string][] = []
      const claim: Claim = (memory, key, at) => {
        const first = memory.first(key, at)
        if (first) claimed.push([memory, key])
        return first
      }
      const about = `${instanceId} ${detection.rule} ${detection.key ?? ''}`
      const isFirst = claim(told, about, now)
      const isWritten = isFirst && mayWrite(askerOf(detection), now)
      // There was too much: what was not written is no reason not to write the next one.
      if (isFirst && !isWritten) told.forget(about)
      try {
        const { event, decision } = lifecycle.atomically(() => {
          const reason = `${detection.priority}: ${short(detection.output)}`
          const entry = { environment: id, instance: instanceId, type: 'detection.raised', actor: dayfly, reason, data: raised(detection, plan) }
          return { event: isWritten ? lifecycle.note(entry) : undefined, decision: decide(detection, plan, instance, environment, claim) }
        })
        if (!isWritten) count(detection)
        if (decision !== undefined) carryOut(decision)
        return event
      } catch (error) {
        for (const [memory, key] of claimed) memory.forget(key)
        throw error
      }
    },
    adopt: ({ id }) => {
      const events = store.events({ environment: id, types: [decidedType, takenType, failedType] })
      const over = new Set(
        events.flatMap(({ type, data }) => (type === decidedType ? [] : [`${String(data['decision'])} ${String(data['action'])}`])),
      )
      const taken = new Map<string, Decision>()
      for (const { type, sequence, data, instance: instanceId = '' } of events) {
        const read = type === decidedType ? Decided.safeParse(data) : undefined
        const instance = store.instance(instanceId)
        if (read?.success !== true || instance === undefined) continue
        const left = read.data.measures.filter(step => !over.has(`${sequence} ${step}`))
        const decision = { ...read.data, measures: left, sequence, environment: id, instance }
        const stands = read.data.measures.includes('forensics')
        if (left.length > 0) carryOut(decision, stands)
        // Killed after the last step, and before it went on.
        else if (stands && isLive(instance.state)) taken.set(instanceId, decision)
      }
      for (const decision of taken.values()) carryOut(decision, true)
    },
  }
}

const isProtection = (step: Step): boolean => step === 'block-image' || step === 'isolate'
