/** Makes images: layers from entries, configs, manifests and indexes in OCI's and docker's form, and OCI layouts. */
import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import type { TarEntry } from './tar.ts'
import { makeTar } from './tar.ts'

export const sha256 = (bytes: Uint8Array): string => `sha256:${createHash('sha256').update(bytes).digest('hex')}`

export interface Blob {
  readonly bytes: Buffer
  readonly digest: string
  readonly mediaType: string
}

export type Compression = 'gzip' | 'zstd' | 'plain'
export type Format = 'oci' | 'docker'

export interface Layer {
  readonly diffId: string
  readonly tar: Buffer
}

export const makeLayer = (entries: readonly TarEntry[]): Layer => {
  const tar = makeTar(entries)
  return { tar, diffId: sha256(tar) }
}

const blob = (bytes: Buffer, mediaType: string): Blob => ({ bytes, mediaType, digest: sha256(bytes) })
const describe = ({ bytes, digest, mediaType }: Blob) => ({ mediaType, digest, size: bytes.length })

const types = {
  oci: {
    manifest: 'application/vnd.oci.image.manifest.v1+json',
    index: 'application/vnd.oci.image.index.v1+json',
    config: 'application/vnd.oci.image.config.v1+json',
    layer: {
      gzip: 'application/vnd.oci.image.layer.v1.tar+gzip',
      zstd: 'application/vnd.oci.image.layer.v1.tar+zstd',
      plain: 'application/vnd.oci.image.layer.v1.tar',
    },
  },
  docker: {
    manifest: 'application/vnd.docker.distribution.manifest.v2+json',
    index: 'application/vnd.docker.distribution.manifest.list.v2+json',
    config: 'application/vnd.docker.container.image.v1+json',
    layer: {
      gzip: 'application/vnd.docker.image.rootfs.diff.tar.gzip',
      zstd: 'application/vnd.docker.image.rootfs.diff.tar.zstd',
      plain: 'application/vnd.docker.image.rootfs.diff.tar',
    },
  },
} as const

const compress: Readonly<Record<Compression, (bytes: Buffer) => Buffer>> = { gzip: gzipSync, zstd: zstdCompressSync, plain: bytes => bytes }

export interface MadeImage {
  readonly manifest: Blob
  readonly config: Blob
  readonly layers: readonly Blob[]
}

export interface ImageSpec {
  readonly layers: readonly Layer[]
  readonly format?: Format
  readonly compression?: Compression
  readonly architecture?: string
  readonly config?: Readonly<Record<string, unknown>>
  /** Replaces the diff ids of the config. */
  readonly diffIds?: readonly string[]
}

export const machineArchitecture = process.arch === 'x64' ? 'amd64' : process.arch

export const makeImage = ({
  layers,
  format = 'oci',
  compression = 'gzip',
  architecture = machineArchitecture,
  config = {},
  diffIds,
}: ImageSpec): MadeImage => {
  const type = types[format]
  const blobs = layers.map(({ tar }) => blob(compress[compression](tar), type.layer[compression]))
  const document = {
    architecture,
    os: 'linux',
    created: '2024-05-06T07:08:09Z',
    config,
    rootfs: { type: 'layers', diff_ids: diffIds ?? layers.map(({ diffId }) => diffId) },
    history: layers.map((_, index) => ({ created_by: `step ${index}` })),
  }
  const configBlob = blob(Buffer.from(JSON.stringify(document)), type.config)
  const manifest = { schemaVersion: 2, mediaType: type.manifest, config: describe(configBlob), layers: blobs.map(describe) }
  return { manifest: blob(Buffer.from(JSON.stringify(manifest)), type.manifest), config: configBlob, layers: blobs }
}

export const makeIndex = (images: readonly (readonly [string, MadeImage])[], format: Format = 'oci'): Blob => {
  const manifests = images.map(([architecture, { manifest }]) => ({ ...describe(manifest), platform: { os: 'linux', architecture } }))
  return blob(Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: types[format].index, manifests })), types[format].index)
}

/** An OCI layout in `folder`, with the image under a tag. */
export const writeLayout = (folder: string, tag: string, image: MadeImage): void => {
  mkdirSync(join(folder, 'blobs/sha256'), { recursive: true })
  for (const { bytes, digest } of [image.manifest, image.config, ...image.layers]) writeFileSync(join(folder, 'blobs/sha256', digest.slice(7)), bytes)
  writeFileSync(join(folder, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}')
  const top = { ...describe(image.manifest), annotations: { 'org.opencontainers.image.ref.name': tag } }
  writeFileSync(join(folder, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests: [top] }))
}

/** A base that can run: busybox, and the accounts of `resolveUser`. */
export const busyboxEntries = (): TarEntry[] => [
  { name: './', type: '5' },
  { name: 'bin/', type: '5' },
  { name: 'bin/busybox', content: readFileSync('/bin/busybox'), mode: 0o755 },
  ...['sh', 'ls', 'cat', 'stat', 'echo', 'find', 'sleep'].map(name => ({ name: `bin/${name}`, type: '2', link: 'busybox' })),
  { name: 'etc/', type: '5' },
  { name: 'etc/passwd', content: 'root:x:0:0:root:/root:/bin/sh\nweb:x:101:102::/srv/web:/bin/sh\n' },
  { name: 'etc/group', content: 'root:x:0:\nweb:x:102:\nlogs:x:200:web,other\naudio:x:29:web\n' },
  { name: 'tmp/', type: '5', mode: 0o1777 },
]
