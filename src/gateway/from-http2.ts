/** From clients that speak HTTP/2, over TLS or in the clear. nghttp2 refuses malformed messages; Node resets floods of resets and of empty frames. */
import type { Http2Server, IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2'
import { constants, createServer } from 'node:http2'
import type { Gate } from './exchange.ts'
import { Exchange } from './exchange.ts'
import type { Limits } from './gateway.ts'
import type { Client, RequestHead } from './head.ts'
import { BadHead, headerOf, requestHead, trailerFields } from './head.ts'
import type { Problem } from './problem.ts'
import { badRequest, problemHeaders, render } from './problem.ts'
import type { Target } from './target.ts'
import { asObject, endWith } from './to-http2.ts'

const windowBytes = 256 * 1024
const streamsOfAClient = 256
/** Without a body they say so, in HTTP/1.1. */
const expectsBody = new Set(['POST', 'PUT', 'PATCH'])

class Http2Exchange extends Exchange {
  readonly #stream: ServerHttp2Stream
  readonly #accept: string | undefined
  #requestTrailers: string[] = []
  #answerTrailers: string[] = []
  #bodyless = false

  constructor(gate: Gate, target: Target, client: Client, head: RequestHead, headers: IncomingHttpHeaders, stream: ServerHttp2Stream) {
    const method = headers[':method'] ?? 'GET'
    super(gate, target, client, 'HTTP/2', method, headers[':path'] ?? '/', head, stream.endAfterHeaders || head.length === 0 ? undefined : stream)
    this.#stream = stream
    this.#accept = headers.accept
    stream.on('drain', () => this.onTaken())
    stream.on('close', () => this.clientGone())
    stream.on('trailers', (_headers: IncomingHttpHeaders, _flags: number, raw: string[]) => {
      this.#requestTrailers = trailerFields(raw)
    })
  }

  protected override answer(status: number, headers: string[], bodyless: boolean): void {
    const stream = this.#stream
    if (stream.destroyed || stream.closed) return
    this.#bodyless = bodyless || headerOf(headers, 'content-length') === '0'
    // With a length there is nothing to say at the end.
    const waitForTrailers = !this.#bodyless && headerOf(headers, 'content-length') === undefined
    stream.respond([':status', String(status), ...headers], { endStream: this.#bodyless, waitForTrailers })
    if (waitForTrailers) stream.on('wantTrailers', () => endWith(stream, this.#answerTrailers))
  }

  protected override piece(chunk: Buffer): boolean {
    return this.#bodyless || this.#stream.destroyed || this.#stream.write(chunk)
  }

  protected override end(trailers: string[]): void {
    this.#answerTrailers = trailers
    if (!this.#bodyless && !this.#stream.destroyed) this.#stream.end()
  }

  protected override abort(): void {
    this.#stream.close(constants.NGHTTP2_INTERNAL_ERROR)
  }

  protected override continue(): void {
    if (!this.#stream.headersSent && !this.#stream.destroyed) this.#stream.additionalHeaders({ ':status': 100 })
  }

  protected override inform(status: number, headers: string[]): void {
    if (!this.#stream.headersSent && !this.#stream.destroyed) this.#stream.additionalHeaders({ ...asObject(headers), ':status': status })
  }

  protected override accept(): string | undefined {
    return this.#accept
  }

  override requestTrailers(): string[] {
    return this.#requestTrailers
  }

  protected override settled(): void {
    const stream = this.#stream
    if (this.source === undefined || stream.readableEnded || stream.destroyed) return
    // The answer is whole: what the client has still to send is not wanted (RFC 9113, 8.1).
    stream.resume()
    stream.once('finish', () => stream.close(constants.NGHTTP2_NO_ERROR))
  }
}

export interface Http2Door {
  readonly limits: Limits
  readonly gate: Gate
  clientOf(stream: ServerHttp2Stream): Client
  route(host: string): Target | Problem
  /** A WebSocket is asked for (RFC 8441). */
  upgrade(headers: IncomingHttpHeaders, head: RequestHead, client: Client, stream: ServerHttp2Stream): void
}

export const refuseStream = (stream: ServerHttp2Stream, problem: Problem, accept: string | undefined, bodyless: boolean): void => {
  if (stream.destroyed || stream.closed) return
  const { type, body } = render(problem, accept)
  stream.respond([':status', String(problem.status), ...problemHeaders(problem, type, Buffer.byteLength(body))], { endStream: bodyless })
  if (!bodyless) stream.end(body)
  stream.resume()
}

/** Regular fields of a request, with the cookies in one (RFC 9113, 8.2.3). */
const fieldsOf = (raw: readonly string[]): string[] => {
  const fields: string[] = []
  let cookie: string | undefined
  for (let at = 0; at < raw.length; at += 2) {
    const [name = '', value = ''] = [raw[at], raw[at + 1]]
    if (name === 'cookie') cookie = cookie === undefined ? value : `${cookie}; ${value}`
    else if (!name.startsWith(':')) fields.push(name, value)
  }
  if (cookie !== undefined) fields.push('cookie', cookie)
  return fields
}

export const createHttp2 = (door: Http2Door): Http2Server => {
  const server = createServer({
    settings: {
      enableConnectProtocol: true,
      maxConcurrentStreams: streamsOfAClient,
      initialWindowSize: windowBytes,
      maxHeaderListSize: door.limits.headBytes,
    },
    maxHeaderListPairs: 256,
  })
  server.on('session', session => session.setTimeout(door.limits.idle, () => session.close()))
  server.on('sessionError', () => {})
  server.on('stream', (stream: ServerHttp2Stream, headers: IncomingHttpHeaders, _flags: number, raw: string[]) => {
    stream.on('error', () => {})
    try {
      const client = door.clientOf(stream)
      const path = headers[':path']
      const connects = headers[':method'] === 'CONNECT'
      if (connects && headers[':protocol'] !== 'websocket') throw new BadHead('CONNECT is taken for WebSockets only.')
      if (path?.startsWith('/') !== true) throw new BadHead('The request names no path.')
      const head = requestHead(fieldsOf(raw), client, headers[':authority'], undefined)
      if (stream.endAfterHeaders && expectsBody.has(headers[':method'] ?? '') && headers['content-length'] === undefined)
        head.headers.push('content-length', '0')
      if (connects) return door.upgrade(headers, head, client, stream)
      const found = door.route(head.host)
      if ('status' in found) return refuseStream(stream, found, headers.accept, headers[':method'] === 'HEAD')
      new Http2Exchange(door.gate, found, client, head, headers, stream).begin()
    } catch (error) {
      if (!(error instanceof BadHead)) throw error
      refuseStream(stream, badRequest(error.message), headers.accept, headers[':method'] === 'HEAD')
    }
  })
  return server
}
