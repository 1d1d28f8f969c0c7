/**
 * An environment as it is asked for: images by name, everything that the image or Dayfly's defaults can say left out. The daemon makes an
 * `EnvironmentSpec` of it. What compose files become, and what `dayfly up` sends.
 */
import { z } from 'zod'
import { Dependency, Exposure, HealthCheck, RestartPolicy, Scale } from './deployment.ts'
import { EnvironmentSpec } from './environment.ts'
import { Lease } from './lease.ts'
import { ResourceName } from './mount.ts'
import { Limits, Runtime, WorkloadKind, WorkloadName, WorkloadSpec } from './workload.ts'

const { shape } = WorkloadSpec

export const DeploymentDraft = z.strictObject({
  /** One instance by default. */
  scale: Scale.optional(),
  restart: RestartPolicy.optional(),
  /** `null` turns the image's off. */
  health: HealthCheck.nullable().optional(),
  dependsOn: z.record(WorkloadName, Dependency).default({}),
  networks: z.record(ResourceName, z.strictObject({ aliases: z.array(z.string().min(1).max(253)).default([]) })).default({}),
  expose: z.array(Exposure).default([]),
  /** `stop-first` by default for what writes to a volume, else `start-first`; one at a time. */
  update: z.strictObject({ order: z.enum(['start-first', 'stop-first']).optional(), parallelism: z.int().min(1).optional() }).default({}),
})
export type DeploymentDraft = z.output<typeof DeploymentDraft>

export const WorkloadDraft = z.strictObject({
  /** `service` by default. */
  kind: WorkloadKind.optional(),
  /** A name, or a manifest digest `sha256:…`. */
  image: z.string().min(1),
  pull: z.enum(['missing', 'always', 'never']).default('missing'),
  /** `os/architecture[/variant]`: refused when the host cannot run it. */
  platform: z.string().optional(),
  /** In place of the image's; `[]` clears that. So with the entry point, which takes the image's command with it. */
  command: z.array(z.string()).optional(),
  entrypoint: z.array(z.string()).optional(),
  env: shape.env.default({}),
  user: shape.user.optional(),
  workdir: shape.workdir.optional(),
  readOnly: shape.readOnly.default(false),
  capabilities: shape.capabilities.default([]),
  limits: Limits.partial().strict().default({}),
  egress: shape.egress.default([]),
  egressDomains: shape.egressDomains,
  runtime: Runtime.default('crun'),
  hostname: shape.hostname,
  tty: shape.tty.default(false),
  stdin: shape.stdin.default(false),
  stopSignal: shape.stopSignal.optional(),
  grace: shape.grace.optional(),
  logLimit: shape.logLimit.optional(),
  secrets: shape.secrets.default([]),
  mounts: shape.mounts,
  sysctls: shape.sysctls,
  ulimits: shape.ulimits,
  shmSize: shape.shmSize,
  init: shape.init,
  groups: shape.groups,
  hosts: shape.hosts,
  labels: shape.labels,
  deployment: DeploymentDraft.prefault({}),
})
export type WorkloadDraft = z.output<typeof WorkloadDraft>

export const EnvironmentDraft = z.strictObject({
  name: EnvironmentSpec.shape.name,
  labels: EnvironmentSpec.shape.labels.default({}),
  lease: Lease.partial().strict().default({}),
  workloads: z.record(WorkloadName, WorkloadDraft).refine(workloads => Object.keys(workloads).length > 0, 'there is no workload'),
  networks: z.record(ResourceName, z.strictObject({ internal: z.boolean().default(false) })).default({}),
  volumes: z.array(ResourceName).default([]),
  configs: EnvironmentSpec.shape.configs,
})
export type EnvironmentDraft = z.output<typeof EnvironmentDraft>
/** The same before its defaults are filled in. */
export type EnvironmentDraftInput = z.input<typeof EnvironmentDraft>
