/**
 * Where filled cells come from: a prepared container of the shape, else a ready cell, else one that is made now. What has died in a pool is left behind
 * and the next is taken, so that no start fails because something that waited for it was killed meanwhile.
 */
import { abortError, onAbort } from '../../base/abort.ts'
import type { Agenda } from '../../base/agenda.ts'
import type { Clock } from '../../base/clock.ts'
import { deadline } from '../../base/deadline.ts'
import { DayflyError, messageOf } from '../../base/errors.ts'
import { newCellId } from '../../base/ids.ts'
import type { Log } from '../../base/log.ts'
import { timed } from '../../base/timed.ts'
import type { InstanceRequest } from '../../engine/backend.ts'
import { NativeError } from '../../host/native/channel.ts'
import type { Slot } from '../../host/network/slots.ts'
import type { OnStep, StartStep } from '../../model/start.ts'
import type { BareCell, Cell, CellMaker, LiveCell } from './cell.ts'
import { destroyCell, makeBareCell, makeCell, settleCell } from './cell.ts'
import type { Condemned } from './condemned.ts'
import type { ContainerMaker } from './containers.ts'
import { trackDemand } from './demand.ts'
import { mountsKeep } from './mounts.ts'
import type { Networks } from './networks.ts'
import type { Prepared, PreparedShape, Purpose } from './prepared.ts'
import { createPreparedPool } from './prepared.ts'
import { hasEnded, readIdentity } from './processes.ts'
import { createStock } from './ready.ts'
import type { ResourceStore } from './resources.ts'
import type { Watching } from './watching.ts'

export interface Supplied extends Prepared {
  readonly start: 'cold' | 'prepared'
}

export interface Supply {
  /**
   * A filled cell in the environment's network, its place in it taken, on which `dedicate` has done its work. On failure nothing of it is left, or is on
   * its way out.
   */
  provide(request: InstanceRequest, dedicate: (filled: Prepared) => Promise<void>, signal: AbortSignal): Promise<Supplied>
  /** Takes down a cell that no instance has, and gives its place back. Never rejects: what resists is tried again. */
  abandon(environment: string, cell: Cell): Promise<void>
  /** Cells that it has or is making or is still taking down, and the slot each is in, if it is in one. */
  cells(): ReadonlyMap<string, Slot | undefined>
  /** They have become an instance's, which explains them from now on, and takes them down. */
  handOver(cell: Cell): void
  /** Cells that wait for a container. */
  readonly ready: number
  prepared(): PreparedShape[]
  forgetImage(digest: string): Promise<void>
  /** An environment of several instances is about to come: cells for them are made ready. */
  expectEnvironment(): void
  /** Nothing waits for an instance of it any more: it ends, or its containers would be others from now on. */
  forgetEnvironment(environment: string): Promise<void>
  close(): Promise<void>
}

export interface SupplyOptions {
  readonly maker: CellMaker
  readonly containers: ContainerMaker
  readonly networks: Networks
  readonly resources: Pick<ResourceStore, 'of'>
  readonly condemned: Condemned
  readonly watching: Pick<Watching, 'created' | 'gone'>
  readonly clock: Clock
  readonly agenda: Agenda
  readonly log: Log
  /** Bytes that prepared containers may hold together. */
  readonly preparedMemory: number
  /** ms that the making of a container may take, and what follows until it can be started. */
  readonly createPatience: number
  readonly onStep: OnStep
}

/** Cells to keep ready when nobody asks for any; at most; and how long a burst is remembered, ms. */
const fewestCells = 4
const mostCells = 128
/** Bare ones, while environments come. */
const fewestBare = 4
const cellMemory = 5 * 60_000
/** Dead ones to take from the pools for one start, before everything is made anew. */
const mostDead = 3

/** What a monitor says that is gone, or whose container is. */
const hasDied = (error: unknown): boolean => {
  const native = error instanceof DayflyError && !(error instanceof NativeError) ? error.cause : error
  return native instanceof NativeError && (native.errno === 'EPIPE' || native.errno === 'ESRCH')
}

const isTimeout = (error: unknown): boolean => error instanceof DayflyError && error.code === 'timeout'

/** What could not be done, and, when the undoing of it failed as well, not what went wrong there. */
const first = (error: unknown): unknown => (error instanceof SuppressedError ? first(error.suppressed) : error)

interface Taken {
  readonly cell: LiveCell
  /** undefined: there is no container in it yet. */
  readonly pid: number | undefined
  /** It has waited in a pool, and with it its slot. */
  readonly pooled: boolean
}

export const createSupply = (options: SupplyOptions): Supply => {
  const { maker, containers, networks, resources, condemned, watching, clock, agenda, log } = options
  const cells = new Map<string, Slot | undefined>()

  const endCell = async (cell: Parameters<typeof destroyCell>[0] & { readonly id: string }): Promise<void> => {
    await destroyCell(cell, maker.helper)
    watching.gone(cell)
    cells.delete(cell.id)
  }
  /** It never had an environment, or has none any more: its slot goes with it. */
  const closeCell = (cell: LiveCell): Promise<void> =>
    condemned.takeDown(cell.id, async () => {
      await endCell(cell)
      await networks.close(cell.slot)
    })
  const build = async <T extends BareCell>(slot: Slot | undefined, signal: AbortSignal, make: (id: string) => Promise<T>): Promise<T> => {
    const id = newCellId()
    cells.set(id, slot)
    try {
      return await make(id)
    } catch (error) {
      const paths = maker.layout.cell(id)
      const remains = { id, paths, process: readIdentity(paths.monitorPid), monitor: undefined, cgroup: maker.cgroups.open(id) }
      if (error instanceof SuppressedError) await condemned.takeDown(id, () => endCell(remains))
      else cells.delete(id)
      // What broke off is a connection that was closed because somebody had given up.
      throw signal.aborted ? abortError(signal) : first(error)
    }
  }
  const buildCell = (slot: Slot, index: number, signal: AbortSignal): Promise<LiveCell> =>
    build(slot, signal, id => makeCell(maker, id, slot, index, signal))
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

  const cellDemand = trackDemand(1000, cellMemory)
  const ready = createStock<LiveCell>({
    make: openCell,
    dispose: closeCell,
    spoiled: cell => cell.monitor.closed,
    wanted: () => Math.min(mostCells, Math.max(fewestCells, cellDemand.peak(clock.boot()))),
    quiet: 20,
    failed: error => log.warn('a cell could not be made ready', { error }),
  })

  const bareDemand = trackDemand(1000, cellMemory)
  const bare = createStock<BareCell>({
    make: signal => build(undefined, signal, id => makeBareCell(maker, id, signal)),
    dispose: cell => condemned.takeDown(cell.id, () => endCell(cell)),
    spoiled: cell => cell.monitor.closed,
    wanted: () => {
      const peak = bareDemand.peak(clock.boot())
      return peak === 0 ? 0 : Math.min(mostCells, Math.max(fewestBare, peak))
    },
    quiet: 20,
    failed: error => log.warn('a cell could not be made ready', { error }),
  })

  /** A cell in the network of an environment that has its slot already; `fresh`: not one that has waited. */
  const cellIn = async (environment: string, slot: Slot, fresh: boolean, signal: AbortSignal): Promise<{ cell: LiveCell; waited: boolean }> => {
    const index = networks.place(environment)
    try {
      for (let dead = 0; !fresh && dead < mostDead; dead++) {
        const waiting = bare.take()
        if (waiting === undefined) break
        cells.set(waiting.id, slot)
        try {
          return { cell: await settleCell(maker, waiting, slot, index), waited: true }
        } catch (error) {
          await condemned.takeDown(waiting.id, () => endCell(waiting), environment)
          if (!hasDied(error)) throw error
        }
      }
      return { cell: await buildCell(slot, index, signal), waited: false }
    } catch (error) {
      networks.leave(environment, index)
      throw error
    }
  }

  const anotherCellIn = async (environment: string, signal: AbortSignal): Promise<LiveCell> => {
    const slot = networks.environments().get(environment)
    if (slot === undefined) throw new DayflyError('not_found', `the environment ${environment} is gone`)
    return (await cellIn(environment, slot, false, signal)).cell
  }

  /** The kernel is told whose it will be while it still waits. */
  const fill: ContainerMaker['fill'] = async (cell, request, signal) => {
    const pid = await containers.fill(cell, request, signal)
    watching.created(cell, pid, request.workload.runtime)
    return pid
  }

  const limited = (signal: AbortSignal) => deadline(clock, agenda, options.createPatience, 'the container could not be created in time', signal)

  const abandon = (environment: string, cell: Cell): Promise<void> =>
    condemned.takeDown(
      cell.id,
      async () => {
        await endCell(cell)
        networks.leave(environment, cell.index)
      },
      environment,
    )

  const discard = ({ cell }: Pick<Prepared, 'cell'>, { environment }: Purpose): Promise<void> =>
    environment === undefined ? closeCell(cell) : abandon(environment, cell)
  const pool = createPreparedPool({
    prepare: async (purpose: Purpose, signal: AbortSignal): Promise<Prepared> => {
      const { workload, environment } = purpose
      const cell = environment === undefined ? await openCell(signal) : await anotherCellIn(environment, signal)
      try {
        using limit = limited(signal)
        // crun's container gets its name when it becomes somebody's.
        const hostname = workload.runtime === 'crun' ? cell.id : purpose.hostname
        const shared = environment === undefined ? undefined : resources.of(environment)
        return { cell, pid: await fill(cell, { workload, hostname, resources: shared }, limit.signal) }
      } catch (error) {
        await discard({ cell }, purpose)
        throw error
      }
    },
    dispose: (prepared, purpose) => discard(prepared, purpose),
    memoryLimit: options.preparedMemory,
    now: clock.boot,
    failed: error => log.warn('a container could not be prepared', { error }),
  })
  ready.adjust()

  /** The cell whose network becomes the environment's. */
  const firstCell = async (environment: string, purpose: Purpose, fresh: boolean, signal: AbortSignal): Promise<Taken> => {
    try {
      const prepared = fresh || !mountsKeep(purpose.workload) ? undefined : pool.take(purpose)
      if (prepared === undefined) cellDemand.took(clock.boot())
      const waiting = prepared?.cell ?? (fresh ? undefined : ready.take())
      const cell = waiting ?? (await openCell(signal))
      networks.assign(environment, cell.slot, cell.index)
      return { cell, pid: prepared?.pid, pooled: waiting !== undefined }
    } catch (error) {
      networks.giveUp(environment)
      throw error
    }
  }
  const take = async ({ environment, workload, hostname }: InstanceRequest, fresh: boolean, signal: AbortSignal): Promise<Taken> => {
    const slot = await networks.join(environment)
    if (slot === undefined) return firstCell(environment, { workload, hostname, environment: undefined }, fresh, signal)
    const mayWait = !fresh && networks.isReserved(environment) && mountsKeep(workload)
    const prepared = mayWait ? pool.take({ workload, hostname, environment }) : undefined
    if (prepared !== undefined) return { ...prepared, pooled: true }
    bareDemand.took(clock.boot())
    const { cell, waited } = await cellIn(environment, slot, fresh, signal)
    return { cell, pid: undefined, pooled: waited }
  }

  const telling =
    ({ id }: InstanceRequest, step: StartStep) =>
    (began: number, ended: number, failure: string | undefined): void =>
      options.onStep(id, { step, began, ended, failure })

  const finish = async (
    { cell, pid }: Taken,
    request: InstanceRequest,
    dedicate: (filled: Prepared) => Promise<void>,
    signal: AbortSignal,
  ): Promise<Supplied> => {
    using limit = limited(signal)
    using _giveUp = onAbort(limit.signal, () => void cell.monitor[Symbol.asyncDispose]())
    try {
      const make = () => fill(cell, { ...request, resources: resources.of(request.environment) }, limit.signal)
      const filled = { cell, pid: pid ?? (await timed(make, telling(request, 'mount'))) }
      await timed(() => dedicate(filled), telling(request, 'dedicate'))
      // Its monitor may be slower to notice than the start is to come.
      if (pid !== undefined && hasEnded(pid)) throw new NativeError('ESRCH', 'the container that waited has died')
      if (limit.signal.aborted) throw abortError(limit.signal)
      return { ...filled, start: pid === undefined ? 'cold' : 'prepared' }
    } catch (error) {
      throw limit.signal.aborted ? abortError(limit.signal) : error
    }
  }

  return {
    provide: async (request, dedicate, signal) => {
      const { environment } = request
      for (let dead = 0; ; dead++) {
        const taken = await timed(() => take(request, dead >= mostDead, signal), telling(request, 'network'))
        const { cell } = taken
        try {
          return await finish(taken, request, dedicate, signal)
        } catch (error) {
          // A monitor that does not answer is no better than a dead one.
          const again = taken.pooled && !signal.aborted && (hasDied(error) || (taken.pid !== undefined && isTimeout(error)))
          if (again && networks.withdraw(environment, cell.index)) void closeCell(cell)
          else if (again && networks.isReserved(environment)) void abandon(environment, cell)
          else await abandon(environment, cell)
          if (!again) throw error
          log.info('what waited in a pool had died; another is taken', { cell: cell.id, reason: messageOf(error) })
        }
      }
    },
    abandon,
    cells: () => cells,
    handOver: cell => void cells.delete(cell.id),
    get ready() {
      return ready.size
    },
    prepared: pool.report,
    forgetImage: pool.forgetImage,
    expectEnvironment: () => {
      bareDemand.took(clock.boot())
      bare.adjust()
    },
    forgetEnvironment: pool.forgetEnvironment,
    close: async () => {
      await pool.close()
      await Promise.all([ready.close(), bare.close()])
    },
  }
}
