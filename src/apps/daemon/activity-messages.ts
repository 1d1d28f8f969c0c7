/** What the daemon and the thread that searches activity (activity-thread.ts) say to each other. */
import type { ErrorCode } from '../../base/errors.ts'
import type { ActivityFilter, Found } from '../../model/activity.ts'
import type { ActivityProblem } from '../../store/activity/activity-store.ts'

export interface SearchQuestion {
  readonly id: number
  readonly filter: ActivityFilter
}

export interface SearchFailure {
  readonly code: ErrorCode
  readonly message: string
  readonly field: string | undefined
  readonly remedy: string | undefined
}

export type SearchAnswer =
  | { readonly type: 'found'; readonly id: number; readonly found: readonly Found[] }
  | { readonly type: 'failed'; readonly id: number; readonly failure: SearchFailure }
  | { readonly type: 'problem'; readonly problem: ActivityProblem }
