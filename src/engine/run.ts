/** Creating an environment: refused before anything exists, or made whole, or taken down again. */
import { AsyncResource } from 'node:async_hooks'
import { abortError } from '../base/abort.ts'
import type { Agenda } from '../base/agenda.ts'
import type { Clock } from '../base/clock.ts'
import { deadline } from '../base/deadline.ts'
import { newEnvironmentId, newInstanceId } from '../base/ids.ts'
import type { Environment } from '../model/environment.ts'
import { EnvironmentSpec } from '../model/environment.ts'
import type { Actor } from '../model/event.ts'
import { dayfly } from '../model/event.ts'
import type { Instance } from '../model/instance.ts'
import { originOf } from '../model/instance.ts'
import { parse } from '../model/parse.ts'
import type { WorkloadSpec } from '../model/workload.ts'
import type { Gate, Verdicts } from './admission.ts'
import { denialOf, warningsOf } from './admission.ts'
import type { Endings } from './endings.ts'
import type { Secrets, Seeds, Started } from './engine.ts'
import type { Line, Waiting } from './line.ts'
import type { Live, Lives } from './lives.ts'
import { newLive } from './lives.ts'
import type { Claim } from './quotas.ts'
import { checkSecrets, presentable } from './secrets.ts'
import type { Step } from './steps.ts'
import { doSteps } from './steps.ts'
import type { Store } from './store.ts'

interface RunParts {
  readonly store: Store
  readonly clock: Clock
  readonly agenda: Agenda
  readonly lives: Lives
  readonly endings: Endings
  readonly steps: readonly Step<Live>[]
  readonly closing: AbortSignal
  readonly line: Line
  readonly gate: Gate
  /** From nothing to running (ms). */
  readonly startPatience: number
  readonly onRunning: (started: Started) => void
}

type Place = Pick<Instance, 'workload' | 'replica' | 'revision' | 'earlier' | 'streak'>

export const newInstance = (environment: string, place: Place, spec: WorkloadSpec, createdAt: number): Instance => ({
  ...{ id: newInstanceId(), environment, state: 'pending', reason: 'asked for', createdAt, ...place, origin: originOf(spec) },
  ...{ startedAt: undefined, pid: undefined, start: undefined, exit: undefined, wish: undefined, address: undefined },
})

export const createRun = (parts: RunParts) => {
  const { clock, agenda, lives, store } = parts

  const planFor = (spec: EnvironmentSpec): Started => {
    const id = newEnvironmentId()
    const now = clock.boot()
    const createdAt = clock.wall()
    const times = { createdAt, endedAt: undefined, bootId: clock.bootId, createdBoot: now, ttlDeadline: now + spec.lease.ttl, lastActivity: now }
    return {
      environment: { id, spec, state: 'creating', reason: 'asked for', cause: undefined, ...times },
      warnings: [],
      // Those of workloads that are kept running come afterwards, in their order.
      instances: Object.entries(spec.workloads)
        .filter(([, { deployment }]) => deployment === undefined)
        .map(([workload, own]) => newInstance(id, { workload, replica: 1, revision: '', earlier: 0, streak: 0 }, own, createdAt)),
    }
  }

  /** The way up. Whatever happens, `live.creation` is over when it settles. */
  const create = async (live: Live, signal: AbortSignal): Promise<void> => {
    const breakOff = new AbortController()
    const { promise: over, resolve } = Promise.withResolvers<void>()
    live.creation = { abort: reason => breakOff.abort(reason), over }
    using limit = deadline(clock, agenda, parts.startPatience, 'it did not start in time', breakOff.signal, signal, parts.closing)
    try {
      await doSteps(parts.steps, live, limit.signal)
    } finally {
      live.creation = undefined
      live.plan = undefined
      resolve()
    }
  }

  const refuse = (environment: Environment, verdicts: Verdicts, actor: Actor): void => {
    const denial = denialOf(verdicts)
    if (!denial) return
    parts.gate.refused({ ...environment, reason: denial.message }, verdicts, actor)
    throw denial
  }

  /**
   * From the call on its slot is taken. Where it has not waited, nothing happens between the call and the environment's first entry in the store: `record`, the
   * first step, is done at once. What has waited in line is asked for admission again: the policies may be others by now.
   */
  const begin = async (
    spec: EnvironmentSpec,
    secrets: Secrets,
    seeds: Seeds,
    asked: Verdicts,
    actor: Actor,
    signal: AbortSignal,
    claim: Claim,
    waited: boolean,
  ): Promise<Started> => {
    using _claim = claim
    const started = planFor(spec)
    const { id } = started.environment
    const live = newLive(id, undefined)
    lives.set(id, live)
    let verdicts = asked
    if (waited) {
      try {
        verdicts = await parts.gate.ask(spec, Object.keys(spec.workloads), 'CREATE', actor, signal)
        refuse(started.environment, verdicts, actor)
      } catch (error) {
        lives.delete(id)
        throw error
      }
    }
    live.plan = { started, secrets, seeds, verdicts, why: { actor, reason: 'asked for' } }
    try {
      const creating = create(live, signal)
      claim.written()
      await creating
      claim.ran()
    } catch (error) {
      if (store.environment(id) === undefined) {
        lives.delete(id)
        parts.gate.forget(id)
        throw error
      }
      const shown = presentable(error, secrets)
      const cancelled = signal.aborted && (shown.code === abortError(signal).code || shown === signal.reason)
      const why = cancelled
        ? { actor, cause: 'requested' as const, reason: 'its creation was cancelled' }
        : { actor: dayfly, cause: 'failed' as const, reason: shown.message }
      await parts.endings.end(live, why, true).catch(() => {})
      throw shown
    }
    const now = { environment: store.environment(id) ?? started.environment, instances: store.instances(id), warnings: warningsOf(verdicts) }
    parts.onRunning(now)
    return now
  }

  /** Asked for admission first. Waits in line where it is to, when it would be too much now; otherwise that is refused. */
  return async (
    wanted: EnvironmentSpec,
    secrets: Secrets,
    seeds: Seeds,
    actor: Actor,
    signal: AbortSignal,
    waiting: Waiting | undefined,
  ): Promise<Started> => {
    const spec = parse(EnvironmentSpec, wanted)
    checkSecrets(spec, secrets)
    const verdicts = await parts.gate.ask(spec, Object.keys(spec.workloads), 'CREATE', actor, signal)
    refuse(planFor(spec).environment, verdicts, actor)
    let waits = false
    // Whoever lets it in later is another request: what is begun then is still this one's.
    const inContext = AsyncResource.bind((claim: Claim) => begin(spec, secrets, seeds, verdicts, actor, signal, claim, waits))
    const outcome = parts.line.enter(spec, waiting, signal, inContext)
    waits = true
    return await outcome
  }
}
