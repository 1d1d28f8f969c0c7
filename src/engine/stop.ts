/** Stopping processes: the stop signal at once, SIGKILL when the grace is over. Stops of one instance join; the earliest SIGKILL counts. */
import type { Agenda } from '../base/agenda.ts'
import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import type { Backend } from './backend.ts'

export interface Stopper {
  /** Begins to stop it, or brings the SIGKILL of a stop under way forward. `grace` in ms; with 0 there is no stop signal. */
  stop(id: string, stopSignal: string, grace: number): void
  isStopping(id: string): boolean
  /** It has ended. */
  over(id: string): void
}

/** `standsStill`: what is frozen for good hears no stop signal and gets no time, but is killed where it stands. */
export const createStopper = (
  backend: Pick<Backend, 'signal'>,
  clock: Clock,
  agenda: Agenda,
  log: Log,
  standsStill: (instance: string) => boolean,
): Stopper => {
  const stopping = new Map<string, { killAt: number; timer: Disposable | undefined }>()

  const send = (id: string, name: string): void => {
    backend.signal(id, name).catch((error: unknown) => log.warn('a signal could not be sent', { instance: id, signal: name, error }))
  }

  return {
    stop: (id, stopSignal, given) => {
      const grace = standsStill(id) ? 0 : given
      const killAt = clock.boot() + grace
      const known = stopping.get(id)
      // A SIGKILL that was sent is sent again when asked again: the first may have met a backend that failed.
      if (known && grace > 0 && known.killAt <= killAt) return
      known?.timer?.[Symbol.dispose]()
      if (grace === 0) {
        stopping.set(id, { killAt, timer: undefined })
        return send(id, 'SIGKILL')
      }
      stopping.set(id, { killAt, timer: agenda.at(killAt, () => send(id, 'SIGKILL')) })
      if (!known) send(id, stopSignal)
    },
    isStopping: id => stopping.has(id),
    over: id => {
      stopping.get(id)?.timer?.[Symbol.dispose]()
      stopping.delete(id)
    },
  }
}
