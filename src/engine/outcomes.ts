/**
 * How instances end: one wait a running instance, and its outcome written as soon as the store can. An outcome that cannot be written stays here and
 * in the backend, which keeps the exit status until the instance is removed; and it is not removed before that is written.
 */
import { DayflyError, messageOf } from '../base/errors.ts'
import type { Log } from '../base/log.ts'
import type { Actor } from '../model/event.ts'
import { dayfly } from '../model/event.ts'
import type { ExitStatus } from '../model/instance.ts'
import type { Backend } from './backend.ts'
import type { Lifecycle } from './lifecycle.ts'
import type { Notices } from './notices.ts'
import type { Stopper } from './stop.ts'
import type { Store } from './store.ts'

export type Outcome = { readonly exit: ExitStatus } | { readonly lost: string }

export interface Outcomes {
  /** Waits for the end of a running instance; once each. A wait that fails without an answer may be begun again: the sweep does. */
  watch(id: string): void
  /** The outcome is known by other means: writes it, or keeps it to be written. */
  found(id: string, outcome: Outcome): void
  /** Resolves when the outcome is known, whether or not it is written. */
  known(id: string, signal: AbortSignal): Promise<void>
  /** Writes what waits. Throws as long as the store cannot. */
  flush(): void
  /** Nothing is left of it: forget what is here. */
  forget(id: string): void
}

interface OutcomesParts {
  readonly backend: Backend
  readonly store: Store
  readonly lifecycle: Lifecycle
  readonly notices: Notices
  readonly stopper: Stopper
  readonly log: Log
  readonly closing: AbortSignal
  /** Within the transaction that writes an outcome: what follows from it for the environment. */
  readonly onWritten: (environment: string) => void
  /** After it. */
  readonly afterWritten: (environment: string) => void
}

export const describeExit = ({ code, signal, oom, cause }: ExitStatus): string => {
  if (oom) return `ended by the memory limit (exit code ${code})`
  if (cause === 'deadline') return `ended at its deadline (exit code ${code})`
  return signal === undefined ? `exit code ${code}` : `ended by signal ${signal} (exit code ${code})`
}

export const createOutcomes = (parts: OutcomesParts): Outcomes => {
  const { backend, store, lifecycle, notices, stopper, log, closing } = parts
  const watched = new Set<string>()
  const unwritten = new Map<string, Outcome>()

  const write = (id: string, outcome: Outcome): void => {
    const environment = lifecycle.atomically(() => {
      const before = store.instance(id)
      if (before?.state !== 'running') return undefined
      if ('exit' in outcome) {
        const actor: Actor = outcome.exit.cause === 'deadline' ? dayfly : { kind: 'instance', name: id }
        lifecycle.moveInstance(id, 'exited', { actor, reason: describeExit(outcome.exit) }, { exit: outcome.exit })
      } else {
        lifecycle.moveInstance(id, 'lost', { actor: dayfly, reason: outcome.lost })
      }
      parts.onWritten(before.environment)
      return before.environment
    })
    unwritten.delete(id)
    if (environment !== undefined) parts.afterWritten(environment)
  }

  const found = (id: string, outcome: Outcome): void => {
    const already = unwritten.has(id)
    stopper.over(id)
    unwritten.set(id, outcome)
    try {
      write(id, outcome)
    } catch (error) {
      if (!already) log.error('the end of an instance cannot be written; it is kept and tried again', { instance: id, error })
    }
    notices.emit([`outcome ${id}`])
  }

  /** Settled: running no more, or an outcome waits here. */
  const isKnown = (id: string): boolean => unwritten.has(id) || store.instance(id)?.state !== 'running'

  return {
    watch: id => {
      if (watched.has(id) || closing.aborted) return
      watched.add(id)
      backend.wait(id, closing).then(
        exit => found(id, { exit }),
        (error: unknown) => {
          watched.delete(id)
          if (closing.aborted) return
          const gone = error instanceof DayflyError && (error.code === 'not_found' || error.code === 'wrong_state')
          if (gone) return found(id, { lost: `its exit status cannot be known: ${messageOf(error)}` })
          log.error('waiting for the end of an instance failed; the next sweep begins again', { instance: id, error })
        },
      )
    },
    found,
    known: async (id, signal) => {
      await notices.until(`outcome ${id}`, () => (isKnown(id) ? true : undefined), signal)
    },
    flush: () => {
      for (const [id, outcome] of [...unwritten]) write(id, outcome)
    },
    forget: id => {
      watched.delete(id)
      unwritten.delete(id)
    },
  }
}
