/** The steps that an environment goes up by when it is created and down by when it ends, fails or is found half done after a crash. */
import { abortError, settledWithin } from '../base/abort.ts'
import type { Agenda } from '../base/agenda.ts'
import type { Clock } from '../base/clock.ts'
import { deadline } from '../base/deadline.ts'
import { DayflyError } from '../base/errors.ts'
import type { Environment } from '../model/environment.ts'
import { dayfly } from '../model/event.ts'
import type { Instance } from '../model/instance.ts'
import type { WorkloadSpec } from '../model/workload.ts'
import type { Backend, InstanceRequest } from './backend.ts'
import type { Lifecycle } from './lifecycle.ts'
import type { Live } from './lives.ts'
import type { Outcomes } from './outcomes.ts'
import type { Sessions } from './sessions.ts'
import type { Step } from './steps.ts'
import { together } from './steps.ts'
import type { Stopper } from './stop.ts'
import type { Store } from './store.ts'

export interface PassageParts {
  readonly backend: Backend
  readonly store: Store
  readonly clock: Clock
  readonly agenda: Agenda
  readonly lifecycle: Lifecycle
  readonly outcomes: Outcomes
  readonly sessions: Sessions
  readonly stopper: Stopper
  readonly logPath: (instance: Instance) => string
  /** How long a process may outlive SIGKILL before it is given up as lost (ms). */
  readonly killPatience: number
}

/** How long a call that was aborted may take to notice (ms). What it finishes later is removed. */
const abortPatience = 5_000
const latePatience = 60_000

export const workloadOf = (environment: Environment, instance: Instance): WorkloadSpec => {
  const spec = environment.spec.workloads[instance.workload]
  if (!spec) throw new DayflyError('internal', `the environment ${environment.id} has no workload ${instance.workload}`)
  return spec
}

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

export const passageSteps = (parts: PassageParts): readonly Step<Live>[] => {
  const { backend, store, clock, agenda, lifecycle, outcomes, sessions, stopper } = parts

  const planOf = (live: Live): NonNullable<Live['plan']> => {
    if (!live.plan) throw new DayflyError('internal', `the environment ${live.id} has no plan to be created by`)
    return live.plan
  }
  const requestFor = (environment: Environment, instance: Instance): InstanceRequest => ({
    id: instance.id,
    environment: environment.id,
    hostname:
      workloadOf(environment, instance).hostname ??
      (Object.keys(environment.spec.workloads).length === 1 ? environment.spec.name : instance.workload),
    workload: workloadOf(environment, instance),
    deadline: environment.ttlDeadline,
    logPath: parts.logPath(instance),
    networks: Object.keys(workloadOf(environment, instance).deployment?.networks ?? {}),
  })

  const record: Step<Live> = {
    name: 'record',
    do: async live => {
      const { started, why } = planOf(live)
      lifecycle.insert(started.environment, started.instances, why.actor)
    },
    undo: async live => {
      const environment = store.environment(live.id)
      if (!environment || environment.state === 'ended') return
      await sessions.finish(live.id)
      lifecycle.flush(live.id)
      lifecycle.moveEnvironment(live.id, 'ended', { actor: dayfly, reason: 'nothing of it is left' })
    },
  }

  const shared: Step<Live> = {
    name: 'what the instances share',
    // The backend makes the network and the ids with the first instance.
    do: async () => {},
    undo: (live, signal) => backend.removeEnvironment(live.id, signal),
  }

  /** A creation finished after everybody had given it up: by now its environment may have ended. What this leaves, the next adopt removes. */
  const undoLate = async (environment: string, instance: string): Promise<void> => {
    const signal = AbortSignal.timeout(latePatience)
    await backend.remove(instance, signal)
    if (store.environment(environment)?.state === 'ended') await backend.removeEnvironment(environment, signal)
  }

  const instances: Step<Live> = {
    name: 'instances',
    do: async (live, signal) => {
      const { started, secrets } = planOf(live)
      await together(started.instances, signal, async (instance, signal) => {
        const request = requestFor(started.environment, instance)
        const work = backend.create(request, secrets.get(instance.workload) ?? new Map(), signal)
        const removeLate = (): void => void undoLate(live.id, instance.id).catch(() => {})
        const { pid, start, address } = await obeying(work, signal, removeLate)
        lifecycle.moveInstance(instance.id, 'created', { actor: dayfly, reason: `made ${start}` }, { pid, start, address })
      })
    },
    undo: async (live, signal) => {
      const left = store.instances(live.id).filter(instance => instance.state !== 'removed')
      await together(left, signal, (instance, signal) => backend.remove(instance.id, signal))
      lifecycle.atomically(() => {
        for (const { id } of left) lifecycle.moveInstance(id, 'removed', { actor: dayfly, reason: 'nothing of it is left but its log' })
      })
      for (const { id } of left) outcomes.forget(id)
    },
  }

  /** Asks once more, then gives it up: an instance that nothing can end must not keep its record open for ever. */
  const giveUp = async (id: string): Promise<void> => {
    const seen = (await backend.observe()).find(observed => observed.id === id)
    outcomes.found(id, seen?.exit ? { exit: seen.exit } : { lost: `it did not end within ${parts.killPatience / 1000} s of SIGKILL` })
  }

  const processes: Step<Live> = {
    name: 'processes',
    do: async (live, signal) => {
      const { started } = planOf(live)
      const startedAt = new Map<string, number>()
      await together(started.instances, signal, async ({ id }, signal) => {
        live.attempted.add(id)
        await obeying(backend.start(id, signal), signal, () => {})
        startedAt.set(id, clock.wall())
      })
      if (signal.aborted) throw abortError(signal)
      lifecycle.atomically(() => {
        for (const { id } of started.instances) {
          lifecycle.moveInstance(id, 'running', { actor: dayfly, reason: 'started' }, { startedAt: startedAt.get(id) ?? clock.wall() })
        }
        lifecycle.moveEnvironment(live.id, 'running', { actor: dayfly, reason: 'every instance was started' })
      })
      live.attempted.clear()
    },
    undo: async (live, signal) => {
      const environment = store.environment(live.id)
      if (!environment) return
      const running = store.instances(live.id).filter(instance => instance.state === 'running')
      await together(running, signal, async (instance, signal) => {
        const { stopSignal, grace } = workloadOf(environment, instance)
        const patience = live.ending?.force ? 0 : grace
        outcomes.watch(instance.id)
        stopper.stop(instance.id, stopSignal, patience)
        using limit = deadline(clock, agenda, patience + parts.killPatience, 'it did not end', signal)
        await outcomes.known(instance.id, limit.signal).catch(async (error: unknown) => {
          if (signal.aborted) throw error
          await giveUp(instance.id)
        })
      })
      outcomes.flush()
    },
  }

  return [record, shared, instances, processes]
}
