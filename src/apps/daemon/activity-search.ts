/** Searches of what instances did, in a thread of their own (activity-calls.ts). */
import type { Log } from '../../base/log.ts'
import type { ActivityFilter, Found } from '../../model/activity.ts'
import { createActivityCalls } from './activity-calls.ts'

export interface ActivitySearchOptions {
  readonly stateDir: string
  readonly log: Log
  /** ms for one search, its waiting for others included. */
  readonly patience?: number
}

export interface ActivitySearch extends AsyncDisposable {
  /** See ActivityReader.search in store/activity. Nothing was ever kept: nothing is found. Rejects with `timeout`, `exhausted`, by the signal, and as the store throws. */
  search(filter: ActivityFilter, signal: AbortSignal): Promise<readonly Found[]>
}

export const createActivitySearch = ({ stateDir, log, patience = 30_000 }: ActivitySearchOptions): ActivitySearch => {
  const calls = createActivityCalls({ stateDir, log, patience, name: 'dayfly-activity', remedy: 'Narrow it by --since and --until.' })
  return {
    search: async (filter, signal) => (await calls.ask({ type: 'search', filter }, signal)).found,
    [Symbol.asyncDispose]: () => calls[Symbol.asyncDispose](),
  }
}
