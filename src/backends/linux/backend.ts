/** The linux backend: instances are crun or gVisor containers on this host. The contract is engine/backend.ts; how a start goes is in ARCHITECTURE.md. */
import { mkdirSync } from 'node:fs'
import { abortable, throwIfAborted } from '../../base/abort.ts'
import type { Clock } from '../../base/clock.ts'
import { DayflyError } from '../../base/errors.ts'
import { newCellId } from '../../base/ids.ts'
import type { Log } from '../../base/log.ts'
import type { Backend, Created, InstanceRequest } from '../../engine/backend.ts'
import type { ImageStore } from '../../host/image/store.ts'
import { NativeError } from '../../host/native/channel.ts'
import type { MonitorConnection } from '../../host/native/monitor.ts'
import { signalNumber } from '../../host/native/session.ts'
import type { Slot } from '../../host/network/slots.ts'
import { slotNetwork } from '../../host/network/slots.ts'
import type { ExitStatus } from '../../model/instance.ts'
import type { Cell, LiveCell } from './cell.ts'
import { destroyCell, makeCell } from './cell.ts'
import { createContainerMaker, dedicate } from './containers.ts'
import { trackDemand } from './demand.ts'
import { openGround } from './ground.ts'
import { assertTraversable, layout } from './layout.ts'
import { createNetworks } from './networks.ts'
import { findCells } from './observe.ts'
import { ownedObjects } from './owned.ts'
import { createPrecedence } from './precedence.ts'
import type { Prepared, PreparedShape } from './prepared.ts'
import { createPreparedPool } from './prepared.ts'
import { createStock } from './ready.ts'
import { openAttach, openExec } from './sessions.ts'
import { createSlots } from './slots.ts'

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
}

/** What is held of an instance while this daemon lives. */
interface Held {
  readonly id: string
  readonly environment: string
  readonly cell: Cell
  readonly pid: number
  readonly grace: number
  readonly stopSignal: number
  started: boolean
  /** Until it was started or removed: others' removals wait for it. */
  readonly starting: Disposable | undefined
  /** Set when its container has ended; without an exit when nobody knows how. */
  ended: { readonly exit: ExitStatus | undefined } | undefined
  /** Under way, for whoever asks again. */
  removal: Promise<void> | undefined
}

/** Cells to keep ready when nobody asks for any; at most; and how long a burst is remembered, ms. */
const fewestCells = 4
const mostCells = 128
const cellMemory = 5 * 60_000
/** ms between looks at whether the firewall is still there. */
const guardInterval = 5000
/** ms that a removal waits at most while others are being started. */
const removalPatience = 1000

export const openLinuxBackend = async (options: LinuxBackendOptions): Promise<LinuxBackend> => {
  const { images, clock, log } = options
  const paths = layout(options.stateDir, options.runDir)
  for (const folder of [paths.cells, paths.scratch]) mkdirSync(folder, { recursive: true, mode: 0o711 })
  assertTraversable(paths.cells)

  await using opening = new AsyncDisposableStack()
  const ground = opening.use(await openGround(options))
  const { helper, cgroups, firewall } = ground
  const maker = { helper, cgroups, layout: paths, layersFolder: images.layersFolder, monitorBinary: ground.monitorBinary }

  const found = await findCells(paths, cgroups, helper, (cell, error) =>
    log.error('what an earlier daemon left could not be taken over', { cell, error }),
  )
  const taken = found.map(({ owner }) => owner.slot)
  const idle = await ground.sweep(taken, new Set(found.map(({ cell }) => cell.id)))
  const slots = createSlots(ground.slice, [...taken, ...idle])
  const networks = createNetworks(helper, firewall, slots, idle)
  const containers = createContainerMaker({ images, runtimes: ground.runtimes, seccomp: ground.seccomp, cgroup2: cgroups.mode === 'v2' })

  const instances = new Map<string, Held>()
  const hold = (instance: Omit<Held, 'ended' | 'removal'>): void => {
    const held: Held = { ...instance, ended: undefined, removal: undefined }
    instances.set(held.id, held)
    void held.cell.exit.then(exit => {
      held.ended = { exit }
    })
  }
  for (const { owner, cell } of found) {
    networks.adopt(owner.environment, owner.slot, owner.index)
    const { instance: id, environment, pid, grace, stopSignal } = owner
    hold({ id, environment, cell, pid, grace, stopSignal, started: true, starting: undefined })
  }

  /** Every cell that this daemon has or is about to make or to end, and the slot it is in: what explains its kernel objects. */
  const known = new Map<string, Slot>(found.map(({ owner, cell }) => [cell.id, owner.slot]))
  const buildCell = async (slot: Slot, index: number, signal: AbortSignal): Promise<LiveCell> => {
    const id = newCellId()
    known.set(id, slot)
    try {
      return await makeCell(maker, id, slot, index, signal)
    } catch (error) {
      known.delete(id)
      throw error
    }
  }
  const endCell = async (cell: Cell): Promise<void> => {
    try {
      await destroyCell(cell, helper)
    } finally {
      // What resisted is explained by its instance, which is tried again, or by nobody: then doctor shows it.
      known.delete(cell.id)
    }
  }
  /** A cell with a network of its own. */
  const openCell = async (signal: AbortSignal): Promise<LiveCell> => {
    const slot = await networks.open()
    try {
      return await buildCell(slot, 0, signal)
    } catch (error) {
      await networks.close(slot)
      throw error
    }
  }
  const closeCell = async (cell: Cell): Promise<void> => {
    await endCell(cell)
    await networks.close(cell.slot)
  }

  const precedence = createPrecedence()
  const cellDemand = trackDemand(1000, cellMemory)
  const cells = createStock<LiveCell>({
    make: openCell,
    dispose: closeCell,
    wanted: () => Math.min(mostCells, Math.max(fewestCells, cellDemand.peak(clock.boot()))),
    quiet: 20,
    failed: error => log.warn('a cell could not be made ready', { error }),
  })
  const nextCell = async (signal: AbortSignal): Promise<LiveCell> => {
    cellDemand.took(clock.boot())
    return cells.take() ?? (await openCell(signal))
  }

  const prepared = createPreparedPool({
    prepare: async (workload, signal): Promise<Prepared> => {
      const cell = await openCell(signal)
      try {
        return { cell, pid: await containers.fill(cell, workload, cell.id) }
      } catch (error) {
        await closeCell(cell)
        throw error
      }
    },
    dispose: ({ cell }) => closeCell(cell),
    memoryLimit: options.preparedMemory ?? 256 * 1024 * 1024,
    now: clock.boot,
    failed: error => log.warn('a container could not be prepared', { error }),
  })
  cells.adjust()

  // Whoever flushes the host's ruleset (a restart of nftables.service does) opens what must be closed.
  const guard = setInterval(() => {
    firewall.ensure().catch(error => log.error('the firewall could not be checked', { error }))
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

  /** The cell whose network becomes the environment's. */
  const firstCell = async (environment: string, signal: AbortSignal): Promise<LiveCell> => {
    try {
      const cell = await nextCell(signal)
      networks.assign(environment, cell.slot, cell.index)
      return cell
    } catch (error) {
      networks.giveUp(environment)
      throw error
    }
  }

  /** A filled cell in the environment's network, its place in it taken. */
  const obtain = async (request: InstanceRequest, signal: AbortSignal): Promise<Prepared & { readonly start: 'cold' | 'prepared' }> => {
    const { environment, workload } = request
    const slot = await networks.join(environment)
    if (slot === undefined) {
      // gVisor has its host name from config.json: one that is prepared would keep another's.
      const ready = workload.runtime === 'crun' ? prepared.take(workload) : undefined
      if (ready !== undefined) {
        networks.assign(environment, ready.cell.slot, ready.cell.index)
        return { ...ready, start: 'prepared' }
      }
    }
    const cell = await (slot === undefined ? firstCell(environment, signal) : buildCell(slot, networks.place(environment), signal))
    try {
      return { cell, pid: await containers.fill(cell, workload, request.hostname), start: 'cold' }
    } catch (error) {
      await abandon(environment, cell)
      throw error
    }
  }

  const abandon = async (environment: string, cell: Cell): Promise<void> => {
    await endCell(cell)
    networks.leave(environment, cell.index)
  }

  const create: Backend['create'] = async (request, secrets, signal) => {
    if (instances.has(request.id)) throw new DayflyError('conflict', `instance ${request.id} exists`)
    const starting = precedence.start()
    try {
      return await createStarting(request, secrets, signal, starting)
    } catch (error) {
      starting[Symbol.dispose]()
      throw error
    }
  }

  const createStarting = async (
    request: InstanceRequest,
    secrets: ReadonlyMap<string, Uint8Array>,
    signal: AbortSignal,
    starting: Disposable,
  ): Promise<Created> => {
    throwIfAborted(signal)
    const { cell, pid, start } = await obtain(request, signal)
    try {
      const user = secrets.size > 0 ? await containers.userOf(request.workload.image, request.workload.user) : { uid: 0, gid: 0, additionalGids: [] }
      await Promise.all([networks.allow(request.environment, request.workload.egress), dedicate(cell, pid, request, secrets, user)])
      throwIfAborted(signal)
    } catch (error) {
      await abandon(request.environment, cell)
      throw error
    }
    const { grace, stopSignal } = request.workload
    hold({ id: request.id, environment: request.environment, cell, pid, grace, stopSignal: signalNumber(stopSignal), started: false, starting })
    return { pid, start }
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
    await endCell(cell)
    networks.leave(environment, cell.index)
    instances.delete(id)
  }

  opening.move()
  return {
    name: 'linux',
    create,
    start: async id => {
      const instance = held(id)
      if (instance.started) throw new DayflyError('wrong_state', `instance ${id} was started before`)
      using _starting = instance.starting
      await monitorOf(instance).start()
      instance.started = true
    },
    wait: async (id, signal) => {
      const exit = await abortable(held(id).cell.exit, signal)
      if (exit === undefined) throw new DayflyError('wrong_state', `the monitor of instance ${id} is gone and left no exit status`)
      return exit
    },
    signal: async (id, name) => {
      await held(id).cell.monitor?.signal(signalNumber(name)).catch(ignoring('ESRCH', 'EPIPE'))
    },
    setDeadline: async (id, deadline) => {
      const { cell, grace, stopSignal } = held(id)
      await cell.monitor?.deadline(deadline, grace, stopSignal).catch(ignoring('ESRCH', 'EPIPE'))
    },
    exec: (id, request, signal) => openExec(held(id).cell, containers, request, signal),
    attach: (id, signal) => openAttach(held(id).cell, signal),
    remove,
    removeEnvironment: environment => networks.remove(environment),
    observe: async () => {
      // What has ended has settled its promise: let that be seen.
      await new Promise(setImmediate)
      return [...instances.values()].map(({ id, environment, pid, started, ended }) => {
        if (ended === undefined) return { id, environment, state: started ? 'running' : 'created', pid, exit: undefined }
        return { id, environment, state: ended.exit === undefined ? 'gone' : 'exited', pid: undefined, exit: ended.exit }
      })
    },
    owned: async () => {
      const ruled = await firewall.bridges()
      // From here on without a pause: what is known and what is there are of one moment.
      const ofInstances = new Set([...instances.values()].map(({ cell }) => cell.id))
      const others = [...known].filter(([id]) => !ofInstances.has(id))
      const environments = networks.environments()
      const taken = new Set([...environments.values()].map(({ slot }) => slot))
      return ownedObjects({
        layout: paths,
        slice: ground.slice,
        cgroups: cgroups.list(),
        ruled,
        instances: [...instances.values()],
        environments,
        pooled: {
          cells: new Set(others.map(([id]) => id)),
          bridges: new Set(slots.allocated().flatMap(slot => (taken.has(slot.slot) ? [] : [slotNetwork(slot).bridge]))),
        },
      })
    },
    pool: () => ({ cells: cells.size, prepared: prepared.report() }),
    forgetImage: async digest => {
      await prepared.forgetImage(digest)
      containers.forgetImage(digest)
    },
    async [Symbol.asyncDispose]() {
      closing = true
      clearInterval(guard)
      await Promise.all([prepared.close(), cells.close()])
      // What was created and not started ends with its connection; what was started lives on, for the next daemon to adopt.
      await Promise.all([...instances.values()].map(({ cell }) => cell.monitor?.[Symbol.asyncDispose]()))
      await networks.clear()
      if (instances.size === 0) await ground.clear()
      await ground[Symbol.asyncDispose]()
    },
  }
}

/** Its connection to a living monitor. */
const monitorOf = ({ id, cell }: Held): MonitorConnection => {
  if (cell.monitor === undefined) throw new DayflyError('wrong_state', `instance ${id} has ended`)
  return cell.monitor
}

const ignoring =
  (...errnos: readonly string[]) =>
  (error: unknown): void => {
    if (!(error instanceof NativeError && errnos.includes(error.errno))) throw error
  }
