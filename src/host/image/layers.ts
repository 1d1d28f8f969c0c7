/** Unpacked layers: there if and only if complete. */
import { mkdir, readdir, rename, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { DayflyError, errnoOf } from '../../base/errors.ts'
import { digestPattern, layerFolderOf } from './digest.ts'
import { diskError, readJson, syncFolder, writeJson } from './durable.ts'
import { lockFile } from './lock.ts'
import type { Staging } from './staging.ts'
import { createTurns } from './turns.ts'
import type { Unpacked } from './unpack.ts'

export const LayerInfo = z.object({
  diffId: z.string().regex(digestPattern),
  /** Of file content. */
  bytes: z.int(),
  entries: z.int(),
  /** Devices, sockets and attributes that were left out. */
  ignored: z.int(),
  /** Folders that hide those of the layers below, '' being the layer itself. */
  opaque: z.array(z.string()),
})
export type LayerInfo = z.infer<typeof LayerInfo>

export interface Layers {
  readonly folder: string
  /** Undefined when the store does not have it. */
  info(diffId: string): Promise<LayerInfo | undefined>
  /** Makes sure that the store has it: of all callers of all processes one runs `produce`, which unpacks into the folder it is given. */
  ensure(diffId: string, staging: Staging, produce: (folder: string) => Promise<Unpacked>, signal: AbortSignal | undefined): Promise<LayerInfo>
  /** A layer that was unpacked before its diff id was known, in a folder on the same file system. Discards it when the store has it. */
  adopt(unpacked: Unpacked, folder: string, signal: AbortSignal | undefined): Promise<LayerInfo>
  /** Folder names of all layers. */
  names(): Promise<string[]>
}

const isFolder = async (path: string): Promise<boolean> => {
  try {
    return (await stat(path)).isDirectory()
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return false
    throw error
  }
}

export const createLayers = (root: string, notes: (diffId: string, note: unknown) => Promise<void>): Layers => {
  const folder = join(root, 'layers')
  const turns = createTurns()

  const info = async (diffId: string): Promise<LayerInfo | undefined> => {
    const name = layerFolderOf(diffId)
    if (!(await isFolder(join(folder, name)))) return undefined
    const found = LayerInfo.safeParse(await readJson(join(root, 'layer-info', `${name}.json`)))
    if (!found.success) return undefined // a leftover of another version: unpacked again
    if (found.data.diffId !== diffId) throw new DayflyError('conflict', `layers ${diffId} and ${found.data.diffId} have the same short name`)
    return found.data
  }

  /** Locks are few and fixed, so that none has to be removed: 256 of them, by the first byte. A process holds one at a time per layer. */
  const lock = (diffId: string, signal: AbortSignal | undefined): Promise<AsyncDisposable> =>
    lockFile(join(root, 'locks', `layer-${layerFolderOf(diffId).slice(0, 2)}`), 'exclusive', signal)

  const publish = async (unpacked: Unpacked, from: string): Promise<LayerInfo> => {
    const name = layerFolderOf(unpacked.diffId)
    const { diffId, bytes, entries, ignored, opaque } = unpacked
    const layer: LayerInfo = { diffId, bytes, entries, ignored, opaque: [...opaque] }
    if (unpacked.note !== undefined) await notes(diffId, unpacked.note)
    await writeJson(join(root, 'layer-info', `${name}.json`), layer) // first: a folder without it would not count
    try {
      await rename(from, join(folder, name))
      await syncFolder(folder)
    } catch (error) {
      throw diskError(error, folder)
    }
    return layer
  }

  const produceOnce = async (
    diffId: string,
    staging: Staging,
    produce: (folder: string) => Promise<Unpacked>,
    signal: AbortSignal | undefined,
  ): Promise<LayerInfo> => {
    await using _ = await lock(diffId, signal)
    const known = await info(diffId)
    if (known) return known
    const unpacking = join(staging.path, `layer-${layerFolderOf(diffId)}`)
    await mkdir(unpacking, { mode: 0o755 }).catch((error: unknown) => {
      throw diskError(error, unpacking)
    })
    return await publish(await produce(unpacking), unpacking)
  }

  return {
    folder,
    info,
    ensure: async (diffId, staging, produce, signal) => {
      using _ = await turns.take(diffId, signal) // before the lock: waiting for a lock is a process
      return await produceOnce(diffId, staging, produce, signal)
    },
    adopt: async (unpacked, from, signal) => {
      await using _ = await lock(unpacked.diffId, signal)
      return (await info(unpacked.diffId)) ?? (await publish(unpacked, from))
    },
    names: () => readdir(folder),
  }
}
