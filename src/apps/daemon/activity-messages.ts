/** What the daemon and its threads that read activity (activity-thread.ts) say to each other. */
import type { ErrorCode } from '../../base/errors.ts'
import type { ActivityFilter, ActivityHead, Found } from '../../model/activity.ts'
import type { ActivityBlock, ActivityPlace, ActivityProblem, ActivityProgress } from '../../store/activity/activity-store.ts'

/** `snapshot`: a number that `open` has given to it. */
export type ActivityQuestion =
  | { readonly type: 'search'; readonly filter: ActivityFilter }
  | { readonly type: 'open'; readonly snapshot: number }
  | { readonly type: 'place'; readonly snapshot: number; readonly environment: string }
  /** Some blocks after that number, up to and with the last one. */
  | { readonly type: 'blocks'; readonly snapshot: number; readonly environment: string; readonly after: number; readonly last: number }
  /** The same without their bytes. */
  | { readonly type: 'sizes'; readonly snapshot: number; readonly environment: string; readonly after: number; readonly last: number }
  | {
      readonly type: 'verify'
      readonly snapshot: number
      readonly environment: string
      readonly head: ActivityHead
      readonly from: ActivityHead | undefined
    }
  | { readonly type: 'close'; readonly snapshot: number }

/** A block whose bytes are not told. */
export interface BlockSize {
  readonly number: number
  readonly entries: number
  readonly hash: string
  readonly size: number
}

export type ActivityAnswer =
  | { readonly type: 'search'; readonly found: readonly Found[] }
  /** `there`: something was kept on this host. */
  | { readonly type: 'open'; readonly there: boolean }
  | { readonly type: 'place'; readonly place: ActivityPlace | undefined }
  /** Without any: there are no more. */
  | { readonly type: 'blocks'; readonly blocks: readonly Pick<ActivityBlock, 'number' | 'entries' | 'hash' | 'bytes'>[] }
  | { readonly type: 'sizes'; readonly blocks: readonly BlockSize[] }
  | { readonly type: 'verify'; readonly progress: ActivityProgress }
  | { readonly type: 'close' }

export interface AskedActivity {
  readonly id: number
  readonly question: ActivityQuestion
}

export interface ActivityFailure {
  readonly code: ErrorCode
  readonly message: string
  readonly field: string | undefined
  readonly remedy: string | undefined
}

export type FromActivity =
  | { readonly id: number; readonly answer: ActivityAnswer }
  | { readonly id: number; readonly failure: ActivityFailure }
  | { readonly problem: ActivityProblem }
