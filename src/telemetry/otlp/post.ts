/** One POST to a collector. */
import { readFile } from 'node:fs/promises'
import type { IncomingMessage } from 'node:http'
import { request as httpRequest } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import { messageOf } from '../../base/errors.ts'

export interface Destination {
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly compression: 'gzip' | 'none'
  /** ms that a request may take. */
  readonly timeout: number
  /** Certificates (PEM) that count instead of the host's. */
  readonly caFile: string | undefined
}

export interface Outcome {
  /** Undefined: it arrived. */
  readonly failure: string | undefined
  /** Whether the same may arrive later. */
  readonly again: boolean
  /** ms that the receiver asks to be left alone. */
  readonly after: number | undefined
}

/** By the specification of OTLP/HTTP: of everything else, the same again would be refused again. */
const retryable = new Set([429, 502, 503, 504])
const longestAnswer = 64 * 1024
const compress = promisify(gzip)

const drained = async (response: IncomingMessage): Promise<void> => {
  let length = 0
  for await (const piece of response) {
    length += Buffer.isBuffer(piece) ? piece.length : 0
    if (length > longestAnswer) break
  }
  response.destroy()
}

/** Never rejects. */
export const post = async (to: Destination, body: Buffer, mediaType: string, signal: AbortSignal): Promise<Outcome> => {
  try {
    const target = new URL(to.url)
    const ca = to.caFile === undefined ? undefined : await readFile(to.caFile, 'utf8')
    const bytes = to.compression === 'gzip' ? await compress(body) : body
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>()
    const options = {
      method: 'POST',
      signal: AbortSignal.any([signal, AbortSignal.timeout(to.timeout)]),
      headers: {
        'user-agent': 'dayfly',
        ...to.headers,
        'content-type': mediaType,
        'content-length': bytes.length,
        ...(to.compression === 'gzip' ? { 'content-encoding': 'gzip' } : {}),
      },
    }
    const request =
      target.protocol === 'https:'
        ? httpsRequest(target, { ...options, ...(ca === undefined ? {} : { ca }) }, resolve)
        : httpRequest(target, options, resolve)
    request.on('error', reject)
    request.end(bytes)
    const response = await promise
    const status = response.statusCode ?? 0
    const seconds = Number(response.headers['retry-after'])
    await drained(response)
    if (status >= 200 && status < 300) return { failure: undefined, again: false, after: undefined }
    const after = Number.isFinite(seconds) && seconds > 0 ? Math.min(seconds, 300) * 1000 : undefined
    return { failure: `${target.host} answered ${status}`, again: retryable.has(status), after }
  } catch (error) {
    return { failure: messageOf(error), again: true, after: undefined }
  }
}
