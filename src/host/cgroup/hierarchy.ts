/**
 * How this host has mounted its cgroups: `v2` (one hierarchy), `v1` (one for each controller or group of controllers), or `hybrid` (v1, with
 * a v2 hierarchy that has no controllers beside it).
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { DayflyError } from '../../base/errors.ts'

export type CgroupMode = 'v1' | 'hybrid' | 'v2'

/** By their v1 names; on v2 `io` does what `blkio` does, `cpu` also accounts, and every group can freeze. */
export const controllers = ['cpu', 'cpuacct', 'memory', 'pids', 'blkio', 'devices', 'freezer'] as const
export type Controller = (typeof controllers)[number]

export interface Hierarchy {
  readonly mode: CgroupMode
  /** Where each usable controller is mounted. On v2 always the same folder; co-mounted v1 controllers share one. */
  readonly mounts: ReadonlyMap<Controller, string>
}

interface Mount {
  readonly folder: string
  readonly type: string
  readonly options: readonly string[]
}

const decodeOctal = (text: string): string => text.replaceAll(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)))

const parseMounts = (text: string): Mount[] =>
  text.split('\n').flatMap(line => {
    const [, folder, type, options] = line.split(' ')
    return folder === undefined || type === undefined || options === undefined
      ? []
      : [{ folder: decodeOctal(folder), type, options: options.split(',') }]
  })

/** v2 names of controllers, and ours for what they do. */
const unifiedControllers: Readonly<Record<string, readonly Controller[]>> = {
  cpu: ['cpu', 'cpuacct'],
  memory: ['memory'],
  pids: ['pids'],
  io: ['blkio'],
}

/**
 * From the text of /proc/mounts: what is mounted below `root`. `controllersOf` reads the file cgroup.controllers of a v2 mount. Throws `host` when there
 * are no cgroups.
 */
export const parseHierarchy = (mounts: string, root: string, controllersOf: (mount: string) => string): Hierarchy => {
  const below = parseMounts(mounts).filter(({ folder }) => folder === root || folder.startsWith(`${root}/`))
  const unified = below.find(({ type }) => type === 'cgroup2')?.folder
  const old = new Map(
    controllers.flatMap(name => {
      const mount = below.find(({ type, options }) => type === 'cgroup' && options.includes(name))
      return mount === undefined ? [] : [[name, mount.folder] as const]
    }),
  )
  if (old.size > 0) return { mode: unified === undefined ? 'v1' : 'hybrid', mounts: old }
  if (unified === undefined) {
    throw new DayflyError('host', `no cgroups are mounted below ${root}`, { remedy: `Mount them: mount -t cgroup2 none ${root}` })
  }
  const names = controllersOf(unified).trim().split(' ')
  const usable: Controller[] = [...names.flatMap(name => unifiedControllers[name] ?? []), 'freezer']
  return { mode: 'v2', mounts: new Map(usable.map(name => [name, unified])) }
}

export const detectHierarchy = (root: string): Hierarchy =>
  parseHierarchy(readFileSync('/proc/mounts', 'utf8'), root, mount => readFileSync(join(mount, 'cgroup.controllers'), 'utf8'))

/** Without these no instance's limits hold. Throws `host` naming what is missing. */
export const requireLimits = ({ mode, mounts }: Hierarchy): void => {
  const missing = (['cpu', 'memory', 'pids'] as const).filter(name => !mounts.has(name))
  if (missing.length === 0) return
  throw new DayflyError('host', `this host has no cgroup controller for ${missing.join(', ')} (cgroup ${mode})`, {
    remedy:
      mode === 'v2'
        ? 'Hand them down in the cgroup.subtree_control of the groups above, or boot without cgroup_disable=.'
        : 'Mount them below /sys/fs/cgroup, or boot with systemd.unified_cgroup_hierarchy=1.',
  })
}
