/** What an earlier daemon left: the cells of this run folder, told apart by what is in their folders and who still lives. */
import { readdirSync } from 'node:fs'
import type { Cgroups } from '../../host/cgroup/cgroups.ts'
import type { Helper } from '../../host/native/helper.ts'
import { connectMonitor } from '../../host/native/monitor.ts'
import type { Cell } from './cell.ts'
import { destroyCell } from './cell.ts'
import { exitOf, readExit } from './exit.ts'
import type { CellPaths, Layout } from './layout.ts'
import type { Owner } from './owner.ts'
import { readOwner } from './owner.ts'
import { processEnded, readIdentity } from './processes.ts'

export interface Found {
  readonly owner: Owner
  readonly cell: Cell
}

/** A monitor that no container was started in ends by itself when its daemon is gone; this long it may take, ms. */
const patience = 3000

/** Instances that were started come back. Cells that never got that far, or whose monitor died without an exit status, end, and nothing of them is left. */
export const findCells = async (layout: Layout, cgroups: Cgroups, helper: Helper): Promise<Found[]> => {
  // Scratch without a cell is there after a crash in the middle of a removal, and after a restart of the host, which empties /run only.
  const ids = new Set([...readdirSync(layout.cells), ...readdirSync(layout.scratch)])
  const found = await Promise.all([...ids].map(id => findCell(id, layout.cell(id), cgroups, helper)))
  return found.filter(cell => cell !== undefined)
}

const findCell = async (id: string, paths: CellPaths, cgroups: Cgroups, helper: Helper): Promise<Found | undefined> => {
  const owner = readOwner(paths)
  const process = readIdentity(paths.monitorPid)
  const cgroup = cgroups.open(id)
  const oomKilled = (): boolean => cgroup.oomKills() > 0

  const monitor = process === undefined ? undefined : await connectMonitor(paths.socket).catch(() => undefined)
  if (owner !== undefined) {
    const base = { id, slot: owner.slot, index: owner.index, paths, process, cgroup }
    if (monitor !== undefined) {
      const exit = exitOf(monitor, paths.exit, oomKilled)
      const state = await monitor.status().then(
        status => status.state,
        () => undefined,
      )
      if (state === 'running' || state === 'exited') {
        await monitor.watch()
        if (state === 'exited') await exit
        return { owner, cell: { ...base, monitor, exit } }
      }
    }
    // Its monitor is gone: what it wrote is all there will ever be to know.
    const exit = readExit(paths.exit, oomKilled)
    if (exit !== undefined) return { owner, cell: { ...base, monitor: undefined, exit: Promise.resolve(exit) } }
  }
  if (monitor !== undefined) {
    // Its daemon may have died before it could bind it, and it would wait for another for 10 s. Bound and left, it ends now.
    await monitor.bind().catch(() => undefined)
    await monitor[Symbol.asyncDispose]()
  }
  if (process !== undefined) await processEnded(process, patience).catch(() => undefined)
  await destroyCell({ paths, process, cgroup, monitor: undefined }, helper)
  return undefined
}
