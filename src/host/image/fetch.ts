/** Where an image comes from: its documents, verified, and its blobs as files. */
import { mkdir, open, readdir, stat, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { DayflyError, errnoOf } from '../../base/errors.ts'
import { digestOf, hexOf } from './digest.ts'
import { diskError } from './durable.ts'
import type { BlobDescriptor, ParsedConfig, ParsedManifest } from './manifest.ts'
import { chooseManifest, isIndex, parseConfig, parseManifest, platformFits, wrongPlatform } from './manifest.ts'
import type { LocalReference, RegistryReference } from './reference.ts'
import type { Skopeo } from './skopeo.ts'
import type { Platform } from './store.ts'

export interface FetchedLayer {
  readonly diffId: string
  readonly blob: BlobDescriptor
}

export interface Source {
  readonly digest: string
  readonly manifestBytes: Buffer
  readonly manifest: ParsedManifest
  readonly configBytes: Buffer
  readonly config: ParsedConfig
  /** Bottom first. */
  readonly layers: readonly FetchedLayer[]
  /**
   * Brings the blobs of `wanted` here. Calls `arrived` with the path of each as soon as it is whole, and `onProgress` with what of it is here.
   * Which layer a part on its way belongs to is inferred from the order of their beginning; the sum is exact.
   */
  fetch(
    wanted: readonly FetchedLayer[],
    arrived: (layer: FetchedLayer, path: string) => void,
    onProgress: (layer: FetchedLayer, bytes: number) => void,
    signal: AbortSignal,
  ): Promise<void>
}

const maximumDocument = 4 * 1024 * 1024
const pollEvery = 40
/** A registry that sends nothing for so long is given up (ms). */
const stallLimit = 120_000

const verify = (bytes: Buffer, digest: string, what: string): Buffer => {
  const actual = digestOf(bytes)
  if (actual !== digest) {
    throw new DayflyError('corrupt', `${what} has the digest ${actual} instead of ${digest}`, { field: 'image', remedy: 'Push the image again.' })
  }
  // They are kept as text.
  if (digestOf(bytes.toString('utf8')) !== digest) throw new DayflyError('corrupt', `${what} is not UTF-8`, { field: 'image' })
  return bytes
}

const describe = (name: string, manifestBytes: Buffer, configBytes: Buffer, wanted: Platform): Omit<Source, 'fetch'> => {
  const manifest = parseManifest(manifestBytes, `the manifest of ${name}`)
  verify(configBytes, manifest.config.digest, `the config of ${name}`)
  const config = parseConfig(configBytes, `the config of ${name}`)
  if (!platformFits(wanted, config.platform)) throw wrongPlatform(name, wanted, [config.platform])
  if (config.diffIds.length !== manifest.layers.length) {
    throw new DayflyError('corrupt', `${name}: its manifest has ${manifest.layers.length} layers, its config ${config.diffIds.length}`, {
      field: 'image',
    })
  }
  const layers = manifest.layers.flatMap((blob, index) => {
    const diffId = config.diffIds[index]
    return diffId === undefined ? [] : [{ diffId, blob }]
  })
  return { digest: digestOf(manifestBytes), manifestBytes, manifest, configBytes, config, layers }
}

const sizeOf = async (path: string): Promise<number | undefined> => {
  try {
    return (await stat(path)).size
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined
    throw error
  }
}

/** A name with a digest that the registry does not have: when its tag exists, say what that is. */
const topDocument = async (skopeo: Skopeo, reference: RegistryReference): Promise<Buffer> => {
  try {
    const bytes = await skopeo.manifest(reference, reference.digest)
    return reference.digest === undefined ? bytes : verify(bytes, reference.digest, `the manifest of ${reference.name}`)
  } catch (error) {
    if (reference.digest === undefined || !(error instanceof DayflyError) || error.code !== 'not_found') throw error
    const tag = reference.tag ?? 'latest'
    const other = await skopeo.manifest({ ...reference, tag, digest: undefined }).catch(() => undefined)
    if (other === undefined) throw error
    const actual = digestOf(other)
    throw new DayflyError('invalid', `image ${reference.name}: the registry has no ${reference.digest}; its tag ${tag} is ${actual}`, {
      field: 'image',
      remedy: 'Correct the digest, or pull the tag.',
      cause: error,
    })
  }
}

export const openRegistry = async (skopeo: Skopeo, reference: RegistryReference, platform: Platform, scratch: string): Promise<Source> => {
  const top = await topDocument(skopeo, reference)
  let manifestBytes = top
  if (isIndex(top, `the index of ${reference.name}`)) {
    const { digest } = chooseManifest(top, platform, reference.name)
    manifestBytes = verify(await skopeo.manifest(reference, digest), digest, `the manifest of ${reference.name}`)
  }
  const digest = digestOf(manifestBytes)
  const source = describe(reference.name, manifestBytes, await skopeo.config(reference, digest), platform)
  const partial = join(scratch, 'copy')
  const blobs = join(scratch, 'blobs')
  const pathOf = (blob: BlobDescriptor): string => join(blobs, 'sha256', hexOf(blob.digest))

  return {
    ...source,
    fetch: async (wanted, arrived, onProgress, signal) => {
      if (wanted.length === 0) return
      await mkdir(join(blobs, 'sha256'), { recursive: true, mode: 0o700 })
      await mkdir(partial, { mode: 0o700 })
      // skopeo takes a blob that it finds for fetched: an empty file of the right size, without a block on the disk, for each that is not wanted.
      const needed = new Set(wanted.map(({ blob }) => blob.digest))
      for (const { blob } of source.layers.filter(layer => !needed.has(layer.blob.digest))) {
        await writeFile(pathOf(blob), '').catch((error: unknown) => {
          throw diskError(error, blobs)
        })
        await truncate(pathOf(blob), blob.size)
      }
      const waiting = new Set(wanted)
      let lastChange = performance.now()
      let lastSum = -1

      const look = async (): Promise<void> => {
        for (const layer of waiting) {
          if ((await sizeOf(pathOf(layer.blob))) === undefined) continue
          waiting.delete(layer)
          onProgress(layer, layer.blob.size)
          arrived(layer, pathOf(layer.blob))
        }
        const parts = (await readdir(partial)).filter(name => name.startsWith('oci-put-blob'))
        const begun = await Promise.all(parts.map(name => stat(join(partial, name)).catch(() => undefined)))
        const sizes = begun
          .filter(part => part !== undefined)
          .sort((a, b) => a.birthtimeMs - b.birthtimeMs)
          .map(part => part.size)
        let sum = wanted.length - waiting.size
        for (const layer of waiting) {
          const bytes = Math.min(sizes.shift() ?? 0, layer.blob.size)
          sum += bytes
          if (bytes > 0) onProgress(layer, bytes)
        }
        if (sum !== lastSum) lastChange = performance.now()
        lastSum = sum
      }

      using stalled = stallWatch(signal)
      const copying = skopeo.fetchBlobs(reference, digest, partial, blobs, stalled.signal)
      let over = false
      const ended = copying.finally(() => {
        over = true
      })
      ended.catch(() => {})
      while (!over) {
        await Promise.race([sleep(pollEvery), ended.catch(() => {})])
        await look()
        if (performance.now() - lastChange > stallLimit) stalled.stop(reference)
      }
      await ended.catch((error: unknown) => {
        throw nameLayer(error, [...waiting])
      })
      await look()
      const [missing] = waiting
      if (missing) throw new DayflyError('upstream', `layer ${missing.blob.digest} of ${reference.name} did not arrive`, { field: 'image' })
    },
  }
}

/** A signal that follows another and can be ended by a stall. */
const stallWatch = (signal: AbortSignal): Disposable & { signal: AbortSignal; stop(reference: RegistryReference): void } => {
  const controller = new AbortController()
  const follow = (): void => controller.abort(signal.reason)
  if (signal.aborted) follow()
  signal.addEventListener('abort', follow, { once: true })
  return {
    signal: controller.signal,
    stop: ({ name, registry }) =>
      controller.abort(new DayflyError('timeout', `image ${name}: the registry ${registry} sent nothing for ${stallLimit / 1000} s`)),
    [Symbol.dispose]: () => signal.removeEventListener('abort', follow),
  }
}

/** skopeo does not always say which blob was damaged; when only one was on its way it was that one. */
const nameLayer = (error: unknown, waiting: readonly FetchedLayer[]): unknown => {
  if (!(error instanceof DayflyError) || (error.code !== 'corrupt' && error.code !== 'upstream' && error.code !== 'not_found')) return error
  if (waiting.length === 0) return error
  const told = waiting.filter(({ blob }) => error.message.includes(blob.digest))
  const names = (told.length > 0 ? told : waiting).map(({ blob }) => blob.digest).join(', ')
  const several = (told.length > 0 ? told : waiting).length > 1
  const code = error.code === 'not_found' ? 'corrupt' : error.code // the manifest was found: a blob that was not is missing in the registry
  return new DayflyError(code, `${several ? 'one of the layers' : 'layer'} ${names}: ${error.message}`, {
    field: 'image',
    cause: error,
    ...(error.remedy === undefined ? {} : { remedy: error.remedy }),
  })
}

export const openLocal = async (
  skopeo: Skopeo,
  reference: LocalReference,
  platform: Platform,
  scratch: string,
  signal: AbortSignal | undefined,
): Promise<Source> => {
  const folder = join(scratch, 'local')
  await skopeo.copyLocal(reference, folder, platform, signal)
  const read = async (name: string): Promise<Buffer> => {
    await using file = await open(join(folder, name), 'r')
    if ((await file.stat()).size > maximumDocument)
      throw new DayflyError('corrupt', `${reference.name}: its ${name} is larger than ${maximumDocument} bytes`)
    return await file.readFile()
  }
  const manifestBytes = await read('manifest.json')
  verify(manifestBytes, digestOf(manifestBytes), `the manifest of ${reference.name}`)
  const { config } = parseManifest(manifestBytes, `the manifest of ${reference.name}`)
  const source = describe(reference.name, manifestBytes, await read(hexOf(config.digest)), platform)
  return {
    ...source,
    fetch: async (wanted, arrived) => {
      for (const layer of wanted) arrived(layer, join(folder, hexOf(layer.blob.digest)))
    },
  }
}
