/** When leases are over. What is decided here is decided on the boot clock: wall-clock jumps neither shorten nor lengthen a lease. */
import type { Agenda } from '../base/agenda.ts'
import type { Clock } from '../base/clock.ts'
import { formatDuration } from '../base/durations.ts'
import type { Log } from '../base/log.ts'
import type { Environment } from '../model/environment.ts'
import { dayfly } from '../model/event.ts'
import { endingOf } from './instances.ts'
import type { Lifecycle } from './lifecycle.ts'
import type { Sessions } from './sessions.ts'
import type { Store } from './store.ts'
import { isSupervised } from './supervised.ts'

/** A warning comes this long (ms) before the end, or in the last tenth of what is shorter. */
const longestWarning = 300_000

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
  /** Frozen: idleness means nothing to it, and only its ttl runs. */
  readonly isPaused: (id: string) => boolean
  readonly onOver: (id: string, cause: 'ttl' | 'idle', reason: string) => void
}

export const createLeases = ({ store, clock, agenda, lifecycle, sessions, log, isPaused, onOver }: LeasesParts): Leases => {
  /** The end that was warned of last, boot ms. */
  const warned = new Map<string, number>()
  const looks = new Map<string, { readonly at: number; readonly timer: Disposable }>()

  /** A running job and an open exec are activity as long as they last. */
  const isBusy = (environment: Environment): boolean =>
    sessions.openExecs(environment.id) > 0 ||
    store.presentInstances(environment.id).some(instance => instance.state === 'running' && endingOf(environment, instance).kind === 'job')

  const forget = (id: string): void => {
    looks.get(id)?.timer[Symbol.dispose]()
    looks.delete(id)
    warned.delete(id)
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

  /** When it ends (or is paused) if nothing happens, and by which clock. */
  const endOf = (environment: Environment): { readonly at: number; readonly by: 'ttl' | 'idle'; readonly warnAt: number } => {
    const { lease } = environment.spec
    const idleEnd = isPaused(environment.id) ? Number.POSITIVE_INFINITY : lifecycle.current(environment).lastActivity + lease.idle
    const by = idleEnd < environment.ttlDeadline ? 'idle' : 'ttl'
    const at = Math.min(idleEnd, environment.ttlDeadline)
    const whole = by === 'idle' ? lease.idle : environment.ttlDeadline - environment.createdBoot
    return { at, by, warnAt: at - Math.min(longestWarning, whole / 10) }
  }

  const schedule = (environment: Environment): void => {
    const { at, warnAt } = endOf(environment)
    lookAt(environment.id, warned.get(environment.id) === at || !isSupervised(environment.spec) ? at : warnAt)
  }

  /** Once for each end that comes near. Ends of what runs once are nobody's surprise. */
  const warn = (environment: Environment): void => {
    const { at, by, warnAt } = endOf(environment)
    if (!isSupervised(environment.spec) || clock.boot() < warnAt || warned.get(environment.id) === at) return
    warned.set(environment.id, at)
    const left = Math.max(0, Math.round(at - clock.boot()))
    const data = { by, left, pauses: by === 'idle' && environment.spec.lease.onIdle === 'pause' }
    const reason = `${by === 'ttl' ? 'its ttl is over' : 'it will have been idle too long'} in ${formatDuration(left)}`
    lifecycle.noteEventually({ environment: environment.id, type: 'environment.expiring', actor: dayfly, reason, data })
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
    } else if (isPaused(id) || now < environment.lastActivity + lease.idle) {
      warn(environment)
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
