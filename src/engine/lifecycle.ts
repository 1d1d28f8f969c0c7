/**
 * The one writer of states. Every change of an environment or an instance goes through here: it is checked against the diagrams in model/, written
 * together with its event in one transaction, and announced once that is committed.
 */
import type { Clock } from '../base/clock.ts'
import { DayflyError } from '../base/errors.ts'
import type { Log } from '../base/log.ts'
import type { EndCause, Environment, EnvironmentSpec, EnvironmentState } from '../model/environment.ts'
import { assertEnvironmentTransition } from '../model/environment.ts'
import type { Actor, Event, NewEvent } from '../model/event.ts'
import type { ExitStatus, Instance, InstanceState } from '../model/instance.ts'
import { assertInstanceTransition, isLive } from '../model/instance.ts'
import type { Notices } from './notices.ts'
import { anything } from './notices.ts'
import type { Store } from './store.ts'

/** Activity that follows a written one sooner than this (ms) is kept in memory only: a crash forgets no more of it. */
export const activityResolution = 1000

/** Notes that wait for room on the disk, at most; more are counted. */
const longestQueue = 10_000

export interface Why {
  readonly actor: Actor
  readonly reason: string
}

export interface Lifecycle {
  /** One transaction over several changes; announced together. */
  atomically<T>(work: () => T): T
  insert(environment: Environment, instances: readonly Instance[], actor: Actor): void
  /** Further instances of an environment that is there. */
  insertInstance(instance: Instance, why: Why): void
  /** Writes that its stop was asked for, so that its end is no failure. Never throws: while the store cannot write, only the event waits. */
  stopping(id: string, wish: NonNullable<Instance['wish']>, grace: number, why: Why): void
  /** What has failed or was stopped in it says nothing of its place any more: it is filled anew. */
  forgive(environment: string, workloads: ReadonlySet<string>): void
  /** Another spec, with the event that says what it changes. */
  replaceSpec(id: string, spec: EnvironmentSpec, changes: NewEvent['data'], why: Why): Environment
  moveInstance(
    id: string,
    to: InstanceState,
    why: Why,
    change?: Partial<Pick<Instance, 'pid' | 'start' | 'startedAt' | 'exit' | 'address' | 'wish'>>,
  ): Instance
  /** To `ended` also seals the record. `cause` is set once, on the way to `ending`. */
  moveEnvironment(id: string, to: EnvironmentState, why: Why, cause?: EndCause): Environment
  extend(id: string, ttlDeadline: number, why: Why): Environment
  /** There was activity now. Never throws: what cannot be written is kept in memory. */
  touch(id: string): void
  /** The environment with its last activity as it is known in memory. */
  current(environment: Environment): Environment
  /** Takes up an environment after a restart: activity that was not written is assumed. */
  takeUp(environment: Environment): void
  forget(id: string): void
  note(event: NewEvent): Event
  /** Like note; while the store cannot write, the event waits in memory, with the time it happened in its data. */
  noteEventually(event: NewEvent): void
  /** Writes the waiting notes (of one environment). Throws as long as the store cannot. */
  flush(environment?: string): void
}

const exitData = (exit: ExitStatus): NewEvent['data'] => {
  const { signal, ...rest } = exit
  return signal === undefined ? rest : { ...rest, signal }
}

export const createLifecycle = (store: Store, clock: Clock, notices: Notices, log: Log): Lifecycle => {
  /** Boot clock, ms: when it was last active, and what the store says about that. */
  const activity = new Map<string, { last: number; written: number }>()
  let queue: NewEvent[] = []
  let announcements: Set<string> | undefined

  const atomically = <T>(work: () => T): T => {
    if (announcements) return store.transaction(work)
    announcements = new Set()
    try {
      const result = store.transaction(work)
      const keys = announcements
      announcements = undefined
      if (keys.size > 0) notices.emit([...keys, anything])
      return result
    } finally {
      announcements = undefined
    }
  }

  /** Always within `atomically`. */
  const append = (event: NewEvent): Event => {
    const written = store.append(event)
    announcements?.add(event.environment)
    if (event.instance !== undefined) announcements?.add(event.instance)
    return written
  }

  const note = (event: NewEvent): Event => atomically(() => append(event))

  /** Throws only while the store cannot write: an event whose record is closed must not hold the others up. */
  const noteLate = (event: NewEvent): void => {
    try {
      note(event)
    } catch (error) {
      if (error instanceof DayflyError && error.code === 'host') throw error
      log.error('an event came too late for its record', { type: event.type, environment: event.environment, error })
    }
  }

  const environmentOf = (id: string): Environment => {
    const found = store.environment(id)
    if (!found) throw new DayflyError('not_found', `there is no environment ${id}`, { field: 'ref' })
    return current(found)
  }

  const current = (environment: Environment): Environment => {
    const known = activity.get(environment.id)
    return known === undefined || known.last <= environment.lastActivity ? environment : { ...environment, lastActivity: known.last }
  }

  const noteEventually = (event: NewEvent): void => {
    try {
      noteLate(event)
    } catch (error) {
      const { type, environment } = event
      if (queue.length >= longestQueue) {
        log.error('an event is lost: the store cannot write and too many wait already', { type, environment, error })
      } else {
        queue.push({ ...event, data: { ...event.data, happenedAt: clock.wall() } })
        log.warn('an event waits until the store can write again', { type, environment, error })
      }
    }
  }

  return {
    atomically,
    note,
    current,

    insert: (environment, instances, actor) => {
      atomically(() => {
        const { spec } = environment
        store.putEnvironment(environment)
        const workloads = Object.fromEntries(
          Object.entries(spec.workloads).map(([name, { kind, image, imageName, runtime }]) => [name, { kind, image, imageName, runtime }]),
        )
        const { onIdle = 'end', ...clocks } = spec.lease
        const data = { name: spec.name, owner: spec.owner, lease: { ...clocks, onIdle }, workloads }
        append({ environment: environment.id, type: 'environment.creating', actor, reason: environment.reason, data })
        for (const instance of instances) {
          store.putInstance(instance)
          const { id, workload, reason } = instance
          append({ environment: environment.id, instance: id, type: 'instance.pending', actor, reason, data: { workload } })
        }
      })
      const { id, lastActivity: last } = environment
      activity.set(id, { last, written: last })
    },

    insertInstance: (instance, { actor, reason }) => {
      atomically(() => {
        const { id, environment, workload, replica, revision } = instance
        store.putInstance(instance)
        append({ environment, instance: id, type: 'instance.pending', actor, reason, data: { workload, replica, revision } })
      })
    },
    stopping: (id, wish, grace, { actor, reason }) => {
      const before = store.instance(id)
      if (!before) return
      const event = { environment: before.environment, instance: id, type: 'instance.stopping', actor, reason, data: { grace } }
      try {
        atomically(() => {
          store.putInstance({ ...before, wish })
          append(event)
        })
      } catch {
        noteEventually(event)
      }
    },
    forgive: (environment, workloads) =>
      atomically(() => {
        for (const instance of store.presentInstances(environment)) {
          const over = workloads.has(instance.workload) && !isLive(instance.state) && instance.wish !== 'retired'
          if (over && (instance.wish === 'stopped' || instance.exit?.code !== 0)) store.putInstance({ ...instance, wish: 'retired' })
        }
      }),
    replaceSpec: (id, spec, changes, { actor, reason }) =>
      atomically(() => {
        const before = environmentOf(id)
        if (before.state !== 'running') throw new DayflyError('wrong_state', `the environment ${id} is ${before.state}`, { field: 'name' })
        store.replaceSpec(id, spec)
        append({ environment: id, type: 'environment.updated', actor, reason, data: changes })
        return { ...before, spec }
      }),

    moveInstance: (id, to, { actor, reason }, change = {}) =>
      atomically(() => {
        const before = store.instance(id)
        if (!before) throw new DayflyError('not_found', `there is no instance ${id}`, { field: 'ref' })
        assertInstanceTransition(before.state, to)
        const { pid, ...rest } = { ...before, ...change }
        const after: Instance = {
          ...rest,
          pid: to === 'created' || to === 'running' ? pid : undefined,
          state: to,
          reason: to === 'removed' ? before.reason : reason,
        }
        store.putInstance(after)
        const data: NewEvent['data'] = {
          ...(after.pid === undefined ? {} : { pid: after.pid }),
          ...(to === 'created' && after.start !== undefined ? { start: after.start } : {}),
          ...(to === 'exited' && after.exit ? exitData(after.exit) : {}),
        }
        append({ environment: after.environment, instance: id, type: `instance.${to}`, actor, reason, data })
        return after
      }),

    moveEnvironment: (id, to, { actor, reason }, cause) =>
      atomically(() => {
        const before = environmentOf(id)
        assertEnvironmentTransition(before.state, to)
        const over = to === 'ended'
        const after: Environment = {
          ...before,
          state: to,
          reason: over ? before.reason : reason,
          cause: before.cause ?? cause,
          endedAt: over ? clock.wall() : undefined,
        }
        store.putEnvironment(after)
        append({ environment: id, type: `environment.${to}`, actor, reason, data: after.cause === undefined ? {} : { cause: after.cause } })
        if (over) store.seal(id, actor)
        return after
      }),

    extend: (id, ttlDeadline, { actor, reason }) =>
      atomically(() => {
        const before = environmentOf(id)
        if (before.state !== 'running') throw new DayflyError('wrong_state', `the environment ${id} is ${before.state}`, { field: 'ref' })
        const after = { ...before, ttlDeadline }
        store.putEnvironment(after)
        append({ environment: id, type: 'environment.extended', actor, reason, data: { before: before.ttlDeadline, after: ttlDeadline } })
        return after
      }),

    touch: id => {
      const now = clock.boot()
      const known = activity.get(id)
      if (known) known.last = now
      if (known && now - known.written < activityResolution) return
      try {
        const stored = store.environment(id)
        if (!stored || stored.state === 'ended') return
        activity.set(id, { last: now, written: now })
        store.putEnvironment({ ...stored, lastActivity: now })
      } catch (error) {
        log.debug('activity is kept in memory only', { environment: id, error })
      }
    },
    takeUp: environment => {
      if (environment.bootId !== clock.bootId) return
      const { lastActivity: written } = environment
      activity.set(environment.id, { last: Math.max(written, Math.min(written + activityResolution, clock.boot())), written })
    },
    forget: id => {
      activity.delete(id)
    },

    noteEventually,
    flush: environment => {
      const waiting = queue
      const kept: NewEvent[] = []
      let written = 0
      try {
        for (const event of waiting) {
          if (environment === undefined || event.environment === environment) noteLate(event)
          else kept.push(event)
          written++
        }
      } finally {
        queue = [...kept, ...waiting.slice(written)]
      }
    },
  }
}
