/** The linux backend: instances are crun or gVisor containers on this host. The contract is engine/backend.ts; how a start goes is in ARCHITECTURE.md. */
import { mkdirSync } from 'node:fs'
import { abortable, throwIfAborted } from '../../base/abort.ts'
import { createAgenda } from '../../base/agenda.ts'
import type { Clock } from '../../base/clock.ts'
import { DayflyError } from '../../base/errors.ts'
import type { Log } from '../../base/log.ts'
import type { Backend, InstanceRequest, Observed } from '../../engine/backend.ts'
import type { ImageStore } from '../../host/image/store.ts'
import { NativeError } from '../../host/native/channel.ts'
import type { MonitorConnection } from '../../host/native/monitor.ts'
import { signalNumber } from '../../host/native/session.ts'
import { instanceAddress, slotNetwork } from '../../host/network/slots.ts'
import type { ExitStatus } from '../../model/instance.ts'
import type { OnStep } from '../../model/start.ts'
import type { Cell, LiveCell } from './cell.ts'
import { destroyCell } from './cell.ts'
import { createCondemned } from './condemned.ts'
import { createContainerMaker, dedicate } from './containers.ts'
import type { Environments } from './environments.ts'
import { createEnvironments } from './environments.ts'
import { evidenceOf, killOne } from './evidence.ts'
import { mayHaveRun } from './exit.ts'
import { createFiles, filesRequest } from './files.ts'
import { builtProgram, openGround } from './ground.ts'
import { assertTraversable, layout } from './layout.ts'
import { createNetworks } from './networks.ts'
import { findCells } from './observe.ts'
import { occupied } from './occupied.ts'
import { ownedObjects } from './owned.ts'
import { assertAwake, pauseCell, resumeCell, usageOf } from './pause.ts'
import { createPrecedence } from './precedence.ts'
import type { PreparedShape } from './prepared.ts'
import { processEnded } from './processes.ts'
import { refusal } from './refusal.ts'
import { resolversBy } from './resolvers.ts'
import { openResources } from './resources.ts'
import { seedFrom } from './seed.ts'
import type { Sensor } from './sensor.ts'
import { openAttach, openExec, ownerWithin } from './sessions.ts'
import { createSlots } from './slots.ts'
import { createSupply } from './supply.ts'
import { createWatching } from './watching.ts'

export interface LinuxBackendOptions {
  readonly stateDir: string
  readonly runDir: string
  /** Folder of the native programs. */
  readonly nativeDir: string
  readonly images: ImageStore
  readonly clock: Clock
  readonly log: Log
  /** Called once when the helper has died: nothing can be started or ended any more, and only a new daemon mends it. */
  readonly onBroken: (reason: Error) => void
  /** Bytes that prepared containers may hold together. Default 256 MiB; 0 turns the prepared pool off. */
  readonly preparedMemory?: number
  /** ms that the making of a container may take before it is given up. Default 30 000. */
  readonly createPatience?: number
  /** Is told of containers before they run. Without one, nobody sees what they do. */
  readonly sensor?: Sensor
  /** Is told how long the steps of starts take. */
  readonly onStep?: OnStep
}

export interface PoolReport {
  /** Cells that wait for a container. */
  readonly cells: number
  readonly prepared: readonly PreparedShape[]
}

export interface LinuxBackend extends Backend {
  pool(): PoolReport
  /** Must be called before an image is removed: prepared containers of it end. */
  forgetImage(digest: string): Promise<void>
  /** The user id of whoever connected to a unix socket of this process, by its descriptor and inode. */
  peerUid(descriptor: number, inode: number): Promise<number>
  /** To a unix socket of datagrams of this host. */
  sendDatagram(path: string, message: string): Promise<void>
}

/** What is held of an instance while this daemon lives. */
interface Held {
  readonly id: string
  readonly environment: string
  readonly cell: Cell
  readonly pid: number
  readonly grace: number
  readonly stopSignal: number
  readonly command: string
  /** Its monitor was asked to start it. From then on it may have run, unless that is certain not to be so. */
  started: boolean
  /** Until it was started or removed: others' removals wait for it. */
  readonly starting: Disposable | undefined
  /** Set when its container has ended; without an exit when nobody knows how. */
  ended: { readonly exit: ExitStatus | undefined } | undefined
  /** Under way, for whoever asks again. */
  removal: Promise<void> | undefined
}

/** ms between looks at whether the firewall is still there. */
const guardInterval = 5000
/** ms that a removal waits at most while others are being started. */
const removalPatience = 1000
/** ms that a monitor whose connection is gone may take to be gone itself. */
const deathPatience = 1000

export const openLinuxBackend = async (options: LinuxBackendOptions): Promise<LinuxBackend> => {
  const { images, clock, log } = options
  const paths = layout(options.stateDir, options.runDir)
  for (const folder of [paths.cells, paths.scratch]) mkdirSync(folder, { recursive: true, mode: 0o711 })
  assertTraversable(paths.cells)

  await using opening = new AsyncDisposableStack()
  const ground = opening.use(await openGround(options))
  const { helper, cgroups, firewall } = ground
  const maker = { helper, cgroups, layout: paths, layersFolder: images.layersFolder, monitorBinary: ground.monitorBinary }

  const agenda = opening.adopt(createAgenda(clock), all => all[Symbol.dispose]())
  const condemned = createCondemned({
    clock,
    agenda,
    failed: (id, tries, error) => log[tries === 1 ? 'warn' : 'debug']('what is no longer needed resists; it is tried again', { id, tries, error }),
  })
  const { found, resisting } = await findCells(paths, cgroups, helper)
  /** What earlier daemons left and could not be taken down yet. */
  const leftovers = new Set<string>()
  const takeDownLeftover = (id: string, work: () => Promise<void>): Promise<void> => {
    leftovers.add(id)
    return condemned.takeDown(id, async () => {
      await work()
      leftovers.delete(id)
    })
  }
  for (const { id, remains, error } of resisting) {
    log.error('what an earlier daemon left resists; it is tried again', { cell: id, error })
    await takeDownLeftover(id, () => destroyCell(remains, helper))
  }
  const resources = openResources(paths.environments)
  const reserved = resources.found().flatMap(({ environment, slot }) => (slot?.slice === ground.slice ? [{ environment, slot }] : []))
  const taken = [...found.map(({ owner }) => owner.slot), ...reserved.map(({ slot }) => slot)]
  const idle = await ground.sweep(taken, new Set([...found.map(({ cell }) => cell.id), ...leftovers]), takeDownLeftover)
  const slots = createSlots(ground.slice, [...taken, ...idle])
  const networks = createNetworks(helper, firewall, slots, idle)
  const resolvers = opening.use(
    resolversBy(helper, paths.resolvers, (bridge, { source, ...question }) => {
      const asker = options.sensor === undefined ? undefined : environments.at(bridge, source)
      if (asker !== undefined) options.sensor?.asked({ ...asker, ...question })
    }),
  )
  const environments: Environments = createEnvironments({ networks, resources, firewall, helper, resolvers })
  const { runtimes, init, seccomp } = ground
  const containers = createContainerMaker({ images, runtimes, init, files: ground.files, seccomp, cgroup2: cgroups.mode === 'v2' })

  const watching = createWatching(options.sensor)
  const instances = new Map<string, Held>()
  const hold = (instance: Omit<Held, 'ended' | 'removal'>): void => {
    const held: Held = { ...instance, ended: undefined, removal: undefined }
    instances.set(held.id, held)
    void held.cell.exit.then(exit => {
      held.ended = { exit }
    })
  }
  for (const { environment, slot } of reserved) networks.adopt(environment, slot)
  for (const { owner, cell } of found) {
    networks.adopt(owner.environment, owner.slot, owner.index)
    const { instance: id, environment, pid, grace, stopSignal } = owner
    environments.adopt(environment, { ...owner, instance: id })
    hold({ id, environment, cell, pid, grace, stopSignal, command: '', started: true, starting: undefined })
    const init = cell.monitor === undefined || owner.startTime === undefined ? undefined : { pid, startTime: owner.startTime }
    watching.adopt(cell, { environment, instance: id }, owner.cookie, init)
  }

  await resolvers.sweep(new Set([...networks.environments().values()].map(slot => slotNetwork(slot).bridge)))

  const precedence = createPrecedence()
  const supply = createSupply({
    ...{ maker, containers, networks, resources, condemned, watching, clock, agenda, log },
    preparedMemory: options.preparedMemory ?? 256 * 1024 * 1024,
    createPatience: options.createPatience ?? 30_000,
    onStep: options.onStep ?? (() => {}),
  })

  // Whoever flushes the host's ruleset (a restart of nftables.service does) opens what must be closed.
  const guard = setInterval(() => {
    const restore = async (): Promise<void> => {
      if (await firewall.ensure()) await environments.refresh()
    }
    restore().catch(error => log.error('the firewall could not be checked', { error }))
    environments.revive().catch(error => log.error('a name server could not be checked', { error }))
  }, guardInterval)
  guard.unref()

  let closing = false
  void helper.closed.then(reason => {
    if (!closing) options.onBroken(reason)
  })

  const held = (id: string): Held => {
    const instance = instances.get(id)
    if (instance === undefined) throw new DayflyError('not_found', `there is no instance ${id} on this host`, { field: 'instance' })
    return instance
  }

  const create: Backend['create'] = async (request, secrets, signal) => {
    if (instances.has(request.id)) throw new DayflyError('conflict', `instance ${request.id} exists`)
    throwIfAborted(signal)
    const starting = precedence.start()
    try {
      const { cell, pid, start } = await supply.provide(request, ({ cell, pid }) => makeItsOwn(cell, pid, request, secrets), signal)
      const { command, grace, stopSignal } = request.workload
      const more = { grace, stopSignal: signalNumber(stopSignal), command: command[0] ?? '', started: false, starting }
      hold({ id: request.id, environment: request.environment, cell, pid, ...more })
      watching.became(cell, { environment: request.environment, instance: request.id })
      supply.handOver(cell)
      return { pid, start, address: instanceAddress(cell.slot, cell.index).address }
    } catch (error) {
      environments.leave(request.environment, request.id)
      starting[Symbol.dispose]()
      throw error
    }
  }

  /** Both are over when it settles: what one of them began late would outlive the end of the cell. */
  const makeItsOwn = async (cell: LiveCell, pid: number, request: InstanceRequest, secrets: ReadonlyMap<string, Uint8Array>): Promise<void> => {
    const user = secrets.size > 0 ? await containers.userOf(request.workload.image, request.workload.user) : { uid: 0, gid: 0, additionalGids: [] }
    const { environment, workload } = request
    const domains = workload.egressDomains ?? []
    const member = { instance: request.id, index: cell.index, networks: request.networks, egress: workload.egress, domains }
    const resolver = environments.resolverOf(environment, domains)
    const both = await Promise.allSettled([
      environments.admit(environment, member),
      dedicate(cell, { pid, cookie: watching.cookieOf(cell) }, request, secrets, user, resolver),
    ])
    for (const one of both) if (one.status === 'rejected') throw one.reason
  }

  const start: Backend['start'] = async (id, signal) => {
    const instance = held(id)
    if (instance.started) throw new DayflyError('wrong_state', `instance ${id} was started before`)
    throwIfAborted(signal)
    using _starting = instance.starting
    const monitor = monitorOf(instance)
    await watching.seen(instance.cell)
    instance.started = true
    try {
      const starting = monitor.start()
      watching.started(instance.cell)
      await starting
    } catch (error) {
      const refused = refusal(error, instance.command, 'the container could not be started')
      const known = refused instanceof DayflyError && (refused.code === 'command_not_found' || refused.code === 'command_not_executable')
      instance.started = !known && (await afterFailedStart(instance, monitor))
      throw refused
    }
  }

  /** Whether it may have run. Its monitor is gone when that settles: only then is it certain. */
  const afterFailedStart = async ({ cell }: Held, monitor: MonitorConnection): Promise<boolean> => {
    await monitor.kill().catch(() => undefined)
    await monitor[Symbol.asyncDispose]()
    const dead = cell.process === undefined || (await settles(processEnded(cell.process, deathPatience)))
    return !dead || mayHaveRun(cell.paths)
  }

  const remove: Backend['remove'] = async id => {
    const instance = instances.get(id)
    if (instance === undefined) return
    instance.starting?.[Symbol.dispose]()
    instance.removal ??= takeDown(instance).finally(() => {
      instance.removal = undefined
    })
    await instance.removal
  }

  const takeDown = async ({ id, environment, cell }: Held): Promise<void> => {
    await precedence.clear(removalPatience)
    watching.ending(cell)
    await destroyCell(cell, helper)
    watching.gone(cell)
    environments.leave(environment, id)
    networks.leave(environment, cell.index)
    instances.delete(id)
  }

  opening.move()
  return {
    name: 'linux',
    prepareEnvironment: async (request, signal) => {
      throwIfAborted(signal)
      supply.expectEnvironment()
      // What waits for an instance has the configurations of before.
      await Promise.all([supply.forgetEnvironment(request.id), environments.prepare(request)])
    },
    seedVolume: async (environment, volume, tar, signal) => {
      const shared = resources.of(environment)
      if (shared === undefined) throw new DayflyError('not_found', `the environment ${environment} has no volumes`, { field: 'volume' })
      if (shared.isUsed(volume) && [...instances.values()].some(instance => instance.environment === environment)) {
        throw new DayflyError('wrong_state', `the volume ${volume} is in use: it can be filled before its first instance only`, { field: 'volume' })
      }
      // What waits for an instance has the volume of before.
      await supply.forgetEnvironment(environment)
      await seedFrom(builtProgram(options.nativeDir, 'dayfly-unpack'), shared, volume, tar, signal)
    },
    setNames: (environment, names) => environments.setNames(environment, names),
    create,
    start,
    wait: async (id, signal) => {
      const exit = await abortable(held(id).cell.exit, signal)
      if (exit === undefined) throw new DayflyError('wrong_state', `the monitor of instance ${id} is gone and left no exit status`)
      return exit
    },
    signal: async (id, name) => {
      const { cell } = held(id)
      // What is frozen hears no signal. It must not be thawed to die: others of its processes would run for a moment.
      if (name === 'SIGKILL' && cell.cgroup.frozen()) return await cell.cgroup.killAll()
      await cell.monitor?.signal(signalNumber(name)).catch(ignoring('ESRCH', 'EPIPE'))
    },
    setDeadline: async (id, deadline, abrupt = false) => {
      const { cell, grace, stopSignal } = held(id)
      await cell.monitor?.deadline(deadline, abrupt ? 0 : grace, abrupt ? signalNumber('SIGKILL') : stopSignal).catch(ignoring('ESRCH', 'EPIPE'))
    },
    pause: async id => {
      const { cell, started, ended } = held(id)
      if (!started || ended !== undefined) throw new DayflyError('wrong_state', `instance ${id} does not run: it cannot be paused`)
      await pauseCell(cell)
    },
    resume: async id => resumeCell(held(id).cell),
    killProcess: async (id, process) => await killOne(id, held(id).cell, process, helper),
    takeEvidence: async (id, request, signal) => {
      const { cell, pid, ended } = held(id)
      return await evidenceOf(cell, ended === undefined ? pid : undefined, request, helper, signal)
    },
    usage: async () => new Map([...instances.values()].map(({ id, cell }) => [id, usageOf(cell)])),
    disk: async (wanted, signal) => {
      const own = Map.groupBy(instances.values(), ({ environment }) => environment)
      const foldersOf = new Map(
        wanted.map(id => [id, [...(resources.folderOf(id) ?? []), ...(own.get(id) ?? []).map(({ cell }) => cell.paths.scratch)]]),
      )
      return await occupied(foldersOf, signal)
    },
    denied: environment => environments.denied(environment),
    isolate: environment => environments.isolate(environment),
    exec: async (id, request, signal) => {
      const { cell } = held(id)
      assertAwake(id, cell)
      return openExec(cell, containers, request, signal)
    },
    files: async (id, user, signal) => {
      const { cell } = held(id)
      assertAwake(id, cell)
      return createFiles({
        exec: args => openExec(cell, containers, filesRequest(args, user), signal),
        idsOf: async owner => await ownerWithin(cell, containers, owner),
        signal,
      })
    },
    attach: (id, signal) => openAttach(held(id).cell, signal),
    remove,
    removeEnvironment: async environment => {
      await supply.forgetEnvironment(environment)
      await condemned.clear(environment)
      await environments.remove(environment)
    },
    observe: async () => {
      // What has ended has settled its promise: let that be seen.
      await new Promise(setImmediate)
      return [...instances.values()].map(seen)
    },
    owned: async () => {
      const ruled = await firewall.bridges()
      // From here on without a pause: what is known and what is there are of one moment.
      const known = networks.environments()
      const taken = new Set([...known.values()].map(({ slot }) => slot))
      // What has resisted for long is hidden no more, although it is tried again.
      const stubborn = condemned.stubborn()
      for (const [id, slot] of supply.cells()) if (slot !== undefined && stubborn.has(id)) taken.add(slot.slot)
      return ownedObjects({
        layout: paths,
        slice: ground.slice,
        cgroups: cgroups.list(),
        ruled,
        instances: [...instances.values()],
        environments: known,
        resolvers: resolvers.owned(),
        pooled: {
          cells: new Set([...supply.cells().keys(), ...leftovers]).difference(stubborn),
          bridges: new Set(slots.allocated().flatMap(slot => (taken.has(slot.slot) ? [] : [slotNetwork(slot).bridge]))),
        },
      })
    },
    pool: () => ({ cells: supply.ready, prepared: supply.prepared() }),
    peerUid: helper.peerUid,
    sendDatagram: helper.sendDatagram,
    forgetImage: async digest => {
      await supply.forgetImage(digest)
      containers.forgetImage(digest)
    },
    async [Symbol.asyncDispose]() {
      closing = true
      clearInterval(guard)
      await supply.close()
      // What was created and not started ends with its connection; what was started lives on, for the next daemon to adopt.
      await Promise.all([...instances.values()].map(({ cell }) => cell.monitor?.[Symbol.asyncDispose]()))
      await condemned.close()
      agenda[Symbol.dispose]()
      await networks.clear()
      await resolvers[Symbol.asyncDispose]()
      const lived = instances.size > 0 || [...networks.environments().keys()].some(networks.isReserved)
      if (!lived) await ground.clear()
      await ground[Symbol.asyncDispose]()
    },
  }
}

/** Its connection to a living monitor. */
const monitorOf = ({ id, cell }: Held): MonitorConnection => {
  if (cell.monitor === undefined) throw new DayflyError('wrong_state', `instance ${id} has ended`)
  return cell.monitor
}

const settles = (work: Promise<unknown>): Promise<boolean> =>
  work.then(
    () => true,
    () => false,
  )

/** As the contract says it: what is certain not to have run is still `created`, whatever became of it since. */
const seen = ({ id, environment, pid, started, ended }: Held): Observed => {
  if (ended === undefined) return { id, environment, state: started ? 'running' : 'created', pid, exit: undefined }
  const state = ended.exit !== undefined ? 'exited' : started ? 'gone' : 'created'
  return { id, environment, state, pid: undefined, exit: ended.exit }
}

const ignoring =
  (...errnos: readonly string[]) =>
  (error: unknown): void => {
    if (!(error instanceof NativeError && errnos.includes(error.errno))) throw error
  }
