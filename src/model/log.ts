/**
 * Instance output as it is kept: CRI's log format, one record a line, `RFC3339-with-nanoseconds-and-Z stdout|stderr F|P bytes\n`. `P` marks a
 * record whose line goes on in the next record of the same stream.
 */

export interface LogRecord {
  readonly stream: 'stdout' | 'stderr'
  /** Wall clock, ms, with microseconds as its fraction. */
  readonly time: number
  /** What the instance wrote: its newline is included, and none is added to a partial record. */
  readonly data: Uint8Array
}

export interface LogOptions {
  /** Wall clock, ms: only records at or after it. */
  readonly since?: number
  /** The same: only records at or before it. */
  readonly notAfter?: number
  /** Only the last so many lines of what is there at the beginning. */
  readonly tail?: number
  /** Byte to begin at: the end of a record, as a log that was looked at before had it. Then `tail` counts nothing. */
  readonly from?: number
  /** Follows the log until this settles (the end of the instance), then gives what is left and ends. Without it: what is there now. */
  readonly until?: Promise<unknown>
  /** Ends the iteration, without an error. */
  readonly signal: AbortSignal
}

/** Reads a log: `readLog` in store/logs.ts. A log that does not exist (yet) is empty. */
export type ReadLog = (path: string, options: LogOptions) => AsyncIterable<LogRecord>
