/**
 * WebSockets: from HTTP/1.1 by Upgrade, from HTTP/2 by an extended CONNECT (RFC 8441), to the instance always by HTTP/1.1 on a connection of its own.
 * The opening is a request like any other; an instance that declines it answers as it likes.
 */
import { randomBytes } from 'node:crypto'
import type { ClientRequest, IncomingMessage } from 'node:http'
import { request } from 'node:http'
import type { ServerHttp2Stream } from 'node:http2'
import type { Duplex } from 'node:stream'
import type { AccessEntry } from '../model/access.ts'
import type { Gate } from './exchange.ts'
import type { Client, RequestHead } from './head.ts'
import { responseHead } from './head.ts'
import type { Problem } from './problem.ts'
import { badGateway, inWords, problemHeaders, render, tooSlow } from './problem.ts'
import { relay } from './relay.ts'
import { Stream } from './stream.ts'
import type { Seat, Target } from './target.ts'

/** The client, whatever it speaks. */
export interface Opening {
  readonly duplex: Duplex
  readonly client: Client
  readonly protocol: AccessEntry['protocol']
  readonly path: string
  readonly head: RequestHead
  readonly accept: string | undefined
  /** The socket is open. Headers: flat pairs, names in lower case. */
  opened(headers: string[]): void
  /** It is not; the body follows on the duplex. */
  declined(status: number, headers: string[]): void
}

const defaultAnswer = 300_000

class WebSocketTraffic extends Stream {
  readonly #opening: Opening
  #state: 'asking' | 'opening' | 'open' | 'over' = 'asking'
  #request: ClientRequest | undefined
  #socket: Duplex | undefined
  #status = 0

  constructor(gate: Gate, target: Target, opening: Opening) {
    super(gate, target)
    this.#opening = opening
    opening.duplex.on('error', () => opening.duplex.destroy())
    opening.duplex.on('close', () => {
      if (this.#state !== 'asking' && this.#state !== 'opening') return
      this.#request?.destroy()
      this.#settle(499)
    })
  }

  override seated(seat: Seat): void {
    this.with(seat)
    const { path, head, protocol } = this.#opening
    const { host, port } = seat.endpoint
    const headers = [...head.headers, 'connection', 'Upgrade', 'upgrade', 'websocket']
    if (protocol === 'HTTP/2') headers.push('sec-websocket-key', randomBytes(16).toString('base64'))
    const sent = request({ host, port, path, method: 'GET', headers, agent: false, timeout: 0 })
    this.#request = sent
    this.#state = 'opening'
    let connected = false
    sent.on('socket', socket => {
      socket.once('connect', () => {
        connected = true
        this.target.connected(seat)
      })
    })
    sent.on('upgrade', (response, socket, first) => this.#open(response, socket, first))
    sent.on('response', response => this.#decline(response))
    sent.on('error', error => {
      if (this.#request !== sent || this.#state !== 'opening') return
      this.#state = 'asking'
      if (connected) this.#refuse(badGateway(this.target.spec, inWords(error)))
      else this.target.again(this, error, false)
    })
    sent.end()
  }

  override turnedAway(problem: Problem): void {
    this.#refuse(problem)
  }

  override cut(): void {
    this.#request?.destroy()
    this.#socket?.destroy()
    if (this.#state === 'opening' || this.#state === 'asking') this.#refuse(badGateway(this.target.spec, 'was stopped before it answered'))
    else this.#opening.duplex.destroy()
  }

  override check(now: number): void {
    const idle = now - this.lastMove
    if (this.#state === 'opening') {
      const answer = ('answer' in this.target.spec ? this.target.spec.answer : undefined) ?? defaultAnswer
      if (idle <= answer) return
      this.#request?.destroy()
      this.#refuse(tooSlow(this.target.spec, answer))
    } else if (this.#opening.duplex.writableNeedDrain && idle > this.gate.limits.stall) this.cut()
  }

  override over(): void {
    this.#settle(this.#status)
  }

  #open(response: IncomingMessage, socket: Duplex, first: Buffer): void {
    if (this.#state !== 'opening') return void socket.destroy()
    this.#opened(101)
    this.#opening.opened(responseHead(response.headersDistinct))
    this.#join(socket, first)
  }

  #decline(response: IncomingMessage): void {
    const status = response.statusCode ?? 502
    this.#opened(status)
    this.#opening.declined(status, responseHead(response.headersDistinct))
    // A body has one direction only: what the client sends now goes nowhere.
    const { duplex } = this.#opening
    duplex.resume()
    response.on('data', (chunk: Buffer) => {
      this.moved(chunk.length, false)
      if (!duplex.write(chunk)) response.pause()
    })
    duplex.on('drain', () => response.resume())
    response.on('end', () => duplex.end(() => duplex.destroy()))
    response.on('close', () => {
      if (!response.complete) duplex.destroy()
    })
    duplex.on('close', () => {
      response.destroy()
      this.over()
    })
  }

  #join(socket: Duplex, first: Buffer): void {
    this.#socket = socket
    if (first.length > 0) socket.unshift(first)
    relay(this.#opening.duplex, socket, this)
  }

  #refuse(problem: Problem): void {
    if (this.#state === 'over' || this.#state === 'open') return
    const { duplex, accept } = this.#opening
    const { type, body } = render(problem, accept)
    this.#opened(problem.status)
    this.#opening.declined(problem.status, problemHeaders(problem, type, Buffer.byteLength(body)))
    duplex.resume()
    duplex.end(body, () => duplex.destroy())
    this.#settle(problem.status)
  }

  #opened(status: number): void {
    this.#state = 'open'
    this.#status = status
    this.answered()
  }

  #settle(status: number): void {
    this.#state = 'over'
    const { client, protocol, path, head } = this.#opening
    const shown = path.split('?', 1)[0]?.slice(0, 2_048) ?? ''
    this.settle(status, { client: client.address, protocol, method: 'GET', host: head.host, path: shown })
  }
}

export const openWebSocket = (gate: Gate, target: Target, opening: Opening): void => target.ask(new WebSocketTraffic(gate, target, opening))

const headText = (line: string, headers: readonly string[]): string => {
  let text = `HTTP/1.1 ${line}\r\n`
  for (let at = 0; at < headers.length; at += 2) text += `${headers[at]}: ${headers[at + 1]}\r\n`
  return `${text}\r\n`
}

/** A client of HTTP/1.1, whose connection it takes over. */
export const http1Opening = (incoming: IncomingMessage, duplex: Duplex, client: Client, head: RequestHead, path: string): Opening => ({
  ...{ duplex, client, head, path, protocol: 'HTTP/1.1', accept: incoming.headers.accept },
  opened: headers => void duplex.write(headText('101 Switching Protocols', ['connection', 'Upgrade', 'upgrade', 'websocket', ...headers]), 'latin1'),
  declined: (status, headers) => void duplex.write(headText(`${status} Declined`, ['connection', 'close', ...headers]), 'latin1'),
})

/** A stream of HTTP/2, which stays what it is. */
export const http2Opening = (stream: ServerHttp2Stream, accept: string | undefined, client: Client, head: RequestHead, path: string): Opening => {
  const respond = (status: number, headers: readonly string[]): void => {
    if (!stream.destroyed && !stream.closed) stream.respond([':status', String(status), ...headers])
  }
  return {
    ...{ duplex: stream, client, head, path, protocol: 'HTTP/2', accept },
    opened: headers => {
      // Meant for the handshake of HTTP/1.1 alone.
      const at = headers.indexOf('sec-websocket-accept')
      respond(200, at === -1 ? headers : headers.toSpliced(at, 2))
    },
    declined: respond,
  }
}
