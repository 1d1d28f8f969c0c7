/**
 * The body of a request on its way to an instance. The client's stream is not handed on itself: what fails on the instance's side would destroy it,
 * and with it the connection that the client is to be told on. Nothing is read before the instance takes it.
 */
import { Readable } from 'node:stream'

export interface BodyEvents {
  /** The instance wants the first byte. */
  onWanted(): void
  /** A piece has been taken from the client. */
  onTaken(bytes: number): void
}

export class RequestBody extends Readable {
  readonly #source: Readable
  readonly #events: BodyEvents
  #attached = false
  /** The instance wants more than the client has sent. */
  hungry = false

  constructor(source: Readable, events: BodyEvents) {
    super({ highWaterMark: 64 * 1024 })
    this.#source = source
    this.#events = events
  }

  override _read(): void {
    this.hungry = true
    if (!this.#attached) {
      this.#attached = true
      this.#events.onWanted()
      if (this.#source.readableEnded) return void this.push(null)
      this.#source.on('data', this.#onData).on('end', this.#onEnd)
    }
    this.#source.resume()
  }

  /** The client is left with what it has not sent yet: it can be told, and asked by another. */
  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.hungry = false
    this.#source.off('data', this.#onData).off('end', this.#onEnd)
    if (this.#attached) this.#source.pause()
    done(error)
  }

  readonly #onData = (chunk: Buffer): void => {
    this.hungry = false
    this.#events.onTaken(chunk.length)
    if (!this.push(chunk)) this.#source.pause()
  }

  readonly #onEnd = (): void => {
    this.hungry = false
    this.push(null)
  }
}
