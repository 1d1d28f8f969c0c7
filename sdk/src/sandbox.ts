/** Sandboxes: one container that stays until it is killed, or until its time is over. */
import { randomBytes } from 'node:crypto'
import type { Api } from './api.ts'
import { createApi } from './api.ts'
import type { ConnectionOptions } from './connection.ts'
import { connectionOf } from './connection.ts'
import { failure, NotFoundError } from './errors.ts'
import type { EventOptions } from './events.ts'
import { events } from './events.ts'
import type { Inside } from './instance.ts'
import { insideOf } from './instance.ts'
import type { EgressRule, EnvironmentInfo, Limits, RecordEvent, UpRequest, WorkloadInfo } from './schemas.ts'
import { untilReady } from './waiting.ts'

export interface SandboxOptions extends ConnectionOptions {
  /** Name or digest. */
  readonly image: string
  /** How long it may live; `setTimeout` moves its end. Default: 5 minutes. */
  readonly timeoutMs?: number | undefined
  /** To be found by: labels. */
  readonly metadata?: Readonly<Record<string, string>> | undefined
  readonly envs?: Readonly<Record<string, string>> | undefined
  /** Ports that `getHost` is asked for. */
  readonly ports?: readonly number[] | undefined
  /** Unique among environments that live. Default: made up. */
  readonly name?: string | undefined
  readonly user?: string | undefined
  readonly cwd?: string | undefined
  readonly limits?: Limits | undefined
  /** What it may reach: nothing, by default. */
  readonly egress?: readonly EgressRule[] | undefined
  /** `runsc` (gVisor) for code that you do not trust. */
  readonly runtime?: 'crun' | 'runsc' | undefined
  /** Its first process, which it ends with. Default: one that sleeps. */
  readonly command?: readonly string[] | undefined
  readonly signal?: AbortSignal | undefined
}

export interface SandboxInfo {
  readonly sandboxId: string
  readonly name: string
  readonly image: string
  readonly metadata: Readonly<Record<string, string>>
  readonly state: EnvironmentInfo['state']
  readonly startedAt: Date
  /** When its time is over; undefined once it is ending. */
  readonly endAt: Date | undefined
}

export interface Sandbox extends Inside, AsyncDisposable {
  readonly sandboxId: string
  readonly name: string
  /** `host:port` at which a port of it is reached from the daemon's host. It must be among `ports`. */
  getHost(port: number): Promise<string>
  /** It lives so many milliseconds more from now. */
  setTimeout(timeoutMs: number): Promise<void>
  /** Every process of it stands still, until `resume`, a command or a request. Its time runs on. */
  pause(): Promise<void>
  resume(): Promise<void>
  getInfo(): Promise<SandboxInfo>
  isRunning(): Promise<boolean>
  /** Ends it; resolves when nothing of it is left but its record. False: it had ended already. */
  kill(): Promise<boolean>
  /** Its record, as it is written. */
  events(options?: EventOptions): AsyncGenerator<RecordEvent>
}

const workload = 'main'
const label = 'dayfly.sandbox'
const defaultTimeout = 300_000
/** Its time ends it, and nothing else: idleness at the longest that there is. */
const longestIdle = 7 * 86_400_000
const readyPatience = 300_000

const requestOf = (options: SandboxOptions): UpRequest => {
  const { image, metadata = {}, envs = {}, ports = [], limits, egress, user, cwd } = options
  const name = options.name ?? `sandbox-${randomBytes(5).toString('hex')}`
  const timeoutMs = options.timeoutMs ?? defaultTimeout
  return {
    draft: {
      name,
      labels: { ...metadata, [label]: 'true' },
      lease: { ttl: timeoutMs, idle: longestIdle },
      workloads: {
        [workload]: {
          kind: 'sandbox',
          image,
          entrypoint: [],
          command: [...(options.command ?? ['sleep', '2147483647'])],
          env: { ...envs },
          runtime: options.runtime ?? 'crun',
          // What only sleeps has nothing to put in order.
          ...(options.command === undefined ? { stopSignal: 'SIGKILL' } : {}),
          ...(limits === undefined ? {} : { limits }),
          ...(egress === undefined ? {} : { egress: [...egress] }),
          ...(user === undefined ? {} : { user }),
          ...(cwd === undefined ? {} : { workdir: cwd }),
          deployment: {
            restart: { condition: 'no', attempts: 0, delay: 0, window: 0 },
            expose: ports.map(port => ({ port, protocol: 'tcp' as const })),
          },
        },
      },
    },
  }
}

const infoOf = ({ id, name, labels, state, createdAt, expiresAt, workloads }: EnvironmentInfo): SandboxInfo => {
  const { [label]: _own, ...metadata } = labels
  const endAt = expiresAt === null ? undefined : new Date(expiresAt)
  return { sandboxId: id, name, image: workloads[workload]?.imageName ?? '', metadata, state, startedAt: new Date(createdAt), endAt }
}

const open = (api: Api, { id, name }: Pick<EnvironmentInfo, 'id' | 'name'>): Sandbox => {
  const path = `/v1/environments/${id}`
  const info = (): Promise<EnvironmentInfo> => api.json({ method: 'GET', path })
  let instance: Promise<string> | undefined
  /** It has one, for ever. */
  const instanceId = (): Promise<string> => {
    instance ??= info().then(({ instances, state }) => {
      const [first] = instances
      if (first === undefined) throw failure('wrong_state', `${name} has no container: it is ${state}`)
      return first.id
    })
    instance.catch(() => {
      instance = undefined
    })
    return instance
  }
  const kill = async (): Promise<boolean> => {
    const before = await info()
    if (before.state !== 'ended') await api.json({ method: 'DELETE', path, query: { force: true } })
    return before.state !== 'ended'
  }
  return {
    ...insideOf(api, instanceId),
    sandboxId: id,
    name,
    getHost: async port => {
      if (api.connection.remote) {
        throw failure(
          'invalid',
          `the ports of ${name} are reached from its own host only`,
          'host',
          "Use it there, or a service of `Environment.up`, by the gateway's name.",
        )
      }
      const { workloads } = await api.json<{ workloads: WorkloadInfo[] }>({ method: 'GET', path: `${path}/workloads` })
      const found = workloads.flatMap(({ exposed }) => exposed).find(exposure => exposure.port === port)
      if (found === undefined) {
        throw new NotFoundError('not_found', `${name} does not expose the port ${port}`, {
          field: 'port',
          remedy: `Make it with \`ports: [${port}]\`.`,
        })
      }
      if (found.url === null) throw failure('wrong_state', `nothing listens for the port ${port} of ${name}`, 'port')
      return found.url
    },
    setTimeout: async timeoutMs => void (await api.json({ method: 'POST', path: `${path}/extend`, body: { ttl: timeoutMs } })),
    pause: async () => void (await api.json({ method: 'POST', path: `${path}/pause`, body: {} })),
    resume: async () => void (await api.json({ method: 'POST', path: `${path}/resume`, body: {} })),
    getInfo: async () => infoOf(await info()),
    isRunning: async () => (await info()).state === 'running',
    kill,
    events: options => events(api, id, options),
    [Symbol.asyncDispose]: async () => {
      try {
        await kill()
      } catch (error) {
        if (!(error instanceof NotFoundError)) throw error
      }
    },
  }
}

const apiOf = (options: ConnectionOptions): Api => createApi(connectionOf(options))

export const Sandbox = {
  /** Resolves when it runs. What fails on the way leaves nothing. */
  create: async (options: SandboxOptions): Promise<Sandbox> => {
    const api = apiOf(options)
    const body = requestOf(options)
    for await (const line of api.lines<{ environment?: EnvironmentInfo }>({
      method: 'POST',
      path: '/v1/environments/up',
      body,
      signal: options.signal,
    })) {
      if (line.environment === undefined) continue
      const { id, name } = line.environment
      try {
        await untilReady(api, { id, name }, [workload], readyPatience, options.signal)
        return open(api, { id, name })
      } catch (error) {
        await api.json({ method: 'DELETE', path: `/v1/environments/${id}`, query: { force: true } })
        throw error
      }
    }
    throw failure('disconnected', 'the daemon went away before the sandbox was there')
  },
  /** One that lives, by its id or name; wakes it when it is paused. */
  connect: async (sandboxId: string, options: ConnectionOptions = {}): Promise<Sandbox> => {
    const api = apiOf(options)
    const path = `/v1/environments/${encodeURIComponent(sandboxId)}`
    const found = await api.json<EnvironmentInfo>({ method: 'GET', path })
    if (found.state === 'ended' || found.state === 'ending')
      throw failure('wrong_state', `${found.name} is ${found.state}: ${found.reason}`, 'sandboxId')
    await api.json({ method: 'POST', path: `${path}/resume`, body: {} })
    return open(api, found)
  },
  /** Those that live, newest first; with `metadata` only those that have all of it. */
  list: async (options: ConnectionOptions & { readonly metadata?: Readonly<Record<string, string>> } = {}): Promise<SandboxInfo[]> => {
    const api = apiOf(options)
    const labels = [`${label}=true`, ...Object.entries(options.metadata ?? {}).map(([name, value]) => `${name}=${value}`)]
    const all: SandboxInfo[] = []
    for (let after: string | undefined; ; ) {
      const query = { label: labels, limit: 1000, after }
      const page = await api.json<{ environments: EnvironmentInfo[]; next?: string | null }>({ method: 'GET', path: '/v1/environments', query })
      all.push(...page.environments.map(infoOf))
      if (typeof page.next !== 'string') return all
      after = page.next
    }
  },
} as const
