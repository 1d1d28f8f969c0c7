/**
 * The lifecycle: what the daemon, the API and later the gateway ask of it. Implementation: `createEngine` in create.ts.
 *
 * References (`ref`) are an id, a unique prefix of one of at least 4 characters, or the name of an environment that has not ended; an instance
 * reference may be an environment's when that has one instance. Unknown or ambiguous ones throw `not_found` with field `ref`.
 */
import type { EndCause, Environment, EnvironmentSpec } from '../model/environment.ts'
import type { Actor, Event } from '../model/event.ts'
import type { Instance } from '../model/instance.ts'
import type { OwnedObject } from '../model/owned.ts'
import type { ExecRequest, Session } from '../model/session.ts'
import type { EnvironmentFilter, EventFilter } from './store.ts'

/** Secret contents by workload name, then secret name. Lives in memory only. */
export type Secrets = ReadonlyMap<string, ReadonlyMap<string, Uint8Array>>

export interface Started {
  readonly environment: Environment
  readonly instances: readonly Instance[]
}

export interface Adoption {
  readonly adopted: readonly string[]
  readonly finished: readonly string[]
  readonly undone: readonly string[]
  readonly lost: readonly string[]
}

export interface Engine extends AsyncDisposable {
  /** Creates and starts an environment; resolves when each workload's instance runs. On failure nothing but its record is left. */
  run(spec: EnvironmentSpec, secrets: Secrets, actor: Actor, signal: AbortSignal): Promise<Started>
  /** Ends it and resolves when nothing is left of it. Joins an end that is under way. With `force` without the stop signal. */
  end(ref: string, cause: EndCause, reason: string, actor: Actor, force: boolean, signal: AbortSignal): Promise<Environment>
  /** Resolves when it has ended and nothing is left of it. */
  ended(ref: string, signal: AbortSignal): Promise<Environment>

  environment(ref: string): Environment
  environments(filter: EnvironmentFilter): Environment[]
  instance(ref: string): Instance
  instances(environment?: string): Instance[]
  /** Path of the instance's log, in the CRI log format. It outlives the instance, until the retention ends. */
  logPath(instance: Instance): string

  /** Resolves when the instance is no longer live, all its output being in the log. */
  wait(ref: string, signal: AbortSignal): Promise<Instance>
  /** The workload's stop signal, then SIGKILL after `grace` ms (default: the workload's). Resolves when it is no longer live. */
  stop(ref: string, grace: number | undefined, actor: Actor, signal: AbortSignal): Promise<Instance>
  kill(ref: string, signalName: string, actor: Actor): Promise<void>
  /** Moves the end of the lease: `ttl` more milliseconds from now, within the maximum age. Returns the environment as it is then. */
  extend(ref: string, ttl: number, actor: Actor): Promise<Environment>
  exec(ref: string, request: ExecRequest, actor: Actor, signal: AbortSignal): Promise<Session>
  attach(ref: string, actor: Actor, signal: AbortSignal): Promise<Session>

  /** Here and in `follow` the filter's environment is a reference. */
  events(filter: EventFilter): Event[]
  /** Entries after the filter's `after`, then those that come, until `signal`. */
  follow(filter: EventFilter, signal: AbortSignal): AsyncIterable<Event>

  /** Once, before anything else: adopts what lives, finishes what was half ended, undoes what cannot be finished. */
  adopt(signal: AbortSignal): Promise<Adoption>
  /** One pass over durable state: ends what is past its lease, resumes ends that failed, purges records past their retention. */
  sweep(signal: AbortSignal): Promise<void>
  /** What the backend owns and nothing living explains. */
  leaks(): Promise<readonly OwnedObject[]>
}
