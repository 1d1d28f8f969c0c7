/**
 * How this host has mounted its cgroups: `v2` (one hierarchy), `v1` (one for each controller or group of controllers), or `hybrid` (v1, with
 * a v2 hierarchy that has no controllers beside it).
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { DayflyError } from '../../base/errors.ts'

export type CgroupMode = 'v2' | 'v1' | 'hybrid'

/** By their v1 names; on v2 `io` does what `blkio` does, `cpu` also accounts, and freezing belongs to every group. */
export const controllers = ['cpu', 'cpuacct', 'memory', 'pids', 'blkio', 'devices', 'freezer'] as const
export type Controller = (typeof controllers)[number]

export interface Hierarchy {
  readonly mode: CgroupMode
  /** Where each usable controller is mounted. On v2 always the same folder. Co-mounted v1 controllers share one. */
  readonly mounts: ReadonlyMap<Controller, string>
  /** On v2, the hierarchy's mount point. */
  readonly unified: string | undefined
}

interface Mount {
  readonly target: string
  readonly type: string
  readonly options: readonly string[]
}

const unescape = (text: string): string => text.replaceAll(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)))

const parseMounts = (text: string): Mount[] =>
  text.split('\n').flatMap(line => {
    const [, target, type, options] = line.split(' ')
    return target === undefined || type === undefined || options === undefined
      ? []
      : [{ target: unescape(target), type, options: options.split(',') }]
  })

/** v2 names of controllers, and ours for what they do. */
const unifiedControllers: Readonly<Record<string, readonly Controller[]>> = {
  cpu: ['cpu', 'cpuacct'],
  memory: ['memory'],
  pids: ['pids'],
  io: ['blkio'],
}

/** `controllersOf` reads the file cgroup.controllers of a v2 mount. Throws `host` when no cgroups are mounted below `root`. */
export const parseHierarchy = (root: string, mountsText: string, controllersOf: (mount: string) => string): Hierarchy => {
  const below = parseMounts(mountsText).filter(({ target }) => target === root || target.startsWith(`${root}/`))
  const unified = below.find(({ type }) => type === 'cgroup2')?.target
  const old = below.filter(({ type }) => type === 'cgroup')
  if (old.length === 0) {
    if (unified === undefined) {
      throw new DayflyError('host', `no cgroups are mounted below ${root}`, { remedy: `Mount them: mount -t cgroup2 none ${root}` })
    }
    const names = controllersOf(unified).trim().split(' ')
    const usable = [...names.flatMap(name => unifiedControllers[name] ?? []), 'freezer' as const]
    return { mode: 'v2', mounts: new Map(usable.map(name => [name, unified])), unified }
  }
  const mounts = new Map<Controller, string>()
  for (const name of controllers) {
    const mount = old.find(({ options }) => options.includes(name))
    if (mount !== undefined) mounts.set(name, mount.target)
  }
  return { mode: unified === undefined ? 'v1' : 'hybrid', mounts, unified: undefined }
}

export const detectHierarchy = (root = '/sys/fs/cgroup'): Hierarchy =>
  parseHierarchy(root, readFileSync('/proc/mounts', 'utf8'), mount => readFileSync(join(mount, 'cgroup.controllers'), 'utf8'))

/** Without these no instance's limits hold. Throws `host` naming what is missing. */
export const requireLimits = ({ mode, mounts }: Hierarchy): void => {
  const missing = (['cpu', 'memory', 'pids'] as const).filter(name => !mounts.has(name))
  if (missing.length === 0) return
  throw new DayflyError('host', `this host has no cgroup controller for ${missing.join(', ')} (cgroup ${mode})`, {
    remedy:
      mode === 'v2'
        ? 'Add them to the root cgroup.subtree_control, or boot without cgroup_disable=.'
        : 'Mount them below /sys/fs/cgroup, or boot with systemd.unified_cgroup_hierarchy=1.',
  })
}
