/** What the store knows of images: their documents and their names, as files. */
import { createHash } from 'node:crypto'
import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { DayflyError } from '../../base/errors.ts'
import { digestOf, digestPattern, hexOf, layerFolderOf } from './digest.ts'
import { readJson, syncFolder, writeJson } from './durable.ts'
import type { Layers } from './layers.ts'
import type { ParsedConfig, ParsedManifest } from './manifest.ts'
import { parseConfig, parseManifest } from './manifest.ts'
import type { Reference } from './reference.ts'
import { familiarName, parseReference } from './reference.ts'
import type { Image, ImageLayer } from './store.ts'

const Document = z.object({ manifest: z.string(), config: z.string(), pulledAt: z.number() })
const Name = z.object({ name: z.string(), digest: z.string().regex(digestPattern) })

export interface StoredImage {
  readonly digest: string
  readonly names: readonly string[]
  readonly manifest: ParsedManifest
  readonly config: ParsedConfig
  readonly pulledAt: number
}

export interface Images {
  put(manifest: Buffer, config: Buffer): Promise<string>
  putName(name: string, digest: string): Promise<void>
  removeName(name: string): Promise<void>
  /** Its names must be gone before. */
  remove(digest: string): Promise<void>
  /** All of them, also those that miss a layer. */
  stored(): Promise<StoredImage[]>
  /** With its layers; undefined when one is missing. */
  complete(image: StoredImage): Promise<Image | undefined>
  /** Throws `not_found`, or `invalid` when it is ambiguous. */
  find(reference: string): Promise<StoredImage>
}

/** Both were verified before they were written: here only a broken disk or a foreign hand is noticed. */
const parseStored = (digest: string, document: unknown, names: readonly string[]): StoredImage | undefined => {
  const found = Document.safeParse(document)
  if (!found.success || digestOf(found.data.manifest) !== digest) return undefined
  const manifest = parseManifest(Buffer.from(found.data.manifest), `image ${digest}`)
  if (digestOf(found.data.config) !== manifest.config.digest) return undefined
  return {
    digest,
    names,
    manifest,
    config: parseConfig(Buffer.from(found.data.config), `the config of image ${digest}`),
    pulledAt: found.data.pulledAt,
  }
}

/**
 * The layers as overlayfs stacks them. A layer that occurs twice counts where it is topmost: all of it hides what is below, and overlayfs takes
 * no folder twice. A layer whose own folder is opaque hides all below it, which overlayfs would not see.
 */
const stack = (layers: readonly (ImageLayer & { readonly hidesAll: boolean })[]): ImageLayer[] => {
  const visible = layers.slice(
    Math.max(
      0,
      layers.findLastIndex(layer => layer.hidesAll),
    ),
  )
  return visible
    .filter(({ diffId }, index) => visible.findLastIndex(other => other.diffId === diffId) === index)
    .map(({ diffId, folder, bytes }) => ({ diffId, folder, bytes }))
}

const matches = (image: StoredImage, prefix: string): boolean =>
  hexOf(image.digest).startsWith(prefix) || hexOf(image.manifest.config.digest).startsWith(prefix)

const tryParse = (reference: string): Reference | undefined => {
  try {
    return parseReference(reference)
  } catch {
    return undefined
  }
}

/** Names that a reference may mean: as it stands, and as docker reads it. */
const candidates = (reference: string): string[] => [reference, tryParse(reference)?.name ?? reference]

/**
 * `repo@digest` of an image that came from that repository by its tag is that image still. One that came from elsewhere is not: that the repository has it, too,
 * is for its registry to say.
 */
const pinnedTo = (reference: string, all: readonly StoredImage[]): StoredImage | undefined => {
  if (!reference.includes('@')) return undefined
  const meant = tryParse(reference)
  if (meant?.kind !== 'registry' || meant.digest === undefined) return undefined
  const base = `${meant.registry}/${meant.repository}`
  return all.find(({ digest, names }) => digest === meant.digest && names.some(name => name.startsWith(`${base}:`) || name.startsWith(`${base}@`)))
}

export const createImages = (root: string, layers: Layers): Images => {
  const imagePath = (digest: string): string => join(root, 'images', `${hexOf(digest)}.json`)
  const namePath = (name: string): string => join(root, 'names', `${createHash('sha256').update(name).digest('hex')}.json`)

  const names = async (): Promise<z.infer<typeof Name>[]> => {
    const files = (await readdir(join(root, 'names'))).filter(file => /^[0-9a-f]{64}\.json$/.test(file))
    const read = await Promise.all(files.map(file => readJson(join(root, 'names', file))))
    return read.flatMap(value => Name.safeParse(value).data ?? [])
  }

  const stored = async (): Promise<StoredImage[]> => {
    const known = await names()
    const files = (await readdir(join(root, 'images'))).filter(file => /^[0-9a-f]{64}\.json$/.test(file))
    const images = await Promise.all(
      files.map(async file => {
        const digest = `sha256:${file.slice(0, 64)}`
        const own = known.filter(name => name.digest === digest).map(({ name }) => name)
        return parseStored(digest, await readJson(join(root, 'images', file)), own.sort())
      }),
    )
    return images.filter(image => image !== undefined).sort((a, b) => b.pulledAt - a.pulledAt || (a.digest < b.digest ? -1 : 1))
  }

  return {
    put: async (manifest, config) => {
      const digest = digestOf(manifest)
      await writeJson(imagePath(digest), { manifest: manifest.toString('utf8'), config: config.toString('utf8'), pulledAt: Date.now() })
      return digest
    },
    putName: (name, digest) => writeJson(namePath(name), { name, digest }),
    removeName: async name => {
      await rm(namePath(name), { force: true })
      await syncFolder(join(root, 'names'))
    },
    remove: async digest => {
      await rm(imagePath(digest), { force: true })
      await syncFolder(join(root, 'images'))
    },
    stored,
    complete: async ({ digest, names: own, manifest, config, pulledAt }) => {
      const infos = await Promise.all(config.diffIds.map(diffId => layers.info(diffId)))
      const all = infos.filter(info => info !== undefined)
      if (all.length !== infos.length) return undefined
      const visible = stack(all.map(({ diffId, bytes, opaque }) => ({ diffId, folder: layerFolderOf(diffId), bytes, hidesAll: opaque.includes('') })))
      return {
        digest,
        configDigest: manifest.config.digest,
        names: own,
        platform: config.platform,
        layers: visible,
        config: config.config,
        createdAt: config.createdAt,
        pulledAt,
        size: visible.reduce((sum, layer) => sum + layer.bytes, 0),
      }
    },
    find: async reference => {
      const all = await stored()
      const wanted = candidates(reference)
      const named = all.find(image => image.names.some(name => wanted.includes(name)))
      if (named) return named
      const [, prefix] = /^(?:sha256:)?([0-9a-f]{4,64})$/.exec(reference) ?? []
      const found = prefix === undefined ? [] : all.filter(image => matches(image, prefix))
      const pinned = pinnedTo(reference, all)
      const [only, another] = pinned ? [pinned] : found
      if (only && !another) return only
      if (another) {
        throw new DayflyError('invalid', `"${reference}" could be any of ${found.length} images`, {
          field: 'image',
          remedy: 'Write more of its digest.',
        })
      }
      throw new DayflyError('not_found', `there is no image "${reference}" in the store`, {
        field: 'image',
        remedy: `Get it first: dayfly image pull ${familiarName(reference)}`,
      })
    },
  }
}
