/**
 * What `--backend fake` stands on: a kernel in memory, and an image store with the one image that its processes are of. For tests and
 * demonstrations without root; everything above the backend is real.
 */
import { createHash } from 'node:crypto'
import type { ImageView } from '../../api/schemas/images.ts'
import { createFakeBackend, createFakeKernel } from '../../backends/fake/fake.ts'
import { createAgenda } from '../../base/agenda.ts'
import type { Clock } from '../../base/clock.ts'
import { DayflyError } from '../../base/errors.ts'
import type { Backend } from '../../engine/backend.ts'
import { imageFacts } from '../../scan/merge.ts'
import type { DaemonImages } from './images.ts'

/** Dies with the daemon, as does everything in it. */
export const openFakeBackend = (clock: Clock): Backend => {
  const agenda = createAgenda(clock)
  const backend = createFakeBackend(createFakeKernel(clock, agenda))
  return {
    ...backend,
    [Symbol.asyncDispose]: async () => {
      agenda[Symbol.dispose]()
      await backend[Symbol.asyncDispose]()
    },
  }
}

const name = 'docker.io/library/fake:latest'
const names = new Set(['fake', 'fake:latest', name])
const digest = `sha256:${createHash('sha256').update(name).digest('hex')}`

export const openFakeImages = (clock: Clock): DaemonImages => {
  const image: ImageView = {
    digest,
    configDigest: digest,
    names: [name],
    platform: { os: 'linux', architecture: 'fake', variant: null },
    layers: [{ diffId: digest, bytes: 0 }],
    config: {
      entrypoint: [],
      cmd: ['fake', '[{"print":"hello\\n"}]'],
      env: {},
      user: '',
      workingDir: '/',
      stopSignal: 'SIGTERM',
      labels: {},
      exposedPorts: [],
      volumes: [],
    },
    createdAt: null,
    pulledAt: clock.wall(),
    size: 0,
  }
  const find = (wanted: string): ImageView => {
    if (names.has(wanted) || (wanted.length >= 11 && digest.startsWith(wanted))) return image
    throw new DayflyError('not_found', `image: there is no image ${wanted}`, { field: 'image', remedy: 'The fake backend has the image fake only.' })
  }
  const unsupported = (): DayflyError =>
    new DayflyError('denied', 'the fake backend keeps no images of its own', { remedy: 'Use a daemon with the linux backend.' })
  return {
    list: async () => [image],
    inspect: async wanted => ({
      ...find(wanted),
      mediaType: 'application/vnd.oci.image.manifest.v1+json',
      layers: [{ diffId: digest, bytes: 0, blobDigest: digest, blobBytes: 0, images: 1 }],
      history: [],
    }),
    pull: async (request, onProgress) => {
      const found = find(request.name)
      onProgress({ phase: 'resolve', layer: '', bytes: 0, total: null })
      onProgress({ phase: 'done', layer: digest, bytes: 0, total: 0 })
      return found
    },
    import: async () => {
      throw unsupported()
    },
    build: async () => {
      throw unsupported()
    },
    remove: async wanted => {
      find(wanted)
      throw unsupported()
    },
    collect: async () => ({ names: [], images: [], layers: [], freedBytes: 0 }),
    resolve: async request => {
      const { config } = find(request.image)
      return { digest, config }
    },
    uidOf: async () => 0,
    labelsOf: async () => image.config.labels,
    whenPulled: () => {}, // It has no registry.
    facts: async reference => ({
      ...(await imageFacts({ ...find(reference), history: [] }, [], '', () => ({ findings: [], problems: [] }))),
      ...{ scannedAt: image.pulledAt, failed: false },
    }),
  }
}
