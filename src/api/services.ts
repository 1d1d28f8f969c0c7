/** What the routes need of the rest of the house, in words of the model. `apps/daemon` puts the real parts in; `Engine` satisfies `Lifecycle`. */
import type { z } from 'zod'
import type { Clock } from '../base/clock.ts'
import type { AccessEntry } from '../model/access.ts'
import type { ActivityFilter, Found } from '../model/activity.ts'
import type { AuditFilter } from '../model/audit.ts'
import type { EndCause, Environment, EnvironmentSpec } from '../model/environment.ts'
import type { Actor, Event } from '../model/event.ts'
import type { Files } from '../model/file.ts'
import type { Instance } from '../model/instance.ts'
import type { WhoQuestion } from '../model/inventory.ts'
import type { LogRecord } from '../model/log.ts'
import type { OwnedObject } from '../model/owned.ts'
import type { Principal, Teams } from '../model/principal.ts'
import type { Report } from '../model/report.ts'
import type { Verification } from '../model/seal.ts'
import type { ExecRequest, Session } from '../model/session.ts'
import type { ListPart } from './pages.ts'
import type {
  AuditList,
  CreateTokenRequest,
  NewTokenView,
  OpenSessionRequest,
  RotateTokenRequest,
  SessionCodeView,
  TokenView,
} from './schemas/access.ts'
import type { RunRequest } from './schemas/environments.ts'
import type {
  BuildRequest,
  ImageDetailView,
  ImageView,
  ImportRequest,
  PullProgress,
  PullRequest,
  RemovedView,
  ScanSummary,
} from './schemas/images.ts'
import type { CostQuery, CostView, RecordKeyView } from './schemas/records.ts'
import type { BlockedImageView, DeliveryView, EvidenceView, NotifyStateView, NotifyTestView, ReplayRequest } from './schemas/responses.ts'
import type { DataProgress, DataStatusView, ScanRequest, ScanView, UpdateDataRequest, WhoView } from './schemas/scans.ts'
import type { About, HostCheck } from './schemas/system.ts'
import type { UpRequest } from './schemas/workloads.ts'
import type { HostLook, Security } from './security-services.ts'

export interface EventQuery {
  readonly environment?: string
  readonly teams?: Teams
  readonly after?: number
  readonly since?: number
  readonly limit?: number
}

/** See engine/engine.ts. */
export interface Change {
  readonly subject: 'workload' | 'network' | 'volume' | 'config' | 'lease' | 'labels'
  readonly name: string
  readonly kind: 'added' | 'changed' | 'removed'
  readonly fields: readonly string[]
  readonly effect: 'started' | 'replaced' | 'stopped' | 'kept'
}

/** See engine/engine.ts. */
export interface WorkloadStatus {
  readonly name: string
  readonly state: 'waiting' | 'starting' | 'ready' | 'idle' | 'completed' | 'failed' | 'stopped'
  readonly reason: string
  readonly wanted: number
  readonly ready: number
  readonly restarts: number
  readonly instances: readonly {
    readonly instance: Instance
    readonly health: 'none' | 'starting' | 'healthy' | 'unhealthy'
    readonly outdated: boolean
    readonly paused: boolean
  }[]
}

/** A port of a workload that the outside reaches. */
export interface Exposed {
  readonly port: number
  readonly protocol: 'http' | 'h2c' | 'tcp'
  /** `http://web.shop.localhost:8080`, `127.0.0.1:5432`; undefined while nothing listens for it. */
  readonly url: string | undefined
}

/** See engine/line.ts. */
export interface Waiting {
  /** ms; undefined: it does not wait for room. */
  readonly patience: number | undefined
  readonly onPlace: (place: { readonly place: number; readonly reason: string }) => void
}

/** Tar streams by volume name. */
export type Seeds = ReadonlyMap<string, AsyncIterable<Uint8Array>>

/** What a policy warns of; see policy/decision.ts. */
export interface Warning {
  readonly workload: string
  readonly objection: {
    readonly policy: string
    readonly rule: string
    readonly message: string
    readonly remedy?: string | undefined
    readonly field?: string | undefined
  }
}

export interface Started {
  readonly environment: Environment
  readonly instances: readonly Instance[]
  readonly warnings: readonly Warning[]
}

/** The part of the engine that the API exposes; see engine/engine.ts for what each does. */
export interface Lifecycle {
  run(
    spec: EnvironmentSpec,
    secrets: ReadonlyMap<string, ReadonlyMap<string, Uint8Array>>,
    actor: Actor,
    signal: AbortSignal,
    waiting: Waiting | undefined,
  ): Promise<Started>
  end(ref: string, cause: EndCause, reason: string, actor: Actor, force: boolean, signal: AbortSignal): Promise<Environment>
  ended(ref: string, signal: AbortSignal): Promise<Environment>
  environment(ref: string): Environment
  /** Newest first. */
  environments(
    filter: { readonly ended?: boolean; readonly labels?: Readonly<Record<string, string>>; readonly teams?: Teams } & ListPart,
  ): Environment[]
  environmentIdsOf(teams: Teams): string[]
  /** What references name to somebody of these teams. */
  refs(teams: Teams): Pick<Lifecycle, 'environment' | 'instance'>
  instance(ref: string): Instance
  /** Oldest first. */
  instances(environment: string): Instance[]
  /** Oldest first. */
  instanceList(filter: { readonly environment?: string; readonly teams?: Teams } & ListPart): Instance[]
  wait(ref: string, signal: AbortSignal): Promise<Instance>
  stop(ref: string, grace: number | undefined, actor: Actor, signal: AbortSignal): Promise<Instance>
  kill(ref: string, signalName: string, actor: Actor): Promise<void>
  extend(ref: string, ttl: number, actor: Actor): Promise<Environment>
  exec(ref: string, request: ExecRequest, actor: Actor, signal: AbortSignal): Promise<Session>
  attach(ref: string, actor: Actor, signal: AbortSignal): Promise<Session>
  files(ref: string, user: string | undefined, actor: Actor, signal: AbortSignal): Promise<Files & Disposable>
  events(filter: EventQuery): Event[]
  follow(filter: EventQuery, signal: AbortSignal): AsyncIterable<Event>
  leaks(): Promise<readonly OwnedObject[]>
  up(
    spec: EnvironmentSpec,
    secrets: ReadonlyMap<string, ReadonlyMap<string, Uint8Array>>,
    seeds: Seeds,
    actor: Actor,
    signal: AbortSignal,
    partial: boolean,
    waiting: Waiting | undefined,
  ): Promise<{ readonly environment: Environment; readonly changes: readonly Change[]; readonly warnings: readonly Warning[] }>
  diff(spec: EnvironmentSpec, partial: boolean, secrets: ReadonlyMap<string, ReadonlyMap<string, Uint8Array>> | undefined): readonly Change[]
  workloads(ref: string): readonly WorkloadStatus[]
  watch(ref: string, signal: AbortSignal): AsyncIterable<readonly WorkloadStatus[]>
  exited(ref: string, workload: string, signal: AbortSignal): Promise<Instance>
  pause(ref: string, actor: Actor): Promise<Environment>
  resume(ref: string, actor: Actor): Promise<Environment>
}

export interface LogQuery {
  readonly follow: boolean
  /** Wall clock, ms: only output at or after it. */
  readonly since: number | undefined
  /** Only the last so many lines of what is there already; with 0 what comes after the call, not after the first look. */
  readonly tail: number | undefined
  readonly streams: readonly ('stdout' | 'stderr')[]
  /** Wall clock, ms: only output at or before it. Not with `follow`. */
  readonly until?: number | undefined
  /** A pattern of RE2: only lines that have it. Throws `invalid` with field `grep`. */
  readonly grep?: string | undefined
}

export type AccessQuery = Omit<LogQuery, 'streams' | 'until' | 'grep'>

/** Is not waited for. */
export type OnProgress = (progress: PullProgress) => void
/** The same of several images at once. */
export type OnImageProgress = (image: string, progress: PullProgress) => void
/** A piece of what a build prints. */
export type OnLog = (text: string) => void

export interface Images {
  /** Newest first. */
  list(): Promise<ImageView[]>
  /** `name` is a name, or a digest or unique prefix of one. Throws `not_found`. */
  inspect(name: string): Promise<Omit<ImageDetailView, 'scan'>>
  pull(request: PullRequest, onProgress: OnProgress, signal: AbortSignal): Promise<ImageView>
  import(request: ImportRequest, onProgress: OnProgress, signal: AbortSignal): Promise<ImageView>
  /** Makes an image of a Dockerfile. Throws `invalid` when the build fails, `host` when the builder is missing. */
  build(request: BuildRequest, onLog: OnLog, onProgress: OnProgress, signal: AbortSignal): Promise<ImageView>
  /** A name goes alone, the image with its last one; a digest takes the image with all its names. `wrong_state` while an environment uses it. */
  remove(name: string): Promise<RemovedView>
  /** Removes what no name (with `all`: whatever it is named) and no living environment refers to. */
  collect(all: boolean): Promise<RemovedView>
}

export interface Scans {
  /** Fetches the image where it is missing. Throws `not_found`. */
  scan(request: ScanRequest, onProgress: OnProgress, signal: AbortSignal): Promise<ScanView>
  /** What it holds, as a document by that standard. */
  document(
    request: ScanRequest,
    format: 'cyclonedx' | 'spdx',
    onProgress: OnProgress,
    signal: AbortSignal,
  ): Promise<Readonly<Record<string, unknown>>>
  /** Of an image that is there. */
  summary(image: Pick<ImageView, 'digest' | 'names'>, signal: AbortSignal): Promise<ScanSummary>
}

export interface VulnerabilityData {
  status(): DataStatusView
  /** All of the sources, or nothing has changed. Throws `conflict` while another update is under way. */
  update(sources: UpdateDataRequest['sources'], onProgress: (progress: DataProgress) => void, signal: AbortSignal): Promise<DataStatusView>
}

/** What instances did. */
export interface ActivitySearch {
  /** See store/activity. Rejects with `invalid`, `timeout`, `exhausted`. */
  search(filter: ActivityFilter, signal: AbortSignal): Promise<readonly Found[]>
}

/** What becomes of records. */
export interface Records {
  /** Never throws for what is wrong with the record. */
  verify(environment: Environment): Promise<Verification>
  /** The bytes of a bundle. Rejects `wrong_state` for what is not sealed; the bytes reject when a file changes meanwhile. */
  export(environment: Environment): Promise<AsyncIterable<Uint8Array>>
  report(environment: Environment): Promise<Report>
  /** The report as a page that needs nothing else, and what it asks of the browser. */
  reportPage(environment: Environment): Promise<{ readonly html: string; readonly policy: string }>
  /** The one in use first. */
  keys(): RecordKeyView[]
  /** Of environments of these teams; left out: of all. */
  cost(query: z.output<typeof CostQuery>, teams?: Teams): CostView
}

/** What follows from detections. */
export interface Responses {
  blockedImages(): BlockedImageView[]
  /** By a name or digest of the store, or a whole digest. Throws `not_found` for a name that is not there. */
  blockImage(image: string, reason: string, actor: Actor): Promise<BlockedImageView>
  /** Throws `not_found` when it is not blocked. */
  unblockImage(digest: string, actor: Actor): BlockedImageView
  evidence(ref: string): EvidenceView[]
  /** Throws `not_found`. */
  evidenceFile(ref: string, take: number, name: string): AsyncIterable<Uint8Array>
  notifyState(): NotifyStateView['targets']
  /** Throws `not_found` for a target that is not there. */
  notifyDeliveries(target: string | undefined): Promise<DeliveryView[]>
  /** How many. Throws `not_found`. */
  notifyReplay(wanted: ReplayRequest): Promise<number>
  notifyTest(targets: readonly string[], signal: AbortSignal): Promise<NotifyTestView['results']>
}

/** Whose an environment becomes. Left out where the daemon's owner asks. */
export interface Requester {
  readonly owner: string
  readonly team: string
}

/** Who may come in, and who has. */
export interface Callers {
  tokens(): TokenView[]
  createToken(request: CreateTokenRequest, by: string): NewTokenView
  rotateToken(ref: string, request: RotateTokenRequest): NewTokenView
  revokeToken(ref: string): TokenView
  /** Throws `denied` for a session: it is what such a code makes. */
  sessionCode(principal: Principal): Promise<SessionCodeView>
  /** `cookie` is what `Set-Cookie` says. Throws `unauthenticated`. */
  openSession(request: OpenSessionRequest, address: string): { readonly principal: Principal; readonly cookie: string }
  /** By the header `Cookie`. */
  closeSession(cookies: string): string
  audit(filter: AuditFilter & { readonly verify: boolean }): Promise<AuditList>
}

export interface Services {
  readonly about: About
  readonly clock: Clock
  /** Who is on the other side of the socket: its owner. */
  readonly owner: string
  readonly lifecycle: Lifecycle
  readonly images: Images
  readonly scans: Scans
  readonly vulnerabilityData: VulnerabilityData
  readonly activity: ActivitySearch
  readonly records: Records
  readonly responses: Responses
  readonly callers: Callers
  readonly security: Security
  readonly host: HostLook
  who(question: WhoQuestion): WhoView
  /** All that is counted, in Prometheus' text format. */
  metrics(): Promise<string>
  /** The state as of now; to be iterated once. */
  backup(evidence: boolean, signal: AbortSignal): AsyncIterable<Uint8Array>
  /** Finds (or pulls) the image, merges its configuration, checks limits against this host and names it. Creates nothing. */
  plan(request: RunRequest, onProgress: OnProgress, signal: AbortSignal, by?: Requester): Promise<EnvironmentSpec>
  /** The same of an environment with workloads that are kept running. All faults of the draft are told at once. */
  planUp(
    request: Pick<UpRequest, 'draft' | 'partial' | 'auth' | 'team'>,
    onProgress: OnImageProgress,
    signal: AbortSignal,
    by?: Requester,
  ): Promise<EnvironmentSpec>
  /** Folders and archives of this host as tar streams, each to be read at most once. Throws `invalid` for one that is not there. */
  openSeeds(paths: Readonly<Record<string, string>>): Promise<AsyncDisposable & { readonly streams: Seeds }>
  /** What of a workload is reached from outside, and where. */
  exposed(environment: Environment, workload: string): readonly Exposed[]
  /** When the lease ends it if nothing happens, wall clock ms. undefined once it is ending. */
  expiry(environment: Environment): { readonly at: number; readonly by: 'ttl' | 'idle' } | undefined
  /** Ends after the last output of an instance that is no longer live, or without `follow` at the end of what is there. */
  logs(instance: Instance, query: LogQuery, signal: AbortSignal): AsyncIterable<LogRecord>
  /** Requests and connections through the gateway; ends with the environment, or without `follow` at the end of what is there. */
  access(environment: Environment, query: AccessQuery, signal: AbortSignal): AsyncIterable<AccessEntry>
  doctor(signal: AbortSignal): Promise<HostCheck[]>
}
