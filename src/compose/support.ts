/**
 * What becomes of each property of the Compose Specification. A property below one that is ignored or refused goes with it; every other one has a line
 * of its own: `support.test.ts` walks the published schema and fails for what has none. What is `supported` is a promise of whoever makes an environment of
 * a project.
 */
import * as judges from './judges.ts'
import type { Judge, Support, Verdict } from './verdict.ts'
import { ignored, refused } from './verdict.ts'

const yes: Support = { status: 'supported' }
const judged = (judge: Judge): Support => ({ status: 'judged', judge })
const all = (prefix: string, names: string, support: Support): Record<string, Support> =>
  Object.fromEntries(names.split(' ').map(name => [prefix === '' ? name : `${prefix}.${name}`, support]))

const ownLimit = 'the limits are cpus, mem_limit and pids_limit, and those of deploy.resources.limits'
const addresses = 'addresses are given out by the environment'
const device = refused('Devices', 'a container gets no device of the host', 'Remove it.')
const hook = refused(
  'Supported features',
  'there are no hooks',
  'Make it a service of its own, and depend on it with service_completed_successfully.',
)
const external = (remedy: string): Verdict =>
  refused('External resources', 'an environment uses nothing that was there before it and stays after it', remedy)
const noLabels = ignored('only services have labels')

export const support: Readonly<Record<string, Support>> = {
  ...all('', 'name include services networks volumes secrets configs', yes),
  ...all('include.*', 'path env_file project_directory', yes),
  version: ignored('it is obsolete'),
  models: refused('Supported features', 'there are no models', 'Run a model server as a service.'),

  ...all(
    'services.*',
    'command configs container_name cpus depends_on deploy domainname entrypoint env_file environment expose extends group_add',
    yes,
  ),
  ...all('services.*', 'cpu_count cpu_period cpu_quota healthcheck hostname', yes),
  ...all(
    'services.*',
    'image init label_file labels links mem_limit networks pids_limit platform ports profiles pull_policy read_only restart scale',
    yes,
  ),
  ...all(
    'services.*',
    'build secrets shm_size stdin_open stop_grace_period stop_signal tmpfs tty ulimits user volumes working_dir cap_drop cap_add',
    yes,
  ),
  ...all('services.*', 'security_opt', yes),
  ...all('services.*.extends', 'service file', yes),
  ...all('services.*.env_file.*', 'path format required', yes),
  ...all('services.*.depends_on.*', 'condition required restart', yes),
  ...all('services.*.healthcheck', 'test interval timeout retries start_period start_interval disable', yes),
  ...all('services.*.ulimits.*', 'soft hard', yes),
  ...all('services.*.secrets.*', 'source target uid gid mode', yes),
  ...all('services.*.configs.*', 'source target uid gid mode', yes),
  'services.*.cap_add.*': judged(judges.capability),
  'services.*.security_opt.*': judged(judges.securityOption),
  'services.*.sysctls': judged(judges.sysctls),
  'services.*.extra_hosts': judged(judges.hosts),

  'services.*.privileged': refused(
    'Privileged containers',
    'a privileged container is root on the host',
    'Remove it; cap_add grants what can be granted.',
  ),
  'services.*.use_api_socket': refused(
    'Container engine socket',
    'whoever can use the socket of a container engine is root on the host',
    'Remove it.',
  ),
  'services.*.credential_spec': refused('Credentials of the host', 'a container gets no credentials of the host', 'Use secrets.'),
  ...all('services.*', 'devices device_cgroup_rules gpus', device),
  ...all('services.*', 'pre_start post_start pre_stop', hook),
  'services.*.external_links': external('Bring what it links up as a service of this project, or open the way to it: x-dayfly.egress.'),
  'services.*.models': refused('Supported features', 'there are no models', 'Run a model server as a service.'),
  'services.*.provider': refused('Supported features', 'there are no providers', 'Run it as a service with an image.'),
  'services.*.volumes_from': refused('Supported features', 'a service names its volumes itself', 'Mount the same named volume in both services.'),
  'services.*.network_mode': judged(judges.networkMode),
  'services.*.ipc': judged(judges.ipc),
  'services.*.pid': judged(judges.pid),
  'services.*.uts': judged(judges.uts),
  'services.*.cgroup': judged(judges.cgroup),
  'services.*.userns_mode': judged(judges.userns),
  'services.*.runtime': judged(judges.runtime),
  'services.*.isolation': judged(judges.isolation),

  'services.*.annotations': ignored('no runtime reads annotations'),
  'services.*.attach': ignored('the output of every service is kept'),
  'services.*.blkio_config': ignored('every container has the same limit of reading and writing'),
  'services.*.cgroup_parent': ignored('cgroups are placed by Dayfly'),
  ...all('services.*', 'cpu_percent cpu_shares cpu_rt_period cpu_rt_runtime cpuset', ignored(ownLimit)),
  ...all('services.*', 'mem_reservation mem_swappiness', ignored(ownLimit)),
  'services.*.memswap_limit': ignored('the limit of memory is that of memory and swap together'),
  'services.*.develop': ignored('files are not watched'),
  ...all('services.*', 'dns dns_opt dns_search', ignored("names are resolved by the environment's own server, which also opens egress by name")),
  'services.*.logging': ignored('Dayfly keeps the log itself'),
  'services.*.mac_address': ignored(addresses),
  ...all('services.*', 'oom_kill_disable oom_score_adj', ignored('who is out of memory is ended')),
  'services.*.pull_refresh_after': ignored('pull_policy decides alone'),
  'services.*.storage_opt': ignored('the storage is an overlay of its own'),

  ...all('services.*.networks.*', 'aliases', yes),
  ...all('services.*.networks.*', 'interface_name ipv4_address ipv6_address link_local_ips mac_address', ignored(addresses)),
  ...all('services.*.networks.*', 'driver_opts priority gw_priority', ignored('a container has one interface')),
  ...all('services.*.ports.*', 'name target published protocol app_protocol', yes),
  'services.*.ports.*.mode': judged(judges.portMode),
  'services.*.ports.*.host_ip': judged(judges.hostAddress),

  'services.*.volumes.*': judged(judges.mount),
  ...all('services.*.volumes.*', 'type source target read_only bind volume tmpfs', yes),
  'services.*.volumes.*.consistency': ignored('it is for macOS'),
  'services.*.volumes.*.image': refused('Volume types', 'there are no mounts of images', 'Copy the files into a volume or into the image.'),
  'services.*.volumes.*.bind.create_host_path': yes,
  'services.*.volumes.*.bind.propagation': judged(judges.propagation),
  'services.*.volumes.*.bind.recursive': ignored('what is mounted below the path is mounted too'),
  'services.*.volumes.*.bind.selinux': ignored('nothing is relabelled'),
  ...all('services.*.volumes.*.volume', 'nocopy subpath', yes),
  'services.*.volumes.*.volume.labels': noLabels,
  ...all('services.*.volumes.*.tmpfs', 'size mode', yes),

  ...all('services.*.build', 'context dockerfile dockerfile_inline args labels no_cache additional_contexts pull target', yes),
  ...all('services.*.build', 'extra_hosts secrets tags ulimits', yes),
  ...all('services.*.build', 'cache_from cache_to', ignored('the steps of earlier builds are kept on this host')),
  'services.*.build.shm_size': ignored('the memory of all its steps has one limit, that of builds'),
  ...all('services.*.build.secrets.*', 'source target', yes),
  ...all('services.*.build.secrets.*', 'uid gid mode', ignored('RUN --mount=type=secret says whose its file is')),
  ...all('services.*.build.ulimits.*', 'soft hard', yes),
  'services.*.build.platforms': judged(judges.platforms),
  'services.*.build.network': judged(judges.buildNetwork),
  'services.*.build.entitlements': refused('Build entitlements', 'a build gets no privileges', 'Remove it.'),
  'services.*.build.privileged': refused('Privileged containers', 'a privileged build is root on the host', 'Remove it.'),
  'services.*.build.ssh': refused(
    'Credentials of the host',
    "a build gets no ssh agent and no keys of the caller's",
    'Give it a key of its own, under secrets of the build.',
  ),
  'services.*.build.isolation': ignored('it is for Windows'),
  'services.*.build.no_cache_filter': ignored('the cache is used for all stages or for none'),
  ...all('services.*.build', 'provenance sbom', ignored('no attestation is made')),

  ...all('services.*.deploy', 'replicas resources restart_policy', yes),
  ...all('services.*.deploy.restart_policy', 'condition delay max_attempts window', yes),
  'services.*.deploy.resources.limits': yes,
  ...all('services.*.deploy.resources.limits', 'cpus memory pids', yes),
  'services.*.deploy.resources.reservations': yes,
  ...all('services.*.deploy.resources.reservations', 'cpus memory', ignored('what is reserved is the limits')),
  ...all('services.*.deploy.resources.reservations', 'generic_resources devices', device),
  'services.*.deploy.mode': judged(judges.deployMode),
  'services.*.deploy.endpoint_mode': ignored('a name leads to all replicas'),
  'services.*.deploy.labels': noLabels,
  'services.*.deploy.placement': ignored('there is one host'),
  ...all('services.*.deploy', 'update_config', yes),
  ...all('services.*.deploy.update_config', 'order parallelism', yes),
  ...all(
    'services.*.deploy.update_config',
    'delay failure_action monitor max_failure_ratio',
    ignored('an update goes on when what it has started is healthy, and stops when it is not'),
  ),
  'services.*.deploy.rollback_config': ignored('there is no way back but the files as they were'),

  ...all('networks.*', 'name internal', yes),
  'networks.*.driver': judged(judges.networkDriver),
  'networks.*.external': external('Declare it without external; what is on it becomes a service of this project, or is reached by x-dayfly.egress.'),
  ...all('networks.*', 'driver_opts', ignored('a network has no options')),
  ...all('networks.*', 'ipam enable_ipv4 enable_ipv6', ignored(addresses)),
  'networks.*.attachable': ignored('nothing else can be attached'),
  'networks.*.labels': noLabels,

  'volumes.*.name': yes,
  'volumes.*.driver': judged(judges.volumeDriver),
  'volumes.*.driver_opts': judged(judges.volumeOptions),
  'volumes.*.external': external('Declare it without external, and fill it: --seed NAME=FOLDER, or x-dayfly: { seed: FOLDER } in it.'),
  'volumes.*.labels': noLabels,

  ...all('secrets.*', 'name environment', yes),
  'secrets.*.file': judged(judges.resourceFile),
  // Given to Dayfly by whoever starts the environment.
  'secrets.*.external': yes,
  'secrets.*.external.name': yes,
  ...all(
    'secrets.*',
    'driver driver_opts template_driver',
    refused('Supported features', 'secrets come from files and from the environment', 'Use file or environment.'),
  ),
  'secrets.*.labels': noLabels,
  ...all('configs.*', 'name content environment', yes),
  'configs.*.file': judged(judges.resourceFile),
  'configs.*.external': external('Say what it holds instead: file, environment or content.'),
  'configs.*.template_driver': refused('Supported features', 'configs are no templates', 'Write the values with variables.'),
  'configs.*.labels': noLabels,
}
