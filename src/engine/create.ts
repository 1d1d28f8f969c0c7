/** Puts the engine together from its parts. */
import { randomBytes } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { abortable, settledWithin } from '../base/abort.ts'
import type { Agenda } from '../base/agenda.ts'
import { createAgenda } from '../base/agenda.ts'
import type { Clock } from '../base/clock.ts'
import { DayflyError } from '../base/errors.ts'
import type { Log } from '../base/log.ts'
import type { EndCause, Environment, EnvironmentSpec } from '../model/environment.ts'
import { dayfly } from '../model/event.ts'
import type { Instance } from '../model/instance.ts'
import { maximumTtl } from '../model/lease.ts'
import type { Admission } from './admission.ts'
import { createGate } from './admission.ts'
import { adoptAll, reconcile } from './adopt.ts'
import type { Audience } from './audience.ts'
import type { Backend } from './backend.ts'
import { createBlockedImages } from './blocked-images.ts'
import { completion } from './completion.ts'
import { createDenials } from './denials.ts'
import type { DiskMeter } from './disk.ts'
import { createEndings } from './endings.ts'
import type { Engine } from './engine.ts'
import { createFilesOfInstances } from './files.ts'
import { createFindings } from './findings.ts'
import { follow } from './follow.ts'
import type { ActivitySearch } from './forensics.ts'
import { createForensics, forensicsFolder } from './forensics.ts'
import { createHalt } from './halt.ts'
import { createInstances } from './instances.ts'
import { createLeases } from './leases.ts'
import { createLifecycle } from './lifecycle.ts'
import { createLine } from './line.ts'
import type { Lives } from './lives.ts'
import { newLive } from './lives.ts'
import { createMeasures } from './measures.ts'
import { createNotices } from './notices.ts'
import { createOutcomes } from './outcomes.ts'
import { passageSteps } from './passage.ts'
import { createQuarantine } from './quarantine.ts'
import type { Excess, Quotas } from './quotas.ts'
import { noQuotas } from './quotas.ts'
import { createRefs, seenBy } from './refs.ts'
import { refusingBlocked } from './refusing.ts'
import { createRequests } from './requests.ts'
import { createResponses } from './responses.ts'
import { createWallTrust, purgeExpired } from './retention.ts'
import { createRun } from './run.ts'
import type { SecretDigest } from './secret-digests.ts'
import { secretDigestBy } from './secret-digests.ts'
import type { SecretKeeper } from './secrets.ts'
import { forgetfulKeeper } from './secrets.ts'
import { createSessions } from './sessions.ts'
import { createStopper } from './stop.ts'
import type { EventFilter, Store } from './store.ts'
import { isSupervised } from './supervised.ts'
import { createSupervisor } from './supervisor.ts'
import { createUp } from './up.ts'
import { createSweep } from './upkeep.ts'
import { createWatches } from './watches.ts'
import type { Witness } from './witness.ts'
import { noWitness } from './witness.ts'

export interface EngineOptions {
  readonly backend: Backend
  readonly store: Store
  readonly clock: Clock
  /** Decides what may run. Nothing does without it. */
  readonly admission: Admission
  /** Holds the instances' logs; made with mode 0700 when it is missing. */
  readonly recordsFolder: string
  /** Vouches for what it has removed itself. Without it nobody does. */
  readonly headKey?: Uint8Array
  /** Bytes of evidence of all environments; 2 GiB unless said otherwise. */
  readonly evidenceBudget?: number
  readonly log: Log
  /** Environments that may be there at once. Default 1000. */
  readonly slots?: number
  /** Between two sweeps (ms). They only catch what timers missed. Default 5000. */
  readonly sweepInterval?: number
  /** From nothing to running (ms). Default 60 000. */
  readonly startPatience?: number
  /** How long a process may outlive SIGKILL before it is given up as lost (ms). Default 30 000. */
  readonly killPatience?: number
  /** One attempt to take an environment down, beside grace and SIGKILL (ms). Default 60 000. */
  readonly attemptPatience?: number
  /** How much owners may have. Default: no limits but `slots`. */
  readonly quotas?: Quotas
  /** Counts what they occupy on disk, as often as the sweep comes. Default: nobody does. */
  readonly disk?: DiskMeter
  /** Keeps secrets for instances that come later. Without one they are forgotten with the engine. */
  readonly keeper?: SecretKeeper
  /** By a key that the next engine has too. Without one, the next takes every secret for changed. */
  readonly secretDigest?: SecretDigest
  /** Watches what instances do, where somebody does. */
  readonly witness?: Witness
  /** Finds what instances did, for evidence. Without one there is none of that. */
  readonly search?: ActivitySearch
  /** Sends requests to instances, where somebody does. */
  readonly audience?: Audience
  /** Tests that move the clock by hand run it by hand. */
  readonly agenda?: Agenda
}

/** Where nobody sends requests. */
const nobody: Audience = { prepare: async () => {}, statuses: () => {}, drain: async () => {}, ending: () => {}, ended: () => {} }

/** How long the end of the daemon waits for what is under way (ms). What is not over then is repaired by the next adopt. */
const closePatience = 5_000

/** An engine that has done nothing yet: call `adopt` first. It owns neither the backend nor the store: dispose it before them. */
export const createEngine = (options: EngineOptions): Engine => {
  const { backend, store, clock, recordsFolder, log } = options
  mkdirSync(recordsFolder, { recursive: true, mode: 0o700 })
  const agenda = options.agenda ?? createAgenda(clock)
  const killPatience = options.killPatience ?? 30_000
  const startPatience = options.startPatience ?? 60_000
  const quotas = options.quotas ?? noQuotas
  const keeper = options.keeper ?? forgetfulKeeper()
  const audience = options.audience ?? nobody
  const witness = options.witness ?? noWitness
  const closer = new AbortController()
  const closing = closer.signal
  const busy = new Set<Promise<unknown>>()
  const lives: Lives = new Map()
  /** Environments that could not be adopted yet. */
  const unsettled = new Set<string>()
  let adopted = false

  const logPath = (instance: Instance): string => join(recordsFolder, `${instance.id}.log`)
  /** Written by whoever sends requests to instances; it goes with the record. */
  const accessLogPath = (environment: string): string => join(recordsFolder, `${environment}.access`)
  const notices = createNotices()
  const refs = createRefs(store)
  const lifecycle = createLifecycle(store, clock, notices, log)
  const quarantine = createQuarantine({ backend, store, lifecycle, log, poke: id => supervisor.poke(id) })
  const stopper = createStopper(backend, clock, agenda, log, quarantine.isFrozen)
  const sessions = createSessions(backend, lifecycle, id => rescheduled(id))
  const complete = completion(store, lifecycle, id => lives.get(id)?.ending?.why)
  const outcomes = createOutcomes({
    ...{ backend, store, lifecycle, notices, stopper, log, closing },
    onWritten: complete,
    afterWritten: id => {
      // What is kept running ends and begins by itself: nobody used it.
      if (supervisor.statuses(id).length === 0) lifecycle.touch(id)
      supervisor.poke(id)
      takeDown(id)
      rescheduled(id)
    },
  })
  const halt = createHalt({ backend, clock, agenda, outcomes, stopper, killPatience })
  const denials = createDenials(backend, lifecycle, log)
  const findings = createFindings(backend, store, lifecycle, log)
  const blockedImages = createBlockedImages(store, clock)
  const gate = createGate(refusingBlocked(options.admission, blockedImages), lifecycle)
  const forensics = createForensics({
    ...{ backend, store, clock, agenda, lifecycle, keeper, recordsFolder, log, search: options.search },
    ...{ key: options.headKey ?? randomBytes(32), budget: options.evidenceBudget },
  })
  const measures = createMeasures({
    ...{ backend, store, findings, quarantine, blocked: blockedImages, forensics, halt },
    isPaused: id => supervisor.isPaused(id),
    endEnvironment: async (id, reason, signal) => {
      const live = lives.get(id)
      if (!live) return
      background(endings.end(live, { actor: dayfly, cause: 'detection', reason }, true))
      const isEnding = (): true | undefined => (['ending', 'ended'].includes(store.environment(id)?.state ?? 'ended') ? true : undefined)
      await notices.until(id, isEnding, signal)
    },
  })
  const responses = createResponses({ store, clock, agenda, lifecycle, measures, log, closing, background: work => background(work) })
  const instances = createInstances({ backend, store, clock, lifecycle, logPath, witness })
  const steps = passageSteps({
    backend,
    store,
    clock,
    lifecycle,
    outcomes,
    sessions,
    instances,
    halt,
    keeper,
    audience,
    denials,
    gate,
    witness,
    responses,
  })
  const endIt = (id: string, cause: EndCause, reason: string): void => {
    const live = lives.get(id)
    if (live) background(endings.end(live, { actor: dayfly, cause, reason }, false))
  }
  const supervisor = createSupervisor({
    ...{ backend, store, clock, agenda, lifecycle, outcomes, instances, halt, keeper, notices, audience, gate, quotas, log, closing, startPatience },
    background: work => background(work),
    isStopping: stopper.isStopping,
    quarantined: quarantine.reason,
    onTaken: (id, release) => {
      const live = lives.get(id)
      if (!live || live.ending) return false
      live.release = release
      return true
    },
    onOver: (id, reason) => endIt(id, 'completed', reason),
  })
  const leases = createLeases({
    ...{ store, clock, agenda, lifecycle, sessions, log },
    isPaused: supervisor.isPaused,
    onOver: (id, cause, reason) => {
      const pausing = cause === 'idle' && store.environment(id)?.spec.lease.onIdle === 'pause' && supervisor.statuses(id).length > 0
      if (pausing) background(supervisor.pause(id, dayfly, reason))
      else endIt(id, cause, reason)
    },
  })
  const endings = createEndings({
    ...{ backend, store, clock, agenda, lifecycle, stopper, lives, steps, log, closing },
    attemptPatience: (options.attemptPatience ?? 60_000) + killPatience,
    onEnded: id => {
      const environment = store.environment(id)
      if (environment && isSupervised(environment.spec)) audience.ended(environment)
      leases.forget(id)
      findings.forget(id)
      quarantine.forget(id)
      responses.forget(id)
      lifecycle.forget(id)
      options.disk?.forget(id)
      line.look()
    },
  })

  /** Work that nobody waits for but the end of the daemon. Its failures are recorded where they happen. */
  const background = (work: Promise<unknown>): void => {
    busy.add(work)
    work.catch(() => {}).finally(() => busy.delete(work))
  }
  /** What requests ask for that are not answered yet. */
  const asked = new Set<{ readonly spec: EnvironmentSpec }>()
  const asking = <T>(spec: EnvironmentSpec, work: Promise<T>): Promise<T> => {
    const one = { spec }
    asked.add(one)
    background(work.finally(() => asked.delete(one)))
    return work
  }
  /** Takes it down if it is written as ending. */
  const takeDown = (id: string): void => {
    const live = lives.get(id)
    const environment = store.environment(id)
    if (!live || environment?.state !== 'ending') return
    const { reason, cause = 'failed' } = environment
    background(endings.end(live, { actor: dayfly, reason, cause }, live.ending?.force ?? false))
  }
  /** Its end may have come nearer: what kept it busy is over. */
  const rescheduled = (id: string): void => {
    try {
      const environment = lives.has(id) ? store.environment(id) : undefined
      if (environment?.state === 'running') leases.schedule(environment)
    } catch (error) {
      log.error('a lease could not be looked at; the next sweep does', { environment: id, error })
    }
  }
  const onRunning = (environment: Environment, instances: readonly Instance[]): void => {
    for (const { id, state } of instances) if (state === 'running') outcomes.watch(id)
    leases.schedule(environment)
  }
  const keep = (environment: Environment, fresh: boolean): void => {
    if (isSupervised(environment.spec)) supervisor.takeUp(environment, fresh)
  }
  const slots = options.slots ?? 1000
  const full = (): Excess | undefined => {
    if (lives.size < slots) return undefined
    return { of: 'host', reason: `there are ${lives.size} environments, as many as this host may have at once`, never: false }
  }
  const line = createLine({ excessOf: spec => full() ?? quotas.excessOf(spec), claim: quotas.claim, clock, agenda, closing, log })
  const run = createRun({
    ...{ store, clock, agenda, lifecycle, lives, endings, steps, closing },
    startPatience,
    line,
    gate,
    onRunning: ({ environment, instances }) => {
      onRunning(environment, instances)
      keep(environment, true)
    },
  })

  const takeUp = (id: string): void => {
    if (!lives.has(id)) lives.set(id, newLive(id, undefined))
  }
  /** What lives is watched on; and of what ends, the last of it is told as well. */
  const introduceAgain = (environment: Environment): void => {
    const secrets = keeper.find(environment.id)
    for (const instance of store.instances(environment.id)) {
      if (instance.state !== 'removed') witness.introduce(environment, instance, secrets.get(instance.workload) ?? new Map())
    }
  }
  const adoption = {
    ...{ backend, store, clock, lifecycle, log, complete },
    onRunning: (environment: Environment) => {
      takeUp(environment.id)
      introduceAgain(environment)
      background(findings.adopt(environment.id))
      background(quarantine.adopt(environment.id))
      const instances = store.instances(environment.id)
      onRunning(environment, instances)
      for (const { id, state } of instances) {
        if (state !== 'running') continue
        background(
          backend
            .setDeadline(id, environment.ttlDeadline, quarantine.isFrozen(id))
            .catch((error: unknown) => log.warn('a deadline could not be set again', { instance: id, error })),
        )
      }
      keep(environment, false)
      leases.check(environment.id)
      responses.adopt(environment)
    },
    onEnding: (environment: Environment) => {
      if (environment.state === 'ended') return
      takeUp(environment.id)
      introduceAgain(environment)
      takeDown(environment.id)
    },
  }

  const open = (): void => {
    if (closing.aborted) throw new DayflyError('unreachable', 'the daemon is ending', { remedy: 'Start it again: dayfly serve' })
    if (!adopted) throw new DayflyError('internal', 'the engine was asked before it had adopted what lives')
  }
  const watches = createWatches({ store, lifecycle, refs, notices, supervisor, quarantine, open })
  const requests = createRequests({
    ...{ backend, store, clock, refs, lifecycle, notices, stopper, sessions, leases },
    files: createFilesOfInstances(backend, lifecycle),
    poke: supervisor.poke,
    resume: supervisor.resume,
    quarantined: quarantine.reason,
  })
  const ended = (id: string, signal: AbortSignal): Promise<Environment> => {
    const check = (): Environment | undefined => {
      const environment = refs.environment(id)
      return environment.state === 'ended' ? environment : undefined
    }
    return notices.until(id, check, signal)
  }
  const up = createUp({
    ...{ backend, store, lives, lifecycle, keeper, supervisor, audience, gate, run, ended },
    secretDigest: options.secretDigest ?? secretDigestBy(randomBytes(32)),
    prolong: async (id, ttl, actor) => {
      const environment = refs.environment(id)
      const left = environment.ttlDeadline - clock.boot()
      const longest = environment.createdBoot + maximumTtl - clock.boot()
      const wanted = Math.min(ttl, Math.floor(longest))
      return wanted > left + 1000 ? await requests.extend(id, wanted, actor) : environment
    },
  })

  /** A filter may name its environment as any reference does. */
  const resolved = (filter: EventFilter): EventFilter =>
    filter.environment === undefined ? filter : { ...filter, environment: refs.environment(filter.environment).id }

  const trusted = createWallTrust(clock, store, log)
  const settleLater = async (): Promise<void> => {
    const seen = new Map((await backend.observe()).map(observed => [observed.id, observed]))
    for (const id of [...unsettled]) {
      const environment = store.environment(id)
      if (environment && environment.state !== 'ended') reconcile(adoption, environment, seen)
      unsettled.delete(id)
    }
  }
  const purge = async (): Promise<void> => {
    if (trusted()) await purgeExpired(store, clock, log, logPath, accessLogPath, id => forensicsFolder(recordsFolder, id), witness)
  }
  // Nobody waits for it: it takes long.
  const measure = (): void => void options.disk?.look()
  const sweep = createSweep({ store, lifecycle, outcomes, leases, endings, supervisor, denials, log, unsettled, settleLater, measure, purge })
  const sweepOften = (): void => {
    const again = (): void => void agenda.at(clock.boot() + (options.sweepInterval ?? 5_000), sweepOften)
    if (!closing.aborted) background(sweep().finally(again))
  }

  return {
    adopt: async signal => {
      if (adopted) throw new DayflyError('internal', 'the engine has adopted already')
      const result = await adoptAll(
        adoption,
        environment => {
          takeUp(environment)
          unsettled.add(environment)
        },
        signal,
      )
      adopted = true
      agenda.at(clock.boot() + (options.sweepInterval ?? 5_000), sweepOften)
      return result
    },

    run: async (spec, secrets, actor, signal, waiting) => {
      open()
      return asking(spec, run(spec, secrets, new Map(), actor, signal, waiting))
    },
    up: async (spec, secrets, seeds, actor, signal, partial, waiting) => {
      open()
      return asking(spec, up.up(spec, secrets, seeds, actor, signal, partial, waiting))
    },
    asked: () => [...asked].map(({ spec }) => spec),
    diff: up.diff,
    ...watches,

    end: async (ref, cause, reason, actor, force, signal) => {
      open()
      const environment = refs.environment(ref)
      const live = lives.get(environment.id)
      if (environment.state === 'ended' || !live) return environment
      const work = endings.end(live, { cause, reason, actor }, force)
      background(work)
      await abortable(work, signal)
      return refs.environment(environment.id)
    },
    testify: (environment, testimony) => {
      if (store.environment(environment)?.state === 'ended') return
      lifecycle.noteEventually({ ...testimony, environment, actor: dayfly })
    },
    noteFindings: work => {
      open()
      findings.note(work)
    },
    isolate: async (ref, reason, data) => {
      open()
      const environment = refs.environment(ref)
      if (environment.state === 'creating' || environment.state === 'running') await findings.isolate(environment, reason, data)
    },
    respond: (detection, plan) => {
      open()
      return responses.take(detection, plan)
    },
    blockedImages,
    refs: teams => createRefs(seenBy(store, teams)),
    evidence: ref => forensics.list(refs.environment(ref).id),
    prunedEvidence: forensics.isPruned,
    evidencePath: (ref, take, name) => forensics.path(refs.environment(ref).id, take, name),
    isIsolated: ref => findings.isIsolated(refs.environment(ref).id),
    ended: async (ref, signal) => ended(refs.environment(ref).id, signal),

    environment: ref => lifecycle.current(refs.environment(ref)),
    environments: filter => store.environments(filter).map(lifecycle.current),
    instance: refs.instance,
    environmentIdsOf: store.environmentIdsOf,
    instances: environment => store.instances(refs.environment(environment).id),
    instanceList: store.instanceList,
    logPath,
    accessLogPath,

    wait: async (ref, signal) => requests.wait(ref, signal),
    stop: async (ref, grace, actor, signal) => {
      open()
      return requests.stop(ref, grace, actor, signal)
    },
    kill: async (ref, signalName, actor) => {
      open()
      return requests.kill(ref, signalName, actor)
    },
    extend: async (ref, ttl, actor) => {
      open()
      return requests.extend(ref, ttl, actor)
    },
    exec: async (ref, request, actor, signal) => {
      open()
      return requests.exec(ref, request, actor, signal)
    },
    files: async (ref, user, actor, signal) => {
      open()
      return requests.files(ref, user, actor, signal)
    },
    attach: async (ref, actor, signal) => {
      open()
      return requests.attach(ref, actor, signal)
    },

    events: filter => store.events(resolved(filter)),
    follow: (filter, signal) => follow(store, notices, resolved(filter), signal),

    sweep: async signal => {
      open()
      await abortable(sweep(), signal)
    },
    leaks: async () => {
      const explained = new Set([...lives.keys(), ...[...lives.keys()].flatMap(id => store.instances(id).map(instance => instance.id))])
      return (await backend.owned()).filter(({ owner }) => owner === undefined || !explained.has(owner))
    },

    [Symbol.asyncDispose]: async () => {
      closer.abort(new DayflyError('unreachable', 'the daemon is ending'))
      if (!options.agenda) agenda[Symbol.dispose]()
      await settledWithin(Promise.allSettled(busy), closePatience)
    },
  }
}
