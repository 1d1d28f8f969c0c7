/** From clients that speak HTTP/1.x. Node's parser (llhttp, strict) refuses what could be read in two ways: two lengths, a bare line feed, a folded header. */
import type { IncomingMessage, Server, ServerOptions, ServerResponse } from 'node:http'
import { createServer } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { Gate } from './exchange.ts'
import { Exchange } from './exchange.ts'
import type { Limits } from './gateway.ts'
import type { Client, RequestHead } from './head.ts'
import { BadHead, requestHead, trailerFields } from './head.ts'
import type { Problem } from './problem.ts'
import { badRequest, problemHeaders, render } from './problem.ts'
import type { Target } from './target.ts'

/** ms in which the rest of a body that nobody wants may come, so that the client reads the answer before the connection is closed. */
const lingering = 2_000

/** Bytes of a first piece that are worth a copy to save a system call with many buffers. */
const joined = 8 * 1024

class Http1Exchange extends Exchange {
  readonly #request: IncomingMessage
  readonly #response: ServerResponse
  #continued = false
  /** The first piece of the body, kept until the next tick, or the end. */
  #first: Buffer | undefined
  #flushed = false

  constructor(gate: Gate, target: Target, client: Client, head: RequestHead, path: string, request: IncomingMessage, response: ServerResponse) {
    const protocol = request.httpVersionMinor === 0 ? 'HTTP/1.0' : 'HTTP/1.1'
    super(gate, target, client, protocol, request.method ?? 'GET', path, head, head.length === 0 ? undefined : request)
    this.#request = request
    this.#response = response
    response.on('close', () => this.clientGone())
  }

  protected override answer(status: number, headers: string[]): void {
    // A client that was not told to go on may leave its body out, and then what follows on this connection cannot be told apart.
    const unread = this.source !== undefined && !this.#request.complete
    if (unread && (this.seat === undefined || (this.head.expectsContinue && !this.#continued))) headers.push('connection', 'close')
    this.#response.writeHead(status, headers)
    process.nextTick(flush, this)
  }

  /** The next tick: what has come with the head goes out with it. */
  flush(): void {
    if (this.#flushed) return
    if (this.#first === undefined) this.#response.flushHeaders()
    else this.#response.write(this.#first)
    this.#flushed = true
  }

  protected override piece(chunk: Buffer): boolean {
    if (!this.#flushed && this.#first === undefined && chunk.length <= joined) {
      this.#first = chunk
      return true
    }
    this.flush()
    if (this.#response.write(chunk)) return true
    this.#response.once('drain', () => this.onTaken())
    return false
  }

  protected override end(trailers: string[]): void {
    const response = this.#response
    if (trailers.length > 0) {
      const pairs: [string, string][] = []
      for (let at = 0; at < trailers.length; at += 2) pairs.push([trailers[at] ?? '', trailers[at + 1] ?? ''])
      response.addTrailers(pairs)
    }
    if (!this.#flushed && this.#first !== undefined) {
      // As a string it is put into one buffer with the head. Uncorked before the end, it is one plain write.
      response.write(this.#first.toString('latin1'), 'latin1')
      response.socket?.uncork()
    }
    this.#flushed = true
    response.end()
  }

  protected override abort(): void {
    this.#response.destroy()
  }

  protected override continue(): void {
    if (this.#continued) return
    this.#continued = true
    this.#response.writeContinue()
  }

  protected override inform(status: number, headers: string[]): void {
    if (this.#request.httpVersionMinor > 0) this.#response.writeInformation(status, headers)
  }

  protected override accept(): string | undefined {
    return this.#request.headers.accept
  }

  override requestTrailers(): string[] {
    return trailerFields(this.#request.rawTrailers)
  }

  protected override settled(): void {
    const request = this.#request
    if (request.complete || this.source === undefined) return
    request.resume()
    const timer = setTimeout(() => {
      if (!request.complete) request.socket.destroy()
    }, lingering)
    timer.unref()
  }
}

const flush = (exchange: Http1Exchange): void => exchange.flush()

export interface Http1Door {
  readonly limits: Limits
  readonly gate: Gate
  clientOf(socket: Socket): Client
  /** Where a request goes, or what is said to it. */
  route(host: string): Target | Problem
  /** A WebSocket is asked for. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void
}

/** The host and the path of a request line, which may name the host itself (absolute form). */
export const requestLine = (url: string): { readonly authority: string | undefined; readonly path: string } => {
  if (url.charCodeAt(0) === 0x2f) return { authority: undefined, path: url }
  const found = /^https?:\/\/([^/?#]+)([/?].*)?$/i.exec(url)
  if (found === null) throw new BadHead('The request line names no path.')
  const path = found[2] ?? '/'
  return { authority: found[1], path: path.startsWith('/') ? path : `/${path}` }
}

export const refuse = (response: ServerResponse, problem: Problem, accept: string | undefined, close: boolean): void => {
  const { type, body } = render(problem, accept)
  response.writeHead(problem.status, [...problemHeaders(problem, type, Buffer.byteLength(body)), ...(close ? ['connection', 'close'] : [])])
  response.end(body)
}

const handle = (door: Http1Door, request: IncomingMessage, response: ServerResponse): void => {
  try {
    const client = door.clientOf(request.socket)
    const { authority, path } = requestLine(request.url ?? '')
    const head = requestHead(request.rawHeaders, client, authority, 0)
    const found = door.route(head.host)
    if ('status' in found) return void refuse(response, found, request.headers.accept, head.length !== 0)
    new Http1Exchange(door.gate, found, client, head, path, request, response).begin()
  } catch (error) {
    if (!(error instanceof BadHead)) throw error
    refuse(response, badRequest(error.message), request.headers.accept, true)
  }
}

const clientErrors: Readonly<Record<string, string>> = {
  HPE_HEADER_OVERFLOW: '431 Request Header Fields Too Large',
  HPE_CHUNK_EXTENSIONS_OVERFLOW: '413 Content Too Large',
  ERR_HTTP_REQUEST_TIMEOUT: '408 Request Timeout',
}

export const createHttp1 = (door: Http1Door): Server => {
  const options: ServerOptions & { shouldUpgradeCallback: (request: IncomingMessage) => boolean } = {
    maxHeaderSize: door.limits.headBytes,
    headersTimeout: door.limits.head,
    requestTimeout: 0,
    keepAliveTimeout: door.limits.idle,
    connectionsCheckingInterval: 1_000,
    insecureHTTPParser: false,
    requireHostHeader: true,
    optimizeEmptyRequests: true,
    noDelay: true,
    keepAlive: true,
    keepAliveInitialDelay: 60_000,
    shouldUpgradeCallback: request => request.method === 'GET' && request.headers.upgrade?.toLowerCase() === 'websocket',
  }
  const server = createServer(options)
  const last = new WeakMap<Duplex, ServerResponse>()
  const take = (request: IncomingMessage, response: ServerResponse): void => {
    last.set(request.socket, response)
    handle(door, request, response)
  }
  for (const event of ['request', 'checkContinue', 'checkExpectation'] as const) server.on(event, take)
  server.on('upgrade', (request, socket, head) => door.upgrade(request, socket, head))
  server.on('connect', (_request, socket) =>
    socket.end(
      'HTTP/1.1 405 Method Not Allowed\r\nAllow: GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS\r\nConnection: close\r\nContent-Length: 0\r\n\r\n',
    ),
  )
  server.on('clientError', (error, socket) => {
    if (!socket.writable || socket.destroyed) return
    const code = 'code' in error && typeof error.code === 'string' ? error.code : ''
    const response = last.get(socket)
    // Within an answer, or after the last one, nothing can be said.
    const spoken = response?.headersSent === true && (!response.writableFinished || !response.shouldKeepAlive)
    if (spoken || code === 'ECONNRESET' || code === 'EPIPE') return void socket.end(() => socket.destroy())
    socket.end(`HTTP/1.1 ${clientErrors[code] ?? '400 Bad Request'}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`)
  })
  return server
}
