/**
 * What is to be done for the workloads of an environment that are kept running: a pure function of what is wanted and what is there, asked again after
 * every change. It holds no state of its own, so it is right after a crash as well: what was half done is seen half done.
 *
 * Each workload has places 1 to n. A place is filled by one instance of the workload's current revision; in an update the outdated one stays beside it
 * until it is well (`start-first`) or goes before it comes (`stop-first`).
 */
import type { Deployment, RestartPolicy } from '../model/deployment.ts'
import type { EnvironmentSpec } from '../model/environment.ts'
import type { Instance } from '../model/instance.ts'
import { isLive } from '../model/instance.ts'
import type { Health, WorkloadStatus } from './engine.ts'
import { describeExit } from './outcomes.ts'
import { inOrder, revisionOf } from './revision.ts'

export interface Situation {
  readonly spec: EnvironmentSpec
  /** Of the environment, oldest first, those that are gone included. */
  readonly instances: readonly Instance[]
  /** How many instances a workload is to have now. */
  readonly wanted: (workload: string) => number
  readonly health: (instance: string) => Health
  /** What its health check says of an unhealthy instance. */
  readonly complaint: (instance: string) => string
  readonly paused: boolean
  /** Boot clock, ms: when an instance that is live no more was first seen so. */
  readonly endedAt: (instance: string) => number
  /** The same: when it was first seen running. */
  readonly runningSince: (instance: string) => number
  readonly now: number
}

/** A place that is to be filled, with its history. */
export interface Vacancy extends Pick<Instance, 'workload' | 'replica' | 'revision' | 'earlier' | 'streak'> {}

export interface Decision {
  readonly start: readonly Vacancy[]
  readonly stop: readonly { readonly instance: Instance; readonly reason: string }[]
  /** Ended: nothing is to be left of them but their log. */
  readonly clear: readonly Instance[]
  readonly statuses: readonly WorkloadStatus[]
  /** Boot clock, ms: when to ask again although nothing changed. */
  readonly lookAt: number | undefined
  /** Nothing lives and nothing will by itself: how it came out. */
  readonly over: string | undefined
}

const longestBackoff = 60_000
/** A successor without a health check must have run this long (ms) before its predecessor goes. */
const trial = 1000

interface Place {
  readonly replica: number
  /** Live, of the current revision. */
  readonly current: Instance | undefined
  /** One of the current revision is on its way out: demand fell, or an update was taken back. */
  readonly leaving: boolean
  readonly outdated: readonly Instance[]
  /** Ended ones of the current revision, oldest first; those that Dayfly took away say nothing. */
  readonly past: readonly Instance[]
}

type Fate = { readonly kind: 'restart'; readonly at: number } | { readonly kind: 'completed' | 'failed' | 'stopped'; readonly reason: string }

const succeeded = (instance: Instance): boolean => instance.exit?.code === 0

/** It ran long enough for its start to have been a success. */
const wasLong = ({ startedAt, exit }: Instance, window: number): boolean =>
  startedAt !== undefined && exit !== undefined && exit.endedAt - startedAt >= window

export const describeEnd = ({ exit, reason }: Instance): string => (exit ? describeExit(exit) : reason)

/** How many of a place ended too soon in a row, up to this one. What came before it is counted in it: not all of that is present any more. */
const streakWith = (last: Instance, { window }: RestartPolicy): number => (wasLong(last, window) ? 0 : last.streak + 1)

/** What becomes of a place whose last instance has ended. */
const fateOf = (last: Instance, { restart }: Deployment, situation: Situation): Fate => {
  if (last.wish === 'stopped') return { kind: 'stopped', reason: 'it was stopped' }
  const success = succeeded(last)
  const again = restart.condition === 'always' || restart.condition === 'unless-stopped' || (restart.condition === 'on-failure' && !success)
  const reason = describeEnd(last)
  if (!again) return { kind: success ? 'completed' : 'failed', reason }
  const short = streakWith(last, restart)
  if (restart.attempts > 0 && short > restart.attempts) return { kind: 'failed', reason: `${reason}, ${short} times in a row` }
  const backoff = Math.min(restart.delay * 2 ** Math.max(0, short - 1), longestBackoff)
  return { kind: 'restart', at: situation.endedAt(last.id) + backoff }
}

/** A dependency that holds a workload up: what it waits for, or why it waits in vain. */
interface Hold {
  readonly reason: string
  readonly vain: boolean
}

interface Findings {
  readonly wanted: number
  readonly ready: number
  /** Of the places whose last instance has ended and is not followed by another one. */
  readonly fates: readonly Fate[]
  readonly places: number
  readonly hold: Hold | undefined
  /** What is under way, in words. */
  readonly reason: string
}

/** How a workload stands, and why: the worst that can be said of it. */
const standingOf = ({ wanted, ready, fates, places, hold, reason }: Findings): Pick<WorkloadStatus, 'state' | 'reason'> => {
  const over = fates.filter(fate => fate.kind !== 'restart')
  if (wanted === 0) return { state: 'idle', reason: '' }
  const failure = over.find(({ kind }) => kind === 'failed')
  if (failure) return { state: 'failed', reason: failure.reason }
  if (hold?.vain && fates.length === 0) return { state: 'failed', reason }
  if (ready === wanted) return { state: 'ready', reason: '' }
  if (fates.length === places) {
    const state = over.some(({ kind }) => kind === 'stopped') ? 'stopped' : 'completed'
    return { state, reason: over.map(fate => fate.reason).find(text => text !== '') ?? '' }
  }
  return { state: hold ? 'waiting' : 'starting', reason }
}

export const decide = (situation: Situation): Decision => {
  const { spec, instances, now } = situation
  const start: Vacancy[] = []
  const stop: { instance: Instance; reason: string }[] = []
  const statuses = new Map<string, WorkloadStatus>()
  const looks: number[] = []

  const isWell = ({ id, state, wish }: Instance): boolean => {
    const health = situation.health(id)
    return state === 'running' && wish === undefined && (health === 'none' || health === 'healthy')
  }

  const holdsUp = (deployment: Deployment): Hold | undefined => {
    for (const [name, { condition, required }] of Object.entries(deployment.dependsOn)) {
      const status = statuses.get(name)
      if (!status) {
        if (required) return { reason: `it depends on ${name}, which is not there`, vain: true }
        continue
      }
      const current = status.instances.filter(({ outdated }) => !outdated)
      const ran = current.some(({ instance }) => instance.startedAt !== undefined)
      const met = {
        started: status.state === 'idle' || ran,
        healthy: status.state === 'idle' || status.state === 'ready',
        completed: status.state === 'completed',
      }[condition]
      if (met) continue
      // As docker compose has it: what is unhealthy is not waited for. Should it recover, what depends on it starts all the same.
      const ill = condition === 'healthy' && current.some(({ health }) => health === 'unhealthy')
      const absent = condition === 'completed' && status.state === 'idle'
      const vain =
        ill || absent || status.state === 'failed' || status.state === 'stopped' || (condition === 'healthy' && status.state === 'completed')
      if (vain && !required) continue
      const wish = { started: 'to start', healthy: 'to be healthy', completed: 'to complete' }[condition]
      const why = absent ? 'it is scaled to none, and so never completes' : status.reason
      return { reason: vain ? `it depends on ${name}: ${why}` : `waits for ${name} ${wish}`, vain }
    }
    return undefined
  }

  const decideWorkload = (name: string, deployment: Deployment): WorkloadStatus => {
    const revision = revisionOf(spec, name)
    const wanted = situation.wanted(name)
    const own = instances.filter(instance => instance.workload === name)
    const places = Array.from({ length: wanted }, (_, index): Place => {
      const replica = index + 1
      const here = own.filter(instance => instance.replica === replica)
      return {
        replica,
        current: here.find(instance => isLive(instance.state) && instance.revision === revision && instance.wish !== 'retired'),
        leaving: here.some(instance => isLive(instance.state) && instance.revision === revision && instance.wish === 'retired'),
        outdated: here.filter(instance => isLive(instance.state) && instance.revision !== revision),
        past: here.filter(instance => !isLive(instance.state) && instance.revision === revision && instance.wish !== 'retired'),
      }
    })
    for (const instance of own) {
      if (!isLive(instance.state)) continue
      if (instance.replica > wanted) stop.push({ instance, reason: wanted === 0 ? 'nobody asks for it' : `there are to be ${wanted}` })
      // A daemon that was killed may have left it half way.
      else if (instance.wish === 'retired' && instance.revision === revision) stop.push({ instance, reason: 'it is not asked for any more' })
    }

    // Restarts and further places need not wait again.
    const settled = own.some(instance => instance.revision === revision && instance.startedAt !== undefined)
    const hold = settled ? undefined : holdsUp(deployment)
    const { order, parallelism } = deployment.update
    const provenAt = ({ id }: Instance): number => (deployment.health ? now : situation.runningSince(id) + trial)
    /** It has given up what it had and has nothing yet that is known to be well: no further place may be given up meanwhile. */
    const isChanging = ({ current, outdated, past }: Place): boolean => {
      if (current) return outdated.length > 0 || !isWell(current) || provenAt(current) > now
      const last = past.at(-1)
      if (!last) return outdated.length === 0 || outdated.some(({ wish }) => wish === 'retired')
      const { kind } = fateOf(last, deployment, situation)
      return kind === 'restart' || kind === 'failed'
    }
    const isUpdate = places.some(({ outdated }) => outdated.length > 0)
    let changing = isUpdate ? places.filter(isChanging).length : 0
    let ready = 0
    const fates: Fate[] = []
    let reason = ''

    for (const place of places) {
      const { replica, current, leaving, outdated, past } = place
      if (current && isWell(current)) ready++
      if (isUpdate && current && isWell(current) && provenAt(current) > now) looks.push(provenAt(current))
      if (current && outdated.length > 0 && isWell(current) && provenAt(current) <= now) {
        for (const instance of outdated) stop.push({ instance, reason: 'its successor is well' })
      }
      if (current) {
        const complaint = situation.complaint(current.id)
        if (situation.health(current.id) === 'unhealthy') reason = `instance ${replica} is unhealthy${complaint === '' ? '' : `: ${complaint}`}`
        else if (!isWell(current) && reason === '') reason = current.state === 'running' ? 'waits for its health check' : 'starts'
        continue
      }
      const last = past.at(-1)
      const fate = last && fateOf(last, deployment, situation)
      if (fate && fate.kind !== 'restart') {
        fates.push(fate)
        continue
      }
      if (fate && fate.at > now) {
        looks.push(fate.at)
        reason = `restarts after ${last ? describeEnd(last) : 'its end'}`
        continue
      }
      if (hold) {
        reason = hold.reason
        continue
      }
      if (situation.paused) continue
      if (outdated.length > 0) {
        if (!isChanging(place)) {
          if (changing >= parallelism) continue
          changing++
        }
        if (order === 'stop-first') {
          for (const instance of outdated) stop.push({ instance, reason: 'it makes room for its successor' })
          reason = 'waits for its predecessor to end'
          continue
        }
      }
      if (leaving && order === 'stop-first') {
        reason = 'waits for its predecessor to end'
        continue
      }
      start.push({ workload: name, replica, revision, earlier: last ? last.earlier + 1 : 0, streak: last ? streakWith(last, deployment.restart) : 0 })
      if (reason === '') reason = 'starts'
    }

    const { state, reason: why } = standingOf({ wanted, ready, fates, places: places.length, hold, reason })
    const shown = own.filter(instance => isLive(instance.state) || instance === own.findLast(other => other.replica === instance.replica))
    return {
      name,
      state,
      reason: why,
      wanted,
      ready,
      restarts: places.reduce((sum, { current, past }) => sum + ((current ?? past.at(-1))?.earlier ?? 0), 0),
      instances: shown.map(instance => ({
        instance,
        health: situation.health(instance.id),
        outdated: instance.revision !== revision,
        paused: situation.paused && instance.state === 'running',
      })),
    }
  }

  for (const name of inOrder(spec)) {
    const deployment = spec.workloads[name]?.deployment
    if (deployment) statuses.set(name, decideWorkload(name, deployment))
  }
  for (const instance of instances) {
    if (isLive(instance.state) && !statuses.has(instance.workload)) stop.push({ instance, reason: 'its workload was taken out of the environment' })
  }

  const all = [...statuses.values()]
  const isOver =
    all.every(({ state }) => state === 'completed' || state === 'failed') &&
    !instances.some(({ state }) => isLive(state)) &&
    // One place of a workload may have failed for good while another one is about to be tried again.
    start.length === 0 &&
    looks.length === 0
  return {
    start,
    stop,
    clear: instances.filter(({ state }) => state === 'exited' || state === 'failed' || state === 'lost'),
    statuses: all,
    lookAt: looks.length === 0 ? undefined : Math.min(...looks),
    over: isOver ? all.map(({ name, reason }) => `${name}: ${reason}`).join(', ') : undefined,
  }
}
