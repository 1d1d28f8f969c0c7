/** What limits mean as texts in files. Pure. */
import type { Controller, Hierarchy } from './hierarchy.ts'

export interface CgroupLimits {
  /** Cores. */
  readonly cpus: number
  /** Bytes, memory and swap together. */
  readonly memory: number
  /** Processes and threads. */
  readonly pids: number
  /** Bytes per second, each of read and write, on the device that was named when the groups were opened. */
  readonly io: number
}

/** One write: `file` in the group's folder of `controller`. */
export interface Setting {
  readonly controller: Controller
  readonly file: string
  readonly value: string
  /** A kernel without it still limits what matters: memory without accounting of swap. */
  readonly optional?: true
}

/** 100 ms. The kernel takes no quota under 1 ms of it. */
const period = 100_000
const quota = (cpus: number): number => Math.max(1000, Math.round(cpus * period))

const v1 = (limits: CgroupLimits, disk: string | undefined): Setting[] => [
  { controller: 'cpu', file: 'cpu.cfs_period_us', value: String(period) },
  { controller: 'cpu', file: 'cpu.cfs_quota_us', value: String(quota(limits.cpus)) },
  { controller: 'memory', file: 'memory.limit_in_bytes', value: String(limits.memory) },
  { controller: 'memory', file: 'memory.memsw.limit_in_bytes', value: String(limits.memory), optional: true },
  { controller: 'pids', file: 'pids.max', value: String(limits.pids) },
  ...(disk === undefined
    ? []
    : (['blkio.throttle.read_bps_device', 'blkio.throttle.write_bps_device'] as const).map(
        file => ({ controller: 'blkio', file, value: `${disk} ${limits.io}` }) as const,
      )),
]

const v2 = (limits: CgroupLimits, disk: string | undefined): Setting[] => [
  { controller: 'cpu', file: 'cpu.max', value: `${quota(limits.cpus)} ${period}` },
  { controller: 'memory', file: 'memory.max', value: String(limits.memory) },
  // memory.max is without swap, so that both together stay within the limit only when there is no swap.
  { controller: 'memory', file: 'memory.swap.max', value: '0', optional: true },
  { controller: 'pids', file: 'pids.max', value: String(limits.pids) },
  ...(disk === undefined ? [] : [{ controller: 'blkio', file: 'io.max', value: `${disk} rbps=${limits.io} wbps=${limits.io}` } as const]),
]

/** The writes that set a group's limits, in order; none for controllers that this host does not have. `disk`: `major:minor`. */
export const settings = ({ mode, mounts }: Hierarchy, limits: CgroupLimits, disk: string | undefined): Setting[] =>
  (mode === 'v2' ? v2 : v1)(limits, disk).filter(({ controller }) => mounts.has(controller))

/**
 * Devices that may be used, on v1: null, zero, full, random, urandom, tty, ptmx and every pts. On v2 this takes a BPF program, and none is loaded:
 * containers run in a user namespace, where no device node can be made, on mounts with `nodev`, where none would work.
 */
export const deviceSettings = ({ mode, mounts }: Hierarchy): Setting[] => {
  if (mode === 'v2' || !mounts.has('devices')) return []
  const allowed = ['1:3', '1:5', '1:7', '1:8', '1:9', '5:0', '5:2', '136:*']
  return [
    { controller: 'devices', file: 'devices.deny', value: 'a' },
    ...allowed.map(number => ({ controller: 'devices', file: 'devices.allow', value: `c ${number} rwm` }) as const),
  ]
}
