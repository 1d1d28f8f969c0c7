/** Wire schemas of environments with workloads that are kept running: what `up` takes, what they look like, what an update changes. */
import { z } from 'zod'
import { EnvironmentDraft } from '../../model/draft.ts'
import { ResourceName } from '../../model/mount.ts'
import { SecretName, WorkloadName } from '../../model/workload.ts'
import { EnvironmentView, InstanceView, QueuedView, QueueTime, Team, WarningView } from './environments.ts'
import { PullProgress, RegistryAuth } from './images.ts'

const Draft = EnvironmentDraft.describe('Images by name; everything that the images or Dayfly’s defaults can say may be left out.')

const Partial = z
  .boolean()
  .default(false)
  .describe(
    'What lives and the draft does not name (workloads, networks, volumes, configs) stays as it is. Dependencies on workloads that are neither here nor there are left out.',
  )

const Secrets = z.record(WorkloadName, z.record(SecretName, z.base64('must be base64')))

export const UpRequest = z
  .strictObject({
    draft: Draft,
    secrets: Secrets.default({}).describe('Contents of files under /run/secrets, by workload and name. Never stored.'),
    seeds: z
      .record(ResourceName, z.string().regex(/^\//, 'must be an absolute path'))
      .default({})
      .describe("By volume: a folder or tar archive (plain, gzip, zstd) on the daemon's host that fills it before the first instance."),
    partial: Partial,
    team: Team,
    queue: QueueTime,
    auth: RegistryAuth.optional(),
  })
  .meta({ id: 'UpRequest' })
export type UpRequest = z.output<typeof UpRequest>
export type UpInput = z.input<typeof UpRequest>

export const DiffRequest = z
  .strictObject({
    draft: Draft,
    secrets: Secrets.optional().describe('As in `up`, to see whose content has changed. Left out, nobody’s has.'),
    partial: Partial,
    team: Team,
    auth: RegistryAuth.optional(),
  })
  .meta({ id: 'DiffRequest' })
export type DiffRequest = z.output<typeof DiffRequest>
export type DiffInput = z.input<typeof DiffRequest>

export const ChangeView = z
  .object({
    subject: z.enum(['workload', 'network', 'volume', 'config', 'lease', 'labels']),
    name: z.string().describe('Empty for the lease and labels.'),
    kind: z.enum(['added', 'changed', 'removed']),
    fields: z.array(z.string()).describe('Paths of the fields that differ, e.g. `image`, `env.DEBUG`.'),
    effect: z.enum(['started', 'replaced', 'stopped', 'kept']).describe('What becomes of instances.'),
  })
  .meta({ id: 'Change' })
export type ChangeView = z.infer<typeof ChangeView>

const ImageProgress = z.object({ image: z.string(), progress: PullProgress }).describe('Of an image that is fetched; several at once.')

export const UpLine = z
  .union([
    ImageProgress,
    z.object({ queued: QueuedView }),
    z.object({ environment: EnvironmentView, changes: z.array(ChangeView), warnings: z.array(WarningView) }),
  ])
  .describe('Progress, then its place in line at each change where it waits; the last line is the environment, or an Error.')
export const DiffLine = z
  .union([ImageProgress, z.object({ changes: z.array(ChangeView) })])
  .describe('Progress; the last line is the changes, or an Error.')

export const ExposureView = z
  .object({
    port: z.int().describe('In the instance.'),
    protocol: z.enum(['http', 'h2c', 'tcp']),
    url: z.string().nullable().describe('`http://web.shop.localhost:8080` or `127.0.0.1:5432`; null while nothing listens for it.'),
  })
  .meta({ id: 'Exposure' })
export type ExposureView = z.infer<typeof ExposureView>

export const WorkloadInstanceView = InstanceView.extend({
  health: z.enum(['none', 'starting', 'healthy', 'unhealthy']),
  outdated: z.boolean().describe('Of an older specification: it goes once its successor is well.'),
  paused: z.boolean(),
}).meta({ id: 'WorkloadInstance' })

export const WorkloadView = z
  .object({
    name: z.string(),
    state: z.enum(['waiting', 'starting', 'ready', 'idle', 'completed', 'failed', 'stopped']),
    reason: z.string(),
    wanted: z.int(),
    ready: z.int(),
    restarts: z.int(),
    exposed: z.array(ExposureView),
    instances: z.array(WorkloadInstanceView),
  })
  .meta({ id: 'Workload' })
export type WorkloadView = z.infer<typeof WorkloadView>

export const WorkloadList = z.object({ workloads: z.array(WorkloadView) }).meta({ id: 'WorkloadList' })
