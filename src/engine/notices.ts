/** Who waits for what to change: no polling, no state of its own. Keys are ids, and `anything` for every change. */
import { abortError } from '../base/abort.ts'

export const anything = '*'

export interface Notices {
  /** Wakes those who wait for one of these. */
  emit(keys: Iterable<string>): void
  /** Resolves at the next notice for `key`; rejects when the signal aborts. */
  next(key: string, signal: AbortSignal): Promise<void>
  /** The first result of `check` that is not undefined: now, or after a notice for `key`. Rejects when the signal aborts, or with what it throws. */
  until<T>(key: string, check: () => T | undefined, signal: AbortSignal): Promise<T>
}

export const createNotices = (): Notices => {
  const waiting = new Map<string, Set<() => void>>()

  const next = (key: string, signal: AbortSignal): Promise<void> =>
    new Promise((resolve, reject) => {
      if (signal.aborted) return reject(abortError(signal))
      const those = waiting.get(key) ?? new Set()
      waiting.set(key, those)
      const leave = (): void => {
        those.delete(wake)
        if (those.size === 0 && waiting.get(key) === those) waiting.delete(key)
        signal.removeEventListener('abort', onAbort)
      }
      const wake = (): void => {
        leave()
        resolve()
      }
      const onAbort = (): void => {
        leave()
        reject(abortError(signal))
      }
      those.add(wake)
      signal.addEventListener('abort', onAbort, { once: true })
    })

  return {
    emit: keys => {
      for (const key of keys) for (const wake of [...(waiting.get(key) ?? [])]) wake()
    },
    next,
    until: async (key, check, signal) => {
      for (;;) {
        const found = check()
        if (found !== undefined) return found
        await next(key, signal)
      }
    },
  }
}
