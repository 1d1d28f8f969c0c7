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
  /** Must not reject: the stock forgets what it hands to it. */
  readonly dispose: (item: T) => Promise<void>
  /** Resolves when the thing is of no more use to anybody: if it is ready then, it is disposed of and another takes its place. */
  readonly spoiled: (item: T) => Promise<unknown>
  /** How many should be ready now. */
  readonly wanted: () => number
  /** Milliseconds of quiet after a take before making starts. */
  readonly quiet: number
  /** A making that failed. The next try comes with the next `adjust` or take. */
  readonly failed: (error: unknown) => void
}

/** ms at most before what has spoiled is made again: the pause doubles from one to the next until one is taken. */
const longestPause = 5000

export const createStock = <T>(options: StockOptions<T>): Stock<T> => {
  const ready: T[] = []
  const stop = new AbortController()
  let working: Promise<void> | undefined
  const disposals = new Set<Promise<void>>()
  let timer: NodeJS.Timeout | undefined
  let lastTake = Number.NEGATIVE_INFINITY
  let spoils = 0

  const dispose = async (item: T): Promise<void> => {
    const disposal = options.dispose(item)
    disposals.add(disposal)
    await disposal.finally(() => disposals.delete(disposal))
  }

  const discard = (item: T): void => {
    const at = ready.indexOf(item)
    if (at < 0) return
    ready.splice(at, 1)
    void dispose(item)
    spoils += 1
    schedule(Math.min(options.quiet * 2 ** spoils, longestPause))
  }

  const work = async (): Promise<void> => {
    while (!stop.signal.aborted) {
      const wanted = options.wanted()
      if (ready.length < wanted) {
        if (performance.now() - lastTake < options.quiet) return schedule(options.quiet)
        const item = await options.make(stop.signal)
        ready.push(item)
        void options.spoiled(item).then(() => discard(item))
      } else if (ready.length > wanted) {
        const surplus = ready.shift()
        if (surplus !== undefined) await dispose(surplus)
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

  const schedule = (pause: number): void => {
    if (stop.signal.aborted) return
    clearTimeout(timer)
    timer = setTimeout(begin, pause)
    timer.unref()
  }

  return {
    take: () => {
      lastTake = performance.now()
      const item = ready.shift()
      if (item !== undefined) spoils = 0
      schedule(options.quiet)
      return item
    },
    get size() {
      return ready.length
    },
    adjust: begin,
    settled: async () => {
      while (working !== undefined || disposals.size > 0) await Promise.all([working, ...disposals])
    },
    close: async () => {
      stop.abort()
      clearTimeout(timer)
      await working
      await Promise.all([...disposals, ...ready.splice(0).map(dispose)])
    },
  }
}
