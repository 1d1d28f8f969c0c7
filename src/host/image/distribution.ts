/**
 * Reading from a registry by the OCI distribution API, for what skopeo does not fetch: what refers to an image. Everything is bounded in size and time,
 * and credentials go to the registry and the token service that it names, never further.
 */
import { readdirSync, readFileSync } from 'node:fs'
import type { IncomingMessage } from 'node:http'
import { request as plainRequest } from 'node:http'
import { request as tlsRequest } from 'node:https'
import { join } from 'node:path'
import { getCACertificates } from 'node:tls'
import { z } from 'zod'
import { abortError } from '../../base/abort.ts'
import { DayflyError } from '../../base/errors.ts'
import type { Credentials } from './credentials.ts'

export interface Distribution {
  /** Undefined: the registry does not have it. Rejects with `upstream` (no answer, or too much of one), `denied`, `aborted`, `timeout`. */
  get(path: string, accept: string, most: number): Promise<Buffer | undefined>
}

export interface DistributionOptions {
  /** `host[:port]`. */
  readonly registry: string
  readonly repository: string
  readonly credentials: Credentials | undefined
  /** Plain HTTP. */
  readonly insecure: boolean
  readonly signal: AbortSignal
}

interface Answer {
  readonly status: number
  readonly headers: IncomingMessage['headers']
  readonly body: Buffer
}

const patience = 30_000
const redirects = 5
const maximumToken = 64 * 1024

/** As for skopeo: what `/etc/containers/certs.d/HOST` or docker's holds is trusted beside the machine's own. */
const authorities = (registry: string): string[] => {
  const own = ['/etc/containers/certs.d', '/etc/docker/certs.d'].flatMap(folder => {
    try {
      const place = join(folder, registry)
      return readdirSync(place)
        .filter(name => name.endsWith('.crt'))
        .map(name => readFileSync(join(place, name), 'utf8'))
    } catch {
      return []
    }
  })
  return [...new Set([...getCACertificates('default'), ...getCACertificates('system'), ...own])]
}

const unreachable = (url: URL, cause: unknown): DayflyError =>
  new DayflyError('upstream', `the registry ${url.host} cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`, { cause })

const once = (
  url: URL,
  headers: Readonly<Record<string, string>>,
  most: number,
  ca: readonly string[] | undefined,
  signal: AbortSignal,
): Promise<Answer> =>
  new Promise((resolve, reject) => {
    const limit = AbortSignal.any([signal, AbortSignal.timeout(patience)])
    const fail = (error: unknown): void => reject(limit.aborted ? abortError(limit) : error instanceof DayflyError ? error : unreachable(url, error))
    const options = { headers, signal: limit, ...(ca === undefined ? {} : { ca: [...ca] }) }
    const asked = (url.protocol === 'http:' ? plainRequest : tlsRequest)(url, options, answer => {
      const parts: Buffer[] = []
      let size = 0
      answer.on('data', (bytes: Buffer) => {
        size += bytes.length
        if (size > most) answer.destroy(new DayflyError('upstream', `the registry ${url.host} sent more than ${most} bytes for ${url.pathname}`))
        else parts.push(bytes)
      })
      answer.on('error', fail)
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body: Buffer.concat(parts) }))
    })
    asked.on('error', fail)
    asked.end()
  })

const Token = z.object({ token: z.string().optional(), access_token: z.string().optional() })

const tokenOf = (body: Buffer): string | undefined => {
  try {
    const { token, access_token } = Token.parse(JSON.parse(body.toString('utf8')))
    return token ?? access_token
  } catch {
    return undefined
  }
}

/** `Bearer realm="…",service="…",scope="…"`. */
const challengeOf = (header: string): Map<string, string> | undefined => {
  if (!/^bearer /i.test(header)) return undefined
  return new Map(
    [...header.slice('bearer '.length).matchAll(/([a-z_]+)="([^"]{0,2048})"/gi)].map(([, key = '', value = '']) => [key.toLowerCase(), value]),
  )
}

export const createDistribution = ({ registry, repository, credentials, insecure, signal }: DistributionOptions): Distribution => {
  const host = registry === 'docker.io' ? 'registry-1.docker.io' : registry
  const ca = insecure ? undefined : authorities(registry)
  const basic = credentials !== undefined && 'basic' in credentials ? `Basic ${credentials.basic}` : undefined
  let authorization = basic

  /** Follows redirects, which lead to storage elsewhere: the registry's credentials are not for it. */
  const fetched = async (url: URL, headers: Readonly<Record<string, string>>, most: number): Promise<Answer> => {
    let at = url
    for (let step = 0; step <= redirects; step++) {
      const given = at.origin === url.origin ? headers : { accept: headers['accept'] ?? '*/*' }
      const answer = await once(at, given, most, at.origin === url.origin ? ca : undefined, signal)
      const { location } = answer.headers
      if (answer.status < 300 || answer.status > 399 || location === undefined) return answer
      const next = new URL(location, at)
      if (next.protocol !== 'https:' && !(insecure && next.protocol === 'http:')) throw unreachable(url, `it redirects to ${next.protocol}`)
      at = next
    }
    throw unreachable(url, `it redirects more than ${redirects} times`)
  }

  const askForToken = async (challenge: Map<string, string>): Promise<string> => {
    const realm = URL.parse(challenge.get('realm') ?? '')
    if (realm === null) throw new DayflyError('upstream', `the registry ${registry} names no token service`)
    if (realm.protocol !== 'https:' && !insecure) throw unreachable(realm, 'its token service is not on https')
    const service = challenge.get('service')
    if (service !== undefined) realm.searchParams.set('service', service)
    realm.searchParams.set('scope', `repository:${repository}:pull`)
    if (credentials !== undefined && 'identityToken' in credentials) {
      throw new DayflyError('denied', `the registry ${registry} wants an identity token exchanged, which is not supported`, {
        remedy: 'Log in with a user and a token: skopeo login REGISTRY.',
      })
    }
    const answer = await fetched(realm, basic === undefined ? {} : { authorization: basic }, maximumToken)
    const token = answer.status === 200 ? tokenOf(answer.body) : undefined
    if (token === undefined)
      throw new DayflyError('denied', `the token service of ${registry} answered ${answer.status}`, { remedy: 'Log in: skopeo login REGISTRY.' })
    return `Bearer ${token}`
  }

  return {
    get: async (path, accept, most) => {
      const url = new URL(`${insecure ? 'http' : 'https'}://${host}/v2/${repository}/${path}`)
      const ask = (): Promise<Answer> => fetched(url, { accept, ...(authorization === undefined ? {} : { authorization }) }, most)
      let answer = await ask()
      if (answer.status === 401) {
        const challenge = challengeOf(answer.headers['www-authenticate'] ?? '')
        if (challenge !== undefined) {
          authorization = await askForToken(challenge)
          answer = await ask()
        }
      }
      if (answer.status === 404) return undefined
      if (answer.status === 401 || answer.status === 403) {
        throw new DayflyError('denied', `the registry ${registry} refuses to show ${repository}`, { remedy: 'Log in: skopeo login REGISTRY.' })
      }
      if (answer.status !== 200) throw unreachable(url, `it answers ${answer.status}`)
      return answer.body
    },
  }
}
