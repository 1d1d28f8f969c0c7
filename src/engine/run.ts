/** Creating an environment: refused before anything exists, or made whole, or taken down again. */
import { abortError, throwIfAborted } from '../base/abort.ts'
import type { Agenda } from '../base/agenda.ts'
import type { Clock } from '../base/clock.ts'
import { deadline } from '../base/deadline.ts'
import { DayflyError, exhaustionOf, messageOf } from '../base/errors.ts'
import { newEnvironmentId, newInstanceId } from '../base/ids.ts'
import { EnvironmentSpec } from '../model/environment.ts'
import type { Actor } from '../model/event.ts'
import { dayfly } from '../model/event.ts'
import { parse } from '../model/parse.ts'
import type { Endings } from './endings.ts'
import type { Secrets, Started } from './engine.ts'
import type { Live, Lives } from './lives.ts'
import { newLive } from './lives.ts'
import type { Step } from './steps.ts'
import { doSteps } from './steps.ts'
import type { Store } from './store.ts'

interface RunParts {
  readonly store: Store
  readonly clock: Clock
  readonly agenda: Agenda
  readonly lives: Lives
  readonly endings: Endings
  readonly steps: readonly Step<Live>[]
  readonly closing: AbortSignal
  readonly slots: number
  /** From nothing to running (ms). */
  readonly startPatience: number
  readonly onRunning: (started: Started) => void
}

/** Every secret a workload names has its content, and none is there that nobody names. */
const checkSecrets = (spec: EnvironmentSpec, secrets: Secrets): void => {
  for (const [workload, { secrets: names }] of Object.entries(spec.workloads)) {
    const given = secrets.get(workload)
    const missing = names.find(name => !given?.has(name))
    if (missing !== undefined) {
      throw new DayflyError('invalid', `--secret: the secret ${missing} of ${workload} has no content`, { field: '--secret' })
    }
  }
  for (const [workload, given] of secrets) {
    const names = spec.workloads[workload]?.secrets ?? []
    const stray = [...given.keys()].find(name => !names.includes(name))
    if (stray !== undefined) throw new DayflyError('invalid', `--secret: ${workload} names no secret ${stray}`, { field: '--secret' })
  }
}

/** Shorter ones are no secrets, and would blacken half of any message. */
const shortestSecret = 4

/** The error as it may be shown and recorded: a DayflyError, in which no secret is readable, whoever wrote its message. */
const presentable = (thrown: unknown, secrets: Secrets): DayflyError => {
  const error = exhaustionOf(thrown) ?? thrown
  const values = [...secrets.values()].flatMap(given => [...given.values()].map(value => Buffer.from(value).toString('utf8').trim()))
  const clean = (text: string): string =>
    values.filter(value => value.length >= shortestSecret).reduce((cleaned, value) => cleaned.replaceAll(value, '[secret]'), text)
  const message = messageOf(error)
  const readable = clean(message) !== message
  if (error instanceof DayflyError && !readable) return error
  const { code, field, remedy } = error instanceof DayflyError ? error : { code: 'internal' as const, field: undefined, remedy: undefined }
  return new DayflyError(code, clean(message), {
    ...(field === undefined ? {} : { field }),
    ...(remedy === undefined ? {} : { remedy: clean(remedy) }),
    ...(readable ? {} : { cause: error }),
  })
}

export const createRun = (parts: RunParts) => {
  const { clock, agenda, lives, store } = parts

  const planFor = (spec: EnvironmentSpec): Started => {
    const id = newEnvironmentId()
    const now = clock.boot()
    const createdAt = clock.wall()
    const times = { createdAt, endedAt: undefined, bootId: clock.bootId, createdBoot: now, ttlDeadline: now + spec.lease.ttl, lastActivity: now }
    return {
      environment: { id, spec, state: 'creating', reason: 'asked for', cause: undefined, ...times },
      instances: Object.keys(spec.workloads).map(workload => ({
        ...{ id: newInstanceId(), environment: id, workload, state: 'pending', reason: 'asked for', createdAt },
        ...{ startedAt: undefined, pid: undefined, start: undefined, exit: undefined },
        ...{ replica: 1, revision: '', address: undefined },
      })),
    }
  }

  /** The way up. Whatever happens, `live.creation` is over when it settles. */
  const create = async (live: Live, signal: AbortSignal): Promise<void> => {
    const breakOff = new AbortController()
    const { promise: over, resolve } = Promise.withResolvers<void>()
    live.creation = { abort: reason => breakOff.abort(reason), over }
    using limit = deadline(clock, agenda, parts.startPatience, 'it did not start in time', breakOff.signal, signal, parts.closing)
    try {
      await doSteps(parts.steps, live, limit.signal)
    } finally {
      live.creation = undefined
      live.plan = undefined
      resolve()
    }
  }

  return async (wanted: EnvironmentSpec, secrets: Secrets, actor: Actor, signal: AbortSignal): Promise<Started> => {
    throwIfAborted(signal)
    const spec = parse(EnvironmentSpec, wanted)
    checkSecrets(spec, secrets)
    if (lives.size >= parts.slots) {
      throw new DayflyError('exhausted', `there are ${lives.size} environments, as many as this host may have at once`, {
        remedy: 'End one with dayfly down, or wait for one to end.',
      })
    }
    const started = planFor(spec)
    const { id } = started.environment
    const live = newLive(id, { started, secrets, why: { actor, reason: 'asked for' } })
    lives.set(id, live)
    try {
      await create(live, signal)
    } catch (error) {
      if (store.environment(id) === undefined) {
        lives.delete(id)
        throw error
      }
      const shown = presentable(error, secrets)
      const cancelled = signal.aborted && (shown.code === abortError(signal).code || shown === signal.reason)
      const why = cancelled
        ? { actor, cause: 'requested' as const, reason: 'its creation was cancelled' }
        : { actor: dayfly, cause: 'failed' as const, reason: shown.message }
      await parts.endings.end(live, why, true).catch(() => {})
      throw shown
    }
    const now = { environment: store.environment(id) ?? started.environment, instances: store.instances(id) }
    parts.onRunning(now)
    return now
  }
}
