/**
 * A compose project as it is after everything has been resolved: variables, files, short forms, names, defaults. The names are the Compose
 * Specification's own. Durations are milliseconds, sizes bytes, paths absolute.
 *
 * `print` writes it as a compose file again, and reading that gives the same project.
 */
import { z } from 'zod'

/** Own properties (`x-…`) of a project, service, network, volume, config, secret or model. */
const Extensions = z.record(z.string(), z.unknown())
const TextMap = z.record(z.string(), z.string())
const Texts = z.array(z.string())
/** Milliseconds; below a millisecond as a fraction. */
const Duration = z.number()
/** Bytes; -1 where that means none. */
const Bytes = z.number()
/** null: taken from nowhere; the variable is removed when the image sets it. */
const Variables = z.record(z.string(), z.string().nullable())

const Hook = z.strictObject({
  /** Absent: the image's own (pre_start only). */
  command: Texts.optional(),
  image: z.string().optional(),
  user: z.string().optional(),
  privileged: z.boolean().optional(),
  working_dir: z.string().optional(),
  environment: Variables.optional(),
  per_replica: z.boolean().optional(),
})

/** A config or secret in a service: a file at `target`. */
const FileMount = z.strictObject({
  /** A key of the project's configs or secrets. */
  source: z.string(),
  /** A secret always has one; a config without one is at `/SOURCE`. */
  target: z.string().optional(),
  uid: z.string().optional(),
  gid: z.string().optional(),
  /** As a number: 0o440 is 288. */
  mode: z.int().optional(),
})

const Ulimits = z.record(z.string(), z.strictObject({ soft: z.int(), hard: z.int() }))

const Build = z.strictObject({
  /** An absolute folder, or a URL, or `service:NAME`. */
  context: z.string(),
  /** Relative to the context. Absent only beside `dockerfile_inline`. */
  dockerfile: z.string().optional(),
  dockerfile_inline: z.string().optional(),
  entitlements: Texts.optional(),
  args: Variables.optional(),
  ssh: z.record(z.string(), z.string().nullable()).optional(),
  labels: TextMap.optional(),
  cache_from: Texts.optional(),
  cache_to: Texts.optional(),
  no_cache: z.boolean().optional(),
  no_cache_filter: Texts.optional(),
  additional_contexts: TextMap.optional(),
  network: z.string().optional(),
  provenance: z.string().optional(),
  sbom: z.string().optional(),
  pull: z.boolean().optional(),
  target: z.string().optional(),
  shm_size: Bytes.optional(),
  extra_hosts: z.record(z.string(), Texts).optional(),
  isolation: z.string().optional(),
  privileged: z.boolean().optional(),
  secrets: z.array(FileMount).optional(),
  tags: Texts.optional(),
  ulimits: Ulimits.optional(),
  platforms: Texts.optional(),
})

const Port = z.strictObject({
  name: z.string().optional(),
  mode: z.string(),
  host_ip: z.string().optional(),
  target: z.int(),
  /** A port, or a range of which any free one is meant (`8000-8010`). Absent: any free one. */
  published: z.string().optional(),
  protocol: z.string(),
  app_protocol: z.string().optional(),
})

const Mount = z.strictObject({
  type: z.enum(['bind', 'volume', 'tmpfs', 'image', 'npipe', 'cluster']),
  /** bind: an absolute path · volume: a key of the project's volumes, absent for an anonymous one · image: a reference. */
  source: z.string().optional(),
  target: z.string(),
  read_only: z.boolean().optional(),
  consistency: z.string().optional(),
  bind: z
    .strictObject({
      propagation: z.string().optional(),
      create_host_path: z.boolean().optional(),
      recursive: z.string().optional(),
      selinux: z.string().optional(),
    })
    .optional(),
  volume: z.strictObject({ labels: TextMap.optional(), nocopy: z.boolean().optional(), subpath: z.string().optional() }).optional(),
  tmpfs: z.strictObject({ size: Bytes.optional(), mode: z.int().optional() }).optional(),
  image: z.strictObject({ subpath: z.string().optional() }).optional(),
})

const Dependency = z.strictObject({
  condition: z.enum(['service_started', 'service_healthy', 'service_completed_successfully']),
  /** Restart this service when the dependency is restarted. */
  restart: z.boolean().optional(),
  /** When false the dependency may be missing or disabled. */
  required: z.boolean(),
})

const Healthcheck = z.strictObject({
  /** `['CMD', …]`, `['CMD-SHELL', text]` or `['NONE']`. Absent: the image's own. */
  test: Texts.optional(),
  interval: Duration.optional(),
  timeout: Duration.optional(),
  retries: z.int().optional(),
  start_period: Duration.optional(),
  start_interval: Duration.optional(),
  disable: z.boolean().optional(),
})

const UpdateConfig = z.strictObject({
  parallelism: z.int().optional(),
  delay: Duration.optional(),
  failure_action: z.string().optional(),
  monitor: Duration.optional(),
  max_failure_ratio: z.number().optional(),
  order: z.string().optional(),
})

const DeviceRequest = z.strictObject({
  capabilities: Texts.optional(),
  driver: z.string().optional(),
  count: z.union([z.int(), z.string()]).optional(),
  device_ids: Texts.optional(),
  options: TextMap.optional(),
})

const Limits = z.strictObject({ cpus: z.number().optional(), memory: Bytes.optional(), pids: z.int().optional() })

const Deploy = z.strictObject({
  mode: z.string().optional(),
  endpoint_mode: z.string().optional(),
  replicas: z.int().optional(),
  labels: TextMap.optional(),
  update_config: UpdateConfig.optional(),
  rollback_config: UpdateConfig.optional(),
  resources: z
    .strictObject({
      limits: Limits.optional(),
      reservations: z
        .strictObject({
          cpus: z.number().optional(),
          memory: Bytes.optional(),
          generic_resources: z.array(z.unknown()).optional(),
          devices: z.array(DeviceRequest).optional(),
        })
        .optional(),
    })
    .optional(),
  restart_policy: z
    .strictObject({ condition: z.string().optional(), delay: Duration.optional(), max_attempts: z.int().optional(), window: Duration.optional() })
    .optional(),
  placement: z
    .strictObject({
      constraints: Texts.optional(),
      preferences: z.array(z.strictObject({ spread: z.string().optional() })).optional(),
      max_replicas_per_node: z.int().optional(),
    })
    .optional(),
})

const ServiceNetwork = z.strictObject({
  aliases: Texts.optional(),
  interface_name: z.string().optional(),
  ipv4_address: z.string().optional(),
  ipv6_address: z.string().optional(),
  link_local_ips: Texts.optional(),
  mac_address: z.string().optional(),
  driver_opts: TextMap.optional(),
  priority: z.number().optional(),
  gw_priority: z.number().optional(),
})

const BlockRate = z.strictObject({ path: z.string().optional(), rate: Bytes.optional() })
const BlockWeight = z.strictObject({ path: z.string().optional(), weight: z.int().optional() })

const Watch = z.strictObject({
  path: z.string(),
  action: z.string(),
  target: z.string().optional(),
  exec: Hook.optional(),
  include: Texts.optional(),
  ignore: Texts.optional(),
  initial_sync: z.boolean().optional(),
})

export const Service = z.strictObject({
  annotations: TextMap.optional(),
  attach: z.boolean().optional(),
  blkio_config: z
    .strictObject({
      device_read_bps: z.array(BlockRate).optional(),
      device_read_iops: z.array(BlockRate).optional(),
      device_write_bps: z.array(BlockRate).optional(),
      device_write_iops: z.array(BlockRate).optional(),
      weight: z.int().optional(),
      weight_device: z.array(BlockWeight).optional(),
    })
    .optional(),
  build: Build.optional(),
  cap_add: Texts.optional(),
  cap_drop: Texts.optional(),
  cgroup: z.string().optional(),
  cgroup_parent: z.string().optional(),
  /** Replaces the image's CMD. `[]` clears it; absent keeps it. */
  command: Texts.optional(),
  configs: z.array(FileMount).optional(),
  container_name: z.string().optional(),
  cpu_count: z.number().optional(),
  cpu_percent: z.number().optional(),
  cpu_period: z.number().optional(),
  cpu_quota: z.number().optional(),
  cpu_rt_period: z.number().optional(),
  cpu_rt_runtime: z.number().optional(),
  cpu_shares: z.number().optional(),
  cpus: z.number().optional(),
  cpuset: z.string().optional(),
  credential_spec: z.strictObject({ config: z.string().optional(), file: z.string().optional(), registry: z.string().optional() }).optional(),
  /** By service. Includes what links, `volumes_from` and shared namespaces imply. */
  depends_on: z.record(z.string(), Dependency).optional(),
  deploy: Deploy.optional(),
  develop: z.strictObject({ watch: z.array(Watch).optional() }).optional(),
  device_cgroup_rules: Texts.optional(),
  devices: z.array(z.strictObject({ source: z.string(), target: z.string().optional(), permissions: z.string().optional() })).optional(),
  dns: Texts.optional(),
  dns_opt: Texts.optional(),
  dns_search: Texts.optional(),
  domainname: z.string().optional(),
  /** Replaces the image's ENTRYPOINT. `[]` clears it; absent keeps it. */
  entrypoint: Texts.optional(),
  /** Of disabled services only: an enabled one has its files' variables in `environment`. */
  env_file: z.array(z.strictObject({ path: z.string(), required: z.boolean(), format: z.string().optional() })).optional(),
  /** The files' variables under the service's own. */
  environment: Variables.optional(),
  expose: Texts.optional(),
  external_links: Texts.optional(),
  extra_hosts: z.record(z.string(), Texts).optional(),
  gpus: z.array(DeviceRequest).optional(),
  group_add: Texts.optional(),
  healthcheck: Healthcheck.optional(),
  hostname: z.string().optional(),
  image: z.string().optional(),
  init: z.boolean().optional(),
  ipc: z.string().optional(),
  isolation: z.string().optional(),
  /** Of disabled services only: an enabled one has its files' labels in `labels`. */
  label_file: Texts.optional(),
  labels: TextMap.optional(),
  links: Texts.optional(),
  logging: z.strictObject({ driver: z.string().optional(), options: TextMap.optional() }).optional(),
  mac_address: z.string().optional(),
  mem_limit: Bytes.optional(),
  mem_reservation: Bytes.optional(),
  mem_swappiness: z.number().optional(),
  memswap_limit: Bytes.optional(),
  models: z.record(z.string(), z.strictObject({ endpoint_var: z.string().optional(), model_var: z.string().optional() }).nullable()).optional(),
  network_mode: z.string().optional(),
  /** By network; null when there is nothing to say about it. Absent with `network_mode` or `provider`. */
  networks: z.record(z.string(), ServiceNetwork.nullable()).optional(),
  oom_kill_disable: z.boolean().optional(),
  oom_score_adj: z.number().optional(),
  pid: z.string().nullable().optional(),
  pids_limit: z.number().optional(),
  platform: z.string().optional(),
  ports: z.array(Port).optional(),
  post_start: z.array(Hook).optional(),
  pre_start: z.array(Hook).optional(),
  pre_stop: z.array(Hook).optional(),
  privileged: z.boolean().optional(),
  profiles: Texts.optional(),
  provider: z.strictObject({ type: z.string(), options: z.record(z.string(), Texts).optional() }).optional(),
  pull_policy: z.string().optional(),
  pull_refresh_after: z.string().optional(),
  read_only: z.boolean().optional(),
  restart: z.string().optional(),
  runtime: z.string().optional(),
  scale: z.int().optional(),
  secrets: z.array(FileMount).optional(),
  security_opt: Texts.optional(),
  shm_size: Bytes.optional(),
  stdin_open: z.boolean().optional(),
  stop_grace_period: Duration.optional(),
  stop_signal: z.string().optional(),
  storage_opt: TextMap.optional(),
  sysctls: TextMap.optional(),
  /** `PATH[:OPTIONS]`. */
  tmpfs: Texts.optional(),
  tty: z.boolean().optional(),
  ulimits: Ulimits.optional(),
  use_api_socket: z.boolean().optional(),
  user: z.string().optional(),
  userns_mode: z.string().optional(),
  uts: z.string().optional(),
  volumes: z.array(Mount).optional(),
  volumes_from: Texts.optional(),
  working_dir: z.string().optional(),
  extensions: Extensions.optional(),
})
export type Service = z.infer<typeof Service>
export type ServiceMount = z.infer<typeof Mount>
export type ServicePort = z.infer<typeof Port>
export type ServiceBuild = z.infer<typeof Build>
export type ServiceHealthcheck = z.infer<typeof Healthcheck>
export type ServiceFile = z.infer<typeof FileMount>

export const Network = z.strictObject({
  name: z.string(),
  driver: z.string().optional(),
  driver_opts: TextMap.optional(),
  ipam: z
    .strictObject({
      driver: z.string().optional(),
      config: z
        .array(
          z.strictObject({
            subnet: z.string().optional(),
            ip_range: z.string().optional(),
            gateway: z.string().optional(),
            aux_addresses: TextMap.optional(),
          }),
        )
        .optional(),
      options: TextMap.optional(),
    })
    .optional(),
  external: z.boolean().optional(),
  internal: z.boolean().optional(),
  attachable: z.boolean().optional(),
  enable_ipv4: z.boolean().optional(),
  enable_ipv6: z.boolean().optional(),
  labels: TextMap.optional(),
  extensions: Extensions.optional(),
})
export type Network = z.infer<typeof Network>

export const Volume = z.strictObject({
  name: z.string(),
  driver: z.string().optional(),
  driver_opts: TextMap.optional(),
  external: z.boolean().optional(),
  labels: TextMap.optional(),
  extensions: Extensions.optional(),
})
export type Volume = z.infer<typeof Volume>

const fileObject = {
  name: z.string(),
  /** Absolute. */
  file: z.string().optional(),
  /** The variable that holds the contents. The contents are in `Loaded.values`, never here. */
  environment: z.string().optional(),
  external: z.boolean().optional(),
  labels: TextMap.optional(),
  template_driver: z.string().optional(),
  extensions: Extensions.optional(),
}
export const Secret = z.strictObject({ ...fileObject, driver: z.string().optional(), driver_opts: TextMap.optional() })
export type Secret = z.infer<typeof Secret>
export const Config = z.strictObject({ ...fileObject, content: z.string().optional() })
export type Config = z.infer<typeof Config>

export const Model = z.strictObject({
  name: z.string().optional(),
  model: z.string(),
  context_size: z.int().optional(),
  runtime_flags: Texts.optional(),
  extensions: Extensions.optional(),
})
export type Model = z.infer<typeof Model>

/** What the files say: everything of a project but where it is. */
export const Content = z.strictObject({
  name: z.string(),
  services: z.record(z.string(), Service),
  networks: z.record(z.string(), Network),
  volumes: z.record(z.string(), Volume),
  secrets: z.record(z.string(), Secret),
  configs: z.record(z.string(), Config),
  models: z.record(z.string(), Model),
  /** The files' own top-level properties, `x-dayfly` among them. */
  extensions: Extensions,
})
export type Content = z.infer<typeof Content>

export interface Project extends Content {
  /** The folder that the project's paths started from. Absolute. */
  readonly folder: string
  /** The files that were given or found, in order. Absolute. */
  readonly files: readonly string[]
  /** The profiles that are enabled. */
  readonly profiles: readonly string[]
  /** Services that no enabled profile selects. Their `env_file`s have not been read. */
  readonly disabled: Readonly<Record<string, Service>>
}
