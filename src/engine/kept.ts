import type { WorkloadStatus } from './engine.ts'

/** What is held of an environment while this daemon lives. */
export interface Kept {
  readonly id: string
  readonly controller: AbortController
  /** Instances that are being started, stopped or cleared. */
  readonly busy: Set<string>
  readonly work: Set<Promise<void>>
  readonly wanted: Map<string, number>
  /** Boot ms at which an instance was first seen to run, and to have ended. */
  readonly begins: Map<string, number>
  readonly ends: Map<string, number>
  /** Instances that ran while their workload had no health check. */
  readonly unchecked: Set<string>
  readonly failures: Map<string, number>
  statuses: readonly WorkloadStatus[]
  statusText: string
  namesText: string
  paused: boolean
  /** Instances that may be frozen, and whether that is certain. */
  readonly frozen: Map<string, boolean>
  /** Freezing and thawing, one after another. */
  freezing: Promise<void>
  /** Its network and volumes are known to be there. */
  prepared: boolean
  round: Promise<void> | undefined
  again: boolean
  timer: Disposable | undefined
}

const shortestPause = 500
const longestPause = 30_000

/** Another failure of what goes by this key (an instance's id, or the environment's): how long to wait before it is tried again (ms). */
export const pauseAfter = (kept: Kept, key: string): number => {
  const failures = kept.failures.get(key) ?? 0
  kept.failures.set(key, failures + 1)
  return Math.min(shortestPause * 2 ** failures, longestPause)
}
