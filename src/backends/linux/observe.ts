/** What an earlier daemon left: the cells of this run folder, told apart by what is in their folders and who still lives. */
import { readdirSync } from 'node:fs'
import { settledWithin } from '../../base/abort.ts'
import type { Cgroups } from '../../host/cgroup/cgroups.ts'
import type { Helper } from '../../host/native/helper.ts'
import { connectMonitor } from '../../host/native/monitor.ts'
import type { ExitStatus } from '../../model/instance.ts'
import type { Cell, Remains } from './cell.ts'
import { destroyCell, killCell } from './cell.ts'
import { exitOf, mayHaveRun, readExit } from './exit.ts'
import type { CellPaths, Layout } from './layout.ts'
import type { Owner } from './owner.ts'
import { readOwner } from './owner.ts'
import { processEnded, readIdentity } from './processes.ts'

export interface Found {
  readonly owner: Owner
  /** Without a monitor and without an exit: it may have run, and what became of it nobody knows. */
  readonly cell: Cell
}

export interface Findings {
  readonly found: readonly Found[]
  /** Cells of nobody that could not be ended, or not wholly. */
  readonly resisting: readonly { readonly id: string; readonly remains: Remains; readonly error: unknown }[]
}

/** A monitor that no container was started in ends by itself when its daemon is gone; this long it may take, ms. */
const patience = 3000

/**
 * Instances that were started come back, also those of which only that is known. Cells that never got that far end, and nothing of them is left.
 */
export const findCells = async (layout: Layout, cgroups: Cgroups, helper: Helper): Promise<Findings> => {
  // Scratch without a cell is there after a crash in the middle of a removal, and after a restart of the host, which empties /run only.
  const ids = [...new Set([...readdirSync(layout.cells), ...readdirSync(layout.scratch)])]
  const all = await Promise.all(
    ids.map(async id => {
      const paths = layout.cell(id)
      const remains: Remains = { paths, process: readIdentity(paths.monitorPid), monitor: undefined, cgroup: cgroups.open(id) }
      try {
        return { found: await findCell(id, remains, helper) }
      } catch (error) {
        // One that resists must not keep all others from being adopted.
        return { resisting: { id, remains, error } }
      }
    }),
  )
  return { found: all.flatMap(({ found }) => found ?? []), resisting: all.flatMap(({ resisting }) => resisting ?? []) }
}

/** undefined when the monitor refuses, or does not answer in time. */
const answer = async <T>(asked: Promise<T>): Promise<T | undefined> =>
  (await settledWithin(asked, patience)) ? await asked.catch(() => undefined) : undefined

/** undefined also when it cannot be read: then nobody knows. */
const exitLeft = (paths: CellPaths, oomKilled: () => boolean): ExitStatus | undefined => {
  try {
    return readExit(paths.exit, oomKilled)
  } catch {
    return undefined
  }
}

/** One that cannot be read is nobody's where nothing has run. */
const ownerOf = (paths: CellPaths): Owner | undefined => {
  try {
    return readOwner(paths)
  } catch (error) {
    if (mayHaveRun(paths)) throw error
    return undefined
  }
}

const findCell = async (id: string, remains: Remains, helper: Helper): Promise<Found | undefined> => {
  const { paths, process, cgroup } = remains
  const owner = ownerOf(paths)
  const oomKilled = (): boolean => cgroup.oomKills() > 0
  const ran = (): boolean => owner !== undefined && mayHaveRun(paths)
  const found = (cell: Pick<Cell, 'monitor' | 'exit'>): Found[] =>
    owner === undefined ? [] : [{ owner, cell: { id, slot: owner.slot, index: owner.index, paths, process, cgroup, ...cell } }]

  const monitor = process === undefined ? undefined : await connectMonitor(paths.socket).catch(() => undefined)
  if (owner !== undefined && monitor !== undefined) {
    const exit = exitOf(monitor, paths.exit, oomKilled)
    const state = await answer(monitor.status().then(status => status.state))
    if ((state === 'running' || state === 'exited') && (await answer(monitor.watch().then(() => true)))) {
      if (state === 'exited') await exit
      return found({ monitor, exit })[0]
    }
  }
  if (monitor !== undefined) {
    // Its daemon may have died before it could bind it, and it would wait for another for 10 s. Bound and left, it ends now.
    await answer(monitor.bind())
    await monitor[Symbol.asyncDispose]()
  }
  if (!ran()) {
    if (process !== undefined) await processEnded(process, patience).catch(() => undefined)
    // The start that its daemon asked for as its last act may have been before it until now. What is dead begins nothing any more.
    await killCell(remains, helper)
    if (!ran()) {
      await destroyCell(remains, helper)
      return undefined
    }
  }
  // Its monitor is gone, or does not answer: what it wrote is all there will ever be to know. It stays until that is in the record.
  const exit = exitLeft(paths, oomKilled)
  if (exit === undefined) await killCell(remains, helper).catch(() => undefined)
  return found({ monitor: undefined, exit: Promise.resolve(exit ?? exitLeft(paths, oomKilled)) })[0]
}
