/**
 * What a registry keeps about an image beside it: cosign's tags (`sha256-HEX.sig`, `.att`), and what refers to it (OCI 1.1's referrers, or the tag that stands for
 * them where a registry has no such API). Digests of what is fetched are checked; what it says is for others to judge.
 */
import { z } from 'zod'
import { DayflyError } from '../../base/errors.ts'
import { digestOf, digestPattern, hexOf } from './digest.ts'
import type { Distribution } from './distribution.ts'
import { manifestTypes } from './manifest.ts'

export interface AttachedDocument {
  /** Digest of the manifest or index that it is attached to. */
  readonly subject: string
  readonly mediaType: string
  readonly annotations: Readonly<Record<string, string>>
  readonly bytes: Buffer
}

const maximumManifest = 4 * 1024 * 1024
const maximumBlob = 16 * 1024 * 1024
const maximumBytes = 64 * 1024 * 1024
/** Of one subject: whoever may push could attach any number. */
const maximumManifests = 64
const maximumLayers = 256

const indexType = 'application/vnd.oci.image.index.v1+json'
const accepted = [...manifestTypes, indexType, 'application/vnd.docker.distribution.manifest.list.v2+json'].join(', ')

const Digest = z.string().regex(digestPattern)
const Descriptor = z.object({
  mediaType: z.string(),
  digest: Digest,
  size: z.int().min(0),
  annotations: z.record(z.string(), z.string()).nullish(),
  artifactType: z.string().nullish(),
})
const Manifest = z.object({ artifactType: z.string().nullish(), layers: z.array(Descriptor).nullish() })
const Index = z.object({ manifests: z.array(Descriptor) })

const read = <S extends z.ZodType>(schema: S, bytes: Buffer, what: string): z.output<S> => {
  try {
    return schema.parse(JSON.parse(bytes.toString('utf8')))
  } catch {
    throw new DayflyError('corrupt', `${what} is not what a registry keeps there`)
  }
}

export interface AttachedOptions {
  /** Media types of blobs that are wanted: a prefix, as versions follow. Others are not fetched. */
  readonly wanted: readonly string[]
}

/** All wanted documents of `subjects`. Rejects as `Distribution.get`, and with `corrupt`. */
export const fetchAttached = async (
  distribution: Distribution,
  subjects: readonly string[],
  { wanted }: AttachedOptions,
): Promise<AttachedDocument[]> => {
  let budget = maximumBytes
  const isWanted = (type: string): boolean => wanted.some(prefix => type.startsWith(prefix))

  const blob = async (digest: string, size: number): Promise<Buffer> => {
    if (size > maximumBlob || size > budget)
      throw new DayflyError('corrupt', `${digest} has ${size} bytes: more than is read of what is attached to an image`)
    budget -= size
    const bytes = await distribution.get(`blobs/${digest}`, '*/*', size)
    if (bytes === undefined || digestOf(bytes) !== digest) throw new DayflyError('corrupt', `the registry's ${digest} has another digest`)
    return bytes
  }

  const documentsOf = async (subject: string, manifest: Buffer): Promise<AttachedDocument[]> => {
    const layers = (read(Manifest, manifest, 'a manifest').layers ?? []).filter(({ mediaType }) => isWanted(mediaType))
    if (layers.length > maximumLayers) throw new DayflyError('corrupt', `${layers.length} documents in one manifest are more than are read`)
    const documents: AttachedDocument[] = []
    for (const { mediaType, digest, size, annotations } of layers) {
      documents.push({ subject, mediaType, annotations: annotations ?? {}, bytes: await blob(digest, size) })
    }
    return documents
  }

  const referrers = async (subject: string): Promise<string[]> => {
    const list =
      (await distribution.get(`referrers/${subject}`, indexType, maximumManifest)) ??
      (await distribution.get(`manifests/sha256-${hexOf(subject)}`, indexType, maximumManifest))
    if (list === undefined) return []
    const { manifests } = read(Index, list, 'the list of what refers to the image')
    const found = manifests.filter(({ artifactType }) => artifactType === undefined || artifactType === null || isWanted(artifactType))
    if (found.length > maximumManifests) throw new DayflyError('corrupt', `${found.length} documents refer to the image, more than are read`)
    return found.map(({ digest }) => digest)
  }

  const documents: AttachedDocument[] = []
  for (const subject of subjects) {
    for (const suffix of ['sig', 'att']) {
      const manifest = await distribution.get(`manifests/sha256-${hexOf(subject)}.${suffix}`, accepted, maximumManifest)
      if (manifest !== undefined) documents.push(...(await documentsOf(subject, manifest)))
    }
    for (const digest of await referrers(subject)) {
      const manifest = await distribution.get(`manifests/${digest}`, accepted, maximumManifest)
      if (manifest === undefined || digestOf(manifest) !== digest) throw new DayflyError('corrupt', `the registry's ${digest} has another digest`)
      documents.push(...(await documentsOf(subject, manifest)))
    }
  }
  return documents
}

/**
 * The digests that stand for an image: its manifest's, and that of the index which the name leads to when it lists that manifest. People sign what they
 * have pushed, which is the index.
 */
export const subjectsOf = async (
  distribution: Distribution,
  { tag, digest }: { readonly tag: string | undefined; readonly digest: string | undefined },
  manifest: string,
): Promise<string[]> => {
  const name = digest ?? tag
  if (name === undefined || name === manifest) return [manifest]
  const top = await distribution.get(`manifests/${name}`, accepted, maximumManifest)
  if (top === undefined) return [manifest]
  const { manifests } = read(Index.partial(), top, `what ${name} leads to`)
  const lists = (manifests ?? []).some(one => one.digest === manifest)
  return lists ? [manifest, digestOf(top)] : [manifest]
}
