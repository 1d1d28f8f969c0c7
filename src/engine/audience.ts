import type { Environment } from '../model/environment.ts'
import type { WorkloadStatus } from './engine.ts'

/** Whoever sends requests to instances: told how they stand, and asked to let go of one before it ends. */
export interface Audience {
  /** Before its first instance, and before a change: opens what the environment exposes. Rejects when a port that it wants cannot be had. */
  prepare(environment: Environment, signal: AbortSignal): Promise<void>
  statuses(environment: Environment, statuses: readonly WorkloadStatus[]): void
  /** Nothing new goes to the instance; resolves when nothing is under way there, after `within` ms at the latest. */
  drain(instance: string, within: number): Promise<void>
  /** It is about to end: the last chance to write into its record. */
  ending(environment: Environment): void | Promise<void>
  ended(environment: Environment): void
}
