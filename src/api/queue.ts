/** From calls to an async iterable. It grows with what is pushed: for short bursts of small things only. */
export interface Queue<T> {
  push(item: T): void
  end(): void
  readonly items: AsyncIterable<T>
}

export const createQueue = <T>(): Queue<T> => {
  const waiting: T[] = []
  let ended = false
  let wake = (): void => {}

  const items = async function* (): AsyncGenerator<T> {
    for (;;) {
      const pushed = new Promise<void>(resolve => {
        wake = resolve
      })
      yield* waiting.splice(0)
      if (waiting.length > 0) continue
      if (ended) return
      await pushed
    }
  }

  return {
    push: item => {
      waiting.push(item)
      wake()
    },
    end: () => {
      ended = true
      wake()
    },
    items: items(),
  }
}
