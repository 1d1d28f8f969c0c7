/** Fetches one file by HTTPS, or by HTTP from this host, into a folder: bounded in bytes and time, and not at all when it is what is there already. */
import { createWriteStream } from 'node:fs'
import { Readable, Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { abortError } from '../../base/abort.ts'
import { DayflyError, messageOf } from '../../base/errors.ts'

export interface DownloadLimits {
  /** Bytes of the file. Default 8 GiB. */
  readonly bytes: number
  /** For all of it, ms. Default 1 hour. */
  readonly time: number
}
export const defaultLimits: DownloadLimits = { bytes: 8 * 1024 ** 3, time: 3_600_000 }

export interface Downloaded {
  readonly etag: string | undefined
  /** Wall ms: the Last-Modified header. */
  readonly lastModified: number | undefined
}

const mostRedirects = 5

const isLoopback = (host: string): boolean => host === 'localhost' || host === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(host)

/** Throws `invalid` for what is not fetched: everything but HTTPS, and HTTP on the loopback, where it cannot be changed on its way. */
const checkedUrl = (text: string, base?: URL): URL => {
  const url = URL.parse(text, base)
  if (url && (url.protocol === 'https:' || (url.protocol === 'http:' && isLoopback(url.hostname)))) return url
  throw new DayflyError('invalid', `vulnerability data is not fetched from ${url ? `${url.protocol}//${url.host}` : 'what is no URL'}`, {
    field: 'source',
    remedy: 'Use an https:// URL, or download it yourself and import the file.',
  })
}

const limited = (most: number): Transform => {
  let total = 0
  return new Transform({
    transform: (chunk: Buffer, _encoding, done) => {
      total += chunk.length
      if (total > most) done(new DayflyError('upstream', `it is larger than ${most} bytes`))
      else done(null, chunk)
    },
  })
}

const request = async (start: URL, headers: Record<string, string>, signal: AbortSignal): Promise<Response> => {
  let url = start
  for (let hop = 0; hop <= mostRedirects; hop++) {
    const response = await fetch(url, { headers, signal, redirect: 'manual' })
    const next = response.status >= 300 && response.status < 400 && response.status !== 304 ? response.headers.get('location') : null
    if (next === null) return response
    await response.body?.cancel()
    url = checkedUrl(next, url)
  }
  throw new DayflyError('upstream', `it redirects more than ${mostRedirects} times`)
}

/**
 * Writes the file to `path`. 'unchanged' when the server says so of `etag`. Throws `invalid` (such a URL is not fetched), `upstream`, `timeout`,
 * `aborted`.
 */
export const download = async (
  location: string,
  path: string,
  etag: string | undefined,
  signal: AbortSignal,
  limits: DownloadLimits = defaultLimits,
): Promise<Downloaded | 'unchanged'> => {
  const url = checkedUrl(location)
  const either = AbortSignal.any([signal, AbortSignal.timeout(limits.time)])
  try {
    const response = await request(url, { 'user-agent': 'dayfly', ...(etag === undefined ? {} : { 'if-none-match': etag }) }, either)
    if (response.status === 304) return 'unchanged'
    if (response.status !== 200 || !response.body) {
      await response.body?.cancel()
      throw new DayflyError('upstream', `it answers ${response.status}`)
    }
    await pipeline(Readable.fromWeb(response.body), limited(limits.bytes), createWriteStream(path, { mode: 0o600 }), { signal: either })
    const modified = Date.parse(response.headers.get('last-modified') ?? '')
    return { etag: response.headers.get('etag') ?? undefined, lastModified: Number.isNaN(modified) ? undefined : modified }
  } catch (error) {
    if (either.aborted) throw abortError(either)
    if (error instanceof DayflyError && error.code !== 'upstream') throw error
    const cause = error instanceof Error && error.cause !== undefined ? `: ${messageOf(error.cause)}` : ''
    throw new DayflyError('upstream', `${url.origin}${url.pathname} cannot be downloaded: ${messageOf(error)}${cause}`, {
      remedy: 'Try again later, or import a file that was downloaded elsewhere.',
      cause: error,
    })
  }
}
