export interface Channel<T> extends AsyncIterable<T> {
  push(value: T): void
  end(): void
}

/** What one side pushes the other iterates over, once, in order; what was pushed before the iteration begins is kept. */
export const createChannel = <T>(): Channel<T> => {
  const values: T[] = []
  let over = false
  let wake = (): void => {}
  return {
    push: value => {
      values.push(value)
      wake()
    },
    end: () => {
      over = true
      wake()
    },
    async *[Symbol.asyncIterator]() {
      for (;;) {
        while (values.length > 0) yield* values.splice(0)
        if (over) return
        await new Promise<void>(resolve => {
          wake = resolve
        })
      }
    },
  }
}
