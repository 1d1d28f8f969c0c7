/** The host as the API tells it. What costs seconds to find out is kept for a while. */
import { hostname } from 'node:os'
import type { HostInventoryView, HostView, PatchesView } from '../../../api/schemas/host.ts'
import { messageOf } from '../../../base/errors.ts'
import type { Store } from '../../../engine/store.ts'
import { capacityOf } from './capacity.ts'
import { findOsquery, tablesFromOsquery } from './osquery.ts'
import type { PatchParts } from './patches.ts'
import { findPatches } from './patches.ts'
import { tablesFromFiles } from './tables.ts'

export interface HostParts extends PatchParts {
  readonly store: Pick<Store, 'environments' | 'liveInstances'>
  readonly stateDir: string
  readonly runDir: string
}

/** ms */
const patchPatience = 120_000
const inventoryLasts = 60_000
const patchesLast = 30 * 60_000
/** That a question waits for the patches, ms: who wants to know them asks again. */
const patience = 300

export type HostLook = (fresh: boolean) => Promise<HostView>

export const inventoryOf = async (clock: HostParts['clock']): Promise<HostInventoryView> => {
  const problems: string[] = []
  const osquery = await findOsquery()
  const byOsquery =
    osquery === undefined
      ? undefined
      : await tablesFromOsquery(osquery).catch((error: unknown) => {
          problems.push(`osquery: ${messageOf(error)}; told from files instead`)
          return undefined
        })
  const tables = byOsquery ?? (await tablesFromFiles(text => problems.push(text)))
  return { source: byOsquery === undefined ? 'files' : 'osquery', takenAt: clock.wall(), problems, ...tables }
}

export const createHostLook = (parts: HostParts): HostLook => {
  const { store, clock, stateDir, runDir } = parts
  let inventory: { readonly at: number; readonly found: Promise<HostInventoryView> } | undefined
  let patches: { readonly at: number; readonly found: Promise<PatchesView> } | undefined

  return async fresh => {
    const now = performance.now()
    if (inventory === undefined || fresh || now - inventory.at > inventoryLasts) inventory = { at: now, found: inventoryOf(clock) }
    if (patches === undefined || fresh || now - patches.at > patchesLast) {
      const found = findPatches(parts, AbortSignal.timeout(patchPatience))
      patches = { at: now, found }
      found.catch(() => {
        if (patches?.found === found) patches = undefined
      })
    }
    const { promise: late, resolve } = Promise.withResolvers<null>()
    const timer = setTimeout(() => resolve(null), patience)
    try {
      return {
        ...{ name: hostname(), capacity: capacityOf(store, { stateDir, runDir }), inventory: await inventory.found },
        patches: await Promise.race([patches.found, late]),
      }
    } finally {
      clearTimeout(timer)
    }
  }
}
