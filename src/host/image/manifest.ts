/** Manifests, indexes and configs of OCI and of docker's schema 2: what is read of them, and nothing is believed before it was checked. */
import { arch } from 'node:os'
import { z } from 'zod'
import { DayflyError } from '../../base/errors.ts'
import { digestPattern } from './digest.ts'
import type { ImageConfig, ImageHealth, Platform } from './store.ts'

export const manifestTypes = ['application/vnd.oci.image.manifest.v1+json', 'application/vnd.docker.distribution.manifest.v2+json']
const indexTypes = ['application/vnd.oci.image.index.v1+json', 'application/vnd.docker.distribution.manifest.list.v2+json']
const configTypes = ['application/vnd.oci.image.config.v1+json', 'application/vnd.docker.container.image.v1+json']

/** As registries limit them. */
const maximumDocument = 4 * 1024 * 1024
/** overlayfs stacks no more. */
const maximumLayers = 500

const Digest = z.string().regex(digestPattern, 'sha256: and 64 lower-case hex digits')
const Descriptor = z.object({ mediaType: z.string().default(''), digest: Digest, size: z.int().min(0) })
const PlatformDocument = z.object({ os: z.string(), architecture: z.string(), variant: z.string().optional() })

const Manifest = z.object({ schemaVersion: z.literal(2), mediaType: z.string().optional(), config: Descriptor, layers: z.array(Descriptor) })
const Index = z.object({ schemaVersion: z.literal(2), manifests: z.array(Descriptor.extend({ platform: PlatformDocument.optional() })) })

const strings = z.array(z.string()).nullish()
const keys = z.record(z.string(), z.unknown()).nullish()
/** Docker's, in nanoseconds; OCI has none. One that cannot be read is no reason to refuse the image. */
const Healthcheck = z
  .object({
    Test: strings,
    Interval: z.number().nullish(),
    Timeout: z.number().nullish(),
    StartPeriod: z.number().nullish(),
    StartInterval: z.number().nullish(),
    Retries: z.int().nullish(),
  })
  .nullish()
  .catch(undefined)

const Config = z.object({
  architecture: z.string().optional(),
  os: z.string().optional(),
  variant: z.string().optional(),
  created: z.string().nullish(),
  rootfs: z.object({ type: z.literal('layers'), diff_ids: z.array(Digest).nullish() }),
  history: z.array(z.object({ created_by: z.string().optional(), comment: z.string().optional() })).nullish(),
  config: z
    .object({
      Entrypoint: strings,
      Cmd: strings,
      Env: strings,
      User: z.string().nullish(),
      WorkingDir: z.string().nullish(),
      StopSignal: z.string().nullish(),
      Labels: z.record(z.string(), z.string()).nullish(),
      ExposedPorts: keys,
      Volumes: keys,
      Healthcheck,
      Shell: strings,
    })
    .nullish(),
})

export interface BlobDescriptor {
  readonly digest: string
  readonly size: number
}

export interface ParsedManifest {
  readonly mediaType: string
  readonly config: BlobDescriptor
  readonly layers: readonly BlobDescriptor[]
}

export interface ParsedConfig {
  readonly platform: Platform
  readonly diffIds: readonly string[]
  readonly createdAt: number | undefined
  readonly history: readonly string[]
  readonly config: ImageConfig
}

const corrupt = (what: string, why: string): DayflyError =>
  new DayflyError('corrupt', `${what}: ${why}`, { remedy: 'Build or push the image again.' })

const parseJson = (bytes: Uint8Array, what: string): unknown => {
  if (bytes.byteLength > maximumDocument) throw corrupt(what, `larger than ${maximumDocument} bytes`)
  try {
    return JSON.parse(Buffer.from(bytes).toString('utf8'))
  } catch (cause) {
    throw new DayflyError('corrupt', `${what} is not JSON`, { cause })
  }
}

const check = <T>(schema: z.ZodType<T>, value: unknown, what: string): T => {
  const result = schema.safeParse(value)
  if (result.success) return result.data
  const [issue] = result.error.issues
  throw corrupt(what, `${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'not what it should be'}`)
}

/** True when the document lists one manifest per platform. */
export const isIndex = (bytes: Uint8Array, what: string): boolean => {
  const value = check(z.object({ mediaType: z.string().optional(), manifests: z.unknown().optional() }), parseJson(bytes, what), what)
  return value.mediaType === undefined ? Array.isArray(value.manifests) : indexTypes.includes(value.mediaType)
}

export const parseManifest = (bytes: Uint8Array, what: string): ParsedManifest => {
  const value = parseJson(bytes, what)
  const { schemaVersion } = check(z.object({ schemaVersion: z.int() }), value, what)
  if (schemaVersion === 1) {
    throw new DayflyError('invalid', `${what} has docker's schema 1, which cannot be verified`, {
      remedy: 'Push it again with a docker of this decade.',
    })
  }
  const manifest = check(Manifest, value, what)
  const mediaType = manifest.mediaType ?? 'application/vnd.oci.image.manifest.v1+json'
  if (!manifestTypes.includes(mediaType) || !configTypes.includes(manifest.config.mediaType)) {
    throw new DayflyError('invalid', `${what} is no container image but ${manifest.config.mediaType || mediaType}`, { field: 'image' })
  }
  if (manifest.layers.length === 0) throw new DayflyError('invalid', `${what} has no layers: there is nothing to run`, { field: 'image' })
  if (manifest.layers.length > maximumLayers) {
    throw new DayflyError('invalid', `${what} has ${manifest.layers.length} layers; the most is ${maximumLayers}`, { field: 'image' })
  }
  const encrypted = manifest.layers.find(layer => layer.mediaType.endsWith('+encrypted'))
  if (encrypted) throw new DayflyError('invalid', `${what} has an encrypted layer (${encrypted.digest})`, { field: 'image' })
  const plain = ({ digest, size }: BlobDescriptor): BlobDescriptor => ({ digest, size })
  return { mediaType, config: plain(manifest.config), layers: manifest.layers.map(plain) }
}

const architectures: Readonly<Record<string, string>> = { x64: 'amd64', ia32: '386', riscv64: 'riscv64', ppc64: 'ppc64le' }

export const machinePlatform = (): Platform => ({ os: 'linux', architecture: architectures[arch()] ?? arch(), variant: undefined })

export const formatPlatform = ({ os, architecture, variant }: Platform): string =>
  [os, architecture, ...(variant === undefined ? [] : [variant])].join('/')

/** A wanted platform without a variant takes any; arm64's v8 is its only and often unwritten one. */
export const platformFits = (wanted: Platform, offered: Platform): boolean =>
  offered.os === wanted.os &&
  offered.architecture === wanted.architecture &&
  (wanted.variant === undefined || wanted.variant === (offered.variant ?? (offered.architecture === 'arm64' ? 'v8' : undefined)))

/** The manifest in an index for a platform. Throws `invalid` naming those that there are. */
export const chooseManifest = (bytes: Uint8Array, wanted: Platform, what: string): BlobDescriptor => {
  const index = check(Index, parseJson(bytes, what), what)
  const offered = index.manifests.flatMap(({ platform, digest, size }) =>
    platform === undefined ? [] : [{ digest, size, platform: { os: platform.os, architecture: platform.architecture, variant: platform.variant } }],
  )
  const chosen = offered.find(({ platform }) => platformFits(wanted, platform)) ?? (offered.length === 0 ? index.manifests[0] : undefined)
  if (chosen) return { digest: chosen.digest, size: chosen.size }
  throw wrongPlatform(
    what,
    wanted,
    offered.map(({ platform }) => platform).filter(platform => platform.os !== 'unknown'), // attestations
  )
}

export const wrongPlatform = (what: string, wanted: Platform, offered: readonly Platform[]): DayflyError =>
  new DayflyError(
    'invalid',
    `${what} is not for this machine (${formatPlatform(wanted)})${offered.length > 0 ? `, only for ${offered.map(formatPlatform).join(', ')}` : ''}`,
    { field: 'image', remedy: `Choose an image that is built for ${formatPlatform(wanted)}.` },
  )

/** `KEY=VALUE` lines; one without `=` has an empty value. */
const environmentOf = (lines: readonly string[]): Record<string, string> =>
  Object.fromEntries(
    lines.map(line => {
      const equals = line.indexOf('=')
      return equals === -1 ? [line, ''] : [line.slice(0, equals), line.slice(equals + 1)]
    }),
  )

const signalName = (text: string | null | undefined): string => {
  if (!text) return 'SIGTERM'
  return /^\d+$/.test(text) ? text : text.toUpperCase().startsWith('SIG') ? text.toUpperCase() : `SIG${text.toUpperCase()}`
}

const healthOf = (check: z.output<typeof Healthcheck>, shell: readonly string[]): ImageHealth | undefined => {
  const [kind, ...words] = check?.Test ?? []
  if (check === null || check === undefined || (kind !== 'CMD' && kind !== 'CMD-SHELL') || words.length === 0) return undefined
  const milliseconds = (nanoseconds: number | null | undefined, otherwise: number): number =>
    nanoseconds === null || nanoseconds === undefined || nanoseconds <= 0 ? otherwise : Math.max(1, Math.round(nanoseconds / 1e6))
  return {
    command: kind === 'CMD' ? words : [...shell, words.join(' ')],
    interval: milliseconds(check.Interval, 30_000),
    timeout: milliseconds(check.Timeout, 30_000),
    startPeriod: milliseconds(check.StartPeriod, 0),
    startInterval: milliseconds(check.StartInterval, 5_000),
    retries: check.Retries === null || check.Retries === undefined || check.Retries < 1 ? 3 : check.Retries,
  }
}

export const parseConfig = (bytes: Uint8Array, what: string): ParsedConfig => {
  const document = check(Config, parseJson(bytes, what), what)
  const config = document.config ?? {}
  const created = document.created ? Date.parse(document.created) : Number.NaN
  const machine = machinePlatform()
  const workingDir = config.WorkingDir || '/'
  const health = healthOf(config.Healthcheck, config.Shell ?? ['/bin/sh', '-c'])
  return {
    platform: { os: document.os || machine.os, architecture: document.architecture || machine.architecture, variant: document.variant || undefined },
    diffIds: document.rootfs.diff_ids ?? [],
    createdAt: Number.isNaN(created) || created <= 0 ? undefined : created,
    history: (document.history ?? []).map(step => step.created_by || step.comment || ''),
    config: {
      entrypoint: config.Entrypoint ?? [],
      cmd: config.Cmd ?? [],
      env: environmentOf(config.Env ?? []),
      user: config.User ?? '',
      workingDir: workingDir.startsWith('/') ? workingDir : `/${workingDir}`,
      stopSignal: signalName(config.StopSignal),
      labels: config.Labels ?? {},
      exposedPorts: Object.keys(config.ExposedPorts ?? {}).sort(),
      volumes: Object.keys(config.Volumes ?? {}).sort(),
      ...(health === undefined ? {} : { health }),
    },
  }
}
