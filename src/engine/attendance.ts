/** What is done for single instances of environments that are kept running: begun, ended and cleared away, each once at a time. */
import { abortable } from '../base/abort.ts'
import type { Agenda } from '../base/agenda.ts'
import type { Clock } from '../base/clock.ts'
import { deadline } from '../base/deadline.ts'
import { DayflyError } from '../base/errors.ts'
import type { Log } from '../base/log.ts'
import type { Environment } from '../model/environment.ts'
import { dayfly } from '../model/event.ts'
import type { Instance } from '../model/instance.ts'
import { isLive } from '../model/instance.ts'
import type { WorkloadSpec } from '../model/workload.ts'
import type { Gate } from './admission.ts'
import { denialOf } from './admission.ts'
import type { Audience } from './audience.ts'
import type { Backend } from './backend.ts'
import type { Halt } from './halt.ts'
import type { Instances } from './instances.ts'
import { endingOf } from './instances.ts'
import type { Kept } from './kept.ts'
import { pauseAfter } from './kept.ts'
import type { Lifecycle } from './lifecycle.ts'
import type { Outcomes } from './outcomes.ts'
import type { Claim } from './quotas.ts'
import { settle } from './reconcile.ts'
import type { Vacancy } from './roster.ts'
import { newInstance } from './run.ts'
import type { SecretKeeper } from './secrets.ts'
import { presentable } from './secrets.ts'
import type { Store } from './store.ts'

const clearPatience = 90_000
/** How long requests that are under way may take when their instance is to go (ms), its grace at most. */
const longestDrain = 10_000

export interface AttendanceParts {
  readonly backend: Backend
  readonly store: Store
  readonly clock: Clock
  readonly agenda: Agenda
  readonly lifecycle: Lifecycle
  readonly outcomes: Outcomes
  readonly instances: Instances
  readonly halt: Halt
  readonly keeper: SecretKeeper
  readonly audience: Audience
  readonly gate: Gate
  readonly log: Log
  /** From pending to running (ms). */
  readonly startPatience: number
  readonly background: (work: Promise<unknown>) => void
  /** Why it stands still because of what it did; empty when it does not. */
  readonly quarantined: (instance: string) => string
}

interface Hooks {
  /** Something of the environment is done, or may be tried again. */
  readonly onDone: (environment: string) => void
  /** The instance is about to be stopped: it need not be well any more. */
  readonly onRetired: (instance: string) => void
}

export interface Attendance {
  /** Fills a place with a new instance. */
  begin(kept: Kept, environment: Environment, vacancy: Vacancy, spec: WorkloadSpec, claim: Claim): void
  /** Finds out what became of an instance that nobody is starting. */
  examine(kept: Kept, id: string): void
  /** Ends a running instance whose requests have been answered. */
  retire(kept: Kept, environment: Environment, instance: Instance, reason: string): void
  /** Leaves nothing of an instance that has ended but its log. */
  clear(kept: Kept, instance: Instance): void
}

export const createAttendance = (parts: AttendanceParts & Hooks): Attendance => {
  const { backend, store, clock, agenda, lifecycle, outcomes, instances, halt, keeper, audience, gate, log } = parts

  /** Has something done for an instance, once at a time; then everything is looked at again. What fails is tried again after a pause that grows. */
  const attend = (kept: Kept, id: string, work: (signal: AbortSignal) => Promise<void>): void => {
    if (kept.busy.has(id) || kept.controller.signal.aborted) return
    kept.busy.add(id)
    const doing = (async (): Promise<void> => {
      try {
        await work(kept.controller.signal)
        kept.failures.delete(id)
        kept.busy.delete(id)
        parts.onDone(kept.id)
      } catch (error) {
        if (kept.controller.signal.aborted) {
          kept.busy.delete(id)
          return
        }
        const pause = pauseAfter(kept, id)
        log.warn('something could not be done for an instance; it is tried again', { instance: id, error })
        agenda.at(clock.boot() + pause, () => {
          kept.busy.delete(id)
          parts.onDone(kept.id)
        })
      }
    })()
    kept.work.add(doing)
    void doing.finally(() => kept.work.delete(doing))
    parts.background(doing)
  }

  const begin = (kept: Kept, environment: Environment, vacancy: Vacancy, spec: WorkloadSpec, claim: Claim): void => {
    using unless = new DisposableStack()
    unless.use(claim)
    const { workload, replica } = vacancy
    const instance = newInstance(environment.id, vacancy, spec, clock.wall())
    lifecycle.insertInstance(instance, { actor: dayfly, reason: `place ${replica} of ${workload} is to be filled` })
    claim.written()
    unless.move()
    attend(kept, instance.id, async signal => {
      using _claim = claim
      using limit = deadline(clock, agenda, parts.startPatience, 'it did not start in time', signal)
      const secrets = keeper.find(environment.id)
      try {
        const missing = spec.secrets.find(name => !secrets.get(workload)?.has(name))
        if (missing !== undefined) {
          throw new DayflyError('wrong_state', `the content of the secret ${missing} is not there any more`, {
            remedy: 'Bring the environment up again.',
          })
        }
        const verdicts = await gate.ask(environment.spec, [workload], 'CREATE', dayfly, limit.signal)
        gate.note(environment.id, verdicts, dayfly, instance.id)
        const denial = denialOf(verdicts)
        if (denial) throw denial
        await instances.create(environment, instance, secrets, limit.signal)
        const startedAt = await instances.start(instance.id, limit.signal)
        lifecycle.moveInstance(instance.id, 'running', { actor: dayfly, reason: 'started' }, { startedAt })
        claim.ran()
        // It was made with the deadline of then: the lease may have been extended since.
        const until = store.environment(environment.id)?.ttlDeadline ?? environment.ttlDeadline
        if (until !== environment.ttlDeadline) await backend.setDeadline(instance.id, until)
      } catch (error) {
        // At its environment's end, whoever ends it finds out what became of it.
        if (signal.aborted) return
        await findOut(instance.id, presentable(error, secrets).message)
      }
    })
  }

  /** What became of an instance of which it is not known whether it runs. */
  const findOut = async (id: string, because: string): Promise<void> => {
    const seen = (await backend.observe()).find(observed => observed.id === id)
    lifecycle.atomically(() => {
      const now = store.instance(id)
      if (now && isLive(now.state) && now.state !== 'running') settle(lifecycle, clock, now, seen, because)
    })
  }

  const retire = (kept: Kept, environment: Environment, instance: Instance, reason: string): void => {
    if (instance.state !== 'running') return
    attend(kept, instance.id, async signal => {
      const { stopSignal, grace } = endingOf(environment, instance)
      lifecycle.stopping(instance.id, 'retired', grace, { actor: dayfly, reason })
      parts.onRetired(instance.id)
      // Who looks sees it go at once, not when it has gone.
      parts.onDone(kept.id)
      // Not when its environment ends: then nobody waits for requests.
      await abortable(audience.drain(instance.id, Math.min(grace, longestDrain)), signal)
      if (kept.frozen.has(instance.id) && parts.quarantined(instance.id) === '') await backend.resume(instance.id)
      await halt(instance.id, stopSignal, grace, signal)
    })
  }

  const clear = (kept: Kept, { id, wish }: Instance): void =>
    attend(kept, id, async signal => {
      using limit = deadline(clock, agenda, clearPatience, 'taking an instance away took too long', signal)
      await backend.remove(id, limit.signal)
      lifecycle.moveInstance(id, 'removed', { actor: dayfly, reason: 'nothing of it is left but its log' })
      outcomes.forget(id)
      kept.begins.delete(id)
      // Its end counts for no restart.
      if (wish === 'retired') kept.ends.delete(id)
    })

  return {
    begin,
    examine: (kept, id) => attend(kept, id, () => findOut(id, 'nobody was starting it any more')),
    retire,
    clear,
  }
}
