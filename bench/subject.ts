/** What is measured: something that can run one trivial command in isolation, from the request to its end. */

/** Milliseconds since the request was made. */
export interface Timing {
  readonly firstOutput: number
  readonly exit: number
  /** Where it was started from, for subjects that say so. */
  readonly start?: 'cold' | 'prepared' | undefined
}

/** Instances that do nothing. */
export interface Idle extends AsyncDisposable {
  /** Bytes of the processes that exist for each instance beside its own, all instances together. */
  readonly helpers: number
}

export interface Subject extends AsyncDisposable {
  readonly name: string
  /** What of an isolated instance it has, and how it was asked, in a few words. */
  readonly note: string
  /** Runs `echo` once. Rejects when it does not print what it should or exits with another code than 0. */
  once(): Promise<Timing>
  /** Called before `count` runs at once are measured, e.g. to fill a pool. */
  warm?(count: number): Promise<void>
  idle?(count: number): Promise<Idle>
}

/** Stands in the table for what could not be measured, with the reason. */
export interface Absent {
  readonly name: string
  readonly absent: string
}

export const isAbsent = (subject: Subject | Absent): subject is Absent => 'absent' in subject

/** What every subject's command prints. */
export const greeting = 'dayfly-bench'
