/**
 * Keeps the workloads of environments running: after every change it asks `decide` what is to be done, and has it done. Level-triggered: what it
 * does follows from the store alone, so that a daemon that was killed in the middle goes on where it was.
 *
 *   something changed ──▶ round: look ──▶ decide ──▶ names ──▶ start · stop · clear (at once, each on its own) ──▶ something changed
 */
import { DayflyError, messageOf } from '../base/errors.ts'
import type { Environment } from '../model/environment.ts'
import type { Actor } from '../model/event.ts'
import { dayfly } from '../model/event.ts'
import type { Instance } from '../model/instance.ts'
import { isLive } from '../model/instance.ts'
import type { AttendanceParts } from './attendance.ts'
import { createAttendance } from './attendance.ts'
import type { NetworkName } from './backend.ts'
import { applyChecks, healthOf } from './checking.ts'
import type { Health, WorkloadStatus } from './engine.ts'
import type { HealthChecks } from './health.ts'
import { createHealthChecks } from './health.ts'
import { workloadOf } from './instances.ts'
import type { Kept } from './kept.ts'
import { pauseAfter } from './kept.ts'
import { namesOf } from './names.ts'
import type { Notices } from './notices.ts'
import { environmentRequest } from './passage.ts'
import { createPausing } from './pausing.ts'
import type { Quotas } from './quotas.ts'
import { decide } from './roster.ts'
import { withoutSecrets } from './secrets.ts'

export interface Supervisor {
  /** Begins to keep the workloads of a running environment, or looks at its new spec. `fresh`: what its instances share was made just now. */
  takeUp(environment: Environment, fresh: boolean): void
  /** Something about it changed. Does nothing where nothing is kept. */
  poke(id: string): void
  statuses(id: string): readonly WorkloadStatus[]
  /** How many instances demand asks for, within the workload's bounds. */
  scale(id: string, workload: string, wanted: number): void
  pause(id: string, actor: Actor, reason: string): Promise<void>
  /** Does nothing where nothing is kept. */
  resume(id: string, actor: Actor, reason: string): Promise<void>
  isPaused(id: string): boolean
  /** The sweep: whatever was missed is looked at again. */
  pokeAll(): void
  /** Ids of the environments that it keeps. */
  kept(): readonly string[]
}

export interface SupervisorParts extends AttendanceParts {
  readonly notices: Notices
  readonly quotas: Quotas
  readonly closing: AbortSignal
  /** The end of an instance was asked for. */
  readonly isStopping: (instance: string) => boolean
  /** Hands over how to stop keeping it, for its end. False when that was asked for already: then it is not kept. */
  readonly onTaken: (id: string, release: () => Promise<void>) => boolean
  /** Nothing lives in it any more, and nothing will. */
  readonly onOver: (id: string, reason: string) => void
}

/** How often (ms) it is seen whether there is room again for what was over a quota. */
const quotaPause = 1000

export const createSupervisor = (parts: SupervisorParts): Supervisor => {
  const { backend, store, clock, agenda, lifecycle, outcomes, notices, audience, quotas, log, closing } = parts
  const all = new Map<string, Kept>()

  const checks: HealthChecks = createHealthChecks({
    ...{ backend, clock, agenda, closing },
    // A check may print what it could not connect with.
    presentable: (id, output) => withoutSecrets(output, parts.keeper.find(store.instance(id)?.environment ?? '')),
    onChange: (id, health, output) => {
      const instance = store.instance(id)
      if (!instance) return
      const reason = output === '' ? 'its health check says so' : output.slice(-200)
      lifecycle.noteEventually({ environment: instance.environment, instance: id, type: `instance.${health}`, actor: dayfly, reason, data: {} })
      poke(instance.environment)
    },
    onProven: id => poke(store.instance(id)?.environment ?? ''),
  })

  const healthNow = (kept: Kept, environment: Environment, instance: Instance): Health => {
    // Nobody is to be sent to it.
    if (isLive(instance.state) && parts.quarantined(instance.id) !== '') return 'unhealthy'
    if (!isLive(instance.state) || !environment.spec.workloads[instance.workload]?.deployment?.health) return 'none'
    return healthOf(checks, kept.unchecked, instance.id)
  }

  const pausing = createPausing({ backend, store, lifecycle, checks, isStopping: parts.isStopping, standsStill: id => parts.quarantined(id) !== '' })
  const attendance = createAttendance({ ...parts, onDone: id => poke(id), onRetired: checks.end })

  const look = (kept: Kept, environment: Environment, present: readonly Instance[]): void => {
    const now = clock.boot()
    // Of what is history by now nobody asks any more.
    if (kept.ends.size > present.length) {
      const known = new Set(present.map(({ id }) => id))
      for (const id of kept.ends.keys()) if (!known.has(id)) kept.ends.delete(id)
    }
    const staying = present.filter(({ state, wish }) => state === 'running' && wish === undefined)
    for (const { id } of staying) {
      outcomes.watch(id)
      if (!kept.begins.has(id)) kept.begins.set(id, now)
    }
    applyChecks(checks, environment.spec, staying, kept.unchecked)
    for (const { id } of staying) checks.hold(id, kept.paused || parts.quarantined(id) !== '')
    for (const { id, state } of present) {
      if (!isLive(state)) {
        checks.end(id)
        if (!kept.ends.has(id)) kept.ends.set(id, now)
      } else if (state !== 'running' && !kept.busy.has(id)) {
        attendance.examine(kept, id)
      }
    }
  }

  const wantedOf = (kept: Kept, environment: Environment, workload: string): number => {
    const scale = environment.spec.workloads[workload]?.deployment?.scale
    if (!scale) return 0
    return Math.min(scale.max, Math.max(scale.min, kept.wanted.get(workload) ?? scale.min))
  }

  const publish = (kept: Kept, environment: Environment, statuses: readonly WorkloadStatus[]): void => {
    // What is exposed and how it scales can change while everything stands as it did.
    const text = JSON.stringify([statuses, Object.values(environment.spec.workloads).map(({ deployment }) => deployment)])
    if (text === kept.statusText) return
    kept.statuses = statuses
    kept.statusText = text
    audience.statuses(environment, statuses)
    notices.emit([`workloads ${kept.id}`])
  }

  const rename = async (kept: Kept, names: readonly NetworkName[]): Promise<void> => {
    const text = JSON.stringify(names)
    if (text === kept.namesText) return
    await backend.setNames(kept.id, names)
    kept.namesText = text
  }

  const once = async (kept: Kept): Promise<void> => {
    if (!kept.prepared) {
      const environment = store.environment(kept.id)
      const { signal } = kept.controller
      if (environment) await Promise.all([audience.prepare(environment, signal), backend.prepareEnvironment(environmentRequest(environment), signal)])
      kept.prepared = true
    }
    const environment = store.environment(kept.id)
    if (environment?.state !== 'running' || kept.controller.signal.aborted) return
    const present = store.presentInstances(kept.id)
    look(kept, environment, present)
    if (kept.paused || kept.frozen.size > 0) await pausing.apply(kept)
    if (kept.controller.signal.aborted) return
    const {
      start,
      stop,
      clear: done,
      statuses,
      lookAt,
      over,
    } = decide({
      spec: environment.spec,
      instances: present,
      wanted: workload => wantedOf(kept, environment, workload),
      health: id => {
        const instance = present.find(other => other.id === id)
        return instance ? healthNow(kept, environment, instance) : 'none'
      },
      complaint: id => parts.quarantined(id) || checks.complaint(id),
      paused: kept.paused,
      runningSince: id => kept.begins.get(id) ?? clock.boot(),
      endedAt: id => kept.ends.get(id) ?? clock.boot(),
      now: clock.boot(),
    })
    // Nobody is to find what is about to stop.
    await rename(kept, namesOf(environment.spec, statuses, new Set(stop.map(({ instance }) => instance.id))))
    if (kept.controller.signal.aborted) return
    // One after another: each that begins counts for the next. What is over a quota waits for room.
    const refused = new Map<string, string>()
    let begun = 0
    for (const vacancy of start) {
      const { workload } = vacancy
      const spec = workloadOf(environment, vacancy)
      const reason = refused.get(workload) ?? quotas.excessOfInstance(environment.spec, spec)?.reason
      if (reason !== undefined) refused.set(workload, reason)
      else attendance.begin(kept, environment, vacancy, spec, quotas.claimInstance(environment.spec, spec))
      if (reason === undefined) begun++
    }
    publish(
      kept,
      environment,
      statuses.map(status => ({ ...status, reason: refused.get(status.name) ?? status.reason })),
    )
    for (const { instance, reason } of stop) attendance.retire(kept, environment, instance, reason)
    for (const instance of done) attendance.clear(kept, instance)
    kept.timer?.[Symbol.dispose]()
    const next = refused.size > 0 ? Math.min(lookAt ?? Number.POSITIVE_INFINITY, clock.boot() + quotaPause) : lookAt
    if (next !== undefined) kept.timer = agenda.at(next, () => poke(kept.id))
    // What has just begun is written, and is seen by the next round.
    if (begun > 0) poke(kept.id)
    if (over !== undefined && done.length === 0 && kept.busy.size === 0) parts.onOver(kept.id, over)
  }

  const rounds = async (kept: Kept): Promise<void> => {
    do {
      kept.again = false
      try {
        await once(kept)
      } catch (error) {
        if (kept.controller.signal.aborted) return
        log.warn('an environment could not be looked after; it is tried again', { environment: kept.id, error: messageOf(error) })
        kept.timer?.[Symbol.dispose]()
        kept.timer = agenda.at(clock.boot() + pauseAfter(kept, kept.id), () => poke(kept.id))
        return
      }
      kept.failures.delete(kept.id)
    } while (kept.again && !kept.controller.signal.aborted)
  }

  const poke = (id: string): void => {
    const kept = all.get(id)
    if (!kept || kept.controller.signal.aborted || closing.aborted) return
    kept.again = true
    if (kept.round !== undefined) return
    kept.round = rounds(kept).finally(() => {
      kept.round = undefined
      if (kept.again && !kept.controller.signal.aborted && !kept.failures.has(kept.id)) poke(id)
    })
    parts.background(kept.round)
  }

  /** For its end: nothing new begins, and what is frozen can hear its stop signal. */
  const release = async (kept: Kept): Promise<void> => {
    kept.controller.abort(new DayflyError('aborted', 'its environment ends'))
    kept.timer?.[Symbol.dispose]()
    for (const { id } of store.presentInstances(kept.id)) checks.end(id)
    await Promise.all([kept.round, ...kept.work])
    await pausing.thaw(kept)
    all.delete(kept.id)
  }

  const keptOf = (id: string): Kept => {
    const kept = all.get(id)
    if (!kept) throw new DayflyError('wrong_state', 'this environment is not one that is kept running', { field: 'ref' })
    return kept
  }

  const freeze = (kept: Kept, paused: boolean, actor: Actor, reason: string): Promise<void> =>
    pausing.change(kept, paused, actor, reason).finally(() => poke(kept.id))

  return {
    takeUp: (environment, fresh) => {
      const { id, spec } = environment
      const known = all.get(id)
      if (known) return poke(id)
      const present = store.presentInstances(id)
      // Wherever demand had brought it: that is not known any more, but what runs is.
      const wanted = new Map(
        Object.keys(spec.workloads).map(name => [name, present.filter(({ workload, state }) => workload === name && isLive(state)).length]),
      )
      const last = present.length === 0 ? undefined : pausing.last(id)
      const kept: Kept = {
        ...{
          id,
          controller: new AbortController(),
          busy: new Set(),
          work: new Set(),
          wanted,
          begins: new Map(),
          ends: new Map(),
          unchecked: new Set(),
          failures: new Map(),
        },
        ...{ statuses: [], statusText: '', namesText: '', paused: last === 'paused', prepared: fresh, freezing: Promise.resolve() },
        // The daemon before may have been killed while it froze or thawed them: what is to run is thawed, what is to be frozen is frozen again.
        frozen: new Map(last === 'resumed' ? present.filter(({ state }) => state === 'running').map(instance => [instance.id, false]) : []),
        ...{ round: undefined, again: false, timer: undefined },
      }
      if (!parts.onTaken(id, () => release(kept))) return
      all.set(id, kept)
      poke(id)
    },
    poke,
    pokeAll: () => {
      for (const id of all.keys()) poke(id)
    },
    kept: () => [...all.keys()],
    statuses: id => all.get(id)?.statuses ?? [],
    scale: (id, workload, wanted) => {
      const kept = keptOf(id)
      if (kept.wanted.get(workload) === wanted) return
      kept.wanted.set(workload, wanted)
      poke(id)
    },
    pause: (id, actor, reason) => freeze(keptOf(id), true, actor, reason),
    resume: async (id, actor, reason) => {
      const kept = all.get(id)
      if (kept) await freeze(kept, false, actor, reason)
    },
    isPaused: id => all.get(id)?.paused ?? false,
  }
}
