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
import type { InstanceRequest } from '../../engine/backend.ts'
import { NativeError } from '../../host/native/channel.ts'
import type { Slot } from '../../host/network/slots.ts'
import type { WorkloadSpec } from '../../model/workload.ts'
import type { Cell, CellMaker, LiveCell } from './cell.ts'
import { destroyCell, makeCell } from './cell.ts'
import type { Condemned } from './condemned.ts'
import type { ContainerMaker } from './containers.ts'
import { trackDemand } from './demand.ts'
import type { Networks } from './networks.ts'
import type { Prepared, PreparedShape } from './prepared.ts'
import { createPreparedPool } from './prepared.ts'
import { readIdentity } from './processes.ts'
import { createStock } from './ready.ts'

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
  /** Cells that it has or is making or is still taking down, and the slot each is in. */
  cells(): ReadonlyMap<string, Slot>
  /** They have become an instance's, which explains them from now on, and takes them down. */
  handOver(cell: Cell): void
  /** Cells that wait for a container. */
  readonly ready: number
  prepared(): PreparedShape[]
  forgetImage(digest: string): Promise<void>
  close(): Promise<void>
}

export interface SupplyOptions {
  readonly maker: CellMaker
  readonly containers: ContainerMaker
  readonly networks: Networks
  readonly condemned: Condemned
  readonly clock: Clock
  readonly agenda: Agenda
  readonly log: Log
  /** Bytes that prepared containers may hold together. */
  readonly preparedMemory: number
  /** ms that the making of a container may take, and what follows until it can be started. */
  readonly createPatience: number
}

/** Cells to keep ready when nobody asks for any; at most; and how long a burst is remembered, ms. */
const fewestCells = 4
const mostCells = 128
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
  const { maker, containers, networks, condemned, clock, agenda, log } = options
  const cells = new Map<string, Slot>()

  const endCell = async (cell: Parameters<typeof destroyCell>[0] & { readonly id: string }): Promise<void> => {
    await destroyCell(cell, maker.helper)
    cells.delete(cell.id)
  }
  /** It never had an environment, or has none any more: its slot goes with it. */
  const closeCell = (cell: LiveCell): Promise<void> =>
    condemned.takeDown(cell.id, async () => {
      await endCell(cell)
      await networks.close(cell.slot)
    })
  const buildCell = async (slot: Slot, index: number, signal: AbortSignal): Promise<LiveCell> => {
    const id = newCellId()
    cells.set(id, slot)
    try {
      return await makeCell(maker, id, slot, index, signal)
    } catch (error) {
      const paths = maker.layout.cell(id)
      const remains = { id, paths, process: readIdentity(paths.monitorPid), monitor: undefined, cgroup: maker.cgroups.open(id) }
      if (error instanceof SuppressedError) await condemned.takeDown(id, () => endCell(remains))
      else cells.delete(id)
      // What broke off is a connection that was closed because somebody had given up.
      throw signal.aborted ? abortError(signal) : first(error)
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

  const cellDemand = trackDemand(1000, cellMemory)
  const ready = createStock<LiveCell>({
    make: openCell,
    dispose: closeCell,
    spoiled: cell => cell.monitor.closed,
    wanted: () => Math.min(mostCells, Math.max(fewestCells, cellDemand.peak(clock.boot()))),
    quiet: 20,
    failed: error => log.warn('a cell could not be made ready', { error }),
  })

  const limited = (signal: AbortSignal) => deadline(clock, agenda, options.createPatience, 'the container could not be created in time', signal)

  const pool = createPreparedPool({
    prepare: async (workload: WorkloadSpec, hostname: string, signal: AbortSignal): Promise<Prepared> => {
      const cell = await openCell(signal)
      try {
        using limit = limited(signal)
        // crun's container gets its name when it becomes somebody's.
        return { cell, pid: await containers.fill(cell, workload, workload.runtime === 'crun' ? cell.id : hostname, limit.signal) }
      } catch (error) {
        await closeCell(cell)
        throw error
      }
    },
    dispose: ({ cell }) => closeCell(cell),
    memoryLimit: options.preparedMemory,
    now: clock.boot,
    failed: error => log.warn('a container could not be prepared', { error }),
  })
  ready.adjust()

  /** The cell whose network becomes the environment's. */
  const firstCell = async (environment: string, workload: WorkloadSpec, hostname: string, fresh: boolean, signal: AbortSignal): Promise<Taken> => {
    try {
      const prepared = fresh ? undefined : pool.take(workload, hostname)
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
    if (slot === undefined) return firstCell(environment, workload, hostname, fresh, signal)
    return { cell: await buildCell(slot, networks.place(environment), signal), pid: undefined, pooled: false }
  }

  const abandon = (environment: string, cell: Cell): Promise<void> =>
    condemned.takeDown(
      cell.id,
      async () => {
        await endCell(cell)
        networks.leave(environment, cell.index)
      },
      environment,
    )

  const finish = async (
    { cell, pid }: Taken,
    request: InstanceRequest,
    dedicate: (filled: Prepared) => Promise<void>,
    signal: AbortSignal,
  ): Promise<Supplied> => {
    using limit = limited(signal)
    using _giveUp = onAbort(limit.signal, () => void cell.monitor[Symbol.asyncDispose]())
    try {
      const filled = { cell, pid: pid ?? (await containers.fill(cell, request.workload, request.hostname, limit.signal)) }
      await dedicate(filled)
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
        const taken = await take(request, dead >= mostDead, signal)
        const { cell } = taken
        try {
          return await finish(taken, request, dedicate, signal)
        } catch (error) {
          // A monitor that does not answer is no better than a dead one.
          const again = taken.pooled && !signal.aborted && (hasDied(error) || (taken.pid !== undefined && isTimeout(error)))
          if (!again || !networks.withdraw(environment, cell.index)) await abandon(environment, cell)
          else void closeCell(cell)
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
    close: async () => {
      await Promise.all([pool.close(), ready.close()])
    },
  }
}
