/**
 * A request and its answer, whatever the client and the instance speak. It stands between two sides:
 *
 *   client side (from-http1, from-http2)  begin, body, clientGone ──▶        ◀── answer, piece, end, abort
 *   instance side (to-http1, to-http2)    onHead, onPiece, onEnd, onFailure ──▶   ◀── send; pause, resume, abort
 *
 * It settles once: then its seat is free, and it has been counted.
 */
import type { Readable } from 'node:stream'
import { messageOf } from '../base/errors.ts'
import type { AccessEntry } from '../model/access.ts'
import { RequestBody } from './body.ts'
import type { Limits } from './gateway.ts'
import type { Client, RequestHead } from './head.ts'
import type { Problem } from './problem.ts'
import { badGateway, badRequest, clientTooSlow, inWords, problemHeaders, render, tooSlow } from './problem.ts'
import { BadAnswer } from './response-parser.ts'
import type { AccessLog } from './tally.ts'
import type { Seat, Target } from './target.ts'
import { Traffic } from './target.ts'

/** The instance side of one exchange. */
export interface Sending {
  /** Stop, and go on, giving pieces of the answer. */
  pause(): void
  resume(): void
  /** Nothing more is wanted; onFailure may be called still, and means nothing. */
  abort(): void
}

/** What exchanges share. */
export interface Gate {
  readonly limits: Limits
  readonly access: AccessLog
  /** performance.now() of the last tick: exact to 100 ms, and free. */
  readonly now: number
  /** Hands the request to the instance of `seat`. */
  send(exchange: Exchange, seat: Seat): Sending
}

const idempotent = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE'])
/** How often a request is sent again after an instance had it and broke the connection. */
const resends = 2
const defaultAnswer = 300_000

export abstract class Exchange extends Traffic {
  readonly gate: Gate
  readonly client: Client
  readonly protocol: AccessEntry['protocol']
  readonly method: string
  readonly path: string
  readonly head: RequestHead
  /** The client's stream, undefined when no body follows. */
  readonly source: Readable | undefined
  readonly time = Date.now()
  readonly #begun = performance.now()
  #state: 'asking' | 'sent' | 'answered' | 'settled' = 'asking'
  #sending: Sending | undefined
  #body: RequestBody | undefined
  #bodyTaken = false
  /** When the whole request was with the instance; 0: not yet. */
  #sentAt = 0
  #lastMove = 0
  #blocked = false
  #attempts = 0
  #instance: string | undefined
  #status = 0
  #bytesIn = 0
  #bytesOut = 0

  constructor(
    gate: Gate,
    target: Target,
    client: Client,
    protocol: AccessEntry['protocol'],
    method: string,
    path: string,
    head: RequestHead,
    source: Readable | undefined,
  ) {
    super(target)
    this.gate = gate
    this.client = client
    this.protocol = protocol
    this.method = method
    this.path = path
    this.head = head
    this.source = source
    target.counters.started++
    target.counters.unanswered++
  }

  /** The client's side: the head of the answer. `headers`: flat pairs, names in lower case. */
  protected abstract answer(status: number, headers: string[], bodyless: boolean): void
  /** False: no more until `onTaken`. */
  protected abstract piece(chunk: Buffer): boolean
  protected abstract end(trailers: string[]): void
  /** Breaks off, so that the client sees that the answer is not whole. */
  protected abstract abort(): void
  /** 100 Continue. */
  protected abstract continue(): void
  /** 1xx, of which there may be several before the answer. */
  protected abstract inform(status: number, headers: string[]): void
  /** A header of the request, for what the gateway answers itself. */
  protected abstract accept(): string | undefined
  /** Trailers of the request, once its body has ended: flat pairs, names in lower case. */
  abstract requestTrailers(): string[]
  /** It is over; what is left of the request's body is not wanted. */
  protected abstract settled(): void

  // From the client ------------------------------------------------------------------------------------------------------------------------------

  begin(): void {
    this.target.ask(this)
  }

  /** It takes pieces again. */
  onTaken(bytes?: number): void {
    if (this.#state === 'settled') return
    if (bytes !== undefined) {
      this.#bodyTaken = true
      this.#bytesIn += bytes
      this.target.counters.bytesIn += bytes
    } else if (this.#blocked) {
      this.#blocked = false
      this.#sending?.resume()
    }
    this.#lastMove = this.gate.now
  }

  onWanted(): void {
    this.#lastMove = this.gate.now
    if (this.head.expectsContinue) this.continue()
  }

  clientGone(): void {
    if (this.#state === 'settled') return
    this.#sending?.abort()
    this.#settle(this.#state === 'answered' ? this.#status : 499)
  }

  // From the instance ----------------------------------------------------------------------------------------------------------------------------

  /** A stream of the request's body for one attempt. */
  openBody(): RequestBody | undefined {
    if (this.source === undefined) return undefined
    this.#body = new RequestBody(this.source, this)
    return this.#body
  }

  get answered(): boolean {
    return this.#state === 'answered' || this.#state === 'settled'
  }

  /** The instance's protocol has no words for this request. */
  onUnsendable(error: Error): void {
    this.#refuse(badRequest(`The request cannot be passed on to ${this.target.spec.workload}: ${error.message}.`))
  }

  /** The connection is there: the instance gets the request now. */
  onConnected(): void {
    const { seat } = this
    if (seat === undefined) return
    this.#state = 'sent'
    if (!seat.proven || seat.doubtful) this.target.connected(seat)
  }

  onSent(): void {
    this.#sentAt = this.gate.now
  }

  onInform(status: number, headers: string[]): void {
    if (this.#state !== 'sent') return
    try {
      this.inform(status, headers)
    } catch {
      // The answer itself is still to come: what cannot be passed on of this is only information.
    }
  }

  /** False: nothing more is wanted. */
  onHead(status: number, headers: string[]): boolean {
    if (this.#state !== 'sent') return false
    try {
      this.answer(status, headers, this.method === 'HEAD' || status === 204 || status === 304)
    } catch (error) {
      // Nothing of it has been said: the client's protocol has no words for such a head.
      this.#sending?.abort()
      this.#refuse(badGateway(this.target.spec, `answered with a head that cannot be passed on: ${messageOf(error)}`))
      return false
    }
    this.#answering(status)
    return true
  }

  onPiece(chunk: Buffer): void {
    if (this.#state !== 'answered') return
    this.#bytesOut += chunk.length
    this.target.counters.bytesOut += chunk.length
    this.#lastMove = this.gate.now
    if (this.piece(chunk)) return
    this.#blocked = true
    this.#sending?.pause()
  }

  onEnd(trailers: string[]): void {
    if (this.#state !== 'answered') return
    this.end(trailers)
    this.#settle(this.#status)
  }

  onFailure(error: Error): void {
    if (this.#state === 'settled') return
    if (this.#state === 'answered') {
      this.abort()
      this.#settle(this.#status)
      return
    }
    const connected = this.#state === 'sent'
    const again = !connected || (this.#attempts <= resends && this.#repeatable() && !(error instanceof BadAnswer))
    if (!again || this.seat === undefined) return void this.#refuse(badGateway(this.target.spec, inWords(error)))
    this.#state = 'asking'
    this.#sentAt = 0
    this.#body?.destroy()
    this.#body = undefined
    this.#sending = undefined
    this.target.again(this, error, connected)
  }

  /** Nothing is done twice by asking again: the instance cannot have had all of it, or it may be done twice. */
  #repeatable(): boolean {
    return !this.#bodyTaken && (this.source !== undefined || idempotent.has(this.method))
  }

  // From the target ------------------------------------------------------------------------------------------------------------------------------

  override seated(seat: Seat): void {
    this.#instance = seat.endpoint.instance
    this.#lastMove = this.gate.now
    const attempt = ++this.#attempts
    const sending = this.gate.send(this, seat)
    // It may have failed within the call, and be sent elsewhere already.
    if (attempt === this.#attempts && this.seat === seat) this.#sending = sending
  }

  override turnedAway(problem: Problem): void {
    this.#refuse(problem)
  }

  override cut(): void {
    if (this.#state === 'settled') return
    this.#sending?.abort()
    if (this.#state === 'answered') {
      this.abort()
      this.#settle(this.#status)
    } else this.#refuse(badGateway(this.target.spec, 'was stopped before it answered'))
  }

  override check(now: number): void {
    const { limits } = this.gate
    const idle = now - this.#lastMove
    if (this.#blocked && idle > limits.stall) this.cut()
    else if (this.#body?.hungry === true && idle > limits.stall) {
      this.#sending?.abort()
      if (this.#state === 'answered') this.cut()
      else this.#refuse(clientTooSlow(limits.stall))
    } else if (this.#state === 'sent') {
      const answer = ('answer' in this.target.spec ? this.target.spec.answer : undefined) ?? defaultAnswer
      const since = this.#sentAt === 0 ? this.#lastMove : this.#sentAt
      if (now - since <= answer) return
      this.#sending?.abort()
      this.#refuse(tooSlow(this.target.spec, answer))
    }
  }

  #refuse(problem: Problem): void {
    if (this.#state === 'settled') return
    const { type, body } = render(problem, this.accept())
    const bytes = Buffer.from(body)
    this.#answering(problem.status)
    this.answer(problem.status, problemHeaders(problem, type, bytes.length), this.method === 'HEAD')
    if (this.method !== 'HEAD') {
      this.#bytesOut += bytes.length
      this.piece(bytes)
    }
    this.end([])
    this.#settle(problem.status)
  }

  #answering(status: number): void {
    this.#state = 'answered'
    this.#status = status
    this.target.counters.unanswered--
  }

  #settle(status: number): void {
    const { target, gate } = this
    if (this.#state !== 'answered') target.counters.unanswered--
    this.#state = 'settled'
    this.#body?.destroy()
    const duration = performance.now() - this.#begun
    target.counters.finish(status, duration)
    if (gate.access.hasRoom(target.spec.environment)) gate.access.add(this.#entry(status, duration))
    this.settled()
    target.done(this)
  }

  #entry(status: number, duration: number): AccessEntry {
    const { id, environment, workload } = this.target.spec
    const { time, protocol, method, path, head } = this
    const query = path.indexOf('?')
    const [bytesIn, bytesOut, instance] = [this.#bytesIn, this.#bytesOut, this.#instance]
    return {
      ...{ time, target: id, environment, workload, instance, client: this.client.address, protocol, method, host: head.host },
      path: (query === -1 ? path : path.slice(0, query)).slice(0, 2_048),
      ...{ status, bytesIn, bytesOut, duration },
    }
  }
}
