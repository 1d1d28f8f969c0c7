/**
 * Keeps a number of things ready that take a while to make. They are made one after another, and not while anything is being taken: a burst
 * gets the machine first, the stock is filled up afterwards.
 */
export interface Stock<T> {
  /** The oldest ready one, or undefined; never waits. */
  take(): T | undefined
  readonly size: number
  /** Looks at `wanted` again: makes what is missing, disposes of what is too many. */
  adjust(): void
  /** Resolves when nothing is being made or disposed of. */
  settled(): Promise<void>
  /** Disposes of all of them; from now on nothing is ready. */
  close(): Promise<void>
}

export interface StockOptions<T> {
  readonly make: (signal: AbortSignal) => Promise<T>
  readonly dispose: (item: T) => Promise<void>
  /** How many should be ready now. */
  readonly wanted: () => number
  /** Milliseconds of quiet after a take before making starts. */
  readonly quiet: number
  /** A making that failed. The next try comes with the next `adjust` or take. */
  readonly failed: (error: unknown) => void
}

export const createStock = <T>(options: StockOptions<T>): Stock<T> => {
  const ready: T[] = []
  const stop = new AbortController()
  let working: Promise<void> | undefined
  let timer: NodeJS.Timeout | undefined
  let lastTake = Number.NEGATIVE_INFINITY

  const work = async (): Promise<void> => {
    while (!stop.signal.aborted) {
      const wanted = options.wanted()
      if (ready.length < wanted) {
        if (performance.now() - lastTake < options.quiet) return schedule()
        ready.push(await options.make(stop.signal))
      } else if (ready.length > wanted) {
        const surplus = ready.shift()
        if (surplus !== undefined) await options.dispose(surplus)
      } else return
    }
  }

  const begin = (): void => {
    if (working !== undefined || stop.signal.aborted) return
    working = work()
      .catch(error => {
        if (!stop.signal.aborted) options.failed(error)
      })
      .finally(() => {
        working = undefined
      })
  }

  const schedule = (): void => {
    if (stop.signal.aborted) return
    clearTimeout(timer)
    timer = setTimeout(begin, options.quiet)
    timer.unref()
  }

  return {
    take: () => {
      lastTake = performance.now()
      const item = ready.shift()
      schedule()
      return item
    },
    get size() {
      return ready.length
    },
    adjust: begin,
    settled: async () => {
      while (working !== undefined) await working
    },
    close: async () => {
      stop.abort()
      clearTimeout(timer)
      await working
      await Promise.all(ready.splice(0).map(options.dispose))
    },
  }
}
