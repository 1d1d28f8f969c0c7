/**
 * One pull: resolve, pin, fetch and unpack what is missing, record. The layers of an image are unpacked while others are still on their way.
 */
import { open } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { DayflyError } from '../../base/errors.ts'
import { layerFolderOf } from './digest.ts'
import type { FetchedLayer, Source } from './fetch.ts'
import { openLocal, openRegistry } from './fetch.ts'
import type { Images } from './images.ts'
import type { Layers } from './layers.ts'
import { machinePlatform } from './manifest.ts'
import { parseReference } from './reference.ts'
import { createSkopeo } from './skopeo.ts'
import type { Staging } from './staging.ts'
import type { PullOptions } from './store.ts'
import type { Turns } from './turns.ts'
import type { Unpacked, Unpacker } from './unpack.ts'
import type { LayerWatcher } from './watch.ts'
import { unpackWatched } from './watch.ts'

export interface PullParts {
  readonly layers: Layers
  readonly images: Images
  readonly unpacker: Unpacker
  readonly watcher: LayerWatcher | undefined
  readonly skopeoBinary: string
  /** By manifest digest: the second pull of an image waits for the first and finds its layers. */
  readonly turns: Turns
  createStaging(): Promise<Staging>
  /** Holds off collections in all processes, for moments only. */
  holdCollection(signal: AbortSignal | undefined): Promise<AsyncDisposable>
}

/** Runs at most `most` of the works it is given at once. */
const createGate = (most: number): (<T>(work: () => Promise<T>) => Promise<T>) => {
  let running = 0
  const queue: (() => void)[] = []
  return async work => {
    if (running === most) await new Promise<void>(resolve => queue.push(resolve))
    else running++
    try {
      return await work()
    } finally {
      const next = queue.shift()
      if (next) next()
      else running--
    }
  }
}

/** Pins every layer, then says which are missing: what was there when it was pinned stays. */
export const pinLayers = async (
  { layers, holdCollection }: Pick<PullParts, 'layers' | 'holdCollection'>,
  diffIds: readonly string[],
  staging: Staging,
  signal: AbortSignal | undefined,
): Promise<Set<string>> => {
  await using _ = await holdCollection(signal)
  const missing = new Set<string>()
  for (const diffId of diffIds) {
    await staging.pin(layerFolderOf(diffId))
    if ((await layers.info(diffId)) === undefined) missing.add(diffId)
  }
  return missing
}

const fetchAndUnpack = async (
  { layers, unpacker, watcher }: PullParts,
  source: Source,
  missing: readonly FetchedLayer[],
  staging: Staging,
  { signal, onProgress }: PullOptions,
): Promise<void> => {
  const failed = new AbortController() // one failure ends the others
  const either = signal === undefined ? failed.signal : AbortSignal.any([signal, failed.signal])
  const gate = createGate(Math.min(4, availableParallelism()))
  const unpacking: Promise<unknown>[] = []

  const unpackLayer = async ({ diffId, blob }: FetchedLayer, path: string): Promise<void> => {
    const produce = async (folder: string): Promise<Unpacked> => {
      await using file = await open(path, 'r')
      onProgress?.({ phase: 'unpack', layer: diffId, bytes: 0, total: blob.size })
      return await unpackWatched(unpacker, watcher, {
        folder,
        from: file.fd,
        what: `layer ${blob.digest}`,
        digest: diffId,
        blobDigest: blob.digest,
        signal: either,
        onProgress: bytes => onProgress?.({ phase: 'unpack', layer: diffId, bytes, total: blob.size }),
      })
    }
    await layers.ensure(diffId, staging, produce, either)
    onProgress?.({ phase: 'done', layer: diffId, bytes: blob.size, total: blob.size })
  }

  const arrived = (layer: FetchedLayer, path: string): void => {
    const work = gate(() => unpackLayer(layer, path))
    work.catch((error: unknown) => failed.abort(error))
    unpacking.push(work)
  }
  const fetching = source.fetch(
    missing,
    arrived,
    ({ diffId, blob }, bytes) => onProgress?.({ phase: 'download', layer: diffId, bytes, total: blob.size }),
    either,
  )
  fetching.catch((error: unknown) => failed.abort(error))
  // Nothing may still write when the staging folder is removed: all settle before the first failure is told.
  await Promise.allSettled([fetching])
  await Promise.allSettled(unpacking)
  if (signal?.aborted !== true && failed.signal.aborted) throw failed.signal.reason
  await fetching
  await Promise.all(unpacking)
}

/** Resolves to the manifest digest. */
export const pull = async (parts: PullParts, text: string, options: PullOptions): Promise<string> => {
  const reference = parseReference(text)
  const { signal, onProgress } = options
  const platform = options.platform ?? machinePlatform()
  await using staging = await parts.createStaging()
  await using skopeo = await createSkopeo(parts.skopeoBinary, staging.path, options)
  onProgress?.({ phase: 'resolve', layer: '', bytes: 0, total: undefined })
  const source =
    reference.kind === 'registry'
      ? await openRegistry(skopeo, reference, platform, staging.path)
      : await openLocal(skopeo, reference, platform, staging.path, signal)

  using _ = await parts.turns.take(source.digest, signal)
  const absent = await pinLayers(
    parts,
    source.layers.map(({ diffId }) => diffId),
    staging,
    signal,
  )
  // A layer may occur twice.
  const layers = source.layers.filter(({ diffId }, index) => source.layers.findIndex(other => other.diffId === diffId) === index)
  for (const { diffId, blob } of layers.filter(layer => !absent.has(layer.diffId))) {
    onProgress?.({ phase: 'done', layer: diffId, bytes: blob.size, total: blob.size })
  }
  await fetchAndUnpack(
    parts,
    source,
    layers.filter(layer => absent.has(layer.diffId)),
    staging,
    options,
  )
  // Recorded and named in one step, for a collection: an image without a name may go.
  await using _hold = await parts.holdCollection(signal)
  const digest = await parts.images.put(source.manifestBytes, source.configBytes)
  if (digest !== source.digest) throw new DayflyError('internal', `image ${reference.name} was recorded as ${digest}`)
  await parts.images.putName(reference.name, digest)
  return digest
}
