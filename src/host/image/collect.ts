/** What may go: images that nobody names or uses, layers that nothing needs. */
import { rename } from 'node:fs/promises'
import { join } from 'node:path'
import { errnoOf } from '../../base/errors.ts'
import { layerFolderOf } from './digest.ts'
import { readJson } from './durable.ts'
import type { Images, StoredImage } from './images.ts'
import type { Layers } from './layers.ts'
import { LayerInfo } from './layers.ts'
import { notePath } from './notes.ts'
import type { Staging } from './staging.ts'
import { pinnedLayers } from './staging.ts'
import type { Removed } from './store.ts'

export interface CollectParts {
  readonly root: string
  readonly layers: Layers
  readonly images: Images
  createStaging(): Promise<Staging>
  /** No operation of any process pins layers or records an image meanwhile. */
  stopOthers(): Promise<AsyncDisposable>
}

/**
 * Removes the images that `choose` names with all their names, and layers that nothing needs. A layer is first renamed out of the store, which is
 * one instant; its files are removed afterwards, when others may go on. A crash between the two leaves a staging folder, which is swept.
 */
export const collect = async (
  parts: CollectParts,
  choose: (images: readonly StoredImage[]) => { readonly names: readonly string[]; readonly digests: readonly string[] },
): Promise<Removed> => {
  const { root, layers, images } = parts
  await using staging = await parts.createStaging()
  const gone: LayerInfo[] = []
  let chosen: ReturnType<typeof choose>
  {
    await using _ = await parts.stopOthers()
    const all = await images.stored()
    chosen = choose(all)
    for (const name of chosen.names) await images.removeName(name)
    for (const digest of chosen.digests) await images.remove(digest)
    const kept = await pinnedLayers(join(root, 'staging'))
    for (const image of all.filter(({ digest }) => !chosen.digests.includes(digest))) {
      for (const diffId of image.config.diffIds) kept.add(layerFolderOf(diffId))
    }
    for (const name of (await layers.names()).filter(folder => !kept.has(folder))) {
      const info = LayerInfo.safeParse(await readJson(join(root, 'layer-info', `${name}.json`)))
      try {
        await rename(join(layers.folder, name), join(staging.path, name))
      } catch (error) {
        if (errnoOf(error) !== 'ENOENT') throw error
        continue
      }
      await rename(join(root, 'layer-info', `${name}.json`), join(staging.path, `${name}.json`)).catch(() => {})
      await rename(notePath(root, name), join(staging.path, `${name}.note.json`)).catch(() => {})
      if (info.success) gone.push(info.data)
    }
  }
  return {
    names: chosen.names,
    images: chosen.digests,
    layers: gone.map(({ diffId }) => diffId),
    freedBytes: gone.reduce((sum, { bytes }) => sum + bytes, 0),
  }
}
