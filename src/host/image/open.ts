import { chmod } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { DayflyError } from '../../base/errors.ts'
import { collect } from './collect.ts'
import { layerFolderOf } from './digest.ts'
import { makeFolder } from './durable.ts'
import type { StoredImage } from './images.ts'
import { createImages } from './images.ts'
import { importRoot } from './import-root.ts'
import { createLayers } from './layers.ts'
import { lockFile } from './lock.ts'
import { readMerged } from './merged.ts'
import { createNotes, sweepNotes } from './notes.ts'
import type { PullParts } from './pull.ts'
import { pinLayers, pull } from './pull.ts'
import { familiarName, normaliseName } from './reference.ts'
import { createStaging, sweepStaging } from './staging.ts'
import type { Image, ImageDetail, ImageStore, ImageStoreOptions, NotedLayer } from './store.ts'
import { createTurns } from './turns.ts'
import { resolveUserIn } from './user.ts'

const maximumAccounts = 4 * 1024 * 1024

/** Bytes of all notes of one image. */
const mostNoted = 32 * 1024 * 1024

/** Opens the store in a folder, which is made when missing, and removes what dead processes left half done. Throws `host`. */
export const openImageStore = async (options: ImageStoreOptions): Promise<ImageStore> => {
  const root = resolve(options.folder)
  await makeFolder(root, 0o700)
  await chmod(root, 0o700) // layers hold setuid programs: nobody else may come in
  for (const name of ['images', 'names', 'layer-info', 'layer-notes', 'staging', 'locks']) await makeFolder(join(root, name), 0o700)
  await makeFolder(join(root, 'layers'), 0o755)

  const staging = join(root, 'staging')
  const collection = join(root, 'locks', 'collection')
  const stopOthers = (): Promise<AsyncDisposable> => lockFile(collection, 'exclusive')
  {
    await using _ = await stopOthers()
    await sweepStaging(staging)
    await sweepNotes(root)
  }
  const notes = createNotes(root, join(root, 'layers'), options.watcher)
  const layers = createLayers(root, notes.put)
  const images = createImages(root, layers)
  const parts: PullParts = {
    layers,
    images,
    unpacker: {
      binary: options.unpackBinary,
      maximumBytes: options.maximumLayerBytes ?? 64 * 1024 ** 3,
      maximumEntries: options.maximumLayerEntries ?? 2_000_000,
    },
    watcher: options.watcher,
    skopeoBinary: options.skopeoBinary ?? 'skopeo',
    turns: createTurns(),
    createStaging: () => createStaging(staging),
    holdCollection: signal => lockFile(collection, 'shared', signal),
  }
  const collectParts = { root, layers, images, createStaging: parts.createStaging, stopOthers }

  const completed = async (stored: StoredImage): Promise<Image> => {
    const image = await images.complete(stored)
    if (image === undefined) throw missingLayer(stored)
    return image
  }
  const byDigest = async (digest: string): Promise<Image> => await completed(await images.find(digest))

  const closing = new AbortController()
  const underWay = new Set<Promise<unknown>>()
  /** Work that closing the store cancels and waits for. */
  const under = async <T>(signal: AbortSignal | undefined, work: (signal: AbortSignal) => Promise<T>): Promise<T> => {
    const working = work(signal === undefined ? closing.signal : AbortSignal.any([signal, closing.signal]))
    underWay.add(working)
    try {
      return await working
    } finally {
      underWay.delete(working)
    }
  }

  const inspect = async (reference: string): Promise<ImageDetail> => {
    const stored = await images.find(reference)
    const image = await completed(stored)
    const all = await images.stored()
    const details = await Promise.all(
      stored.manifest.layers.map(async (blob, index) => {
        const diffId = stored.config.diffIds[index] ?? ''
        const info = await layers.info(diffId)
        return {
          diffId,
          folder: layerFolderOf(diffId),
          bytes: info?.bytes ?? 0,
          blobDigest: blob.digest,
          blobBytes: blob.size,
          images: all.filter(other => other.config.diffIds.includes(diffId)).length,
        }
      }),
    )
    return { image, mediaType: stored.manifest.mediaType, layers: details, history: stored.config.history }
  }

  /** Pinned meanwhile: a collection in any process would take a layer away from under who looks at it. */
  const noted = async (reference: string, signal: AbortSignal): Promise<NotedLayer[]> => {
    const stored = await images.find(reference)
    await using pins = await parts.createStaging()
    const missing = await pinLayers(parts, stored.config.diffIds, pins, signal)
    if (missing.size > 0) throw missingLayer(stored)
    const found: NotedLayer[] = []
    let bytes = 0
    for (const diffId of stored.config.diffIds) {
      const info = await layers.info(diffId)
      if (info === undefined) throw missingLayer(stored)
      const path = join(layers.folder, layerFolderOf(diffId))
      found.push({ diffId, path, opaque: new Set(info.opaque), note: await notes.ensure(diffId, signal) })
      bytes += await notes.size(diffId)
      // Each is bounded, and an image may have hundreds of layers: together they must fit into the memory of who reads them.
      if (bytes > mostNoted) {
        const what = familiarName(stored.names[0] ?? stored.digest)
        throw new DayflyError('corrupt', `image ${what}: there is more to say about its layers than is kept of one image`, { field: 'image' })
      }
    }
    return found
  }

  return {
    layersFolder: layers.folder,
    pull: (reference, pullOptions = {}) =>
      under(pullOptions.signal, async signal => byDigest(await pull(parts, reference, { ...pullOptions, signal }))),
    importRoot: (path, importOptions) =>
      under(importOptions.signal, async signal => byDigest(await importRoot(parts, path, { ...importOptions, signal }))),
    list: async () => {
      const all = await Promise.all((await images.stored()).map(image => images.complete(image)))
      return all.filter(image => image !== undefined)
    },
    get: async reference => await completed(await images.find(reference)),
    inspect,
    noted: (reference, signal) => under(signal, each => noted(reference, each)),
    tag: async (reference, name) => {
      const normal = normaliseName(name)
      await using _ = await parts.holdCollection(undefined)
      const { digest } = await images.find(reference)
      await images.putName(normal, digest)
      return await byDigest(digest)
    },
    remove: async (reference, inUse) => {
      const { digest } = await images.find(reference)
      const asked = tryNormalise(reference)
      return await collect(collectParts, all => {
        const target = all.find(image => image.digest === digest)
        if (target === undefined) return { names: [], digests: [] } // another removed it meanwhile
        const name = target.names.find(own => own === reference || own === asked)
        const names = name === undefined ? target.names : [name]
        const last = names.length === target.names.length
        if (last && inUse.has(digest)) {
          throw new DayflyError('wrong_state', `image ${familiarName(target.names[0] ?? digest)} is in use by an instance`, {
            field: 'image',
            remedy: 'End the environments that use it first: `dayfly ps`, `dayfly down`.',
          })
        }
        return { names, digests: last ? [digest] : [] }
      })
    },
    gc: ({ inUse, keepNamed }) =>
      collect(collectParts, all => {
        const going = all.filter(({ digest, names }) => !inUse.has(digest) && !(keepNamed && names.length > 0))
        return { names: going.flatMap(({ names }) => names), digests: going.map(({ digest }) => digest) }
      }),
    resolveUser: async (image, user, groups) => {
      const merged = await Promise.all(
        image.layers.map(async ({ diffId }) => {
          const info = await layers.info(diffId)
          if (info === undefined) throw missingLayer(image)
          return { path: join(layers.folder, layerFolderOf(diffId)), opaque: new Set(info.opaque) }
        }),
      )
      merged.reverse()
      const [passwd, group] = await Promise.all(['/etc/passwd', '/etc/group'].map(path => readMerged(merged, path, maximumAccounts)))
      return resolveUserIn(passwd ?? '', group ?? '', user, groups)
    },
    [Symbol.asyncDispose]: async () => {
      closing.abort(new DayflyError('aborted', 'the image store is being closed'))
      await Promise.allSettled(underWay)
    },
  }
}

const missingLayer = ({ names: [name], digest }: Pick<Image, 'names' | 'digest'>): DayflyError =>
  new DayflyError('not_found', `image ${name === undefined ? digest : familiarName(name)} misses a layer`, {
    field: 'image',
    remedy: `Get it again: dayfly image pull ${name ?? digest}`,
  })

const tryNormalise = (reference: string): string | undefined => {
  try {
    return normaliseName(reference)
  } catch {
    return undefined
  }
}
