/** The contract of the activity store: what is asked of the one thread that writes it, and of any thread that reads it. All of it is synchronous. */
import type { Activity, ActivityFilter, ActivityHead, ActivityOrigin, Found } from '../../model/activity.ts'

/** A block as it is kept and exported. */
export interface ActivityBlock {
  /** From 1, without gaps. */
  readonly number: number
  readonly entries: number
  /** Wall clock, ms, of its earliest and latest entry. */
  readonly first: number
  readonly last: number
  /** See activityGenesisText in model/activity.ts. */
  readonly hash: string
  /** The uncompressed bytes: a line of canonical JSON for each entry. */
  readonly bytes: Buffer
}

export interface ActivityVerdict {
  /** Number of the first block that is not what was kept there; undefined: there is none. */
  readonly broken?: number
  /** The beginning up to this head was removed to stay within the disk budget, before its retention was over. All after it is proven from there. */
  readonly pruned?: ActivityHead
}

/** What there is of an environment. */
export interface ActivityPlace {
  readonly head: ActivityHead
  /** The beginning up to here is gone. `own`: this installation has removed it, to stay within the disk's budget; nobody else could say so. */
  readonly pruned: (ActivityHead & { readonly own: boolean }) | undefined
}

/** How far a verification has come, or what it came to. */
export type ActivityProgress = { readonly at: ActivityHead } | { readonly verdict: ActivityVerdict }

/** Something that is damaged, and was passed over. */
export interface ActivityProblem {
  readonly environment: string
  /** Number of the block. */
  readonly block: number
  readonly message: string
}

export interface ActivitySize {
  /** Bytes that are in use, and bytes of the file, which may have room in it. */
  readonly used: number
  readonly file: number
  readonly entries: number
  readonly environments: number
}

export interface ActivityReader extends Disposable {
  /** What the record binds. Of an environment without entries: none, and the genesis hash. */
  head(environment: string): ActivityHead
  /** Newest first, unless asked otherwise; at most `limit`, 1000 by default. Damaged blocks are passed over and told as problems. Throws `invalid` for a faulty filter. */
  search(filter: ActivityFilter): Found[]
  /** undefined: nothing was ever kept of it. */
  place(environment: string): ActivityPlace | undefined
  /** All that is kept of an environment, in the order in which it was kept. Throws `corrupt` at a damaged block. */
  read(environment: string): Iterable<Activity>
  /** The same as blocks, after the one of that number. Throws `corrupt` at one that cannot be uncompressed; hashes are not checked. */
  blocks(environment: string, after?: number): Iterable<ActivityBlock>
  /** Whether what is kept is what the head proves. Blocks after the head are broken, unless the environment is `growing`. */
  verify(environment: string, head: ActivityHead, growing?: boolean): ActivityVerdict
  /** A piece of the same, of at most so many blocks, from where the piece before has come to: for who shares a thread with others. */
  verifySome(environment: string, head: ActivityHead, most: number, from?: ActivityHead): ActivityProgress
  /** Of all instances of an environment, in the order in which they were introduced. */
  origins(environment: string): ActivityOrigin[]
  size(): ActivitySize
}

export interface Pruned {
  readonly environment: string
  /** How far it is gone. */
  readonly head: ActivityHead
}

export interface ActivityStore extends ActivityReader {
  /** To be told before an instance's first entry. Again the same: nothing happens. */
  introduce(origin: ActivityOrigin): void
  /**
   * Keeps these, in this order, in one transaction: a block for each environment among them, or several of at most `blockEntries`. Give it what came within a second or
   * `blockEntries` of one environment, whichever is first: small blocks cost more disk, large calls more time at once. Throws `host` when there is no room, and `internal` for an
   * instance that was not introduced: nothing of the call is kept then, and later calls go on.
   */
  append(entries: readonly Activity[]): void
  /** All that was appended outlasts a power cut when this returns. Throws `host`. */
  sync(): void
  /** Removes what an environment has beyond the head that its sealed record binds. How many blocks those were; none, when the head is not one of its own. */
  cut(environment: string, head: ActivityHead): number
  /** Removes all there is of an environment: its retention is over. */
  purge(environment: string): void
  /**
   * Makes room while more than the budget is in use: of `ended` environments, given with the oldest first, as many as need be; then the oldest blocks of any. What is
   * gone leaves its head behind, so that verify can tell it from damage. What does not go in this call, tidy goes on with; told is what went in it.
   */
  prune(ended: readonly string[]): readonly Pruned[]
  /** A piece of the work that can wait (index of what was purged around, of what was left by a crash; space given back): to be called now and then. False: there is none. */
  tidy(): boolean
}
