/**
 * Files of an image as a container would see them, without a mount: looked up component by component through the layers from the top, with
 * whiteouts and opaque folders, and symbolic links followed inside the image only. No path is ever handed to the kernel that has a component
 * which was not seen to be a folder before.
 */

import type { Stats } from 'node:fs'
import { constants } from 'node:fs'
import { lstat, open, readlink } from 'node:fs/promises'
import { join } from 'node:path'
import { DayflyError, errnoOf } from '../../base/errors.ts'

export interface MergedLayer {
  readonly path: string
  /** Relative paths of folders that hide those below; '' is the layer itself. */
  readonly opaque: ReadonlySet<string>
}

const maximumHops = 40
const maximumComponents = 256

const isWhiteout = (found: Stats): boolean => found.isCharacterDevice() && found.rdev === 0

const look = async (path: string): Promise<Stats | undefined> => {
  try {
    return await lstat(path)
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ENOTDIR' || errnoOf(error) === 'ENAMETOOLONG') return undefined
    throw error
  }
}

type Found =
  | { readonly kind: 'folder'; readonly layers: readonly MergedLayer[] }
  | { readonly kind: 'other'; readonly path: string; readonly found: Stats }

/** `path` in those of `layers` that have its parent: top first. */
const step = async (layers: readonly MergedLayer[], path: string): Promise<Found | undefined> => {
  const folders: MergedLayer[] = []
  for (const layer of layers) {
    const here = join(layer.path, path)
    const found = await look(here)
    if (!found) continue
    if (isWhiteout(found)) break
    if (!found.isDirectory()) {
      if (folders.length > 0) break
      return { kind: 'other', path: here, found }
    }
    folders.push(layer)
    if (layer.opaque.has(path)) break
  }
  return folders.length === 0 ? undefined : { kind: 'folder', layers: folders }
}

/** Where the regular file `path` (absolute, in the image) lies on this host; undefined when there is none. `layers`: top first. */
export const findFile = async (layers: readonly MergedLayer[], path: string): Promise<string | undefined> => {
  const hiding = layers.findIndex(layer => layer.opaque.has(''))
  const root = hiding === -1 ? layers : layers.slice(0, hiding + 1)
  let rest = path.split('/')
  let done: { name: string; layers: readonly MergedLayer[] }[] = []
  let hops = 0
  let components = 0
  while (rest.length > 0) {
    const [name = '', ...after] = rest
    rest = after
    if (++components > maximumComponents) return undefined
    if (name === '' || name === '.') continue
    if (name === '..') {
      done.pop()
      continue
    }
    const here = [...done.map(folder => folder.name), name].join('/')
    const found = await step(done.at(-1)?.layers ?? root, here)
    if (!found) return undefined
    if (found.kind === 'folder') {
      done.push({ name, layers: found.layers })
      continue
    }
    if (found.found.isSymbolicLink()) {
      if (++hops > maximumHops) return undefined
      const target = await readlink(found.path)
      if (target.startsWith('/')) done = []
      rest = [...target.split('/'), ...rest]
      continue
    }
    return found.found.isFile() && rest.every(part => part === '' || part === '.') ? found.path : undefined
  }
  return undefined
}

/** Text of a file of the image; '' when there is none. Throws `corrupt` when it is larger than `maximum` bytes. */
export const readMerged = async (layers: readonly MergedLayer[], path: string, maximum: number): Promise<string> => {
  const where = await findFile(layers, path)
  if (where === undefined) return ''
  await using file = await open(where, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  const { size } = await file.stat()
  if (size > maximum) throw new DayflyError('corrupt', `${path} of the image is larger than ${maximum} bytes`, { field: 'image' })
  return await file.readFile('utf8')
}
