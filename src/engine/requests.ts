/** What is asked of running instances: to stop, to be signalled, to live longer, to run something more. */

import type { Clock } from '../base/clock.ts'
import { formatDuration } from '../base/durations.ts'
import { DayflyError } from '../base/errors.ts'
import { signalNumber } from '../base/signals.ts'
import type { Environment } from '../model/environment.ts'
import type { Actor } from '../model/event.ts'
import type { Instance } from '../model/instance.ts'
import { isLive } from '../model/instance.ts'
import { maximumTtl } from '../model/lease.ts'
import type { Backend } from './backend.ts'
import type { Engine } from './engine.ts'
import type { FilesOfInstances } from './files.ts'
import { endingOf } from './instances.ts'
import type { Leases } from './leases.ts'
import type { Lifecycle } from './lifecycle.ts'
import type { Notices } from './notices.ts'
import type { Refs } from './refs.ts'
import type { Sessions } from './sessions.ts'
import type { Stopper } from './stop.ts'
import type { Store } from './store.ts'

interface RequestsParts {
  readonly backend: Backend
  readonly store: Store
  readonly clock: Clock
  readonly refs: Refs
  readonly lifecycle: Lifecycle
  readonly notices: Notices
  readonly stopper: Stopper
  readonly sessions: Sessions
  readonly files: FilesOfInstances
  readonly leases: Leases
  /** Something about what is kept running is another than before. */
  readonly poke: (environment: string) => void
  /** Why it stands still because of what it did; empty when it does not. */
  readonly quarantined: (instance: string) => string
  /** Wakes an environment that is paused. */
  readonly resume: (environment: string, actor: Actor, reason: string) => Promise<void>
}

const longestGrace = 600_000

export const createRequests = (parts: RequestsParts): Pick<Engine, 'wait' | 'stop' | 'kill' | 'extend' | 'exec' | 'files' | 'attach'> => {
  const { backend, store, clock, refs, lifecycle, notices, stopper, sessions, files, leases, poke, resume, quarantined } = parts
  const extending = new Map<string, Promise<unknown>>()

  const environmentOf = (instance: Instance): Environment => refs.environment(instance.environment)

  const notRunning = (instance: Instance): DayflyError => {
    const { id, workload, state, reason } = instance
    return new DayflyError('wrong_state', `the instance ${id} (${workload}) is not running but ${state}: ${reason}`, { field: 'ref' })
  }
  const running = (ref: string): Instance => {
    const instance = refs.instance(ref)
    if (instance.state !== 'running') throw notRunning(instance)
    return instance
  }
  /** For what begins something new: its environment must not be ending. */
  const staying = (ref: string): Instance => {
    const instance = running(ref)
    const { state, spec, reason } = environmentOf(instance)
    if (state === 'running') return instance
    throw new DayflyError('wrong_state', `the environment ${spec.name} is ${state}: ${reason}`, { field: 'ref' })
  }
  /** For what is done inside: what is paused goes on. */
  const awake = async (ref: string, actor: Actor, why: string): Promise<Instance> => {
    const instance = staying(ref)
    const frozen = quarantined(instance.id)
    if (frozen !== '') {
      throw new DayflyError('wrong_state', `the instance ${instance.id} (${instance.workload}) is ${frozen}`, {
        field: 'ref',
        remedy: 'Only a person lets it go on, once it is known to be harmless: dayfly resume.',
      })
    }
    await resume(instance.environment, actor, why)
    return instance
  }
  const note = ({ id, environment }: Instance, type: string, actor: Actor, data: Record<string, string | number>): void =>
    lifecycle.noteEventually({ environment, instance: id, type, actor, reason: 'asked for', data })

  const ended = (id: string, signal: AbortSignal): Promise<Instance> =>
    notices.until(
      id,
      () => {
        const instance = refs.instance(id)
        return isLive(instance.state) ? undefined : instance
      },
      signal,
    )

  /** What ends meanwhile has no use for it: of what is kept running there is always one that comes or goes. */
  const setDeadline = async (id: string, deadline: number): Promise<void> => {
    try {
      await backend.setDeadline(id, deadline, quarantined(id) !== '')
    } catch (error) {
      if (store.instance(id)?.state === 'running') throw error
    }
  }

  /** The backend first, then the store: whatever fails or is cut off in between, it is not ended early; adopt sets it again from the store. */
  const move = async (id: string, ttl: number, actor: Actor): Promise<Environment> => {
    const environment = refs.environment(id)
    if (environment.state !== 'running') {
      throw new DayflyError('wrong_state', `the environment ${environment.spec.name} is ${environment.state}: ${environment.reason}`, {
        field: 'ref',
      })
    }
    const until = clock.boot() + ttl
    if (until > environment.createdBoot + maximumTtl) {
      const left = Math.max(0, environment.createdBoot + maximumTtl - clock.boot())
      throw new DayflyError('invalid', `--ttl: with ${formatDuration(ttl)} more it would grow older than ${formatDuration(maximumTtl)}`, {
        field: '--ttl',
        remedy: left < 1000 ? 'Start another one.' : `Ask for at most ${formatDuration(left)}.`,
      })
    }
    const instances = store.presentInstances(id).filter(({ state }) => state === 'running')
    const known = new Set(instances.map(instance => instance.id))
    let extended: Environment
    try {
      for (const instance of instances) await setDeadline(instance.id, until)
      const after = lifecycle.extend(id, until, { actor, reason: `${formatDuration(ttl)} from now` })
      leases.schedule(after)
      extended = after
    } catch (error) {
      for (const instance of instances)
        await backend.setDeadline(instance.id, environment.ttlDeadline, quarantined(instance.id) !== '').catch(() => {})
      throw error
    }
    // Those that began to run meanwhile were made with the deadline before. What begins from here on looks for itself.
    for (const late of store.presentInstances(id)) if (late.state === 'running' && !known.has(late.id)) await setDeadline(late.id, until)
    return extended
  }

  return {
    wait: (ref, signal) => ended(refs.instance(ref).id, signal),

    stop: async (ref, grace, actor, signal) => {
      const instance = refs.instance(ref)
      if (!isLive(instance.state)) return instance
      if (instance.state !== 'running') throw notRunning(instance)
      if (grace !== undefined && !(Number.isInteger(grace) && grace >= 0 && grace <= longestGrace)) {
        throw new DayflyError('invalid', `grace: ${grace} is not a number of milliseconds from 0 to ${longestGrace}`, { field: 'grace' })
      }
      const workload = endingOf(environmentOf(instance), instance)
      const patience = grace ?? workload.grace
      if (!stopper.isStopping(instance.id)) lifecycle.stopping(instance.id, 'stopped', patience, { actor, reason: 'asked for' })
      stopper.stop(instance.id, workload.stopSignal, patience)
      // What is frozen hears nothing.
      poke(instance.environment)
      return await ended(instance.id, signal)
    },

    kill: async (ref, signalName, actor) => {
      if (signalNumber(signalName) === undefined) {
        throw new DayflyError('invalid', `--signal: ${JSON.stringify(signalName)} is not the name of a signal`, {
          field: '--signal',
          remedy: 'Write it like SIGTERM or SIGKILL.',
        })
      }
      const instance = running(ref)
      note(instance, 'instance.signalled', actor, { signal: signalName })
      await backend.signal(instance.id, signalName)
    },

    extend: async (ref, ttl, actor) => {
      const { id } = refs.environment(ref)
      if (!Number.isInteger(ttl) || ttl < 1000) {
        throw new DayflyError('invalid', `--ttl: ${ttl} ms is too short`, {
          field: '--ttl',
          remedy: 'A lease is at least 1s; to end it now: dayfly down.',
        })
      }
      const before = extending.get(id) ?? Promise.resolve()
      const work = before.catch(() => {}).then(() => move(id, ttl, actor))
      extending.set(id, work)
      try {
        return await work
      } finally {
        if (extending.get(id) === work) extending.delete(id)
      }
    },

    exec: async (ref, request, actor, signal) => await sessions.exec(await awake(ref, actor, 'an exec was asked for'), request, actor, signal),
    files: async (ref, user, actor, signal) => await files.open(await awake(ref, actor, 'its files were asked for'), user, actor, signal),
    attach: async (ref, actor, signal) => sessions.attach(staying(ref), actor, signal),
  }
}
