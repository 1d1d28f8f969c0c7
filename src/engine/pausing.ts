/** Freezing and thawing all that runs in an environment; whether it is to be frozen is in the record, so that a daemon that is killed is followed by one that knows. */
import type { Environment } from '../model/environment.ts'
import type { Actor } from '../model/event.ts'
import type { Instance } from '../model/instance.ts'
import type { Backend } from './backend.ts'
import type { HealthChecks } from './health.ts'
import type { Kept } from './kept.ts'
import type { Lifecycle } from './lifecycle.ts'
import type { Store } from './store.ts'

interface PausingParts {
  readonly backend: Pick<Backend, 'pause' | 'resume'>
  readonly store: Store
  readonly lifecycle: Lifecycle
  readonly checks: Pick<HealthChecks, 'hold'>
  /** Its end was asked for, whether that could be written or not. */
  readonly isStopping: (instance: string) => boolean
  /** It is frozen for another reason, which nobody here lifts. */
  readonly standsStill: (instance: string) => boolean
}

export interface Pausing {
  /** What was written last: that it is paused, or that it was resumed; undefined when it was never either. */
  last(environment: Environment['id']): 'paused' | 'resumed' | undefined
  /** Makes what runs as it is to be: frozen while the environment is paused, all but what is to end, for that has to hear its stop signal. */
  apply(kept: Kept): Promise<void>
  /** Writes the wish, then does it. */
  change(kept: Kept, paused: boolean, actor: Actor, reason: string): Promise<void>
  /** At the end: whatever was frozen runs. Never rejects. */
  thaw(kept: Kept): Promise<void>
}

const pausedType = 'environment.paused'
const resumedType = 'environment.resumed'

export const createPausing = ({ backend, store, lifecycle, checks, isStopping, standsStill }: PausingParts): Pausing => {
  const running = (id: string): Instance[] => store.presentInstances(id).filter(({ state }) => state === 'running')

  const one = async (kept: Kept, { id, wish }: Instance): Promise<void> => {
    if (standsStill(id)) return
    const toBeFrozen = kept.paused && wish === undefined && !isStopping(id)
    if (kept.controller.signal.aborted || (toBeFrozen ? kept.frozen.get(id) === true : !kept.frozen.has(id))) return
    kept.frozen.set(id, false)
    try {
      await (toBeFrozen ? backend.pause(id) : backend.resume(id))
      if (toBeFrozen) kept.frozen.set(id, true)
      else kept.frozen.delete(id)
    } catch (error) {
      // What has ended meanwhile is neither.
      if (store.instance(id)?.state === 'running') throw error
    }
  }

  const apply = (kept: Kept): Promise<void> => {
    const work = kept.freezing
      .catch(() => {})
      .then(async () => {
        const those = running(kept.id)
        for (const id of kept.frozen.keys()) if (!those.some(instance => instance.id === id)) kept.frozen.delete(id)
        await Promise.all(those.map(instance => one(kept, instance)))
      })
    kept.freezing = work
    return work
  }

  return {
    apply,
    last: environment => {
      const last = store.events({ environment, types: [pausedType, resumedType] }).at(-1)?.type
      if (last === undefined) return undefined
      return last === pausedType ? 'paused' : 'resumed'
    },
    change: async (kept, paused, actor, reason) => {
      if (kept.paused !== paused) {
        // The wish first: a daemon that is killed in between is followed by one that freezes or thaws the rest. A full disk keeps nobody frozen.
        const event = { environment: kept.id, instance: undefined, type: paused ? pausedType : resumedType, actor, reason, data: {} }
        if (paused) lifecycle.note(event)
        else lifecycle.noteEventually(event)
        kept.paused = paused
        for (const { id } of running(kept.id)) checks.hold(id, paused)
        if (!paused) lifecycle.touch(kept.id)
      }
      await apply(kept)
    },
    thaw: async kept => {
      await kept.freezing.catch(() => {})
      for (const { id } of running(kept.id)) if ((kept.paused || kept.frozen.has(id)) && !standsStill(id)) await backend.resume(id).catch(() => {})
    },
  }
}
