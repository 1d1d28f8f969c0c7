/** To an instance that speaks HTTP/2 in the clear (h2c with prior knowledge): one connection, many streams, trailers both ways. */
import type { ClientHttp2Session, ClientHttp2Stream, Http2Stream } from 'node:http2'
import { connect, constants } from 'node:http2'
import type { Exchange, Sending } from './exchange.ts'
import type { Limits } from './gateway.ts'
import { rawResponseHead, trailerFields } from './head.ts'
import type { Seat } from './target.ts'

const windowBytes = 1024 * 1024

class Link implements Disposable {
  readonly #url: string
  readonly #limits: Limits
  #session: ClientHttp2Session | undefined

  constructor(seat: Seat, limits: Limits) {
    const { host, port } = seat.endpoint
    this.#url = `http://${host.includes(':') ? `[${host}]` : host}:${port}`
    this.#limits = limits
  }

  session(): ClientHttp2Session {
    if (this.#session !== undefined && !this.#session.destroyed && !this.#session.closed) return this.#session
    const session = connect(this.#url, { settings: { enablePush: false, initialWindowSize: windowBytes }, maxHeaderListPairs: 256 })
    this.#session = session
    const timer = setTimeout(() => session.destroy(Object.assign(new Error('no connection in time'), { code: 'ETIMEDOUT' })), this.#limits.connect)
    session.once('remoteSettings', () => clearTimeout(timer))
    session.once('close', () => clearTimeout(timer))
    session.on('connect', () => session.setLocalWindowSize(windowBytes))
    // Each stream is told of it too.
    session.on('error', () => {})
    // No more streams on this connection: the next request opens another.
    session.on('goaway', () => {
      if (this.#session === session) this.#session = undefined
    })
    return session
  }

  [Symbol.dispose](): void {
    this.#session?.destroy()
  }
}

class Call implements Sending {
  readonly #exchange: Exchange
  #stream: ClientHttp2Stream | undefined
  #over = false
  #trailers: string[] = []

  constructor(exchange: Exchange) {
    this.#exchange = exchange
  }

  start(session: ClientHttp2Session): void {
    const { method, path, head, client, source } = this.#exchange
    const headers = [':method', method, ':path', path, ':scheme', client.secure ? 'https' : 'http', ':authority', head.host]
    for (let at = 0; at < head.headers.length; at += 2) {
      const name = (head.headers[at] ?? '').toLowerCase()
      if (name !== 'host') headers.push(name, head.headers[at + 1] ?? '')
    }
    headers.push('te', 'trailers')
    const stream = session.request(headers, { endStream: source === undefined, waitForTrailers: source !== undefined })
    this.#stream = stream
    stream.on('ready', this.#onReady)
    if (!stream.pending) queueMicrotask(this.#onReady)
    stream.on('headers', (_headers, _flags, raw: string[]) => this.#inform(raw))
    stream.on('response', (_headers, _flags, raw: string[]) => this.#answer(raw))
    stream.on('trailers', (_headers, _flags, raw: string[]) => {
      this.#trailers = trailerFields(raw)
    })
    stream.on('data', (chunk: Buffer) => {
      if (!this.#over) this.#exchange.onPiece(chunk)
    })
    stream.on('end', this.#onEnd)
    stream.on('error', this.#onError)
    stream.on('close', this.#onClose)
  }

  #connected = false
  readonly #onReady = (): void => {
    if (this.#connected || this.#over || this.#stream === undefined) return
    this.#connected = true
    this.#exchange.onConnected()
    const stream = this.#stream
    const body = this.#exchange.openBody()
    if (body === undefined) return void this.#exchange.onSent()
    stream.on('wantTrailers', () => {
      this.#exchange.onSent()
      endWith(stream, this.#exchange.requestTrailers())
    })
    body.on('error', () => stream.close(constants.NGHTTP2_CANCEL))
    body.pipe(stream)
  }

  #inform(raw: string[]): void {
    const status = Number(raw[raw.indexOf(':status') + 1])
    if (!this.#over && status > 100) this.#exchange.onInform(status, rawResponseHead(raw))
  }

  #answer(raw: string[]): void {
    const status = Number(raw[raw.indexOf(':status') + 1])
    if (!this.#over && !this.#exchange.onHead(status, rawResponseHead(raw))) this.abort()
  }

  readonly #onEnd = (): void => {
    // A stream that was reset ends too.
    if (this.#over || !this.#exchange.answered || (this.#stream?.rstCode ?? 0) !== 0) return
    this.#over = true
    this.#exchange.onEnd(this.#trailers)
    if (this.#stream?.closed === false) this.#stream.close(constants.NGHTTP2_NO_ERROR)
  }

  readonly #onError = (error: Error): void => {
    if (this.#over) return
    this.#over = true
    this.#exchange.onFailure(error)
  }

  readonly #onClose = (): void => {
    this.#onError(Object.assign(new Error('the stream was closed'), { code: 'ERR_HTTP2_STREAM_ERROR' }))
  }

  pause(): void {
    this.#stream?.pause()
  }

  resume(): void {
    this.#stream?.resume()
  }

  abort(): void {
    this.#over = true
    this.#stream?.close(constants.NGHTTP2_CANCEL)
  }
}

/** Trailers that cannot be said in HTTP/2 are left out, as any may be (RFC 9110, 6.5.1). */
export const endWith = (stream: Http2Stream, trailers: readonly string[]): void => {
  try {
    stream.sendTrailers(asObject(trailers))
  } catch {
    if (!stream.destroyed && !stream.closed) stream.sendTrailers({})
  }
}

export const asObject = (pairs: readonly string[]): Record<string, string | string[]> => {
  const object: Record<string, string | string[]> = {}
  for (let at = 0; at < pairs.length; at += 2) {
    const [name = '', value = ''] = [pairs[at], pairs[at + 1]]
    const before = object[name]
    object[name] = before === undefined ? value : [before, value].flat()
  }
  return object
}

export const sendHttp2 = (exchange: Exchange, seat: Seat, limits: Limits): Sending => {
  seat.links ??= new Link(seat, limits)
  const call = new Call(exchange)
  try {
    if (seat.links instanceof Link) call.start(seat.links.session())
  } catch (error) {
    const failure = error instanceof Error ? error : new Error(String(error))
    queueMicrotask(() => exchange.onUnsendable(failure))
  }
  return call
}
