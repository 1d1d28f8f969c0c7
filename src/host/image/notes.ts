/** What was said of layers, kept beside them: `layer-notes/<16 hex>.json`. There or not, a layer is what it is. */
import { readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { layerFolderOf } from './digest.ts'
import { readJson, writeJson } from './durable.ts'
import { lockFile } from './lock.ts'
import { createTurns } from './turns.ts'
import type { LayerWatcher } from './watch.ts'

const Kept = z.object({ diffId: z.string(), note: z.unknown() })

export interface Notes {
  put(diffId: string, note: unknown): Promise<void>
  /** The note of a layer that is there and stays there meanwhile; made now where there is none that is current. Of all callers of all processes one makes it. */
  ensure(diffId: string, signal: AbortSignal | undefined): Promise<unknown>
  /** Bytes of a layer's note; 0 where it has none. */
  size(diffId: string): Promise<number>
}

export const notePath = (root: string, folder: string): string => join(root, 'layer-notes', `${folder}.json`)

/** ms. What is younger may be of an operation under way in another process. */
const sweepAfter = 60 * 60_000

/** Removes notes of layers that are not there: a crash came between the two. */
export const sweepNotes = async (root: string): Promise<void> => {
  const layers = new Set(await readdir(join(root, 'layers')))
  for (const name of await readdir(join(root, 'layer-notes'))) {
    const path = join(root, 'layer-notes', name)
    if (layers.has(name.replace(/\.json$/, ''))) continue
    const found = await stat(path).catch(() => undefined)
    if (found !== undefined && Date.now() - found.mtimeMs > sweepAfter) await rm(path, { force: true })
  }
}

export const createNotes = (root: string, layersFolder: string, watcher: LayerWatcher | undefined): Notes => {
  const turns = createTurns()
  const pathOf = (diffId: string): string => notePath(root, layerFolderOf(diffId))
  /** One that cannot be read is none: it is made again. */
  const current = async (diffId: string): Promise<{ readonly note: unknown } | undefined> => {
    const kept = Kept.safeParse(await readJson(pathOf(diffId)).catch(() => undefined))
    return kept.success && kept.data.diffId === diffId && watcher?.isCurrent(kept.data.note) ? { note: kept.data.note } : undefined
  }
  const put: Notes['put'] = (diffId, note) => writeJson(pathOf(diffId), { diffId, note })
  return {
    put,
    size: async diffId => (await stat(pathOf(diffId)).catch(() => undefined))?.size ?? 0,
    ensure: async (diffId, signal) => {
      const known = await current(diffId)
      if (known || watcher === undefined) return known?.note
      using _ = await turns.take(diffId, signal) // before the lock: waiting for a lock is a process
      const made = await current(diffId)
      if (made) return made.note
      await using _lock = await lockFile(join(root, 'locks', `note-${layerFolderOf(diffId).slice(0, 2)}`), 'exclusive', signal)
      const others = await current(diffId)
      if (others) return others.note
      const note = await watcher.look(join(layersFolder, layerFolderOf(diffId)), diffId, signal)
      await put(diffId, note)
      return note
    },
  }
}
