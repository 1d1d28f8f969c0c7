/**
 * An image of the store as an OCI layout of one layer, for a builder to begin from. What overlayfs shows of its layers is what tar reads, in a mount
 * namespace that ends with it: no mount is made in the host's.
 */
import { createHash } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { mkdir, rename, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { DayflyError } from '../../base/errors.ts'
import { digestOf, hexOf } from './digest.ts'
import { run } from './process.ts'
import type { Image } from './store.ts'

/** Of the folder `$1`. */
const tar = `exec tar --create --file=- --format=posix --numeric-owner --xattrs '--xattrs-include=*' '--xattrs-exclude=trusted.overlay.*' \\
  --sort=name --one-file-system --directory "$1" .`
const merge = 'mount -t overlay -o "ro,lowerdir=$2" overlay "$1"'

/** Writes the tar stream; resolves to its digest. */
const writeLayer = async (layersFolder: string, image: Image, path: string, signal: AbortSignal): Promise<string> => {
  const hash = createHash('sha256')
  let writing: Promise<void> | undefined
  const take = (from: Readable): void => {
    from.on('data', (bytes: Buffer) => hash.update(bytes))
    writing = pipeline(from, createWriteStream(path))
    writing.catch(() => {}) // Told below.
  }
  // Topmost first. A single layer hides nothing, and overlayfs wants two.
  const lower = image.layers.map(({ folder }) => folder).reverse()
  const [only = ''] = lower
  const command =
    lower.length > 1 ? [`cd "$3"\n${merge}\n${tar}`, 'sh', '/mnt', lower.join(':'), layersFolder] : [tar, 'sh', join(layersFolder, only)]
  const { code, stderr } = await run(
    'unshare',
    ['--mount', '--', 'sh', '-ec', ...command],
    { signal, onSpawn: take, env: { ...process.env, LC_ALL: 'C' } },
    'Install the package util-linux.',
  )
  if (code !== 0) throw new DayflyError('host', `the layers of ${image.names[0] ?? image.digest} cannot be read: ${stderr.trim()}`)
  await writing
  return `sha256:${hash.digest('hex')}`
}

/** `folder` must not exist; it is an OCI layout then, with one manifest. */
export const exportImage = async (layersFolder: string, image: Image, folder: string, signal: AbortSignal): Promise<void> => {
  const blobs = join(folder, 'blobs', 'sha256')
  await mkdir(blobs, { recursive: true })
  const partial = join(blobs, 'layer')
  const diffId = await writeLayer(layersFolder, image, partial, signal)
  await rename(partial, join(blobs, hexOf(diffId)))
  const { size } = await stat(join(blobs, hexOf(diffId)))
  const { config } = image
  const put = async (document: object): Promise<{ digest: string; size: number }> => {
    const bytes = Buffer.from(JSON.stringify(document))
    const digest = digestOf(bytes)
    await writeFile(join(blobs, hexOf(digest)), bytes)
    return { digest, size: bytes.length }
  }
  const described = await put({
    architecture: image.platform.architecture,
    os: image.platform.os,
    config: {
      Entrypoint: config.entrypoint,
      Cmd: config.cmd,
      Env: Object.entries(config.env).map(([name, value]) => `${name}=${value}`),
      User: config.user,
      WorkingDir: config.workingDir,
      StopSignal: config.stopSignal,
      Labels: config.labels,
      ExposedPorts: Object.fromEntries(config.exposedPorts.map(port => [port, {}])),
      Volumes: Object.fromEntries(config.volumes.map(path => [path, {}])),
    },
    rootfs: { type: 'layers', diff_ids: [diffId] },
    history: [{ created_by: `dayfly: ${image.names[0] ?? image.digest}` }],
  })
  const manifest = await put({
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    config: { mediaType: 'application/vnd.oci.image.config.v1+json', ...described },
    layers: [{ mediaType: 'application/vnd.oci.image.layer.v1.tar', digest: diffId, size }],
  })
  const index = { schemaVersion: 2, manifests: [{ mediaType: 'application/vnd.oci.image.manifest.v1+json', ...manifest }] }
  await writeFile(join(folder, 'index.json'), JSON.stringify(index))
  await writeFile(join(folder, 'oci-layout'), JSON.stringify({ imageLayoutVersion: '1.0.0' }))
}
