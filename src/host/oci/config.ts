/**
 * The OCI runtime configuration (config.json) of a hardened container, from plain facts.
 * Source of the format: the OCI runtime specification 1.0.2, config.md and config-linux.md.
 */
import { capabilitySets } from './capabilities.ts'

/** undefined: no limit. */
export type LimitValue = number | undefined

export interface ResourceLimit {
  /** Without RLIMIT_, in lower case: `nofile`. */
  readonly name: string
  readonly soft: LimitValue
  readonly hard: LimitValue
}

export interface ProcessRequest {
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string>>
  /** Ids inside the container. */
  readonly user: { readonly uid: number; readonly gid: number; readonly additionalGids: readonly number[] }
  readonly cwd: string
  readonly terminal: boolean
  readonly rows?: number
  readonly columns?: number
  /** Beyond the minimum, without `CAP_`. */
  readonly capabilities: readonly string[]
  readonly limits?: readonly ResourceLimit[]
}

/** Something that the user has put there. */
export type ContainerMount =
  | { readonly type: 'bind'; readonly source: string; readonly destination: string; readonly readOnly: boolean; readonly executable: boolean }
  | { readonly type: 'tmpfs'; readonly destination: string; readonly size: number; readonly mode: number }

export interface BindMount {
  readonly source: string
  readonly destination: string
}

export interface ContainerRequest {
  readonly process: ProcessRequest
  readonly rootfs: string
  readonly readOnly: boolean
  readonly hostname: string
  /** Host id of the container's root; 65,536 ids from there are its own. */
  readonly firstId: number
  /** Bytes of memory the container may use: /tmp and /dev/shm are bounded by it. */
  readonly memory: number
  /** A sysfs of the container's own network namespace. */
  readonly sysfs: string
  /** The host has cgroup v2: the container sees its own subtree, read-only. */
  readonly cgroup2: boolean
  /** Bytes of /dev/shm; undefined: half the memory. */
  readonly shm?: number | undefined
  /** In this order, before `binds`. One at /tmp or /dev/shm takes the place of the usual one. */
  readonly mounts?: readonly ContainerMount[]
  /** Of its IPC namespace. */
  readonly sysctls?: Readonly<Record<string, string>>
  /** Read-only files and folders of the host's, e.g. /etc/hosts. */
  readonly binds: readonly BindMount[]
  /** Path of the network namespace, for a runtime that does not simply stay in the one it is started in (gVisor). */
  readonly networkNamespace: string | undefined
  /** Raw BPF, base64; undefined leaves filtering to the runtime (gVisor has its own). */
  readonly seccomp: string | undefined
}

const maskedPaths = [
  '/proc/acpi',
  '/proc/asound',
  '/proc/interrupts',
  '/proc/kcore',
  '/proc/keys',
  '/proc/latency_stats',
  '/proc/sched_debug',
  '/proc/scsi',
  '/proc/timer_list',
  '/proc/timer_stats',
  '/sys/devices/virtual/powercap',
  '/sys/firmware',
  '/sys/kernel',
  '/sys/module',
]
const readonlyPaths = ['/proc/bus', '/proc/fs', '/proc/irq', '/proc/sys', '/proc/sysrq-trigger']

export const ociProcess = (request: ProcessRequest) => ({
  terminal: request.terminal,
  ...(request.terminal ? { consoleSize: { height: request.rows ?? 24, width: request.columns ?? 80 } } : {}),
  user: { uid: request.user.uid, gid: request.user.gid, additionalGids: [...request.user.additionalGids] },
  args: [...request.args],
  env: Object.entries(request.env).map(([name, value]) => `${name}=${value}`),
  cwd: request.cwd,
  capabilities: capabilitySets(request.user.uid, request.capabilities),
  ...(request.limits === undefined || request.limits.length === 0 ? {} : { rlimits: request.limits.map(rlimit) }),
  noNewPrivileges: true,
})

/** RLIM_INFINITY, 2^64-1, is no number of JavaScript's: see `ociText`. */
const unlimited = 'unlimited'
const rlimit = ({ name, soft, hard }: ResourceLimit) => ({ type: `RLIMIT_${name.toUpperCase()}`, soft: soft ?? unlimited, hard: hard ?? unlimited })

/** The text of a configuration or process file. */
export const ociText = (document: ReturnType<typeof ociConfig> | ReturnType<typeof ociProcess>): string =>
  JSON.stringify(document).replaceAll(/("soft"|"hard"):"unlimited"/g, '$1:18446744073709551615')

const tmpfs = (destination: string, size: number, mode: string, more: readonly string[] = []) => ({
  destination,
  type: 'tmpfs',
  source: 'tmpfs',
  options: ['nosuid', 'nodev', ...more, `mode=${mode}`, `size=${size}`],
})

const userMount = (mount: ContainerMount) =>
  mount.type === 'tmpfs'
    ? tmpfs(mount.destination, mount.size, mount.mode.toString(8).padStart(4, '0'))
    : {
        destination: mount.destination,
        type: 'bind',
        source: mount.source,
        options: ['bind', mount.readOnly ? 'ro' : 'rw', 'nosuid', 'nodev', ...(mount.executable ? [] : ['noexec'])],
      }

const usual = (request: ContainerRequest, destination: string, mount: () => ReturnType<typeof tmpfs>) =>
  request.mounts?.some(of => of.destination === destination) ? [] : [mount()]

export const ociConfig = (request: ContainerRequest) => ({
  ociVersion: '1.0.2',
  process: { ...ociProcess(request.process), oomScoreAdj: 500 },
  root: { path: request.rootfs, readonly: request.readOnly },
  hostname: request.hostname,
  mounts: [
    { destination: '/proc', type: 'proc', source: 'proc', options: ['nosuid', 'noexec', 'nodev'] },
    { destination: '/dev', type: 'tmpfs', source: 'tmpfs', options: ['nosuid', 'noexec', 'strictatime', 'mode=755', 'size=65536k'] },
    {
      destination: '/dev/pts',
      type: 'devpts',
      source: 'devpts',
      options: ['nosuid', 'noexec', 'newinstance', 'ptmxmode=0666', 'mode=0620', 'gid=5'],
    },
    ...usual(request, '/dev/shm', () => tmpfs('/dev/shm', request.shm ?? Math.floor(request.memory / 2), '1777', ['noexec'])),
    { destination: '/dev/mqueue', type: 'mqueue', source: 'mqueue', options: ['nosuid', 'noexec', 'nodev'] },
    { destination: '/sys', type: 'bind', source: request.sysfs, options: ['bind', 'nosuid', 'noexec', 'nodev', 'ro'] },
    ...(request.cgroup2
      ? [{ destination: '/sys/fs/cgroup', type: 'cgroup', source: 'cgroup', options: ['nosuid', 'noexec', 'nodev', 'relatime', 'ro'] }]
      : []),
    ...usual(request, '/tmp', () => tmpfs('/tmp', Math.floor(request.memory / 2), '1777')),
    ...(request.mounts ?? []).map(userMount),
    ...request.binds.map(({ source, destination }) => ({ destination, type: 'bind', source, options: ['bind', 'ro', 'nosuid', 'nodev', 'noexec'] })),
  ],
  linux: {
    // Without an entry the container inherits the network namespace that its monitor already lives in.
    namespaces: [
      ...['pid', 'mount', 'ipc', 'uts', 'user', 'cgroup'].map(type => ({ type })),
      ...(request.networkNamespace === undefined ? [] : [{ type: 'network', path: request.networkNamespace }]),
    ],
    uidMappings: [{ containerID: 0, hostID: request.firstId, size: 65_536 }],
    gidMappings: [{ containerID: 0, hostID: request.firstId, size: 65_536 }],
    rootfsPropagation: 'private',
    ...(request.sysctls === undefined ? {} : { sysctl: request.sysctls }),
    maskedPaths,
    readonlyPaths,
  },
  annotations: request.seccomp === undefined ? {} : { 'run.oci.seccomp_bpf_data': request.seccomp },
})
