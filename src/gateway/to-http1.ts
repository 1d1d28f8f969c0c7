/** To an instance that speaks HTTP/1.1, over connections that are kept: one request at a time on each. */
import type { Dispatcher } from 'undici'
import { errors, Pool } from 'undici'
import type { Exchange, Sending } from './exchange.ts'
import type { Limits } from './gateway.ts'
import { responseHead } from './head.ts'
import type { Seat } from './target.ts'

/** ms that an idle connection is kept when the instance does not say how long it would keep it: shorter than what servers commonly do (5 s), so that no request meets a connection that is just being closed. */
const keepIdle = 4_000

/** What an instance may say in a head, bytes. */
const responseHeadBytes = 64 * 1024

class Links implements Disposable {
  readonly pool: Pool

  constructor(seat: Seat, limits: Limits) {
    const { host, port } = seat.endpoint
    this.pool = new Pool(`http://${host.includes(':') ? `[${host}]` : host}:${port}`, {
      allowH2: false,
      pipelining: 1,
      connectTimeout: limits.connect,
      // Its clocks are the exchange's.
      headersTimeout: 0,
      bodyTimeout: 0,
      keepAliveTimeout: keepIdle,
      keepAliveMaxTimeout: 60_000,
      maxHeaderSize: responseHeadBytes,
    })
  }

  [Symbol.dispose](): void {
    this.pool.destroy().catch(() => {})
  }
}

const aborted = new errors.RequestAbortedError('the request was given up')

class Call implements Dispatcher.DispatchHandler, Sending {
  readonly #exchange: Exchange
  #controller: Dispatcher.DispatchController | undefined
  #over = false

  constructor(exchange: Exchange) {
    this.#exchange = exchange
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller
    if (this.#over) controller.abort(aborted)
    else this.#exchange.onConnected()
  }

  onRequestSent(): void {
    if (!this.#over) this.#exchange.onSent()
  }

  onResponseStart(controller: Dispatcher.DispatchController, status: number, headers: Record<string, string | string[] | undefined>): void {
    if (this.#over) return
    const passed = responseHead(headers)
    if (status < 200) this.#exchange.onInform(status, passed)
    else if (!this.#exchange.onHead(status, passed)) controller.abort(aborted)
  }

  onResponseData(_: Dispatcher.DispatchController, chunk: Buffer): void {
    if (!this.#over) this.#exchange.onPiece(chunk)
  }

  onResponseEnd(_: Dispatcher.DispatchController, trailers: Record<string, string | string[] | undefined> | null): void {
    if (this.#over) return
    this.#over = true
    this.#exchange.onEnd(trailers === null ? [] : responseHead(trailers))
  }

  onResponseError(_: Dispatcher.DispatchController | undefined, error: Error): void {
    if (this.#over) return
    this.#over = true
    this.#exchange.onFailure(error)
  }

  pause(): void {
    this.#controller?.pause()
  }

  resume(): void {
    this.#controller?.resume()
  }

  abort(): void {
    this.#over = true
    this.#controller?.abort(aborted)
  }
}

export const sendHttp1 = (exchange: Exchange, seat: Seat, limits: Limits): Sending => {
  seat.links ??= new Links(seat, limits)
  const call = new Call(exchange)
  const { method, path, head } = exchange
  const body = exchange.openBody()
  try {
    // A HEAD's connection is kept like any other: `reset` is undici's caution about servers that answer it with a body.
    const options =
      method === 'HEAD'
        ? { method, path, headers: head.headers, body: body ?? null, reset: false }
        : { method, path, headers: head.headers, body: body ?? null }
    if (seat.links instanceof Links) seat.links.pool.dispatch(options, call)
  } catch (error) {
    call.onResponseError(undefined, error instanceof Error ? error : new Error(String(error)))
  }
  return call
}
