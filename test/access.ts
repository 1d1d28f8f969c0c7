/** A daemon of the fake backend with its door to the network, and calls through it. */
import { mkdtempSync, rmSync } from 'node:fs'
import type { IncomingHttpHeaders } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { createApi } from '../src/api/server.ts'
import type { Services } from '../src/api/services.ts'
import { defaultBounds } from '../src/apps/daemon/builds.ts'
import type { DaemonOptions } from '../src/apps/daemon/options.ts'
import type { Parts } from '../src/apps/daemon/parts.ts'
import { openParts } from '../src/apps/daemon/parts.ts'
import { createServices } from '../src/apps/daemon/services.ts'
import type { Clock } from '../src/base/clock.ts'
import { systemClock } from '../src/base/clock.ts'
import { silentLog } from '../src/base/log.ts'
import type { Principal, Role } from '../src/model/principal.ts'

export const owner: Principal = { kind: 'owner', name: 'root', role: 'owner', teams: 'all' }

export interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

export interface Asking {
  readonly token?: string | undefined
  readonly body?: object | undefined
  readonly headers?: Readonly<Record<string, string>>
  /** Answers as soon as the head is there. */
  readonly headOnly?: boolean
}

export interface Door extends AsyncDisposable {
  readonly folder: string
  readonly parts: Parts
  readonly services: Services
  readonly origin: string
  readonly fingerprint: string
  /** The text of a new token. */
  token(role: Role, ...teams: string[]): string
  ask(method: string, path: string, asking?: Asking): Promise<Answer>
}

/** `clock`: what decides about expiry and limits. */
export const openDoor = async (clock: Clock = systemClock()): Promise<Door> => {
  const folder = mkdtempSync('/tmp/dayfly-door-')
  const stopping = new AbortController()
  const options: DaemonOptions = {
    ...{ stateDir: folder, runDir: folder, backend: 'fake', group: undefined, logLevel: 'error', check: undefined, sensor: 'off' },
    ...{ quotas: undefined, prices: undefined, policies: undefined, preset: undefined, builds: defaultBounds() },
    ...{ gateway: { listen: undefined, domains: ['localhost'] }, listen: { host: '127.0.0.1', port: 0 } },
  }
  const parts = await openParts(options, clock, silentLog())
  await parts.engine.adopt(new AbortController().signal)
  const services = createServices(options, parts, clock)
  const api = { services, replies: parts.store.replies, log: silentLog(), stopping: stopping.signal }
  const socketApi = createApi(api)
  await parts.access.begin(api, () => {})
  const { url, fingerprint } = await services.callers.sessionCode(owner)
  const origin = new URL(url).origin
  let made = 0

  return {
    ...{ folder, parts, services, origin, fingerprint },
    token: (role, ...teams) => services.callers.createToken({ name: `t${++made}`, role, teams, expires: 3_600_000 }, 'root').token,
    ask: (method, path, { token, body, headers = {}, headOnly = false } = {}) =>
      new Promise((resolve, reject) => {
        const text = body === undefined ? undefined : JSON.stringify(body)
        const asked = httpsRequest(
          new URL(path, origin),
          {
            method,
            rejectUnauthorized: false,
            agent: false,
            headers: {
              ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
              ...(text === undefined ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }),
              ...headers,
            },
          },
          response => {
            const answer = (pieces: Buffer[]): Answer => ({
              ...{ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(pieces).toString() },
            })
            if (headOnly) {
              resolve(answer([]))
              response.destroy()
              return
            }
            const pieces: Buffer[] = []
            response.on('data', (piece: Buffer) => pieces.push(piece))
            response.on('end', () => resolve(answer(pieces)))
            response.on('error', reject)
          },
        )
        asked.on('error', reject)
        asked.end(text)
      }),
    [Symbol.asyncDispose]: async () => {
      stopping.abort()
      await socketApi.close()
      await parts[Symbol.asyncDispose]()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
