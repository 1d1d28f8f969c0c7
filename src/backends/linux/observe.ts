/** What an earlier daemon left: the cells of this run folder, told apart by what is in their folders and who still lives. */
import { readdirSync } from 'node:fs'
import { settledWithin } from '../../base/abort.ts'
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
export const findCells = async (
  layout: Layout,
  cgroups: Cgroups,
  helper: Helper,
  failed: (cell: string, error: unknown) => void,
): Promise<Found[]> => {
  // Scratch without a cell is there after a crash in the middle of a removal, and after a restart of the host, which empties /run only.
  const ids = new Set([...readdirSync(layout.cells), ...readdirSync(layout.scratch)])
  const found = await Promise.all(
    // One that resists must not keep all others from being adopted: it stays, and is a leak that doctor shows.
    [...ids].map(id =>
      findCell(id, layout.cell(id), cgroups, helper).catch(error => {
        failed(id, error)
        return undefined
      }),
    ),
  )
  return found.filter(cell => cell !== undefined)
}

/** undefined when the monitor refuses, or does not answer in time. */
const answer = async <T>(asked: Promise<T>): Promise<T | undefined> =>
  (await settledWithin(asked, patience)) ? await asked.catch(() => undefined) : undefined

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
      const state = await answer(monitor.status().then(status => status.state))
      if ((state === 'running' || state === 'exited') && (await answer(monitor.watch().then(() => true)))) {
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
    await answer(monitor.bind())
    await monitor[Symbol.asyncDispose]()
  }
  if (process !== undefined) await processEnded(process, patience).catch(() => undefined)
  await destroyCell({ paths, process, cgroup, monitor: undefined }, helper)
  return undefined
}
