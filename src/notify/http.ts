/** One POST to a URL of the operator's settings: within a deadline, to that place and no other, with the server's certificate verified. */
import { readFile } from 'node:fs/promises'
import type { IncomingMessage, RequestOptions } from 'node:http'
import { request as httpRequest } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { messageOf } from '../base/errors.ts'
import { DeliveryError } from './delivery.ts'

export interface Post {
  readonly url: string
  readonly body: string
  readonly headers: Readonly<Record<string, string>>
  /** Certificates (PEM) that count instead of the host's. */
  readonly caFile: string | undefined
}

const patience = 10_000
/** Of an answer, which nobody needs beyond its status. */
const longestAnswer = 64 * 1024
const longestWait = 3_600_000

/** Refused for what it says, not for who says it or when. */
const hopeless = new Set([400, 405, 406, 410, 411, 413, 414, 415, 422])

/** `Retry-After: 120`, or a date. ms; undefined where nothing is asked. */
const retryAfter = ({ headers }: IncomingMessage, now: number): number | undefined => {
  const value = headers['retry-after']
  if (value === undefined) return undefined
  const ms = /^\d+$/.test(value) ? Number(value) * 1000 : Date.parse(value) - now
  return Number.isFinite(ms) && ms > 0 ? Math.min(ms, longestWait) : undefined
}

const answered = async (response: IncomingMessage): Promise<void> => {
  let length = 0
  for await (const piece of response) {
    length += Buffer.isBuffer(piece) ? piece.length : 0
    if (length > longestAnswer) break
  }
  response.destroy()
}

/** Rejects with DeliveryError unless the answer is 2xx. A redirect is none: whoever answers must not say where the next one goes. */
export const post = async ({ url, body, headers, caFile }: Post, signal: AbortSignal): Promise<void> => {
  const target = new URL(url)
  const ca =
    caFile === undefined
      ? undefined
      : await readFile(caFile, 'utf8').catch((cause: unknown) => {
          throw new DeliveryError(`${caFile} cannot be read: ${messageOf(cause)}`, { cause })
        })
  const limit = AbortSignal.any([signal, AbortSignal.timeout(patience)])
  const options: RequestOptions = {
    method: 'POST',
    agent: false,
    signal: limit,
    headers: { 'Content-Type': 'application/json', 'User-Agent': 'dayfly', ...headers, 'Content-Length': Buffer.byteLength(body) },
  }
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>()
  const secure = target.protocol === 'https:'
  const request = secure
    ? httpsRequest(target, { ...options, rejectUnauthorized: true, ...(ca === undefined ? {} : { ca }) }, resolve)
    : httpRequest(target, options, resolve)
  request.on('error', reject)
  request.end(body)
  try {
    const response = await promise
    const status = response.statusCode ?? 0
    const after = retryAfter(response, Date.now())
    await answered(response)
    if (status >= 200 && status < 300) return
    const redirect = status >= 300 && status < 400 ? ': redirects are not followed' : ''
    throw new DeliveryError(`${target.host} answered ${status}${redirect}`, { hopeless: hopeless.has(status), after })
  } catch (error) {
    if (error instanceof DeliveryError) throw error
    const why = limit.aborted && !signal.aborted ? `no answer within ${patience / 1000} s` : messageOf(error)
    throw new DeliveryError(`${target.host}: ${why}`, { cause: error })
  }
}
