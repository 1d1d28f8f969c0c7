/** What becomes known of an environment while it is there: written into its record, and what follows from it. */
import { messageOf } from '../base/errors.ts'
import type { Log } from '../base/log.ts'
import type { Environment } from '../model/environment.ts'
import type { NewEvent } from '../model/event.ts'
import { dayfly } from '../model/event.ts'
import type { Backend } from './backend.ts'
import type { Lifecycle } from './lifecycle.ts'
import type { Store } from './store.ts'

export interface Found {
  readonly environment: string
  readonly type: 'finding.raised' | 'finding.warned'
  readonly reason: string
  readonly data: NewEvent['data']
}

export interface Findings {
  /** Does `work` and writes what it found, all of it or nothing. What is about an environment that has ended is left out. */
  note(work: () => readonly Found[]): void
  /** Closes its egress, for good, and writes that. Idempotent. */
  isolate(environment: Environment, reason: string, data: NewEvent['data']): Promise<void>
  isIsolated(environment: string): boolean
  /** After a restart: its egress is closed before anything of it begins. Never rejects. */
  adopt(environment: string): Promise<void>
  forget(environment: string): void
}

const isolatedType = 'environment.isolated'

export const createFindings = (backend: Pick<Backend, 'isolate'>, store: Store, lifecycle: Lifecycle, log: Log): Findings => {
  /** As far as it was asked for: what is in the record does not change. */
  const known = new Map<string, boolean>()

  const isIsolated = (environment: string): boolean => {
    const before = known.get(environment)
    if (before !== undefined) return before
    const found = store.events({ environment, types: [isolatedType], limit: 1 }).length > 0
    known.set(environment, found)
    return found
  }

  return {
    note: work =>
      lifecycle.atomically(() => {
        for (const { environment, type, reason, data } of work()) {
          const state = store.environment(environment)?.state
          if (state === undefined || state === 'ended') continue
          lifecycle.note({ environment, instance: undefined, type, actor: dayfly, reason, data })
        }
      }),
    isIsolated,
    isolate: async ({ id }, reason, data) => {
      if (isIsolated(id)) return
      // First, so that it is never written of one that is not.
      await backend.isolate(id)
      lifecycle.note({ environment: id, instance: undefined, type: isolatedType, actor: dayfly, reason, data })
      known.set(id, true)
    },
    adopt: async id => {
      if (!isIsolated(id)) return
      await backend
        .isolate(id)
        .catch((error: unknown) => log.error('an environment could not be isolated again', { environment: id, error: messageOf(error) }))
    },
    forget: environment => void known.delete(environment),
  }
}
