/**
 * The lifecycle: what the daemon, the API and later the gateway ask of it. Implementation: `createEngine` in create.ts.
 *
 * References (`ref`) are an id, a unique prefix of one of at least 4 characters, or the name of an environment that has not ended; an instance
 * reference may be an environment's when that has one instance. Unknown or ambiguous ones throw `not_found` with field `ref`.
 */
import type { Detection } from '../detect/detector.ts'
import type { Plan } from '../detect/responses/plan.ts'
import type { EndCause, Environment, EnvironmentSpec } from '../model/environment.ts'
import type { Actor, Event } from '../model/event.ts'
import type { Files } from '../model/file.ts'
import type { Instance } from '../model/instance.ts'
import type { OwnedObject } from '../model/owned.ts'
import type { Teams } from '../model/principal.ts'
import type { ExecRequest, Session } from '../model/session.ts'
import type { Objection } from '../policy/decision.ts'
import type { BlockedImages } from './blocked-images.ts'
import type { Found } from './findings.ts'
import type { Waiting } from './line.ts'
import type { Refs } from './refs.ts'
import type { EnvironmentFilter, EventFilter, InstanceFilter } from './store.ts'
import type { Taken } from './taken.ts'
import type { Testimony } from './witness.ts'

/** Secret contents by workload name, then secret name. Lives in memory only. */
export type Secrets = ReadonlyMap<string, ReadonlyMap<string, Uint8Array>>

export interface Started {
  readonly environment: Environment
  readonly instances: readonly Instance[]
  /** What policies warn of, for people, by workload. */
  readonly warnings: readonly Warning[]
}

export interface Warning {
  readonly workload: string
  readonly objection: Objection
}

/** One difference between two specs of an environment. */
export interface Change {
  readonly subject: 'workload' | 'network' | 'volume' | 'config' | 'lease' | 'labels'
  /** Of the workload, network, volume or config; empty for the others. */
  readonly name: string
  readonly kind: 'added' | 'changed' | 'removed'
  /** Paths of the fields that differ, e.g. `image`, `env.DEBUG`, `secrets.token` (its content); empty where it was added or removed. */
  readonly fields: readonly string[]
  /** What becomes of running instances. `replaced`: by new ones, one after another; `kept`: the change needs no new instance. */
  readonly effect: 'started' | 'replaced' | 'stopped' | 'kept'
}

export type Health = 'none' | 'starting' | 'healthy' | 'unhealthy'

export interface InstanceStatus {
  readonly instance: Instance
  readonly health: Health
  /** Of an older specification: it goes once its successor is well. */
  readonly outdated: boolean
  readonly paused: boolean
}

/** How a workload that is kept running stands. */
export interface WorkloadStatus {
  readonly name: string
  /**
   * `waiting`: for what it depends on. `starting`: fewer are ready than there are to be. `ready`. `idle`: scaled to none; a request wakes it. `completed`: it has
   * ended with success and is not restarted. `failed`: it has ended otherwise, or cannot start, and is not restarted (again). `stopped`: by somebody.
   */
  readonly state: 'waiting' | 'starting' | 'ready' | 'idle' | 'completed' | 'failed' | 'stopped'
  /** Why, for people: what it waits for, how it ended, when it is restarted. */
  readonly reason: string
  /** How many instances there are to be. */
  readonly wanted: number
  /** How many run and are healthy (or have no health check). */
  readonly ready: number
  readonly restarts: number
  /** Those that live, and the last one of each place that does not. */
  readonly instances: readonly InstanceStatus[]
}

/** What fills volumes before the first instance: a tar stream by volume name. */
export type Seeds = ReadonlyMap<string, AsyncIterable<Uint8Array>>

export interface Adoption {
  readonly adopted: readonly string[]
  readonly finished: readonly string[]
  readonly undone: readonly string[]
  readonly lost: readonly string[]
}

export interface Engine extends AsyncDisposable {
  /**
   * Creates and starts an environment; resolves when each workload's instance runs. On failure nothing but its record is left. What would be too much now is
   * refused (`exhausted`), or waits in line as long as `waiting` says; nothing exists before it begins. What is not admitted (`denied`) leaves its record.
   */
  run(spec: EnvironmentSpec, secrets: Secrets, actor: Actor, signal: AbortSignal, waiting?: Waiting): Promise<Started>
  /**
   * Brings up an environment whose workloads are kept running, or changes the living one of that name and owner to the spec. Resolves when that is written and
   * what the instances share is made; they follow, in the order of their dependencies, whatever becomes of the caller or of this daemon. On failure a
   * new environment leaves nothing but its record, and one that was there stays as it was. `partial`: what lives and the spec does not name stays as it is.
   * Changes of one name come one after another, which `waiting` is told of. Otherwise as in `run`, for a new one; instances of one that is there wait for room by themselves, and their workload says so.
   */
  up(
    spec: EnvironmentSpec,
    secrets: Secrets,
    seeds: Seeds,
    actor: Actor,
    signal: AbortSignal,
    partial?: boolean,
    waiting?: Waiting,
  ): Promise<{ environment: Environment; changes: readonly Change[]; warnings: readonly Warning[] }>
  /** Specs of `run` and `up` that have not resolved yet: what waits in line, or for its admission, is in no store. */
  asked(): readonly EnvironmentSpec[]
  /** What `up` would change; of an environment that is not there, everything is added. Without `secrets`, none of their contents has changed. */
  diff(spec: EnvironmentSpec, partial?: boolean, secrets?: Secrets): readonly Change[]
  /** How the workloads of an environment that `up` made stand; in the order of their dependencies. */
  workloads(ref: string): readonly WorkloadStatus[]
  /** Each change of what `workloads` says, until `signal` or the environment's end; the first at once. */
  watch(ref: string, signal: AbortSignal): AsyncIterable<readonly WorkloadStatus[]>
  /** Resolves with the exit status of the workload's instance once that has ended and is not restarted. Throws `not_found` for a workload that is not there. */
  exited(ref: string, workload: string, signal: AbortSignal): Promise<Instance>
  /** Freezes all instances; the next request through the gateway, exec or `resume` wakes them. The ttl runs on. */
  pause(ref: string, actor: Actor): Promise<Environment>
  /** Also lets go on what stands still because of what was detected, which nothing else does. */
  resume(ref: string, actor: Actor): Promise<Environment>
  /** For whoever has a request: wakes what is paused, starts what is scaled to none. Resolves when an instance is ready; throws `wrong_state` when none will be. */
  wake(ref: string, workload: string, signal: AbortSignal): Promise<void>
  /** How many instances demand asks for; what is out of the workload's bounds is taken as the nearest of them. */
  scale(ref: string, workload: string, wanted: number): void
  /** There was activity in the environment. */
  touch(environment: string): void
  /** Writes into an environment's record what happened at its doors. Never throws; what comes after the seal is lost. */
  note(environment: string, type: `gateway.${string}`, reason: string, data: Event['data']): void
  /** Writes into an environment's record what a witness has to say before its end. Never throws; what comes after the seal is lost. */
  testify(environment: string, testimony: Testimony): void
  /** Does `work` and writes what it found into the records of environments, all of it or nothing. What is about one that has ended is left out. */
  noteFindings(work: () => readonly Found[]): void
  /** Closes the egress of an environment, for good, and writes why. Idempotent. */
  isolate(ref: string, reason: string, data: Event['data']): Promise<void>
  isIsolated(ref: string): boolean
  /**
   * Writes what an instance was detected to do and begins what follows from it; nobody waits for that. The entry of the record, or undefined when the same
   * was written a moment ago, or when there was too much of it: then it is counted. Throws while the store cannot write.
   */
  respond(detection: Detection, plan: Plan): Event | undefined
  /** Images that are not admitted any more. */
  readonly blockedImages: BlockedImages
  /** Evidence that was taken of an environment's instances, oldest first. */
  evidence(ref: string): readonly Taken[]
  /** Path of one of its files. Throws `not_found`. */
  evidencePath(ref: string, take: number, name: string): string
  /** Whether the engine has removed that take of an environment (by its id) itself, to stay within the budget for evidence. */
  prunedEvidence(environment: string, take: number): Promise<boolean>
  /** Ends it and resolves when nothing is left of it. Joins an end that is under way. With `force` without the stop signal. */
  end(ref: string, cause: EndCause, reason: string, actor: Actor, force: boolean, signal: AbortSignal): Promise<Environment>
  /** Resolves when it has ended and nothing is left of it. */
  ended(ref: string, signal: AbortSignal): Promise<Environment>

  /** What references name to somebody of these teams. */
  refs(teams: Teams): Refs
  environment(ref: string): Environment
  environments(filter: EnvironmentFilter): Environment[]
  environmentIdsOf(teams: Teams): string[]
  instance(ref: string): Instance
  instances(environment: string): Instance[]
  /** Oldest first. */
  instanceList(filter: InstanceFilter): Instance[]
  /** Path of the instance's log, in the CRI log format. It outlives the instance, until the retention ends. */
  logPath(instance: Instance): string
  /** Path of an environment's access log: a JSON document a line, one of each request through the gateway. It goes with the record. */
  accessLogPath(environment: string): string

  /** Resolves when the instance is no longer live, all its output being in the log. */
  wait(ref: string, signal: AbortSignal): Promise<Instance>
  /** The workload's stop signal, then SIGKILL after `grace` ms (default: the workload's). Resolves when it is no longer live. */
  stop(ref: string, grace: number | undefined, actor: Actor, signal: AbortSignal): Promise<Instance>
  kill(ref: string, signalName: string, actor: Actor): Promise<void>
  /** Moves the end of the lease: `ttl` more milliseconds from now, within the maximum age. Returns the environment as it is then. */
  extend(ref: string, ttl: number, actor: Actor): Promise<Environment>
  exec(ref: string, request: ExecRequest, actor: Actor, signal: AbortSignal): Promise<Session>
  attach(ref: string, actor: Actor, signal: AbortSignal): Promise<Session>
  /** Files of a running instance, as one of its users (undefined: its own). What is read and changed is written into the record. To be closed. */
  files(ref: string, user: string | undefined, actor: Actor, signal: AbortSignal): Promise<Files & Disposable>

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
