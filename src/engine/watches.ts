/** How workloads that are kept running stand, for whoever asks, waits or wakes them. */
import { DayflyError } from '../base/errors.ts'
import type { Environment } from '../model/environment.ts'
import { dayfly } from '../model/event.ts'
import type { Instance } from '../model/instance.ts'
import type { Engine, WorkloadStatus } from './engine.ts'
import type { Lifecycle } from './lifecycle.ts'
import type { Notices } from './notices.ts'
import type { Quarantine } from './quarantine.ts'
import type { Refs } from './refs.ts'
import type { Store } from './store.ts'
import { isSupervised } from './supervised.ts'
import type { Supervisor } from './supervisor.ts'

interface WatchesParts {
  readonly store: Store
  readonly lifecycle: Lifecycle
  readonly refs: Refs
  readonly notices: Notices
  readonly supervisor: Supervisor
  readonly quarantine: Pick<Quarantine, 'frozenIn' | 'lift'>
  /** Throws while nothing new can be asked for. */
  readonly open: () => void
}

type Watches = Pick<Engine, 'workloads' | 'watch' | 'exited' | 'pause' | 'resume' | 'wake' | 'scale' | 'touch' | 'note'>

export const createWatches = ({ store, lifecycle, refs, notices, supervisor, quarantine, open }: WatchesParts): Watches => {
  /** Wakes for changes of its workloads and for its end. */
  const until = <T>(id: string, check: () => T | undefined, signal: AbortSignal): Promise<T> => {
    const own = new AbortController()
    const both = AbortSignal.any([signal, own.signal])
    const either = Promise.race([notices.until(id, check, both), notices.until(`workloads ${id}`, check, both)])
    return either.finally(() => own.abort())
  }

  const supervised = (ref: string): Environment => {
    const environment = refs.environment(ref)
    if (isSupervised(environment.spec)) return environment
    throw new DayflyError('wrong_state', `the environment ${environment.spec.name} runs once: its workloads are not kept running`, { field: 'ref' })
  }
  const living = (ref: string): Environment => {
    const environment = supervised(ref)
    if (environment.state === 'running') return environment
    throw new DayflyError('wrong_state', `the environment ${environment.spec.name} is ${environment.state}: ${environment.reason}`, { field: 'ref' })
  }
  const overFor = ({ id, spec }: Environment): DayflyError | undefined => {
    const environment = store.environment(id)
    if (environment?.state === 'running' || environment?.state === 'creating') return undefined
    return new DayflyError('wrong_state', `the environment ${spec.name} is ${environment?.state ?? 'gone'}: ${environment?.reason ?? ''}`, {
      field: 'ref',
    })
  }

  const over = ({ state }: WorkloadStatus): boolean => state === 'completed' || state === 'failed' || state === 'stopped'
  const lastOf = (id: string, workload: string): Instance | undefined => store.instances(id).findLast(instance => instance.workload === workload)

  return {
    workloads: ref => supervisor.statuses(supervised(ref).id),

    watch: async function* (ref, signal) {
      const environment = supervised(ref)
      let told: readonly WorkloadStatus[] | undefined
      for (;;) {
        const statuses = supervisor.statuses(environment.id)
        if (statuses !== told && statuses.length > 0) yield statuses
        told = statuses
        if (overFor(environment)) return
        await until(environment.id, () => (supervisor.statuses(environment.id) !== told || overFor(environment) ? true : undefined), signal)
      }
    },

    exited: async (ref, workload, signal) => {
      const environment = supervised(ref)
      if (!environment.spec.workloads[workload]) {
        throw new DayflyError('not_found', `the environment ${environment.spec.name} has no workload ${workload}`, {
          field: 'workload',
          remedy: `It has: ${Object.keys(environment.spec.workloads).join(', ')}.`,
        })
      }
      const found = await until(
        environment.id,
        () => {
          const status = supervisor.statuses(environment.id).find(({ name }) => name === workload)
          const ended = overFor(environment)
          if (!ended && !(status && over(status))) return undefined
          const instance = lastOf(environment.id, workload)
          if (instance?.exit) return { instance }
          return { failure: ended ?? new DayflyError('wrong_state', `${workload} has not run: ${status?.reason ?? ''}`, { field: 'workload' }) }
        },
        signal,
      )
      if ('failure' in found) throw found.failure
      return found.instance
    },

    pause: async (ref, actor) => {
      open()
      const { id } = living(ref)
      await supervisor.pause(id, actor, 'asked for')
      return refs.environment(id)
    },
    resume: async (ref, actor) => {
      open()
      const environment = refs.environment(ref)
      const { id } = environment
      // What runs once is never paused, but it may stand still because of what it did.
      const thawing = environment.state === 'running' && quarantine.frozenIn(id).length > 0
      if (!thawing) living(id)
      await supervisor.resume(id, actor, 'asked for')
      if (thawing) await quarantine.lift(id, actor)
      return refs.environment(id)
    },

    wake: async (ref, workload, signal) => {
      open()
      const environment = living(ref)
      if (supervisor.isPaused(environment.id)) await supervisor.resume(environment.id, dayfly, `a request came for ${workload}`)
      const statusOf = (): WorkloadStatus | undefined => supervisor.statuses(environment.id).find(({ name }) => name === workload)
      if (statusOf()?.wanted === 0) supervisor.scale(environment.id, workload, 1)
      const outcome = await until(
        environment.id,
        () => {
          const status = statusOf()
          if (status && status.ready > 0) return 'ready'
          const ended = overFor(environment)
          if (ended) return ended
          if (status && over(status)) return new DayflyError('wrong_state', `${workload} ${status.state}: ${status.reason}`)
          return undefined
        },
        signal,
      )
      if (outcome !== 'ready') throw outcome
    },
    // Told several times a second for each workload that scales: what is kept by this id lives, and need not be read for it.
    scale: (ref, workload, wanted) => supervisor.scale(supervisor.statuses(ref).length > 0 ? ref : living(ref).id, workload, wanted),
    touch: environment => lifecycle.touch(environment),
    note: (environment, type, reason, data) => lifecycle.noteEventually({ environment, instance: undefined, type, actor: dayfly, reason, data }),
  }
}
