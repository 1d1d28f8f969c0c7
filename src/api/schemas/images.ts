/** Wire schemas of images. Times are milliseconds since the Unix epoch, sizes bytes. */
import { z } from 'zod'
import { Severity } from '../../model/finding.ts'
import { Next } from '../pages.ts'

const Digest = z.string().describe('`sha256:…`')

export const ImageView = z
  .object({
    digest: Digest.describe("The manifest's: the image's identity."),
    configDigest: Digest.describe('What docker calls the image id.'),
    names: z.array(z.string()),
    platform: z.object({ os: z.string(), architecture: z.string(), variant: z.string().nullable() }),
    layers: z.array(z.object({ diffId: Digest, bytes: z.number() })).describe('Lowest first.'),
    config: z.object({
      entrypoint: z.array(z.string()),
      cmd: z.array(z.string()),
      env: z.record(z.string(), z.string()),
      user: z.string(),
      workingDir: z.string(),
      stopSignal: z.string(),
      labels: z.record(z.string(), z.string()),
      exposedPorts: z.array(z.string()),
      volumes: z.array(z.string()),
    }),
    createdAt: z.number().nullable().describe('When it was built, as it says itself.'),
    pulledAt: z.number().describe('When it came into the store.'),
    size: z.number().describe('Of its unpacked layers, shared ones included.'),
  })
  .meta({ id: 'Image' })
export type ImageView = z.infer<typeof ImageView>

export const ScanSummary = z
  .object({
    packages: z.int(),
    vulnerabilities: z.record(Severity, z.int()).describe('How many of each severity, without those that OpenVEX statements settle.'),
    secrets: z.int(),
    misconfigurations: z.int(),
    problems: z.int().describe('What could not be understood: something may be missing.'),
    scannedAt: z.number(),
    dataFrom: z.number().nullable().describe('The newest vulnerability data about it; null where there is none.'),
  })
  .meta({ id: 'ScanSummary' })
export type ScanSummary = z.infer<typeof ScanSummary>

export const ImageDetailView = ImageView.extend({
  mediaType: z.string(),
  layers: z.array(
    z.object({
      diffId: Digest,
      bytes: z.number(),
      blobDigest: Digest,
      blobBytes: z.number(),
      images: z.int().describe('How many images of the store have it.'),
    }),
  ),
  history: z.array(z.string()).describe('One line for each step that made it, oldest first.'),
  scan: ScanSummary.nullable().describe('null where nobody could look.'),
}).meta({ id: 'ImageDetail' })
export type ImageDetailView = z.infer<typeof ImageDetailView>

export const ImageList = z.object({ images: z.array(ImageView), next: Next }).meta({ id: 'ImageList' })

export const RegistryAuth = z
  .string()
  .max(1024 * 1024)
  .describe("The text of a registry credentials file (docker's config.json, containers' auth.json). Only its `auths` are used. Never stored.")

export const PullRequest = z
  .strictObject({
    name: z.string().min(1).describe('`alpine`, `host:5000/a/b:tag`, `repo@sha256:…`, or with a transport of skopeo, e.g. `oci-archive:/path`.'),
    auth: RegistryAuth.optional(),
    tlsVerify: z.boolean().optional().describe('Left out: true, but for a registry on the loopback.'),
    platform: z
      .string()
      .regex(/^[a-z0-9]+\/[a-z0-9]+(\/[a-z0-9]+)?$/, 'looks like linux/amd64 or linux/arm64/v8')
      .optional()
      .describe("Left out: this host's."),
  })
  .meta({ id: 'PullRequest' })
export type PullRequest = z.output<typeof PullRequest>

export const ImportRequest = z
  .strictObject({
    path: z.string().regex(/^\//, 'must be an absolute path').describe("A folder or tar archive (plain, gzip, zstd) on the daemon's host."),
    name: z.string().min(1),
    command: z.array(z.string()).optional().describe('What it runs by default. Left out: its shell, where it has one.'),
  })
  .meta({ id: 'ImportRequest' })
export type ImportRequest = z.output<typeof ImportRequest>

const Context = z.string().regex(/^\//, 'must be an absolute path')

export const BuildRequest = z
  .strictObject({
    name: z.string().min(1).describe('Of the new image.'),
    tags: z.array(z.string().min(1)).default([]).describe('Further names.'),
    context: Context.describe("A folder on the daemon's host."),
    dockerfile: z
      .union([z.strictObject({ path: z.string().min(1) }), z.strictObject({ text: z.string().min(1) })])
      .default({ path: 'Dockerfile' })
      .describe('Its path, relative to the context; or what it says.'),
    args: z.record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'must be the name of a variable'), z.string()).default({}),
    target: z.string().min(1).optional().describe('The stage to build. Left out: the last.'),
    labels: z.record(z.string().min(1), z.string()).default({}),
    contexts: z
      .record(z.string().min(1), z.string().min(1))
      .default({})
      .describe('Further contexts by name: a folder, or an image as `docker://NAME`.'),
    hosts: z
      .record(z.string().min(1), z.array(z.string().min(1)))
      .default({})
      .describe('Further lines of /etc/hosts, while it is built.'),
    secrets: z
      .record(z.string().regex(/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/), z.base64('must be base64'))
      .default({})
      .describe('By id, for RUN --mount=type=secret. Never stored.'),
    ulimits: z
      .record(z.string().regex(/^[a-z]+$/), z.strictObject({ soft: z.int().min(-1), hard: z.int().min(-1) }))
      .default({})
      .describe('Of RUN steps, e.g. nofile; -1 is unlimited. None beyond those of the daemon.'),
    network: z.enum(['none', 'host']).default('none').describe("Of RUN steps. `host`: this host's own, for steps that fetch packages."),
    pull: z.boolean().default(false).describe('Fetch base images anew.'),
    cache: z.boolean().default(true).describe('Use steps of earlier builds.'),
    platform: z.string().min(1).optional(),
    auth: RegistryAuth.optional(),
  })
  .meta({ id: 'BuildRequest' })
export type BuildRequest = z.output<typeof BuildRequest>
export type BuildInput = z.input<typeof BuildRequest>

export const PullProgress = z
  .object({
    phase: z.enum(['resolve', 'download', 'unpack', 'done']),
    layer: z.string().describe('Diff id; empty when the phase is of the whole image.'),
    bytes: z.number(),
    total: z.number().nullable().describe('null when it cannot be known.'),
  })
  .meta({ id: 'PullProgress' })
export type PullProgress = z.infer<typeof PullProgress>

export const CollectRequest = z
  .strictObject({ all: z.boolean().default(false).describe('Also images that have a name, unless a living environment uses them.') })
  .meta({ id: 'CollectRequest' })

export const RemovedView = z
  .object({
    names: z.array(z.string()),
    images: z.array(z.string()).describe('Digests of images that are gone.'),
    layers: z.array(z.string()).describe('Diff ids of layers that were deleted.'),
    freedBytes: z.number(),
  })
  .meta({ id: 'Removed' })
export type RemovedView = z.infer<typeof RemovedView>
