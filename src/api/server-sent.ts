/** Server-sent events. */

export interface ServerSent {
  /** What a client that comes back says in `Last-Event-ID`. */
  readonly id: string
  readonly event: string
  readonly data: object
}

/** Nothing has happened, and the connection lives: without it a proxy ends it, and nobody notices a client that is gone. */
export const beat = Symbol('beat')
/** ms */
export const beatEvery = 15_000

/** `items`, and a beat whenever none has come for `every` ms. Asks for an item only once the one before is taken: a reader that stalls keeps nothing. */
export async function* withBeats<T>(items: AsyncIterable<T>, every: number): AsyncGenerator<T | typeof beat> {
  const iterator = items[Symbol.asyncIterator]()
  let pending: Promise<IteratorResult<T>> | undefined
  try {
    for (;;) {
      pending ??= iterator.next()
      const { promise: quiet, resolve } = Promise.withResolvers<typeof beat>()
      const timer = setTimeout(resolve, every, beat)
      const came = await Promise.race([pending, quiet]).finally(() => clearTimeout(timer))
      if (came === beat) {
        yield beat
        continue
      }
      pending = undefined
      if (came.done === true) return
      yield came.value
    }
  } finally {
    // A generator that waits for its next item hears of this only then: its own signal has to end it.
    pending?.catch(() => {})
    void iterator.return?.()?.catch(() => {})
  }
}
