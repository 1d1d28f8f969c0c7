/** The sweep: everything that must come about although a timer, a wait or a write failed. It works on what the store says, not on what is in memory. */
import type { Log } from '../base/log.ts'
import type { Denials } from './denials.ts'
import type { Endings } from './endings.ts'
import type { Leases } from './leases.ts'
import type { Lifecycle } from './lifecycle.ts'
import type { Outcomes } from './outcomes.ts'
import type { Store } from './store.ts'
import type { Supervisor } from './supervisor.ts'

interface UpkeepParts {
  readonly store: Store
  readonly lifecycle: Lifecycle
  readonly outcomes: Outcomes
  readonly leases: Leases
  readonly endings: Endings
  readonly log: Log
  /** Environments that could not be adopted because the store could not write. */
  readonly unsettled: ReadonlySet<string>
  readonly supervisor: Supervisor
  readonly denials: Denials
  readonly settleLater: () => Promise<void>
  /** Has what is on disk counted, if it is time to. */
  readonly measure: () => void
  readonly purge: () => Promise<void>
}

/** One pass; never rejects. Calls while one is under way join it. */
export const createSweep = (parts: UpkeepParts): (() => Promise<void>) => {
  const { store, lifecycle, outcomes, leases, endings, log, unsettled } = parts

  const attempt = async (what: string, work: () => void | Promise<void>): Promise<void> => {
    try {
      await work()
    } catch (error) {
      log.warn(`the sweep could not ${what}; the next one tries again`, { error })
    }
  }

  const once = async (): Promise<void> => {
    await attempt('write the ends of instances', outcomes.flush)
    await attempt('write the events that wait', lifecycle.flush)
    if (unsettled.size > 0) await attempt('adopt what it could not before', parts.settleLater)
    await attempt('look at the instances', () => {
      for (const { id, state } of store.liveInstances()) if (state === 'running') outcomes.watch(id)
    })
    await attempt('look at what is kept running', parts.supervisor.pokeAll)
    await attempt('look at what egress was denied', async () => {
      await Promise.all(parts.supervisor.kept().map(parts.denials.look))
    })
    await attempt('look at the leases', () => {
      for (const { id, state } of store.environments({ ended: false })) {
        if (state !== 'ending' && !unsettled.has(id)) leases.check(id)
      }
    })
    await attempt('have counted what is on disk', parts.measure)
    await attempt('resume what is ending', endings.resume)
    await attempt('purge what is past its retention', parts.purge)
  }

  let underWay: Promise<void> | undefined
  return () => {
    underWay ??= once().finally(() => {
      underWay = undefined
    })
    return underWay
  }
}
