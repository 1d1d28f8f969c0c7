/** Environments of several services, from compose files. */

import type { Api } from './api.ts'
import { createApi } from './api.ts'
import type { ComposeOptions } from './compose.ts'
import type { ConnectionOptions } from './connection.ts'
import { connectionOf } from './connection.ts'
import { asOurs, failure, NotFoundError } from './errors.ts'
import type { EventOptions } from './events.ts'
import { events } from './events.ts'
import type { Inside } from './instance.ts'
import { insideOf } from './instance.ts'
import type { ChangeInfo, EnvironmentInfo, RecordEvent, WorkloadInfo } from './schemas.ts'
import { untilReady } from './waiting.ts'

export interface UpOptions extends ConnectionOptions, ComposeOptions {
  /** How long to wait until all is ready. 0: not at all. Default: 5 minutes. */
  readonly readyTimeoutMs?: number | undefined
  readonly signal?: AbortSignal | undefined
  /** Told of what the compose file has that means nothing here, and of what policies warn of. */
  readonly onWarning?: ((message: string) => void) | undefined
}

/** A service, with the instance that is its first. */
export interface Service extends Inside {
  readonly name: string
  info(): Promise<WorkloadInfo>
  /** Where a port of it is reached (left out: its first): `http://web.shop.localhost:8080`, `127.0.0.1:5432`. */
  url(port?: number): Promise<string>
  /** What its first instance has printed. */
  logs(options?: { readonly tail?: number }): Promise<string>
}

export interface Environment extends AsyncDisposable {
  readonly id: string
  readonly name: string
  /** What the last `up` changed. */
  readonly changes: readonly ChangeInfo[]
  info(): Promise<EnvironmentInfo>
  services(): Promise<readonly WorkloadInfo[]>
  service(name: string): Service
  /** It lives so many milliseconds more from now. */
  setTimeout(timeoutMs: number): Promise<void>
  pause(): Promise<void>
  resume(): Promise<void>
  /** Ends it; resolves when nothing of it is left but its record. */
  down(options?: { readonly force?: boolean }): Promise<EnvironmentInfo>
  /** Its record, as it is written. */
  events(options?: EventOptions): AsyncGenerator<RecordEvent>
  /** Its whole life: what it was, what it did, what was found, what it cost. */
  report(): Promise<Readonly<Record<string, unknown>>>
}

const readyPatience = 300_000

const serviceOf = (api: Api, path: string, name: string): Service => {
  const info = async (): Promise<WorkloadInfo> => {
    const { workloads } = await api.json<{ workloads: WorkloadInfo[] }>({ method: 'GET', path: `${path}/workloads` })
    const found = workloads.find(workload => workload.name === name)
    if (found !== undefined) return found
    throw new NotFoundError('not_found', `there is no service ${name}`, {
      field: 'service',
      remedy: `There are ${workloads.map(each => each.name).join(', ')}.`,
    })
  }
  const instance = async (): Promise<string> => {
    const { instances, state, reason } = await info()
    const found = instances.find(each => each.state === 'running' && !each.outdated) ?? instances[0]
    if (found === undefined) throw failure('wrong_state', `${name} has no instance: it is ${state}${reason === '' ? '' : `: ${reason}`}`, 'service')
    return found.id
  }
  return {
    ...insideOf(api, instance),
    name,
    info,
    url: async port => {
      const { exposed } = await info()
      const found = exposed.find(exposure => port === undefined || exposure.port === port)
      if (found === undefined) {
        const remedy = `List it under \`ports\` of ${name}.`
        throw new NotFoundError('not_found', `${name} exposes ${port === undefined ? 'no port' : `no port ${port}`}`, { field: 'port', remedy })
      }
      if (found.url === null) throw failure('wrong_state', `nothing listens for the port ${found.port} of ${name}`, 'port')
      return found.url
    },
    logs: async ({ tail } = {}) => {
      const query = { tail }
      let text = ''
      const entries = api.lines<{ data: string; encoding: string }>({ method: 'GET', path: `/v1/instances/${await instance()}/logs`, query })
      for await (const { data, encoding } of entries) text += encoding === 'base64' ? Buffer.from(data, 'base64').toString() : data
      return text
    },
  }
}

const open = (api: Api, { id, name }: Pick<EnvironmentInfo, 'id' | 'name'>, changes: readonly ChangeInfo[]): Environment => {
  const path = `/v1/environments/${id}`
  const info = (): Promise<EnvironmentInfo> => api.json({ method: 'GET', path })
  const down: Environment['down'] = async ({ force = false } = {}) => api.json({ method: 'DELETE', path, query: { force } })
  return {
    id,
    name,
    changes,
    info,
    services: async () => (await api.json<{ workloads: WorkloadInfo[] }>({ method: 'GET', path: `${path}/workloads` })).workloads,
    service: service => serviceOf(api, path, service),
    setTimeout: async timeoutMs => void (await api.json({ method: 'POST', path: `${path}/extend`, body: { ttl: timeoutMs } })),
    pause: async () => void (await api.json({ method: 'POST', path: `${path}/pause`, body: {} })),
    resume: async () => void (await api.json({ method: 'POST', path: `${path}/resume`, body: {} })),
    down,
    events: options => events(api, id, options),
    report: () => api.json({ method: 'GET', path: `${path}/report` }),
    [Symbol.asyncDispose]: async () => {
      try {
        await down()
      } catch (error) {
        if (!(error instanceof NotFoundError)) throw error
      }
    },
  }
}

export const Environment = {
  /**
   * Brings up what a compose file (its path, its text, or an object) describes, or changes the living environment of that name to it; resolves when all of it is
   * ready. Throws `InvalidError` with all that is wrong in the file, and `NotReadyError` when it does not come up: a new one is ended then.
   */
  up: async (compose: string | object, options: UpOptions = {}): Promise<Environment> => {
    const api = createApi(connectionOf(options))
    const { composed } = await import('./compose.ts')
    const { request: body, warnings } = await composed(compose, options).catch((error: unknown) => {
      throw asOurs(error)
    })
    for (const warning of warnings) options.onWarning?.(warning)
    interface Line {
      readonly environment?: EnvironmentInfo
      readonly changes: readonly ChangeInfo[]
      readonly warnings: readonly { readonly workload: string; readonly message: string }[]
    }
    for await (const line of api.lines<Line>({ method: 'POST', path: '/v1/environments/up', body, signal: options.signal })) {
      if (line.environment === undefined) continue
      for (const { workload, message } of line.warnings) options.onWarning?.(`${workload}: ${message}`)
      const made = open(api, line.environment, line.changes)
      const patience = options.readyTimeoutMs ?? readyPatience
      if (patience === 0) return made
      try {
        await untilReady(api, line.environment, Object.keys(body.draft.workloads), patience, options.signal)
        return made
      } catch (error) {
        const fresh = line.changes.length > 0 && line.changes.every(({ kind }) => kind === 'added')
        if (fresh) await made.down({ force: true })
        throw error
      }
    }
    throw failure('disconnected', 'the daemon went away before the environment was there')
  },
  /** One that lives, by its id or name. */
  connect: async (ref: string, options: ConnectionOptions = {}): Promise<Environment> => {
    const api = createApi(connectionOf(options))
    return open(api, await api.json({ method: 'GET', path: `/v1/environments/${encodeURIComponent(ref)}` }), [])
  },
} as const
