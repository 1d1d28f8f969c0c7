/**
 * A cell: one monitor with namespaces, network and cgroup of its own, ready for a container. Making it is the slow part of a start (the
 * network, the first join of a cgroup), and none of it depends on what will run, so cells are made ahead of time.
 *
 * Everything but the cgroup and the folders hangs on the monitor's life. Until a container is started in it, the monitor's life hangs on our
 * connection: a daemon that dies leaves at most folders.
 */
import { chmodSync, chownSync, mkdirSync } from 'node:fs'
import { onAbort, settledWithin, throwIfAborted } from '../../base/abort.ts'
import type { Cgroup, Cgroups } from '../../host/cgroup/cgroups.ts'
import type { Helper, ProcessIdentity } from '../../host/native/helper.ts'
import type { MonitorConnection } from '../../host/native/monitor.ts'
import { connectMonitor } from '../../host/native/monitor.ts'
import type { Slot } from '../../host/network/slots.ts'
import { instanceAddress, slotIds, slotNetwork } from '../../host/network/slots.ts'
import type { ExitStatus } from '../../model/instance.ts'
import { defaultLimits } from '../../model/workload.ts'
import { makeEtcFiles } from './bundle.ts'
import { exitOf } from './exit.ts'
import { removeFolder } from './folders.ts'
import type { CellPaths, Layout } from './layout.ts'
import { makeOwnerFile } from './owner.ts'
import { processEnded } from './processes.ts'

export interface Cell {
  readonly id: string
  readonly slot: Slot
  /** Which of the slot's addresses it has. */
  readonly index: number
  readonly paths: CellPaths
  /** undefined: it ended by itself, a day after its container, and said so by taking its monitor.pid away. */
  readonly process: ProcessIdentity | undefined
  /** undefined: it is dead. */
  readonly monitor: MonitorConnection | undefined
  readonly cgroup: Cgroup
  /** How its container ended; undefined when its monitor died without telling. Pending until then. */
  readonly exit: Promise<ExitStatus | undefined>
}

export type LiveCell = Cell & { readonly monitor: MonitorConnection }

export interface CellMaker {
  readonly helper: Helper
  readonly cgroups: Cgroups
  readonly layout: Layout
  readonly layersFolder: string
  readonly monitorBinary: string
}

const monitorPatience = 5000
/** ms that a monitor gets to end its container: more than it waits for a full disk to take the last of a log. */
const quitPatience = 40_000

/** A monitor with namespaces and cgroup that is in no network yet, and whose user ids are not decided. */
export type BareCell = Omit<LiveCell, 'slot' | 'index'>

interface Place {
  readonly slot: Slot
  /** Which of the slot's addresses. */
  readonly index: number
}

/** The slot's bridge must exist. On failure nothing of it is left, or a SuppressedError says that something resists. */
export const makeCell = async (maker: CellMaker, id: string, slot: Slot, index: number, signal: AbortSignal): Promise<LiveCell> => {
  const place = { slot, index }
  return { ...(await make(maker, id, place, signal)), ...place }
}

/** As `makeCell`, to be settled later. */
export const makeBareCell = (maker: CellMaker, id: string, signal: AbortSignal): Promise<BareCell> => make(maker, id, undefined, signal)

/** Puts a bare cell where it is to be. After a failure it is of no more use. */
export const settleCell = async (maker: CellMaker, cell: BareCell, slot: Slot, index: number): Promise<LiveCell> => {
  await settle(maker, cell, { slot, index })
  return { ...cell, slot, index }
}

const settle = async (maker: CellMaker, { paths, monitor }: Pick<BareCell, 'paths' | 'monitor'>, { slot, index }: Place): Promise<void> => {
  const network = slotNetwork(slot)
  const ids = slotIds(slot)
  const address = instanceAddress(slot, index)
  chownSync(paths.upper, ids.first, ids.first)
  await Promise.all([
    monitor.network({
      bridge: network.bridge,
      hostInterface: address.hostInterface,
      address: `${address.address}/${network.prefixLength}`,
      gateway: network.gateway,
      mac: address.mac,
    }),
    monitor.idmap(maker.layersFolder, ids.first, ids.count),
  ])
}

const make = async (maker: CellMaker, id: string, place: Place | undefined, signal: AbortSignal): Promise<BareCell> => {
  const { helper, cgroups, layout } = maker
  const paths = layout.cell(id)
  await using undo = new AsyncDisposableStack()

  undo.defer(() => removeFolders(paths))
  mkdirSync(paths.folder, { mode: 0o711 })
  for (const folder of [paths.scratch, paths.upper, paths.work]) mkdirSync(folder, { mode: 0o711 })
  chmodSync(paths.upper, 0o755)
  makeOwnerFile(paths)
  makeEtcFiles(paths)

  const cgroup = cgroups.create(id, defaultLimits)
  undo.defer(() => cgroup.remove())
  undo.defer(() => cgroup.killAll())
  const process = await helper.spawn(maker.monitorBinary, [paths.folder])
  undo.defer(() => killMonitor(process, helper))
  const monitor = await connectMonitor(paths.socket, { patience: monitorPatience, signal })
  undo.use(monitor)
  using _giveUp = onAbort(signal, () => void monitor[Symbol.asyncDispose]())
  const exit = exitOf(monitor, paths.exit, () => cgroup.oomKills() > 0)

  await Promise.all([
    monitor.bind(),
    monitor.namespaces(cgroups.mode === 'hybrid' ? 'hybrid' : 'plain'),
    monitor.cgroup(cgroup.folders),
    ...(place === undefined ? [] : [settle(maker, { paths, monitor }, place)]),
  ])
  throwIfAborted(signal)
  undo.move()
  return { id, paths, process, monitor, cgroup, exit }
}

const removeFolders = async (paths: CellPaths): Promise<void> => {
  await Promise.all([paths.folder, paths.scratch].map(removeFolder))
}

/** What is needed to end a cell. */
export type Remains = Pick<Cell, 'paths' | 'process' | 'monitor' | 'cgroup'>

/** Ends what lives in it. Its cgroup and its folders stay. */
export const killCell = async (cell: Remains, helper: Helper): Promise<void> => {
  const byItself = cell.process !== undefined && (await endMonitor(cell.monitor, cell.process, helper))
  if (!byItself) await cell.cgroup.killAll()
}

/** Ends what lives in it and leaves nothing, from whatever state it is in; also when it was tried before. */
export const destroyCell = async (cell: Remains, helper: Helper): Promise<void> => {
  await killCell(cell, helper)
  await cell.cgroup.remove()
  await removeFolders(cell.paths)
}

/**
 * By its own hand where it answers, so that it cleans up; by SIGKILL where it does not. True: it went by itself, and its cgroup was empty then.
 */
const endMonitor = async (monitor: MonitorConnection | undefined, process: ProcessIdentity, helper: Helper): Promise<boolean> => {
  let byItself = false
  if (monitor !== undefined) {
    const quit = monitor.kill().then(
      () => monitor.quit(),
      () => monitor.quit(),
    )
    byItself =
      (await settledWithin(quit, quitPatience)) &&
      (await quit.then(
        () => true,
        () => false,
      ))
    await monitor[Symbol.asyncDispose]()
  }
  await processEnded(process, 2000).catch(() => killMonitor(process, helper))
  return byItself
}

/** What it made goes with its namespaces; its cgroup does not. */
const killMonitor = async (process: ProcessIdentity, helper: Helper): Promise<void> => {
  await helper.kill(process, 9).catch(() => undefined)
  await processEnded(process)
}
