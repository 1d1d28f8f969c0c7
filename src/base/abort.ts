import { DayflyError } from './errors.ts'

/**
 * What an aborted signal means to the user: its reason when that is a DayflyError, `timeout` for AbortSignal.timeout, else `aborted`.
 */
export const abortError = (signal: AbortSignal): DayflyError => {
  const reason: unknown = signal.reason
  if (reason instanceof DayflyError) return reason
  const timedOut = reason instanceof Error && reason.name === 'TimeoutError'
  return new DayflyError(timedOut ? 'timeout' : 'aborted', timedOut ? 'it took too long' : 'it was cancelled', { cause: reason })
}

export const throwIfAborted = (signal: AbortSignal): void => {
  if (signal.aborted) throw abortError(signal)
}

/**
 * The outcome of `work`, or a rejection as soon as the signal aborts. The work itself goes on: hand it the signal too where it can stop.
 * Leaves no listener on the signal behind.
 */
export const abortable = <T>(work: Promise<T>, signal: AbortSignal): Promise<T> => {
  if (signal.aborted) {
    work.catch(() => {})
    return Promise.reject(abortError(signal))
  }
  return new Promise<T>((resolve, reject) => {
    const onAbort = (): void => reject(abortError(signal))
    signal.addEventListener('abort', onAbort, { once: true })
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort))
  })
}

/** Resolves when `work` has settled either way, or after `ms`; true when it settled. Keeps the process alive for no longer than the work does. */
export const settledWithin = async (work: Promise<unknown>, ms: number): Promise<boolean> => {
  const { promise, resolve } = Promise.withResolvers<boolean>()
  const timer = setTimeout(() => resolve(false), ms)
  work.then(
    () => resolve(true),
    () => resolve(true),
  )
  try {
    return await promise
  } finally {
    clearTimeout(timer)
  }
}

/** Calls `work` when the signal aborts, at once when it has, until it is disposed of. */
export const onAbort = (signal: AbortSignal, work: () => void): Disposable => {
  if (signal.aborted) work()
  else signal.addEventListener('abort', work, { once: true })
  return { [Symbol.dispose]: () => signal.removeEventListener('abort', work) }
}
