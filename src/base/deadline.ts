import type { Agenda } from './agenda.ts'
import type { Clock } from './clock.ts'
import { disposable } from './dispose.ts'
import { DayflyError } from './errors.ts'

export interface Deadline extends Disposable {
  readonly signal: AbortSignal
}

/**
 * A signal that aborts with a `timeout` error, whose message is `message`, `ms` from now, or with the reason of the first parent that aborts.
 * Dispose it when the work is over.
 */
export const deadline = (clock: Clock, agenda: Agenda, ms: number, message: string, ...parents: readonly AbortSignal[]): Deadline => {
  const controller = new AbortController()
  const timer = agenda.at(clock.boot() + ms, () => controller.abort(new DayflyError('timeout', message)))
  const listeners = parents.map(parent => {
    const onAbort = (): void => controller.abort(parent.reason)
    if (parent.aborted) onAbort()
    else parent.addEventListener('abort', onAbort, { once: true })
    return disposable(() => parent.removeEventListener('abort', onAbort))
  })
  return {
    signal: controller.signal,
    [Symbol.dispose]: () => {
      timer[Symbol.dispose]()
      for (const listener of listeners) listener[Symbol.dispose]()
    },
  }
}
