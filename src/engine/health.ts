/**
 * Health checks: commands run in instances. As docker's, but that a starting instance is asked more often, so that it is known to be healthy when it is:
 * only what docker would have asked counts as a failure.
 */
import { isDeepStrictEqual } from 'node:util'
import { abortable, settledWithin } from '../base/abort.ts'
import type { Agenda } from '../base/agenda.ts'
import type { Clock } from '../base/clock.ts'
import { deadline } from '../base/deadline.ts'
import { messageOf } from '../base/errors.ts'
import type { HealthCheck } from '../model/deployment.ts'
import type { Backend } from './backend.ts'
import type { Health } from './engine.ts'

export interface HealthChecks {
  /**
   * Begins to check a running instance. `presumed`: what it is taken for until the check says otherwise; with another check than before it is what is known.
   */
  begin(id: string, check: HealthCheck, presumed: 'starting' | 'healthy'): void
  /** By which check it is asked now; undefined where nobody checks. */
  asked(id: string): HealthCheck | undefined
  /** Whether the check by which it is asked now has found it well before. */
  proven(id: string): boolean
  end(id: string): void
  /** While it is paused it is not asked. */
  hold(id: string, paused: boolean): void
  /** `none` where nobody checks. */
  health(id: string): Health
  /** What the check said that made it unhealthy; empty where it is not. */
  complaint(id: string): string
}

interface HealthParts {
  readonly backend: Backend
  readonly clock: Clock
  readonly agenda: Agenda
  readonly closing: AbortSignal
  /** Its health is another than before; `output` is the end of what the last check printed. */
  readonly onChange: (id: string, health: Health, output: string) => void
  /** Another check than before has found it well, as it was. */
  readonly onProven: (id: string) => void
  /** What an instance's check printed, as it may be shown and recorded. */
  readonly presentable: (id: string, output: string) => string
}

/** The first questions come so soon (ms), then ever later up to the check's own interval. */
const soonest = 50
const keptOutput = 2048
/** How long a check that was killed may take to end (ms). */
const killPatience = 2_000

interface Checked {
  readonly check: HealthCheck
  proven: boolean
  readonly since: number
  health: Health
  complaint: string
  failures: number
  /** Boot ms of the last failure that counted. */
  counted: number
  paused: boolean
  timer: Disposable | undefined
}

export const createHealthChecks = ({ backend, clock, agenda, closing, onChange, onProven, presentable }: HealthParts): HealthChecks => {
  const all = new Map<string, Checked>()

  /** One question: whether it is well, and what it said. */
  const ask = async (id: string, { command, timeout }: HealthCheck): Promise<{ well: boolean; output: string }> => {
    let output = ''
    try {
      using limit = deadline(clock, agenda, timeout, `no answer within ${timeout} ms`, closing)
      const request = { command, env: {}, user: undefined, workdir: undefined, tty: false, rows: 24, columns: 80 }
      await using session = await backend.exec(id, request, limit.signal)
      const read = (async (): Promise<void> => {
        for await (const { data } of session.output) output = (output + Buffer.from(data).toString('utf8')).slice(-keptOutput)
      })()
      session.write(null)
      try {
        const code = await abortable(session.exit, limit.signal)
        await settledWithin(read, killPatience)
        return { well: code === 0, output }
      } catch (error) {
        session.signal('SIGKILL')
        await settledWithin(session.exit, killPatience)
        return { well: false, output: `${messageOf(error)}; ${output}` }
      }
    } catch (error) {
      return { well: false, output: messageOf(error) }
    }
  }

  const change = (id: string, checked: Checked, health: Health, said: string): void => {
    if (checked.health === health) return
    // Before anything is cut off, so that no half of a secret is left.
    const output = presentable(id, said).trim()
    checked.health = health
    checked.complaint = health === 'unhealthy' ? output.slice(-200) : ''
    onChange(id, health, output)
  }

  const pauseOf = ({ check, since, health }: Checked): number => {
    const elapsed = clock.boot() - since
    const regular = elapsed < check.startPeriod ? Math.min(check.startInterval, check.interval) : check.interval
    return health === 'starting' ? Math.min(regular, Math.max(soonest, Math.ceil(elapsed / 4))) : regular
  }

  const later = (id: string, checked: Checked): void => {
    if (all.get(id) !== checked || closing.aborted) return
    checked.timer = agenda.at(clock.boot() + pauseOf(checked), () => void round(id, checked))
  }

  const round = async (id: string, checked: Checked): Promise<void> => {
    if (checked.paused) return later(id, checked)
    const { well, output } = await ask(id, checked.check)
    if (all.get(id) !== checked || closing.aborted) return
    if (well) {
      checked.failures = 0
      const first = !checked.proven
      checked.proven = true
      if (checked.health !== 'healthy') change(id, checked, 'healthy', output)
      else if (first) onProven(id)
    } else if (!checked.paused) {
      const now = clock.boot()
      const counts =
        checked.health !== 'starting' || (now - checked.since >= checked.check.startPeriod && now - checked.counted >= checked.check.interval)
      if (counts) {
        checked.failures++
        checked.counted = now
      }
      if (checked.failures >= checked.check.retries) change(id, checked, 'unhealthy', output)
    }
    later(id, checked)
  }

  const end = (id: string): void => {
    all.get(id)?.timer?.[Symbol.dispose]()
    all.delete(id)
  }

  return {
    begin: (id, check, presumed) => {
      const known = all.get(id)
      if (known && isDeepStrictEqual(known.check, check)) return
      end(id)
      const now = clock.boot()
      const { since, health, complaint, paused }: Pick<Checked, 'since' | 'health' | 'complaint' | 'paused'> = known ?? {
        ...{ since: now, health: presumed, complaint: '', paused: false },
      }
      const checked: Checked = { check, since, health, complaint, paused, proven: false, failures: 0, counted: now, timer: undefined }
      all.set(id, checked)
      later(id, checked)
    },
    asked: id => all.get(id)?.check,
    proven: id => all.get(id)?.proven ?? false,
    end,
    hold: (id, paused) => {
      const checked = all.get(id)
      if (checked) checked.paused = paused
    },
    health: id => all.get(id)?.health ?? 'none',
    complaint: id => all.get(id)?.complaint ?? '',
  }
}
