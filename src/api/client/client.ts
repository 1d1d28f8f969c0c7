/**
 * The typed client. What the daemon answers is taken as the schemas say without checking it again: both ends are of one installation, and the
 * server's tests hold every answer against its schema. Errors are DayflyErrors as the daemon threw them.
 */
import type { Event } from '../../model/event.ts'
import type { Report } from '../../model/report.ts'
import type { Verification } from '../../model/seal.ts'
import type { Grouping } from '../../model/usage.ts'
import type { FrameStream } from '../frame-stream.ts'
import { createFrameStream } from '../frame-stream.ts'
import type { Frame } from '../frames.ts'
import { decodeFrames, framesMediaType, framesProtocol } from '../frames.ts'
import { fromProblem } from '../problems.ts'
import type { AuditList, CreateTokenInput, NewTokenView, RotateTokenInput, SessionCodeView, TokenView, WhoamiView } from '../schemas/access.ts'
import type { FoundList } from '../schemas/activity.ts'
import type {
  AccessView,
  EnvironmentView,
  ExecInput,
  InstanceView,
  LogEntry,
  QueuedView,
  RunInput,
  StartedView,
  WarningView,
} from '../schemas/environments.ts'
import type { HostView } from '../schemas/host.ts'
import type { BuildInput, ImageDetailView, ImageView, ImportRequest, PullProgress, PullRequest, RemovedView } from '../schemas/images.ts'
import type { CostView, RecordKeyView } from '../schemas/records.ts'
import type { BlockedImageView, DeliveryView, EvidenceView, NotifyStateView, NotifyTestView, ReplayRequest } from '../schemas/responses.ts'
import type { DataLine, DataProgress, DataStatusView, ScanInput, ScanLine, ScanView, UpdateDataInput, WhoView } from '../schemas/scans.ts'
import type { DetectionList, FindingList, StoryView } from '../schemas/security.ts'
import type { About, HostCheck, LeakView } from '../schemas/system.ts'
import type { ChangeView, DiffInput, UpInput, WorkloadView } from '../schemas/workloads.ts'
import type { HttpRequest, HttpResponse } from './http.ts'
import { linesOf, request, textOf } from './http.ts'
import type { Place } from './secure.ts'

type Query = Readonly<Record<string, string | number | boolean | readonly string[] | undefined>>

export interface LogParameters {
  readonly follow?: boolean
  /** Wall clock, ms: from and up to, both included. */
  readonly since?: number | undefined
  readonly until?: number | undefined
  readonly tail?: number | undefined
  /** A pattern of RE2. */
  readonly grep?: string | undefined
  readonly stdout?: boolean
  readonly stderr?: boolean
}

export interface EventParameters {
  readonly environment?: string | undefined
  readonly after?: number | undefined
  readonly since?: number | undefined
  readonly limit?: number | undefined
}

export interface ActivityParameters {
  /** Wall ms. */
  readonly since?: number | undefined
  readonly until?: number | undefined
  readonly environment?: string | undefined
  readonly instance?: string | undefined
  readonly workload?: string | undefined
  readonly image?: string | undefined
  readonly owner?: string | undefined
  readonly type?: readonly string[] | undefined
  readonly process?: string | undefined
  readonly address?: string | undefined
  readonly port?: number | undefined
  readonly path?: string | undefined
  readonly text?: string | undefined
  readonly oldestFirst?: boolean | undefined
  readonly after?: number | undefined
  readonly limit?: number | undefined
}

export interface Client {
  version(): Promise<About>
  environments(filter?: { all?: boolean; label?: readonly string[] }): Promise<EnvironmentView[]>
  environment(ref: string): Promise<EnvironmentView>
  /** Creates it and leaves it to itself. */
  create(run: RunInput): Promise<StartedView>
  /** Creates it and goes on as frames. */
  run(run: RunInput): Promise<FrameStream>
  end(ref: string, options: { force: boolean }): Promise<EnvironmentView>
  extend(ref: string, ttl: number): Promise<EnvironmentView>
  /** `onProgress`: of each image that is fetched. `onQueued`: its place in line, at each change. */
  up(up: UpInput, onProgress: ImageProgress, onQueued?: (queued: QueuedView) => void): Promise<UpResult>
  diff(diff: DiffInput, onProgress: ImageProgress): Promise<ChangeView[]>
  workloads(ref: string): Promise<WorkloadView[]>
  /** How they stand now, then at each change, until the environment ends or `enough` is aborted: then it throws `aborted`. */
  watchWorkloads(ref: string, enough?: AbortSignal): AsyncIterable<WorkloadView[]>
  /** Resolves once its instance has ended and is not restarted. */
  exited(ref: string, workload: string): Promise<InstanceView>
  pause(ref: string): Promise<EnvironmentView>
  resume(ref: string): Promise<EnvironmentView>
  instances(environment?: string): Promise<InstanceView[]>
  instance(ref: string): Promise<InstanceView>
  logs(ref: string, parameters: LogParameters): AsyncIterable<Frame>
  logEntries(ref: string, parameters: LogParameters): AsyncIterable<LogEntry>
  /** Requests to an environment through the gateway. */
  access(ref: string, parameters: Pick<LogParameters, 'follow' | 'since' | 'tail'>): AsyncIterable<AccessView>
  wait(ref: string): Promise<InstanceView>
  stop(ref: string, grace: number | undefined): Promise<InstanceView>
  kill(ref: string, signalName: string): Promise<InstanceView>
  exec(ref: string, exec: ExecInput): Promise<FrameStream>
  attach(ref: string): Promise<FrameStream>
  events(parameters: EventParameters): Promise<Event[]>
  /** What instances did. */
  activity(parameters: ActivityParameters): Promise<FoundList>
  follow(parameters: EventParameters): AsyncIterable<Event>
  images(): Promise<ImageView[]>
  image(name: string): Promise<ImageDetailView>
  pull(pull: PullRequest, onProgress: (progress: PullProgress) => void): Promise<ImageView>
  importImage(from: ImportRequest, onProgress: (progress: PullProgress) => void): Promise<ImageView>
  build(build: BuildInput, onLog: (text: string) => void, onProgress: (progress: PullProgress) => void): Promise<ImageView>
  removeImage(name: string): Promise<RemovedView>
  collectImages(all: boolean): Promise<RemovedView>
  scan(scan: Omit<ScanInput, 'format'>, onProgress: (progress: PullProgress) => void): Promise<ScanView>
  /** What an image holds, as a CycloneDX or SPDX document. */
  document(
    scan: Omit<ScanInput, 'format'>,
    format: 'cyclonedx' | 'spdx',
    onProgress: (progress: PullProgress) => void,
  ): Promise<Record<string, unknown>>
  vulnerabilityData(): Promise<DataStatusView>
  updateVulnerabilityData(update: UpdateDataInput, onProgress: (progress: DataProgress) => void): Promise<DataStatusView>
  who(parameters: WhoParameters): Promise<WhoView>
  /** By risk; parameters as the route's query has them. */
  findings(parameters: Query): Promise<FindingList>
  detections(parameters: Query): Promise<DetectionList>
  detectionStory(id: number): Promise<StoryView>
  host(fresh: boolean): Promise<HostView>
  verify(ref: string): Promise<Verification>
  /** The bytes of a bundle: to be iterated once. Throws `disconnected` in the middle when the daemon could not go on. */
  exportRecord(ref: string): Promise<AsyncIterable<Buffer>>
  report(ref: string): Promise<Report>
  /** The bytes of an archive: to be iterated once. Throws `disconnected` in the middle when the daemon could not go on. */
  backup(parameters: { readonly evidence: boolean }): Promise<AsyncIterable<Buffer>>
  recordKeys(): Promise<RecordKeyView[]>
  cost(parameters: CostParameters): Promise<CostView>
  blockedImages(): Promise<BlockedImageView[]>
  blockImage(image: string, reason: string): Promise<BlockedImageView>
  unblockImage(digest: string): Promise<BlockedImageView>
  evidence(ref: string): Promise<EvidenceView[]>
  /** The bytes of one file: to be iterated once, and held against its hash. */
  evidenceFile(ref: string, take: number, name: string): Promise<AsyncIterable<Buffer>>
  notifyState(): Promise<NotifyStateView>
  notifyTest(targets: readonly string[]): Promise<NotifyTestView>
  notifyDeliveries(target: string | undefined): Promise<{ deliveries: DeliveryView[] }>
  notifyReplay(wanted: ReplayRequest): Promise<{ count: number }>
  doctor(): Promise<HostCheck[]>
  leaks(): Promise<LeakView[]>
  whoami(): Promise<WhoamiView>
  tokens(): Promise<TokenView[]>
  createToken(token: CreateTokenInput): Promise<NewTokenView>
  /** By id or name. */
  rotateToken(ref: string, rotation: RotateTokenInput): Promise<NewTokenView>
  revokeToken(ref: string): Promise<TokenView>
  /** For a browser. */
  sessionCode(): Promise<SessionCodeView>
  /** Newest first. */
  audit(parameters: AuditParameters): Promise<AuditList>
}

export interface AuditParameters {
  readonly name?: string | undefined
  readonly route?: string | undefined
  readonly failed?: boolean | undefined
  /** Wall ms. */
  readonly since?: number | undefined
  readonly until?: number | undefined
  readonly before?: number | undefined
  readonly limit?: number | undefined
  /** Holds the whole log against its hashes. */
  readonly verify?: boolean | undefined
}

export interface CostParameters {
  readonly by?: Grouping | undefined
  readonly label?: string | undefined
  /** Wall ms. */
  readonly since?: number | undefined
  readonly until?: number | undefined
}

export interface WhoParameters {
  /** `openssl@3.0.11`, or a purl. */
  readonly package?: string | undefined
  readonly cve?: string | undefined
  readonly image?: string | undefined
  /** Wall ms. */
  readonly since?: number | undefined
  readonly running?: boolean | undefined
  readonly limit?: number | undefined
}

type ImageProgress = (image: string, progress: PullProgress) => void

export interface UpResult {
  readonly environment: EnvironmentView
  readonly changes: readonly ChangeView[]
  readonly warnings: readonly WarningView[]
}

const withQuery = (path: string, query: Query): string => {
  const pairs = Object.entries(query).flatMap(([name, value]) => {
    if (value === undefined) return []
    const values = typeof value === 'object' ? value : [String(value)]
    return values.map(each => `${name}=${encodeURIComponent(each)}`)
  })
  return pairs.length === 0 ? path : `${path}?${pairs.join('&')}`
}

const failureOf = async (response: HttpResponse): Promise<Error> => {
  const text = await textOf(response)
  try {
    return fromProblem(JSON.parse(text))
  } catch {
    return fromProblem(undefined)
  }
}

/** `signal` gives up whatever is under way. */
export const createClient = (place: string | Place, signal?: AbortSignal): Client => {
  const { headers: always, ...where } = typeof place === 'string' ? { socketPath: place } : place
  const send = async (options: Omit<HttpRequest, 'socketPath' | 'signal'>, enough?: AbortSignal): Promise<HttpResponse> => {
    const signals = [signal, enough].filter(each => each !== undefined)
    const response = await request({
      ...options,
      ...where,
      headers: { ...always, ...options.headers },
      signal: signals.length > 1 ? AbortSignal.any(signals) : signals[0],
    })
    if (response.status >= 400) throw await failureOf(response)
    return response
  }
  const json = async <T>(options: Omit<HttpRequest, 'socketPath' | 'signal'>): Promise<T> => JSON.parse(await textOf(await send(options)))
  const get = <T>(path: string, query: Query = {}): Promise<T> => json({ method: 'GET', path: withQuery(path, query) })
  const post = <T>(path: string, body: object = {}): Promise<T> => json({ method: 'POST', path, body })

  /** All pages of a list. */
  const pages = async <Page extends object, T>(path: string, query: Query, entriesOf: (page: Page) => readonly T[]): Promise<T[]> => {
    const entries: T[] = []
    for (let after = query['after']; ; ) {
      const page = await get<Page & { next: string | number | null }>(path, { ...query, after })
      entries.push(...entriesOf(page))
      if (page.next === null) return entries
      after = page.next
    }
  }

  const upgrade = async (path: string, body: object): Promise<FrameStream> => {
    const response = await send({ method: 'POST', path, body, headers: { connection: 'Upgrade', upgrade: framesProtocol } })
    if (response.status !== 101) throw fromProblem(undefined)
    return createFrameStream(response.socket)
  }

  /** Documents, one a line; one with an error is thrown. */
  const documents = async function* <T extends object>(options: Omit<HttpRequest, 'socketPath' | 'signal'>, enough?: AbortSignal): AsyncGenerator<T> {
    for await (const line of linesOf(await send(options, enough))) {
      if (line === '') continue
      const document: T = JSON.parse(line)
      if ('error' in document) throw fromProblem(document.error)
      yield document
    }
  }

  const withProgress = async (path: string, body: object, onProgress: (progress: PullProgress) => void): Promise<ImageView> => {
    for await (const line of documents<{ progress?: PullProgress; image?: ImageView }>({ method: 'POST', path, body })) {
      if (line.progress !== undefined) onProgress(line.progress)
      if (line.image !== undefined) return line.image
    }
    throw fromProblem(undefined)
  }

  /** Tells progress, and returns the line that is something else: the last. */
  const withImages = async <T extends object>(
    path: string,
    body: object,
    onProgress: ImageProgress,
    onQueued: (queued: QueuedView) => void = () => {},
  ): Promise<T> => {
    for await (const line of documents<{ image: string; progress: PullProgress } | { queued: QueuedView } | T>({ method: 'POST', path, body })) {
      if ('progress' in line) onProgress(line.image, line.progress)
      else if ('queued' in line) onQueued(line.queued)
      else return line
    }
    throw fromProblem(undefined)
  }

  const environmentPath = (ref: string): string => `/v1/environments/${encodeURIComponent(ref)}`
  const instancePath = (ref: string): string => `/v1/instances/${encodeURIComponent(ref)}`
  const imagePath = (name: string): string => `/v1/images/${encodeURIComponent(name)}`

  return {
    version: () => get('/v1/version'),
    environments: (filter = {}) => pages('/v1/environments', filter, (page: { environments: EnvironmentView[] }) => page.environments),
    environment: ref => get(environmentPath(ref)),
    create: run => post('/v1/environments', run),
    run: run => upgrade('/v1/environments', run),
    end: (ref, { force }) => json({ method: 'DELETE', path: withQuery(environmentPath(ref), { force }) }),
    extend: (ref, ttl) => post(`${environmentPath(ref)}/extend`, { ttl }),
    up: (up, onProgress, onQueued) => withImages<UpResult>('/v1/environments/up', up, onProgress, onQueued),
    diff: async (diff, onProgress) => (await withImages<{ changes: ChangeView[] }>('/v1/environments/diff', diff, onProgress)).changes,
    workloads: async ref => (await get<{ workloads: WorkloadView[] }>(`${environmentPath(ref)}/workloads`)).workloads,
    watchWorkloads: async function* (ref, enough) {
      const path = withQuery(`${environmentPath(ref)}/workloads`, { follow: true })
      for await (const { workloads } of documents<{ workloads: WorkloadView[] }>({ method: 'GET', path }, enough)) yield workloads
    },
    exited: (ref, workload) => get(`${environmentPath(ref)}/workloads/${encodeURIComponent(workload)}/exit`),
    pause: ref => post(`${environmentPath(ref)}/pause`),
    resume: ref => post(`${environmentPath(ref)}/resume`),
    instances: environment => pages('/v1/instances', { environment }, (page: { instances: InstanceView[] }) => page.instances),
    instance: ref => get(instancePath(ref)),
    logs: async function* (ref, parameters) {
      const path = withQuery(`${instancePath(ref)}/logs`, { ...parameters })
      yield* decodeFrames((await send({ method: 'GET', path, headers: { accept: framesMediaType } })).body)
    },
    logEntries: (ref, parameters) => documents({ method: 'GET', path: withQuery(`${instancePath(ref)}/logs`, { ...parameters }) }),
    access: (ref, parameters) => documents({ method: 'GET', path: withQuery(`${environmentPath(ref)}/access`, { ...parameters }) }),
    wait: ref => get(`${instancePath(ref)}/wait`),
    stop: (ref, grace) => post(`${instancePath(ref)}/stop`, grace === undefined ? {} : { grace }),
    kill: (ref, signalName) => post(`${instancePath(ref)}/kill`, { signal: signalName }),
    exec: (ref, exec) => upgrade(`${instancePath(ref)}/exec`, exec),
    attach: ref => upgrade(`${instancePath(ref)}/attach`, {}),
    activity: parameters => get('/v1/activity', { ...parameters }),
    events: parameters => pages('/v1/events', { ...parameters }, (page: { events: Event[] }) => page.events),
    follow: async function* (parameters) {
      let failed = false
      for await (const line of linesOf(await send({ method: 'GET', path: withQuery('/v1/events', { ...parameters, follow: true }) }))) {
        if (line.startsWith('event: ')) failed = line === 'event: error'
        if (!line.startsWith('data: ')) continue
        if (failed) throw fromProblem(JSON.parse(line.slice(6)))
        const event: Event = JSON.parse(line.slice(6))
        yield event
      }
    },
    images: () => pages('/v1/images', {}, (page: { images: ImageView[] }) => page.images),
    image: name => get(imagePath(name)),
    pull: (pull, onProgress) => withProgress('/v1/images/pull', pull, onProgress),
    importImage: (from, onProgress) => withProgress('/v1/images/import', from, onProgress),
    build: async (build, onLog, onProgress) => {
      for await (const line of documents<{ log?: string; progress?: PullProgress; image?: ImageView }>({
        method: 'POST',
        path: '/v1/images/build',
        body: build,
      })) {
        if (line.log !== undefined) onLog(line.log)
        if (line.progress !== undefined) onProgress(line.progress)
        if (line.image !== undefined) return line.image
      }
      throw fromProblem(undefined)
    },
    removeImage: name => json({ method: 'DELETE', path: imagePath(name) }),
    collectImages: all => post('/v1/images/gc', { all }),
    scan: async (scan, onProgress) => {
      for await (const line of documents<ScanLine>({ method: 'POST', path: '/v1/images/scan', body: scan })) {
        if ('progress' in line) onProgress(line.progress)
        if ('scan' in line) return line.scan
      }
      throw fromProblem(undefined)
    },
    document: async (scan, format, onProgress) => {
      for await (const line of documents<ScanLine>({ method: 'POST', path: '/v1/images/scan', body: { ...scan, format } })) {
        if ('progress' in line) onProgress(line.progress)
        if ('document' in line) return line.document
      }
      throw fromProblem(undefined)
    },
    vulnerabilityData: () => get('/v1/vulnerabilities'),
    updateVulnerabilityData: async (update, onProgress) => {
      for await (const line of documents<DataLine>({ method: 'POST', path: '/v1/vulnerabilities/update', body: update })) {
        if ('progress' in line) onProgress(line.progress)
        if ('data' in line) return line.data
      }
      throw fromProblem(undefined)
    },
    who: parameters => get('/v1/who', { ...parameters }),
    findings: parameters => get('/v1/findings', parameters),
    detections: parameters => get('/v1/detections', parameters),
    detectionStory: id => get(`/v1/detections/${id}`),
    host: fresh => get('/v1/host', { fresh }),
    verify: ref => get(`${environmentPath(ref)}/verify`),
    exportRecord: async ref => (await send({ method: 'GET', path: `${environmentPath(ref)}/export` })).body,
    report: ref => get(`${environmentPath(ref)}/report`),
    backup: async body => (await send({ method: 'POST', path: '/v1/backup', body })).body,
    recordKeys: async () => (await get<{ keys: RecordKeyView[] }>('/v1/record/keys')).keys,
    cost: parameters => get('/v1/cost', { ...parameters }),
    blockedImages: async () => (await get<{ images: BlockedImageView[] }>('/v1/blocked-images')).images,
    blockImage: (image, reason) => post('/v1/blocked-images', { image, reason }),
    unblockImage: digest => json({ method: 'DELETE', path: `/v1/blocked-images/${encodeURIComponent(digest)}` }),
    evidence: async ref => (await get<{ evidence: EvidenceView[] }>(`${environmentPath(ref)}/evidence`)).evidence,
    evidenceFile: async (ref, take, name) =>
      (await send({ method: 'GET', path: `${environmentPath(ref)}/evidence/${take}/${encodeURIComponent(name)}` })).body,
    notifyState: () => get('/v1/notify'),
    notifyTest: targets => post('/v1/notify/test', { targets }),
    notifyDeliveries: target => get('/v1/notify/deliveries', { target }),
    notifyReplay: wanted => post('/v1/notify/replay', wanted),
    doctor: async () => (await get<{ checks: HostCheck[] }>('/v1/doctor')).checks,
    whoami: () => get('/v1/whoami'),
    tokens: async () => (await get<{ tokens: TokenView[] }>('/v1/tokens')).tokens,
    createToken: token => post('/v1/tokens', token),
    rotateToken: (ref, rotation) => post(`/v1/tokens/${encodeURIComponent(ref)}/rotate`, rotation),
    revokeToken: ref => json({ method: 'DELETE', path: `/v1/tokens/${encodeURIComponent(ref)}` }),
    sessionCode: () => post('/v1/session/code'),
    audit: parameters => get('/v1/audit', { ...parameters }),
    leaks: async () => (await get<{ leaks: LeakView[] }>('/v1/doctor/leaks')).leaks,
  }
}
