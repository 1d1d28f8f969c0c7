/**
 * Ending environments: one attempt at a time each, joined by everybody who wants it, repeated with growing pauses until nothing is left.
 *
 * The wish is written first (`ending`). While the store cannot write, the processes are stopped all the same; what is left then waits, so that no exit
 * status is thrown away unwritten.
 */
import { settledWithin } from '../base/abort.ts'
import type { Agenda } from '../base/agenda.ts'
import type { Clock } from '../base/clock.ts'
import { deadline } from '../base/deadline.ts'
import { DayflyError, messageOf } from '../base/errors.ts'
import type { Log } from '../base/log.ts'
import type { EndCause, Environment } from '../model/environment.ts'
import { dayfly } from '../model/event.ts'
import type { Instance } from '../model/instance.ts'
import { isLive } from '../model/instance.ts'
import type { Backend } from './backend.ts'
import { endingOf } from './instances.ts'
import type { Lifecycle, Why } from './lifecycle.ts'
import type { Live, Lives } from './lives.ts'
import { settle } from './reconcile.ts'
import type { Step } from './steps.ts'
import { undoSteps } from './steps.ts'
import type { Stopper } from './stop.ts'
import type { Store } from './store.ts'

const shortestPause = 500
const longestPause = 60_000
/** How long a change may take to notice that it was broken off (ms). */
const updatePatience = 10_000
export const failureType = 'environment.removal_failed'

export interface Endings {
  /**
   * Begins to end it, or joins; an attempt that waits for its next time is made now. Resolves when nothing is left of it, rejects when the attempt fails
   * (others follow by themselves). The cause and reason of the first who asked count.
   */
  end(live: Live, why: Why & { cause: EndCause }, force: boolean): Promise<void>
  /** Makes the attempts whose pause is over. */
  resume(): void
}

interface EndingsParts {
  readonly backend: Backend
  readonly store: Store
  readonly clock: Clock
  readonly agenda: Agenda
  readonly lifecycle: Lifecycle
  readonly stopper: Stopper
  readonly lives: Lives
  readonly steps: readonly Step<Live>[]
  readonly log: Log
  readonly closing: AbortSignal
  /** For one attempt, beside the graces and the patience with SIGKILL (ms). */
  readonly attemptPatience: number
  readonly onEnded: (id: string) => void
}

/** What the graces of its workloads come to, of each the longest that one of its live instances has. */
const gracesOf = (environment: Environment, instances: readonly Instance[]): number => {
  const longest = new Map(Object.entries(environment.spec.workloads).map(([name, { grace }]) => [name, grace]))
  for (const instance of instances.filter(({ state }) => isLive(state))) {
    longest.set(instance.workload, Math.max(longest.get(instance.workload) ?? 0, endingOf(environment, instance).grace))
  }
  return longest.values().reduce((sum, grace) => sum + grace, 0)
}

export const createEndings = (parts: EndingsParts): Endings => {
  const { backend, store, clock, agenda, lifecycle, stopper, lives, steps, log, closing } = parts

  /** Stop signal or SIGKILL to all that may run, whatever the store can or cannot do. */
  const stopAll = (live: Live): void => {
    const environment = store.environment(live.id)
    if (!environment) return
    for (const instance of store.instances(live.id)) {
      // One that is written as created may have been started, by this daemon or an earlier one.
      if (instance.state !== 'running' && instance.state !== 'created') continue
      const { stopSignal, grace } = endingOf(environment, instance)
      stopper.stop(instance.id, stopSignal, live.ending?.force ? 0 : grace)
    }
  }

  const writeIntent = async (live: Live, { cause, actor, reason }: Why & { cause: EndCause }): Promise<void> => {
    // Also when this daemon has asked for no start: an earlier one may have, and died before it could write that.
    const unwritten = store.instances(live.id).some(({ state }) => isLive(state) && state !== 'running')
    const seen = unwritten ? await backend.observe() : []
    lifecycle.atomically(() => {
      const environment = store.environment(live.id)
      if (!environment || environment.state === 'ended') return
      for (const instance of store.instances(live.id)) {
        if (!isLive(instance.state) || instance.state === 'running') continue
        const observed = seen.find(other => other.id === instance.id)
        settle(lifecycle, clock, instance, observed, 'its environment ends before it was complete', environment.bootId !== clock.bootId)
      }
      if (environment.state !== 'ending') lifecycle.moveEnvironment(live.id, 'ending', { actor, reason }, cause)
    })
    live.attempted.clear()
  }

  const attempt = async (live: Live, why: Why & { cause: EndCause }): Promise<void> => {
    if (live.creation) {
      live.creation.abort(new DayflyError('aborted', `the environment was ended while it was being created: ${why.reason}`))
      await live.creation.over
    }
    if (live.update) {
      live.update.abort(new DayflyError('aborted', `the environment was ended while it was being changed: ${why.reason}`))
      // Or else it makes again what is being removed. A change that does not notice must not keep it alive.
      await settledWithin(live.update.over, updatePatience)
    }
    await live.release?.()
    try {
      await writeIntent(live, why)
    } catch (error) {
      stopAll(live)
      throw error
    }
    const environment = store.environment(live.id)
    // One after another, at worst: nobody ends before those that depend on it.
    const graces = environment ? gracesOf(environment, store.presentInstances(live.id)) : 0
    const patience = parts.attemptPatience + graces
    using limit = deadline(clock, agenda, patience, 'taking the environment down took too long', closing)
    await undoSteps(steps, live, limit.signal)
  }

  const recordFailure = (live: Live, error: unknown): void => {
    log.warn('an environment could not be taken down; it is tried again', { environment: live.id, error })
    try {
      // Once, also over restarts: what follows is in the log.
      if (store.environment(live.id) === undefined || store.events({ environment: live.id, types: [failureType], limit: 1 }).length > 0) return
      const reason = `it is tried again until nothing is left: ${messageOf(error)}`
      lifecycle.note({
        environment: live.id,
        type: failureType,
        actor: dayfly,
        reason,
        data: error instanceof DayflyError ? { code: error.code } : {},
      })
    } catch (problem) {
      log.warn('that failure could not be written', { environment: live.id, error: problem })
    }
  }

  const work = async (live: Live): Promise<void> => {
    const { ending } = live
    if (!ending) return
    ending.retry?.[Symbol.dispose]()
    try {
      await attempt(live, ending.why)
      lives.delete(live.id)
      parts.onEnded(live.id)
    } catch (error) {
      if (closing.aborted) throw error
      recordFailure(live, error)
      const pause = Math.min(shortestPause * 2 ** ending.failures, longestPause)
      ending.failures++
      ending.retryAt = clock.boot() + pause
      ending.retry = agenda.at(ending.retryAt, () => begin(live))
      throw error
    } finally {
      ending.work = undefined
    }
  }

  /** For nobody in particular: a failure is recorded where it happens. */
  const begin = (live: Live): void => {
    if (closing.aborted || !live.ending || live.ending.work) return
    live.ending.work = work(live)
    live.ending.work.catch(() => {})
  }

  return {
    end: async (live, why, force) => {
      live.ending ??= { why, force, work: undefined, failures: 0, retryAt: 0, retry: undefined }
      const { ending } = live
      if (force && !ending.force) {
        ending.force = true
        if (ending.work) stopAll(live)
      }
      begin(live)
      await ending.work
    },
    resume: () => {
      for (const live of [...lives.values()]) {
        if (live.ending && !live.ending.work && live.ending.retryAt <= clock.boot()) begin(live)
      }
    },
  }
}
