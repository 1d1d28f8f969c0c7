/**
 * To an instance that speaks HTTP/1.1, over connections that are kept: one request at a time on each. A client of our own, because it was
 * measured: a bare proxy over undici cost 1.6 times the processor time a request of one like this, one over Node's http.Agent 2.1 times; and undici
 * keeps a request's head back until the first byte of its body, and drops its trailers.
 */
import type { Socket } from 'node:net'
import { connect } from 'node:net'
import type { RequestBody } from './body.ts'
import type { Exchange, Sending } from './exchange.ts'
import type { Limits } from './gateway.ts'
import { rawResponseHead, trailerFields } from './head.ts'
import { BadAnswer, ResponseParser } from './response-parser.ts'
import type { Seat } from './target.ts'

/** ms that an idle connection is kept when the instance does not say: shorter than what servers commonly do (5 s), so that no request meets a connection that is just being closed. */
const keepIdle = 4_000
const keepIdleAtMost = 60_000
/** An instance that says how long it keeps a connection counts from another moment than we do. */
const keepMargin = 1_000
const lookEvery = 1_000

const harmless = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE'])

const failure = (code: string, message: string): Error => Object.assign(new Error(message), { code })

class Connection implements Sending {
  readonly #links: Links
  readonly #socket: Socket
  readonly #parser = new ResponseParser(this)
  #exchange: Exchange | undefined
  #body: RequestBody | undefined
  /** The request is with the kernel, all of it. */
  #sent = false
  #connected = false
  #error: Error | undefined
  /** performance.now() until which it may be used again. */
  idleUntil = 0

  constructor(links: Links, seat: Seat, limits: Limits) {
    this.#links = links
    const { host, port } = seat.endpoint
    const socket = connect({ host, port, noDelay: true, keepAlive: true, keepAliveInitialDelay: 60_000 })
    this.#socket = socket
    socket.setTimeout(limits.connect, () => socket.destroy(failure('ETIMEDOUT', 'no connection in time')))
    socket.once('connect', () => {
      socket.setTimeout(0)
      this.#connected = true
      this.#write()
    })
    socket.on('data', (chunk: Buffer) => this.#hear(chunk))
    socket.on('drain', () => this.#body?.resume())
    socket.on('end', () => this.#ended())
    socket.on('error', error => {
      this.#error = error
    })
    socket.on('close', () => this.#closed())
  }

  get usable(): boolean {
    return this.#exchange === undefined && !this.#socket.destroyed && this.#socket.readable && this.#socket.writable
  }

  send(exchange: Exchange): void {
    this.#exchange = exchange
    this.#sent = false
    if (!this.#connected) return
    // A close by the instance may have come already and be seen in this turn of the loop only: what cannot be asked twice waits for it.
    if (harmless.has(exchange.method) && exchange.source === undefined) this.#write()
    else setImmediate(() => this.#write())
  }

  close(): void {
    this.#socket.destroy()
  }

  // Sending --------------------------------------------------------------------------------------------------------------------------------------

  pause(): void {
    this.#socket.pause()
  }

  resume(): void {
    this.#socket.resume()
  }

  abort(): void {
    this.#exchange = undefined
    this.#socket.destroy()
  }

  // AnswerEvents ---------------------------------------------------------------------------------------------------------------------------------

  onInform(status: number, headers: string[]): void {
    if (status !== 100) this.#exchange?.onInform(status, rawResponseHead(headers))
  }

  onHead(status: number, headers: string[]): void {
    this.#exchange?.onHead(status, rawResponseHead(headers))
  }

  onPiece(chunk: Buffer): void {
    this.#exchange?.onPiece(chunk)
  }

  onEnd(trailers: string[]): void {
    const exchange = this.#exchange
    this.#exchange = undefined
    this.#body = undefined
    // An answer before the whole request: what is still to come of it would be taken for another.
    if (this.#parser.keepAlive && this.#sent && !this.#socket.destroyed) {
      this.#socket.resume()
      this.#links.free(this, this.#parser.keepFor)
    } else this.#socket.destroySoon()
    exchange?.onEnd(trailers.length === 0 ? trailers : trailerFields(trailers))
  }

  // The socket -----------------------------------------------------------------------------------------------------------------------------------

  #write(): void {
    const exchange = this.#exchange
    if (exchange === undefined || this.#socket.destroyed) return
    this.#parser.begin(exchange.method)
    exchange.onConnected()
    const { headers, length } = exchange.head
    let text = `${exchange.method} ${exchange.path} HTTP/1.1\r\n`
    for (let at = 0; at < headers.length; at += 2) text += `${headers[at]}: ${headers[at + 1]}\r\n`
    const body = exchange.openBody()
    // Of a length that is known, Content-Length is among the headers.
    const chunked = body !== undefined && length === undefined
    this.#socket.write(chunked ? `${text}transfer-encoding: chunked\r\n\r\n` : `${text}\r\n`, 'latin1')
    if (body === undefined) this.#allSent()
    else this.#writeBody(exchange, body, chunked)
  }

  #writeBody(exchange: Exchange, body: RequestBody, chunked: boolean): void {
    const socket = this.#socket
    this.#body = body
    body.on('data', (chunk: Buffer) => {
      if (!chunked) {
        if (!socket.write(chunk)) body.pause()
        return
      }
      socket.cork()
      socket.write(`${chunk.length.toString(16)}\r\n`, 'latin1')
      socket.write(chunk)
      const more = socket.write('\r\n', 'latin1')
      socket.uncork()
      if (!more) body.pause()
    })
    body.on('end', () => {
      if (this.#exchange !== exchange) return
      if (chunked) {
        let trailers = ''
        const given = exchange.requestTrailers()
        for (let at = 0; at < given.length; at += 2) trailers += `${given[at]}: ${given[at + 1]}\r\n`
        socket.write(`0\r\n${trailers}\r\n`, 'latin1')
      }
      this.#allSent()
    })
  }

  #allSent(): void {
    this.#sent = true
    this.#exchange?.onSent()
  }

  #hear(chunk: Buffer): void {
    try {
      this.#parser.feed(chunk)
    } catch (error) {
      this.#socket.destroy(error instanceof Error ? error : undefined)
    }
  }

  #ended(): void {
    try {
      this.#parser.finish()
    } catch (error) {
      this.#error ??= this.#parser.begun && error instanceof BadAnswer ? error : failure('ECONNRESET', 'the connection was closed')
      this.#socket.destroy()
    }
  }

  #closed(): void {
    this.#links.forget(this)
    const exchange = this.#exchange
    this.#exchange = undefined
    if (exchange === undefined) return
    exchange.onFailure(this.#error ?? failure('ECONNRESET', 'the connection was closed'))
  }
}

class Links implements Disposable {
  readonly #seat: Seat
  readonly #limits: Limits
  /** The one used last is used first: the others grow old and go. */
  readonly #idle: Connection[] = []
  #timer: NodeJS.Timeout | undefined
  #closed = false

  constructor(seat: Seat, limits: Limits) {
    this.#seat = seat
    this.#limits = limits
  }

  take(): Connection {
    for (let found = this.#idle.pop(); found !== undefined; found = this.#idle.pop()) if (found.usable) return found
    return new Connection(this, this.#seat, this.#limits)
  }

  free(connection: Connection, keepFor: number | undefined): void {
    const keep = keepFor === undefined ? keepIdle : Math.min(keepFor - keepMargin, keepIdleAtMost)
    if (this.#closed || keep <= 0) return void connection.close()
    connection.idleUntil = performance.now() + keep
    this.#idle.push(connection)
    if (this.#timer !== undefined) return
    this.#timer = setInterval(() => this.#look(), lookEvery)
    this.#timer.unref()
  }

  forget(connection: Connection): void {
    const at = this.#idle.indexOf(connection)
    if (at !== -1) this.#idle.splice(at, 1)
  }

  [Symbol.dispose](): void {
    this.#closed = true
    clearInterval(this.#timer)
    for (const connection of this.#idle.splice(0)) connection.close()
  }

  #look(): void {
    const now = performance.now()
    for (const connection of this.#idle.filter(({ idleUntil }) => idleUntil <= now)) connection.close()
    if (this.#idle.length > 0) return
    clearInterval(this.#timer)
    this.#timer = undefined
  }
}

export const sendHttp1 = (exchange: Exchange, seat: Seat, limits: Limits): Sending => {
  const links = seat.links instanceof Links ? seat.links : new Links(seat, limits)
  seat.links = links
  const connection = links.take()
  connection.send(exchange)
  return connection
}
