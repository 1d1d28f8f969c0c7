/**
 * Control groups: limits, counts and the certain end of everything in a group. All groups of one daemon lie below a parent of its own, beside
 * whatever else the host has. Calls block for some 10 µs per file, except where a promise says that the kernel must be waited for.
 */
import { join } from 'node:path'
import { DayflyError } from '../../base/errors.ts'
import type { BlockDevice } from './device.ts'
import { deviceNumber } from './device.ts'
import { childrenOf, makeFolder, readControl, removeFolder, writeControl } from './files.ts'
import type { Cgroup } from './group.ts'
import { createGroup } from './group.ts'
import type { CgroupMode, Hierarchy } from './hierarchy.ts'
import { detectHierarchy, requireLimits } from './hierarchy.ts'
import type { CgroupLimits } from './limits.ts'
import { deviceSettings } from './limits.ts'

export type { Cgroup } from './group.ts'
export type { CgroupLimits } from './limits.ts'

export interface Cgroups {
  readonly mode: CgroupMode
  /** Limits that this host cannot enforce, wholly or partly, and why: for people. */
  readonly missing: readonly { readonly limit: keyof CgroupLimits | 'devices'; readonly reason: string }[]
  /** Makes a group with these limits, under 1 ms. Throws `conflict` when it exists, `host` otherwise; then nothing of it is left. */
  create(name: string, limits: CgroupLimits): Cgroup
  /** The group of that name, which may or may not exist. */
  open(name: string): Cgroup
  /** Folders of a group without limits, made if need be: for processes of ours that must not be in the daemon's own. */
  plain(name: string): readonly string[]
  /** Names of the groups that exist, in any hierarchy. */
  list(): string[]
  /** Removes the parent, where nothing is in it any more. */
  close(): void
}

export interface CgroupsOptions {
  /** Name of the folder at the top of each hierarchy that everything goes into, e.g. `dayfly-0`. */
  readonly parent: string
  /** What `io` limits apply to; a string says why there is none. See blockDeviceOf. */
  readonly device: BlockDevice | string
  /** Default: `/sys/fs/cgroup`. */
  readonly root?: string
}

const checkName = (name: string, field: string): string => {
  if (/^[a-zA-Z0-9][a-zA-Z0-9_-]*$/.test(name)) return name
  throw new DayflyError('invalid', `${field}: "${name}" is not a name for a cgroup`, { field, remedy: 'Use letters, digits, - and _.' })
}

const tops = ({ mounts }: Hierarchy, parent: string): string[] => [...new Set(mounts.values())].map(mount => join(mount, parent))

/** v2: a group has the controllers only when every group above hands them down. Nothing is ever put into these, only into leaves. */
const handDown = (folders: readonly string[]): void => {
  for (const folder of folders) {
    const available = readControl(join(folder, 'cgroup.controllers'))?.split(' ') ?? []
    const enabled = readControl(join(folder, 'cgroup.subtree_control'))?.split(' ') ?? []
    const wanted = ['cpu', 'memory', 'pids', 'io'].filter(name => available.includes(name) && !enabled.includes(name))
    if (wanted.length > 0) writeControl(join(folder, 'cgroup.subtree_control'), wanted.map(name => `+${name}`).join(' '))
  }
}

/** Idempotent: after a crash the parent is there, with groups in it. */
const makeParent = (hierarchy: Hierarchy, parent: string): void => {
  for (const top of tops(hierarchy, parent)) {
    makeFolder(top)
    if (hierarchy.mode === 'v2') handDown([join(top, '..'), top])
  }
  // Groups inherit the parent's devices when they are made, so that each need not be told. With groups in it, an earlier daemon has done it.
  const mount = hierarchy.mounts.get('devices')
  if (mount === undefined || childrenOf(join(mount, parent)).length > 0) return
  for (const { file, value } of deviceSettings(hierarchy)) writeControl(join(mount, parent, file), value)
}

const missingLimits = ({ mode, mounts }: Hierarchy, device: BlockDevice | string): Cgroups['missing'] => [
  ...(!mounts.has('blkio')
    ? [{ limit: 'io', reason: 'this host has no cgroup controller for it' } as const]
    : typeof device === 'string'
      ? [{ limit: 'io', reason: device } as const]
      : mode === 'v2'
        ? []
        : [{ limit: 'io', reason: 'only reads and synced writes: cgroup v1 cannot tell whose buffered writes are' } as const]),
  ...(mode === 'v2' || mounts.has('devices') ? [] : [{ limit: 'devices', reason: 'this host has no cgroup controller for it' } as const]),
]

/** As `openCgroups`, in a hierarchy that may lack controllers: limits that need them are not set. */
export const openCgroupsIn = (hierarchy: Hierarchy, options: CgroupsOptions): Cgroups => {
  const parent = checkName(options.parent, 'parent')
  const disk = typeof options.device === 'string' ? undefined : deviceNumber(options.device)
  const open = (name: string): Cgroup => createGroup(hierarchy, join(parent, checkName(name, 'name')), disk)
  makeParent(hierarchy, parent)

  return {
    mode: hierarchy.mode,
    missing: missingLimits(hierarchy, options.device),
    open,
    create: (name, limits) => {
      const group = open(name)
      const made: string[] = []
      try {
        for (const folder of group.folders) {
          if (!makeFolder(folder)) throw new DayflyError('conflict', `the cgroup ${folder} exists`)
          made.push(folder)
        }
        group.setLimits(limits)
        return group
      } catch (error) {
        for (const folder of made) removeFolder(folder)
        throw error
      }
    },
    plain: name => {
      const { folders } = open(name)
      for (const folder of folders) makeFolder(folder)
      return folders
    },
    list: () => [...new Set(tops(hierarchy, parent).flatMap(childrenOf))],
    close: () => {
      for (const top of tops(hierarchy, parent)) removeFolder(top)
    },
  }
}

/** Finds out how this host has its cgroups and makes the parent. Throws `host` when CPU, memory or processes cannot be limited. */
export const openCgroups = (options: CgroupsOptions): Cgroups => {
  const hierarchy = detectHierarchy(options.root ?? '/sys/fs/cgroup')
  requireLimits(hierarchy)
  return openCgroupsIn(hierarchy, options)
}
