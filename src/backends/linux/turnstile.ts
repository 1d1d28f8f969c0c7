import { abortError, onAbort } from '../../base/abort.ts'

/**
 * Lets at most `limit` through at a time, in order of arrival. What it returns is held while inside, with `using`. Rejects when the signal aborts while
 * it waits.
 */
export const limitConcurrency = (limit: number): ((signal: AbortSignal) => Promise<Disposable>) => {
  const waiting = new Set<() => void>()
  let inside = 0
  const leave = (): void => {
    const [next] = waiting
    if (next === undefined) inside -= 1
    else {
      waiting.delete(next)
      next()
    }
  }
  return async signal => {
    if (inside < limit) inside += 1
    else {
      const { promise, resolve, reject } = Promise.withResolvers<void>()
      waiting.add(resolve)
      using _giveUp = onAbort(signal, () => {
        if (waiting.delete(resolve)) reject(abortError(signal))
      })
      await promise
    }
    return { [Symbol.dispose]: leave }
  }
}
