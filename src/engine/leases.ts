/** When leases are over. What is decided here is decided on the boot clock: wall-clock jumps neither shorten nor lengthen a lease. */
import type { Agenda } from '../base/agenda.ts'
import type { Clock } from '../base/clock.ts'
import { formatDuration } from '../base/durations.ts'
import type { Log } from '../base/log.ts'
import type { Environment } from '../model/environment.ts'
import type { Lifecycle } from './lifecycle.ts'
import { workloadOf } from './passage.ts'
import type { Sessions } from './sessions.ts'
import type { Store } from './store.ts'

export interface Leases {
  /** Looks at it again when its lease may be over: call it when it begins to run and whenever that time may have come nearer. */
  schedule(environment: Environment): void
  /** Ends the environment if its lease is over, else schedules the next look. */
  check(id: string): void
  forget(id: string): void
}

interface LeasesParts {
  readonly store: Store
  readonly clock: Clock
  readonly agenda: Agenda
  readonly lifecycle: Lifecycle
  readonly sessions: Sessions
  readonly log: Log
  readonly onOver: (id: string, cause: 'ttl' | 'idle', reason: string) => void
}

export const createLeases = ({ store, clock, agenda, lifecycle, sessions, log, onOver }: LeasesParts): Leases => {
  const looks = new Map<string, { readonly at: number; readonly timer: Disposable }>()

  /** A running job and an open exec are activity as long as they last. */
  const isBusy = (environment: Environment): boolean =>
    sessions.openExecs(environment.id) > 0 ||
    store.instances(environment.id).some(instance => instance.state === 'running' && workloadOf(environment, instance).kind === 'job')

  const forget = (id: string): void => {
    looks.get(id)?.timer[Symbol.dispose]()
    looks.delete(id)
  }

  const lookAt = (id: string, at: number): void => {
    const known = looks.get(id)
    if (known && known.at <= at) return
    known?.timer[Symbol.dispose]()
    const timer = agenda.at(at, () => {
      looks.delete(id)
      try {
        check(id)
      } catch (error) {
        log.error('a lease could not be looked at; the next sweep does', { environment: id, error })
      }
    })
    looks.set(id, { at, timer })
  }

  const schedule = (environment: Environment): void => {
    const { lastActivity } = lifecycle.current(environment)
    lookAt(environment.id, Math.min(environment.ttlDeadline, lastActivity + environment.spec.lease.idle))
  }

  const check = (id: string): void => {
    const found = store.environment(id)
    if (!found || (found.state !== 'creating' && found.state !== 'running')) {
      forget(id)
      return
    }
    const environment = lifecycle.current(found)
    const { lease } = environment.spec
    const now = clock.boot()
    if (now >= environment.ttlDeadline) {
      onOver(id, 'ttl', `its ttl is over (${formatDuration(environment.ttlDeadline - environment.createdBoot)})`)
    } else if (now < environment.lastActivity + lease.idle) {
      schedule(environment)
    } else if (isBusy(environment)) {
      lifecycle.touch(id)
      lookAt(id, Math.min(environment.ttlDeadline, now + lease.idle))
    } else {
      onOver(id, 'idle', `there was no activity for ${formatDuration(lease.idle)}`)
    }
  }

  return { schedule, check, forget }
}
