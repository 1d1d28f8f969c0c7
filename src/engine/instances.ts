/** The way up of one instance: what the backend is asked, and what is written in between. */
import { abortError, settledWithin } from '../base/abort.ts'
import type { Clock } from '../base/clock.ts'
import { DayflyError } from '../base/errors.ts'
import type { Environment } from '../model/environment.ts'
import { dayfly } from '../model/event.ts'
import type { Instance } from '../model/instance.ts'
import type { WorkloadSpec } from '../model/workload.ts'
import type { Backend, InstanceRequest } from './backend.ts'
import type { Secrets } from './engine.ts'
import type { Lifecycle } from './lifecycle.ts'
import type { Store } from './store.ts'
import type { Witness } from './witness.ts'

export interface InstancesParts {
  readonly backend: Backend
  readonly store: Store
  readonly clock: Clock
  readonly lifecycle: Lifecycle
  readonly logPath: (instance: Instance) => string
  readonly witness: Witness
}

/** Each rejects when the signal aborts; what the backend finishes later is removed. */
export interface Instances {
  /** From `pending` to `created`. */
  create(environment: Environment, instance: Instance, secrets: Secrets, signal: AbortSignal): Promise<void>
  /** Has it started; the wall time of that (ms) is for whoever writes `running`. */
  start(id: string, signal: AbortSignal): Promise<number>
}

/** How long a call that was aborted may take to notice (ms). What it finishes later is removed. */
const abortPatience = 5_000
const latePatience = 60_000

export const workloadOf = (environment: Environment, instance: Pick<Instance, 'workload'>): WorkloadSpec => {
  const spec = environment.spec.workloads[instance.workload]
  if (!spec) throw new DayflyError('internal', `the environment ${environment.id} has no workload ${instance.workload}`)
  return spec
}

/** What its end takes: as it was made, whatever an update says of its successors. */
export const endingOf = (environment: Environment, instance: Instance): Pick<WorkloadSpec, 'kind' | 'stopSignal' | 'grace'> =>
  instance.origin ?? environment.spec.workloads[instance.workload] ?? { kind: 'service', stopSignal: 'SIGTERM', grace: 10_000 }

/** The outcome of a backend's call, or the signal's reason when that aborts and the call does not notice. */
const obeying = async <T>(work: Promise<T>, signal: AbortSignal, onLate: () => void): Promise<T> => {
  const { promise: aborted, resolve } = Promise.withResolvers<'aborted'>()
  const onAbort = (): void => resolve('aborted')
  signal.addEventListener('abort', onAbort, { once: true })
  if (signal.aborted) onAbort()
  try {
    const first = await Promise.race([work.then(() => 'done'), aborted])
    if (first === 'aborted' && !(await settledWithin(work, abortPatience))) {
      work.then(onLate, () => {})
      throw abortError(signal)
    }
    return await work
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}

export const createInstances = ({ backend, store, clock, lifecycle, logPath, witness }: InstancesParts): Instances => {
  const requestFor = (environment: Environment, instance: Instance): InstanceRequest => {
    const workload = workloadOf(environment, instance)
    return {
      id: instance.id,
      environment: environment.id,
      hostname: workload.hostname ?? (Object.keys(environment.spec.workloads).length === 1 ? environment.spec.name : instance.workload),
      workload,
      deadline: environment.ttlDeadline,
      logPath: logPath(instance),
      networks: Object.keys(workload.deployment?.networks ?? {}),
    }
  }

  /** A creation finished after everybody had given it up: by now its environment may have ended. What this leaves, the next adopt removes. */
  const undoLate = async (environment: string, instance: string): Promise<void> => {
    const signal = AbortSignal.timeout(latePatience)
    await backend.remove(instance, signal)
    if (store.environment(environment)?.state === 'ended') await backend.removeEnvironment(environment, signal)
  }

  return {
    create: async (environment, instance, secrets, signal) => {
      const own = secrets.get(instance.workload) ?? new Map<string, Uint8Array>()
      witness.introduce(environment, instance, own)
      const work = backend.create(requestFor(environment, instance), own, signal)
      const removeLate = (): void => void undoLate(environment.id, instance.id).catch(() => {})
      const { pid, start, address } = await obeying(work, signal, removeLate)
      lifecycle.moveInstance(instance.id, 'created', { actor: dayfly, reason: `made ${start}` }, { pid, start, address })
    },
    start: async (id, signal) => {
      await obeying(backend.start(id, signal), signal, () => {})
      return clock.wall()
    },
  }
}
