/**
 * Instances that stand still because of what they did, until a person lets them go on. No request, exec or end of an idle time thaws them. That they are
 * frozen is in the record, so that a daemon that is killed is followed by one that knows. What ends them kills them: they get no time for anything.
 */
import { messageOf } from '../base/errors.ts'
import type { Log } from '../base/log.ts'
import type { Actor, NewEvent } from '../model/event.ts'
import { dayfly } from '../model/event.ts'
import type { Instance } from '../model/instance.ts'
import { isLive } from '../model/instance.ts'
import type { Backend } from './backend.ts'
import type { Lifecycle } from './lifecycle.ts'
import type { Store } from './store.ts'

export interface Quarantine {
  /** Freezes it and writes that. Idempotent. Throws when the backend or the store fails: then it may stand still, and is not written as frozen. */
  freeze(instance: Instance, reason: string, data: NewEvent['data']): Promise<void>
  isFrozen(instance: string): boolean
  /** Why, for people; empty when it is not. */
  reason(instance: string): string
  frozenIn(environment: string): readonly string[]
  /** A person lets all of an environment go on, which is not paused. */
  lift(environment: string, actor: Actor): Promise<void>
  /** For as long as evidence is taken: stands still, and goes on afterwards unless it is to stay frozen. */
  still<T>(instance: Instance, mayRun: () => boolean, work: () => Promise<T>): Promise<T>
  /** After a restart: what was frozen is frozen again. Never rejects. */
  adopt(environment: string): Promise<void>
  forget(environment: string): void
}

const frozenType = 'instance.frozen'
const thawedType = 'instance.thawed'

interface QuarantineParts {
  readonly backend: Pick<Backend, 'pause' | 'resume' | 'setDeadline'>
  readonly store: Store
  readonly lifecycle: Lifecycle
  readonly log: Log
  /** Its workload stands otherwise now. */
  readonly poke: (environment: string) => void
}

export const createQuarantine = ({ backend, store, lifecycle, log, poke }: QuarantineParts): Quarantine => {
  /** By environment, its frozen instances with the reason; read from the record once. */
  const known = new Map<string, Map<string, string>>()

  const of = (environment: string): Map<string, string> => {
    const before = known.get(environment)
    if (before !== undefined) return before
    const found = new Map<string, string>()
    for (const { type, instance, reason } of store.events({ environment, types: [frozenType, thawedType] })) {
      if (instance === undefined) continue
      if (type === frozenType) found.set(instance, reason)
      else found.delete(instance)
    }
    known.set(environment, found)
    return found
  }
  const reason = (instance: string): string => {
    const environment = store.instance(instance)?.environment
    return environment === undefined ? '' : (of(environment).get(instance) ?? '')
  }
  const isFrozen = (instance: string): boolean => reason(instance) !== ''
  const running = (instance: string): boolean => store.instance(instance)?.state === 'running'

  /** At its deadline, too, it is killed where it stands. */
  const hold = async ({ id, environment }: Pick<Instance, 'id' | 'environment'>): Promise<void> => {
    await backend.pause(id)
    const deadline = store.environment(environment)?.ttlDeadline
    if (deadline !== undefined) await backend.setDeadline(id, deadline, true)
  }

  return {
    isFrozen,
    reason,
    frozenIn: environment => [...of(environment).keys()].filter(id => isLive(store.instance(id)?.state ?? 'removed')),
    freeze: async (instance, why, data) => {
      if (isFrozen(instance.id)) return
      await hold(instance)
      const { id, environment } = instance
      lifecycle.note({ environment, instance: id, type: frozenType, actor: dayfly, reason: why, data })
      of(environment).set(id, why)
      poke(environment)
    },
    lift: async (environment, actor) => {
      const those = [...of(environment).keys()].filter(running)
      // The wish first: what is killed in between is followed by a daemon that leaves them thawed.
      lifecycle.atomically(() => {
        for (const id of those) lifecycle.note({ environment, instance: id, type: thawedType, actor, reason: 'asked for', data: {} })
      })
      for (const id of those) of(environment).delete(id)
      const deadline = store.environment(environment)?.ttlDeadline
      for (const id of those) {
        try {
          if (deadline !== undefined) await backend.setDeadline(id, deadline)
          await backend.resume(id)
        } catch (error) {
          if (running(id)) throw error
        }
      }
      poke(environment)
    },
    still: async (instance, mayRun, work) => {
      await backend.pause(instance.id)
      try {
        return await work()
      } finally {
        if (!isFrozen(instance.id) && mayRun()) {
          await backend.resume(instance.id).catch((error: unknown) => {
            if (running(instance.id)) log.error('an instance could not be thawed after evidence was taken', { instance: instance.id, error })
          })
        }
      }
    },
    adopt: async environment => {
      for (const id of of(environment).keys()) {
        const instance = store.instance(id)
        if (instance?.state !== 'running') continue
        await hold(instance).catch((error: unknown) => {
          if (running(id)) log.error('an instance could not be frozen again', { instance: id, error: messageOf(error) })
        })
      }
    },
    forget: environment => void known.delete(environment),
  }
}
