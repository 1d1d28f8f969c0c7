/**
 * Control groups: limits, counts and the certain end of everything in a group. `openCgroups` finds out which of the kernel's two versions the
 * host uses; `v1.ts` and `v2.ts` know the files. All calls are synchronous file-system calls of some 10 µs, except where a wait is needed.
 */
import { readFileSync } from 'node:fs'
import { DayflyError } from '../../base/errors.ts'
import type { BlockDevice } from './device.ts'
import { openV1 } from './v1.ts'
import { openV2 } from './v2.ts'

/** `hybrid`: the controllers are on v1, and an empty v2 hierarchy is mounted at `unified`. */
export type CgroupMode = 'v1' | 'hybrid' | 'v2'

export interface CgroupLimits {
  /** Cores. */
  readonly cpus: number
  /** Bytes, memory and swap together. */
  readonly memory: number
  /** Processes and threads. */
  readonly pids: number
  /** Bytes per second, each of read and write. */
  readonly io: number
}

export interface Cgroup {
  /** Every folder whose cgroup.procs a process has to join to be in the group. */
  readonly folders: readonly string[]
  setLimits(limits: CgroupLimits): void
  /** How many processes of it the kernel killed for want of memory. */
  oomKills(): number
  /** Bytes, page cache included. */
  memoryUsage(): number
  processes(): number[]
  freeze(): void
  thaw(): void
  /** SIGKILL to everything in it, and again to what was forked meanwhile. Resolves when it is empty. */
  killAll(): Promise<void>
  /** Does nothing when it is gone. The group must be empty, or become so within seconds. */
  remove(): Promise<void>
}

export interface Cgroups {
  readonly mode: CgroupMode
  /** Limits that this host cannot enforce, and why. */
  readonly missing: readonly { readonly limit: keyof CgroupLimits; readonly reason: string }[]
  /** A group below the parent, with limits. Throws `host` naming file, value and remedy. */
  create(name: string, limits: CgroupLimits): Cgroup
  /** The group of that name; its files need not exist. */
  open(name: string): Cgroup
  /** Folders of a group without limits, for processes of ours that must not be in the daemon's own. */
  plain(name: string): readonly string[]
  list(): string[]
  /** Removes the parent itself. Its groups must be gone. */
  close(): Promise<void>
}

export interface CgroupsOptions {
  /** Name of the folder at the top of each hierarchy that everything goes into, e.g. `dayfly-0`. */
  readonly parent: string
  /** What `io` limits apply to; a string says why there is none. */
  readonly device: BlockDevice | string
  /** Default: what /proc/self/mounts says. */
  readonly mounts?: string
}

export interface Mount {
  readonly folder: string
  readonly type: string
  readonly options: readonly string[]
}

const cgroupMounts = (text: string): Mount[] =>
  text.split('\n').flatMap(line => {
    const [, folder = '', type = '', options = ''] = line.split(' ')
    return type === 'cgroup' || type === 'cgroup2' ? [{ folder, type, options: options.split(',') }] : []
  })

const controllersOfV1 = ['cpu', 'memory', 'pids', 'blkio', 'devices', 'freezer'] as const
export type V1Controller = (typeof controllersOfV1)[number]

/** `host` when no hierarchy is mounted. */
export const detectMode = (text: string): { readonly mode: CgroupMode; readonly v2: string | undefined; readonly v1: ReadonlyMap<V1Controller, string> } => {
  const mounts = cgroupMounts(text)
  const v2 = mounts.find(mount => mount.type === 'cgroup2')?.folder
  const v1 = new Map(
    controllersOfV1.flatMap(controller => {
      const mount = mounts.find(({ type, options }) => type === 'cgroup' && options.includes(controller))
      return mount === undefined ? [] : [[controller, mount.folder] as const]
    }),
  )
  if (v1.size > 0) return { mode: v2 === undefined ? 'v1' : 'hybrid', v2, v1 }
  if (v2 === undefined) {
    throw new DayflyError('host', 'no cgroup hierarchy is mounted', { remedy: 'Mount one: mount -t cgroup2 cgroup2 /sys/fs/cgroup' })
  }
  return { mode: 'v2', v2, v1 }
}

export const openCgroups = (options: CgroupsOptions): Cgroups => {
  const { mode, v1, v2 } = detectMode(options.mounts ?? readFileSync('/proc/self/mounts', 'utf8'))
  return mode === 'v2' && v2 !== undefined ? openV2(v2, options.parent, options.device) : openV1(mode, v1, options.parent, options.device)
}
