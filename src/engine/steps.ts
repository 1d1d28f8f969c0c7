/**
 * Creation as a list of steps, each with its undo.
 *
 * An undo must work whatever became of its `do`: never called, failed, cut off in the middle by a crash, finished; and once more when it was undone
 * already. So what is half done is always taken down by undoing every step, last first: no note of how far it came is needed, and the way down is the
 * same after a failure, after a crash and at the regular end.
 */
import { throwIfAborted } from '../base/abort.ts'

export interface Step<C> {
  readonly name: string
  do(context: C, signal: AbortSignal): Promise<void>
  undo(context: C, signal: AbortSignal): Promise<void>
}

/** Does the steps in order. Rejects with the error of the one that fails, or when the signal aborts between two; undoes nothing. */
export const doSteps = async <C>(steps: readonly Step<C>[], context: C, signal: AbortSignal): Promise<void> => {
  for (const step of steps) {
    throwIfAborted(signal)
    await step.do(context, signal)
  }
}

/** Undoes the steps, last first. Stops at the first that fails, since those before it may still be in use: call it again later. */
export const undoSteps = async <C>(steps: readonly Step<C>[], context: C, signal: AbortSignal): Promise<void> => {
  for (const step of steps.toReversed()) await step.undo(context, signal)
}

/** Does `work` for all at once. When one fails, the signal the others got aborts; once all are over, rejects with the first failure. */
export const together = async <T>(items: readonly T[], signal: AbortSignal, work: (item: T, signal: AbortSignal) => Promise<void>): Promise<void> => {
  const [only] = items
  if (only !== undefined && items.length === 1) return work(only, signal)
  const siblings = new AbortController()
  const onAbort = (): void => siblings.abort(signal.reason)
  signal.addEventListener('abort', onAbort, { once: true })
  if (signal.aborted) onAbort()
  const failures: unknown[] = []
  await Promise.all(
    items.map(item =>
      work(item, siblings.signal).catch((error: unknown) => {
        failures.push(error)
        siblings.abort(error)
      }),
    ),
  )
  signal.removeEventListener('abort', onAbort)
  if (failures.length > 0) throw failures[0]
}
