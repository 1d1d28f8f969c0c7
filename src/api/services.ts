/** What the routes need of the rest of the house, in words of the model. `apps/daemon` puts the real parts in; `Engine` satisfies `Lifecycle`. */
import type { Clock } from '../base/clock.ts'
import type { EndCause, Environment, EnvironmentSpec } from '../model/environment.ts'
import type { Actor, Event } from '../model/event.ts'
import type { Instance } from '../model/instance.ts'
import type { LogRecord } from '../model/log.ts'
import type { OwnedObject } from '../model/owned.ts'
import type { ExecRequest, Session } from '../model/session.ts'
import type { RunRequest } from './schemas/environments.ts'
import type { ImageDetailView, ImageView, ImportRequest, PullProgress, PullRequest, RemovedView } from './schemas/images.ts'
import type { About, HostCheck } from './schemas/system.ts'

export interface EventQuery {
  readonly environment?: string
  readonly after?: number
  readonly since?: number
  readonly limit?: number
}

/** The part of the engine that the API exposes; see engine/engine.ts for what each does. */
export interface Lifecycle {
  run(
    spec: EnvironmentSpec,
    secrets: ReadonlyMap<string, ReadonlyMap<string, Uint8Array>>,
    actor: Actor,
    signal: AbortSignal,
  ): Promise<{ readonly environment: Environment; readonly instances: readonly Instance[] }>
  end(ref: string, cause: EndCause, reason: string, actor: Actor, force: boolean, signal: AbortSignal): Promise<Environment>
  ended(ref: string, signal: AbortSignal): Promise<Environment>
  environment(ref: string): Environment
  environments(filter: { readonly ended?: boolean; readonly labels?: Readonly<Record<string, string>> }): Environment[]
  instance(ref: string): Instance
  instances(environment?: string): Instance[]
  wait(ref: string, signal: AbortSignal): Promise<Instance>
  stop(ref: string, grace: number | undefined, actor: Actor, signal: AbortSignal): Promise<Instance>
  kill(ref: string, signalName: string, actor: Actor): Promise<void>
  extend(ref: string, ttl: number, actor: Actor): Promise<Environment>
  exec(ref: string, request: ExecRequest, actor: Actor, signal: AbortSignal): Promise<Session>
  attach(ref: string, actor: Actor, signal: AbortSignal): Promise<Session>
  events(filter: EventQuery): Event[]
  follow(filter: EventQuery, signal: AbortSignal): AsyncIterable<Event>
  leaks(): Promise<readonly OwnedObject[]>
}

export interface LogQuery {
  readonly follow: boolean
  /** Wall clock, ms: only output at or after it. */
  readonly since: number | undefined
  /** Only the last so many lines of what is there already; with 0 what comes after the call, not after the first look. */
  readonly tail: number | undefined
  readonly streams: readonly ('stdout' | 'stderr')[]
}

/** Is not waited for. */
export type OnProgress = (progress: PullProgress) => void

export interface Images {
  /** Newest first. */
  list(): Promise<ImageView[]>
  /** `name` is a name, or a digest or unique prefix of one. Throws `not_found`. */
  inspect(name: string): Promise<ImageDetailView>
  pull(request: PullRequest, onProgress: OnProgress, signal: AbortSignal): Promise<ImageView>
  import(request: ImportRequest, onProgress: OnProgress, signal: AbortSignal): Promise<ImageView>
  /** A name goes alone, the image with its last one; a digest takes the image with all its names. `wrong_state` while an environment uses it. */
  remove(name: string): Promise<RemovedView>
  /** Removes what no name (with `all`: whatever it is named) and no living environment refers to. */
  collect(all: boolean): Promise<RemovedView>
}

export interface Services {
  readonly about: About
  readonly clock: Clock
  /** Who is on the other side of the socket: its owner. */
  readonly owner: string
  readonly lifecycle: Lifecycle
  readonly images: Images
  /** Finds (or pulls) the image, merges its configuration, checks limits against this host and names it. Creates nothing. */
  plan(request: RunRequest, onProgress: OnProgress, signal: AbortSignal): Promise<EnvironmentSpec>
  /** When the lease ends it if nothing happens, wall clock ms. undefined once it is ending. */
  expiry(environment: Environment): { readonly at: number; readonly by: 'ttl' | 'idle' } | undefined
  /** Ends after the last output of an instance that is no longer live, or without `follow` at the end of what is there. */
  logs(instance: Instance, query: LogQuery, signal: AbortSignal): AsyncIterable<LogRecord>
  doctor(signal: AbortSignal): Promise<HostCheck[]>
}
