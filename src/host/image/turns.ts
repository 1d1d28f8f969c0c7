import { abortable } from '../../base/abort.ts'
import { disposable } from '../../base/dispose.ts'

export interface Turns {
  /** Waits until nobody of this process has the key, or for the signal. Dispose it to let the next one in, whatever became of the work. */
  take(key: string, signal: AbortSignal | undefined): Promise<Disposable>
}

export const createTurns = (): Turns => {
  const taken = new Map<string, Promise<void>>()
  return {
    take: async (key, signal) => {
      for (let other = taken.get(key); other; other = taken.get(key)) await (signal === undefined ? other : abortable(other, signal))
      const { promise, resolve } = Promise.withResolvers<void>()
      taken.set(key, promise)
      return disposable(() => {
        taken.delete(key)
        resolve()
      })
    },
  }
}
