/** After a start of the daemon: what the store says is compared with what the backend sees, and each difference is settled. */
import type { Clock } from '../base/clock.ts'
import { DayflyError } from '../base/errors.ts'
import type { Log } from '../base/log.ts'
import type { Environment } from '../model/environment.ts'
import { dayfly } from '../model/event.ts'
import { isLive } from '../model/instance.ts'
import type { Backend, Observed } from './backend.ts'
import type { Adoption } from './engine.ts'
import type { Lifecycle } from './lifecycle.ts'
import type { Verdict } from './reconcile.ts'
import { settle } from './reconcile.ts'
import type { Store } from './store.ts'
import { isSupervised } from './supervised.ts'

interface AdoptParts {
  readonly backend: Backend
  readonly store: Store
  readonly clock: Clock
  readonly lifecycle: Lifecycle
  readonly log: Log
  /** It runs on: watch it, keep its lease. Its deadline is set again, in case an extension was cut off. */
  readonly onRunning: (environment: Environment) => void
  /** It is to be taken down. */
  readonly onEnding: (environment: Environment) => void
  /** Within the transaction: whether what ended was what the environment is for. */
  readonly complete: (environment: string) => void
}

/** Writes what became of one environment, and hands it on. Throws when the store cannot write: then nothing has changed. */
export const reconcile = (parts: AdoptParts, before: Environment, seen: ReadonlyMap<string, Observed>): ReadonlyMap<string, Verdict> => {
  const { store, clock, lifecycle } = parts
  const rebooted = before.bootId !== clock.bootId
  const because = rebooted ? 'the host was restarted' : 'the daemon was restarted'
  const verdicts = new Map<string, Verdict>()
  const supervised = isSupervised(before.spec)
  const after = lifecycle.atomically(() => {
    for (const instance of store.instances(before.id)) {
      if (isLive(instance.state)) verdicts.set(instance.id, settle(lifecycle, clock, instance, seen.get(instance.id), because, rebooted, supervised))
    }
    const all = [...verdicts.values()]
    const why = { actor: dayfly, reason: because }
    if (before.state === 'creating') {
      const started = !supervised && store.instances(before.id).every(({ state }) => state === 'running' || state === 'exited')
      if (started) lifecycle.moveEnvironment(before.id, 'running', { ...why, reason: `every instance was started; ${because}` })
      else lifecycle.moveEnvironment(before.id, 'ending', { ...why, reason: `it was not complete; ${because}` }, 'failed')
    } else if (before.state === 'running' && rebooted) {
      lifecycle.moveEnvironment(before.id, 'ending', why, 'lost')
    } else if (all.includes('running')) {
      lifecycle.note({ environment: before.id, type: 'environment.adopted', actor: dayfly, reason: because, data: {} })
    }
    parts.complete(before.id)
    return store.environment(before.id) ?? before
  })
  if (after.state === 'running') parts.onRunning(after)
  else parts.onEnding(after)
  return verdicts
}

/** Removes what the backend has and no living environment explains. */
const removeUnknown = async ({ backend, store, log }: AdoptParts, seen: ReadonlyMap<string, Observed>, signal: AbortSignal): Promise<void> => {
  const unknown = [...seen.values()].filter(({ id }) => {
    const state = store.instance(id)?.state
    return state === undefined || state === 'removed'
  })
  for (const { id, environment } of unknown) {
    try {
      await backend.remove(id, signal)
      const state = store.environment(environment)?.state
      if (state === undefined || state === 'ended') await backend.removeEnvironment(environment, signal)
      log.warn('an instance that the store does not know was removed', { instance: id, environment })
    } catch (error) {
      log.error('an instance that the store does not know could not be removed', { instance: id, environment, error })
    }
  }
}

/** Settles everything. An environment that cannot be settled now, the store being unable to write, is left to `later`. */
export const adoptAll = async (parts: AdoptParts, later: (environment: string) => void, signal: AbortSignal): Promise<Adoption> => {
  const { backend, store, lifecycle, log } = parts
  const seen = new Map((await backend.observe()).map(observed => [observed.id, observed]))
  const adoption = { adopted: [] as string[], finished: [] as string[], undone: [] as string[], lost: [] as string[] }
  const lists: Readonly<Record<Verdict, string[]>> = {
    running: adoption.adopted,
    exited: adoption.finished,
    failed: adoption.undone,
    lost: adoption.lost,
  }
  for (const environment of store.environments({ ended: false }).toReversed()) {
    lifecycle.takeUp(environment)
    try {
      for (const [id, verdict] of reconcile(parts, environment, seen)) lists[verdict].push(id)
    } catch (error) {
      if (!(error instanceof DayflyError)) throw error
      log.error('an environment could not be adopted; it is tried again', { environment: environment.id, error })
      later(environment.id)
    }
  }
  await removeUnknown(parts, seen, signal)
  return adoption
}
