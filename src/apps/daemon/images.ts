/** The image store as the API sees it, and the images that runs resolve. */
import type { RunRequest } from '../../api/schemas/environments.ts'
import type { ImageDetailView, ImageView, PullProgress, PullRequest, RemovedView } from '../../api/schemas/images.ts'
import type { Images, OnProgress } from '../../api/services.ts'
import { DayflyError } from '../../base/errors.ts'
import { remember } from '../../base/remember.ts'
import type { Builder } from '../../host/image/build.ts'
import { RegistryUnreachable } from '../../host/image/skopeo-errors.ts'
import type { Image, ImageDetail, ImageProgress, ImageStore, Platform, Removed } from '../../host/image/store.ts'
import type { PlannedImage } from './plan.ts'
import type { DatedFacts } from './scanning.ts'

export interface ImageParts {
  readonly store: ImageStore
  /** Manifest digests that living environments need. */
  inUse(): ReadonlySet<string>
  readonly builder: Builder
  /** What is known of an image by looking at it; made now where it is not known yet. */
  facts(reference: string, signal: AbortSignal): Promise<DatedFacts>
  /** These layers were pulled anew: those that could not be looked at are tried again. */
  again(diffIds: readonly string[]): void
  /** Ends what is kept ready of an image before it is removed. */
  forget(digest: string): Promise<void>
}

export interface DaemonImages extends Images, Pick<ImageParts, 'facts'> {
  resolve(request: Pick<RunRequest, 'image' | 'pull' | 'auth'>, onProgress: OnProgress, signal: AbortSignal): Promise<PlannedImage>
  /** The number of a user in an image. Throws `invalid` when the image does not know it. */
  uidOf(digest: string, user: string): Promise<number>
  labelsOf(digest: string): Promise<Readonly<Record<string, string>>>
  /** `listener` is told of every image that was asked of its registry and came. There is one. */
  whenPulled(listener: (digest: string) => void): void
}

const imageView = (image: Image): ImageView => ({
  digest: image.digest,
  configDigest: image.configDigest,
  names: [...image.names],
  platform: { ...image.platform, variant: image.platform.variant ?? null },
  layers: image.layers.map(({ diffId, bytes }) => ({ diffId, bytes })),
  config: {
    user: image.config.user,
    workingDir: image.config.workingDir,
    stopSignal: image.config.stopSignal,
    entrypoint: [...image.config.entrypoint],
    cmd: [...image.config.cmd],
    env: { ...image.config.env },
    labels: { ...image.config.labels },
    exposedPorts: [...image.config.exposedPorts],
    volumes: [...image.config.volumes],
  },
  createdAt: image.createdAt ?? null,
  pulledAt: image.pulledAt,
  size: image.size,
})

const detailView = ({ image, mediaType, layers, history }: ImageDetail): Omit<ImageDetailView, 'scan'> => ({
  ...imageView(image),
  mediaType,
  layers: layers.map(({ diffId, bytes, blobDigest, blobBytes, images }) => ({ diffId, bytes, blobDigest, blobBytes, images })),
  history: [...history],
})

const removedView = ({ names, images, layers, freedBytes }: Removed): RemovedView => ({
  names: [...names],
  images: [...images],
  layers: [...layers],
  freedBytes,
})

const progressView = ({ phase, layer, bytes, total }: ImageProgress): PullProgress => ({ phase, layer, bytes, total: total ?? null })

const platformOf = (text: string): Platform => {
  const [os = '', architecture = '', variant] = text.split('/')
  return { os, architecture, variant }
}

/** `oci-archive:/tmp/a.tar`: what another transport names is not in the store by that name. */
const hasTransport = (name: string): boolean => /^(docker|oci|oci-archive|docker-archive|docker-daemon|dir|containers-storage):/.test(name)

/**
 * Why an image that is not here could not be fetched either, for a run that meant either. That its registry does not have it, refuses it or
 * cannot be reached is all the same to that run: what it names is not to be had (`not_found`). A registry that answered and failed is its own fault.
 */
const notToBeHad = (name: string, error: unknown): unknown => {
  if (!(error instanceof DayflyError)) return error
  const why =
    error instanceof RegistryUnreachable
      ? `its registry ${error.registry} cannot be reached: ${error.reason}`
      : error.code === 'not_found' || error.code === 'denied'
        ? error.message.replace(/^image \S+: /, '')
        : undefined
  if (why === undefined) return error
  const remedy =
    error instanceof RegistryUnreachable
      ? `Check the name (\`dayfly image ls\`), make it from files with \`dayfly image import PATH ${name}\`, or pull it once ${error.registry} can be reached.`
      : error.remedy
  return new DayflyError('not_found', `image: ${name} is not in the local store, and ${why}`, {
    field: 'image',
    cause: error,
    ...(remedy === undefined ? {} : { remedy }),
  })
}

/** Names, and users of images, that are kept in memory: whoever asks chooses them. */
const mostKnown = 1024

export const createImages = ({ store, builder, facts, again, inUse, forget }: ImageParts): DaemonImages => {
  /** What names lead to, so that a start reads no files. This daemon makes all changes: after each, it begins anew. */
  const known = new Map<string, Image>()
  /** By digest and user. */
  const users = new Map<string, number>()
  let pulled = (_digest: string): void => {}
  const changed = <T>(work: Promise<T>): Promise<T> =>
    work.finally(() => {
      known.clear()
      users.clear()
    })

  const find = async (name: string): Promise<Image> => {
    const there = known.get(name)
    if (there !== undefined) return there
    const image = await store.get(name)
    remember(known, name, image, mostKnown)
    return image
  }

  const notHere = (error: unknown): boolean => error instanceof DayflyError && error.code === 'not_found'

  const named = (error: unknown): unknown => {
    if (!(error instanceof DayflyError) || error.field !== undefined || (error.code !== 'not_found' && error.code !== 'invalid')) return error
    return new DayflyError(error.code, error.message, {
      field: 'image',
      cause: error,
      ...(error.remedy === undefined ? {} : { remedy: error.remedy }),
    })
  }

  const fetchImage = async ({ name, auth, tlsVerify, platform }: PullRequest, onProgress: OnProgress, signal: AbortSignal): Promise<Image> => {
    const image = await changed(
      store.pull(name, {
        signal,
        onProgress: progress => onProgress(progressView(progress)),
        ...(auth === undefined ? {} : { auth: { content: auth } }),
        ...(tlsVerify === undefined ? {} : { tlsVerify }),
        ...(platform === undefined ? {} : { platform: platformOf(platform) }),
      }),
    )
    again(image.layers.map(({ diffId }) => diffId))
    pulled(image.digest)
    return image
  }

  return {
    facts,
    list: async () => (await store.list()).map(imageView),
    inspect: async name => detailView(await store.inspect(name)),
    pull: async (request, onProgress, signal) => imageView(await fetchImage(request, onProgress, signal)),
    import: async ({ path, name, command }, onProgress, signal) =>
      imageView(
        await changed(
          store.importRoot(path, {
            name,
            signal,
            onProgress: progress => onProgress(progressView(progress)),
            ...(command === undefined ? {} : { cmd: command }),
          }),
        ),
      ),
    build: async ({ secrets, target, platform, auth, ...request }, onLog, onProgress, signal) => {
      const contents = new Map(Object.entries(secrets).map(([id, base64]) => [id, Buffer.from(base64, 'base64')]))
      const options = {
        ...request,
        target,
        platform,
        auth,
        secrets: contents,
        onLog,
        onProgress: (progress: ImageProgress) => onProgress(progressView(progress)),
        signal,
      }
      return imageView(await changed(builder.build(options)))
    },
    remove: async name => {
      const { digest } = await store.get(name)
      if (!inUse().has(digest)) await forget(digest)
      return removedView(await changed(store.remove(name, inUse())))
    },
    collect: async all => {
      const used = inUse()
      const going = (await store.list()).filter(({ digest, names }) => !used.has(digest) && (all || names.length === 0))
      for (const { digest } of going) await forget(digest)
      await builder.clear()
      return removedView(await changed(store.gc({ inUse: inUse(), keepNamed: !all })))
    },
    resolve: async ({ image: name, pull, auth }, onProgress, signal) => {
      try {
        if (pull === 'always' || (hasTransport(name) && pull !== 'never')) return await fetchImage({ name, auth }, onProgress, signal)
        try {
          return await find(name)
        } catch (error) {
          // A bare digest names no registry to fetch it from.
          if (pull === 'never' || !notHere(error) || /^(sha256:)?[0-9a-f]{12,64}$/.test(name)) throw error
        }
        try {
          return await fetchImage({ name, auth }, onProgress, signal)
        } catch (error) {
          throw notToBeHad(name, error)
        }
      } catch (error) {
        throw named(error)
      }
    },
    uidOf: async (digest, user) => {
      const key = `${digest} ${user}`
      const before = users.get(key)
      if (before !== undefined) return before
      const { uid } = await store.resolveUser(await find(digest), user)
      remember(users, key, uid, mostKnown)
      return uid
    },
    labelsOf: async digest => (await find(digest)).config.labels,
    whenPulled: listener => {
      pulled = listener
    },
  }
}
