/** What a later layer hides of those below it, as overlayfs shows them: by a whiteout, an opaque folder, or something else of that name. */
import { lstat } from 'node:fs/promises'
import { join } from 'node:path'
import { errnoOf } from '../base/errors.ts'

export type Covering = 'absent' | 'folder' | 'whiteout' | 'other'

/** One layer, asked by paths without a leading slash. */
export interface LayerView {
  readonly diffId: string
  /** Folders that hide those below; '' is the layer itself. */
  readonly opaque: ReadonlySet<string>
  /** What the layer itself has there. Only asked when all its parents are folders of this layer. */
  at(path: string): Promise<Covering>
}

/** Of how many folders it is remembered what they are. */
const mostRemembered = 20_000

/** An unpacked layer in overlayfs form: a whiteout is the character device 0:0. No link is followed: a parent that is one is `other`, and asked about first. */
export const layerView = (diffId: string, folder: string, opaque: ReadonlySet<string>): LayerView => {
  const known = new Map<string, Covering>()
  const look = async (path: string): Promise<Covering> => {
    try {
      const found = await lstat(join(folder, path))
      if (found.isDirectory()) return 'folder'
      return found.isCharacterDevice() && found.rdev === 0 ? 'whiteout' : 'other'
    } catch (error) {
      const errno = errnoOf(error)
      if (errno === 'ENOENT' || errno === 'ENOTDIR' || errno === 'ENAMETOOLONG') return 'absent'
      throw error
    }
  }
  return {
    diffId,
    opaque,
    at: async path => {
      const before = known.get(path)
      if (before !== undefined) return before
      const found = await look(path)
      if (known.size < mostRemembered) known.set(path, found)
      return found
    },
  }
}

/** `above`: the layers above the one that has `path`. */
export const isHidden = async (path: string, above: readonly LayerView[]): Promise<boolean> => {
  const parts = path.split('/').filter(part => part !== '' && part !== '.')
  if (parts.includes('..')) return false // no path of a layer: nothing is looked up for it
  for (const layer of above) {
    if (layer.opaque.has('')) return true
    for (let length = 1; length <= parts.length; length++) {
      const prefix = parts.slice(0, length).join('/')
      const found = await layer.at(prefix)
      if (found === 'absent') break
      if (found !== 'folder' || length === parts.length || layer.opaque.has(prefix)) return true
    }
  }
  return false
}
