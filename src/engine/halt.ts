/** Ending one instance's processes, to the point where its outcome is known. */
import type { Agenda } from '../base/agenda.ts'
import type { Clock } from '../base/clock.ts'
import { deadline } from '../base/deadline.ts'
import type { Backend } from './backend.ts'
import type { Outcomes } from './outcomes.ts'
import type { Stopper } from './stop.ts'

export interface HaltParts {
  readonly backend: Backend
  readonly clock: Clock
  readonly agenda: Agenda
  readonly outcomes: Outcomes
  readonly stopper: Stopper
  /** How long a process may outlive SIGKILL before it is given up as lost (ms). */
  readonly killPatience: number
}

/** Stop signal, SIGKILL after `grace` ms (0: at once). Resolves when the outcome is known, which may be that nothing can end it. */
export type Halt = (id: string, stopSignal: string, grace: number, signal: AbortSignal) => Promise<void>

export const createHalt = ({ backend, clock, agenda, outcomes, stopper, killPatience }: HaltParts): Halt => {
  /** Asks once more, then gives it up: an instance that nothing can end must not keep its record open for ever. */
  const giveUp = async (id: string): Promise<void> => {
    const seen = (await backend.observe()).find(observed => observed.id === id)
    outcomes.found(id, seen?.exit ? { exit: seen.exit } : { lost: `it did not end within ${killPatience / 1000} s of SIGKILL` })
  }

  return async (id, stopSignal, grace, signal) => {
    outcomes.watch(id)
    stopper.stop(id, stopSignal, grace)
    using limit = deadline(clock, agenda, grace + killPatience, 'it did not end', signal)
    await outcomes.known(id, limit.signal).catch(async (error: unknown) => {
      if (signal.aborted) throw error
      await giveUp(id)
    })
  }
}
