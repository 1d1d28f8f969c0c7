/**
 * Which of the limits that every instance has this host can enforce. Read from the files of /proc and /sys below `root`, which is `/` but in tests;
 * nothing is tried out.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { formatBytes } from '../../base/bytes.ts'
import type { Check } from './check.ts'
import { fail, ok, warn } from './check.ts'

/** The disk that instances write to: its number, or a sentence that says why there is none. `fileSystem` is the f_type of statfs(2). */
export interface ScratchDisk {
  readonly device: string | { readonly major: number; readonly minor: number }
  readonly fileSystem: number
}

const read = (path: string): string => {
  try {
    return readFileSync(path, 'utf8').trim()
  } catch {
    return ''
  }
}

type Mode = 'v2' | 'hybrid' | 'v1'

interface Controllers {
  readonly mode: Mode
  readonly enabled: readonly string[]
  /** Where a controller is mounted. */
  mount(controller: string): string | undefined
}

/** Fields after ` - ` of mountinfo: type, source, options of the file system. */
const cgroupMounts = (mountinfo: string): { folder: string; type: string; options: readonly string[] }[] =>
  mountinfo.split('\n').flatMap(line => {
    const [place = '', origin = ''] = line.split(' - ')
    const [type = '', , options = ''] = origin.split(' ')
    return type === 'cgroup' || type === 'cgroup2' ? [{ folder: place.split(' ')[4] ?? '', type, options: options.split(',') }] : []
  })

const controllersOf = (root: string): Controllers | undefined => {
  const mounts = cgroupMounts(read(join(root, 'proc/self/mountinfo')))
  const unified = mounts.find(({ type }) => type === 'cgroup2')
  const old = mounts.filter(({ type }) => type === 'cgroup')
  if (unified === undefined && old.length === 0) return undefined
  if (old.length === 0) {
    const enabled = read(join(root, unified?.folder ?? '', 'cgroup.controllers')).split(' ')
    return { mode: 'v2', enabled, mount: controller => (enabled.includes(controller) ? unified?.folder : undefined) }
  }
  const mount = (controller: string): string | undefined => old.find(({ options }) => options.includes(controller))?.folder
  const known = read(join(root, 'proc/cgroups'))
    .split('\n')
    .map(line => line.split(/\s+/))
  const enabled = known.flatMap(([name = '', , , on]) => (on === '1' && mount(name) !== undefined ? [name] : []))
  return { mode: unified === undefined ? 'v1' : 'hybrid', enabled, mount }
}

/**
 * The root of a v2 hierarchy has no limits of its own: those of its children show what the kernel has. true where they cannot show it: there are none,
 * or nobody has handed the controller down to them yet, as systemd does with `io` only when a unit asks for it. The daemon does.
 */
const hasFile = (root: string, { mode, mount }: Controllers, controller: string, file: string): boolean => {
  const folder = join(root, mount(controller) ?? '')
  if (mode !== 'v2') return existsSync(join(folder, file))
  if (!read(join(folder, 'cgroup.subtree_control')).split(' ').includes(controller)) return true
  const children = readdirSync(folder, { withFileTypes: true }).filter(entry => entry.isDirectory())
  return children.length === 0 || children.some(({ name }) => existsSync(join(folder, name, file)))
}

export const checkCgroups = (root = '/'): Check => {
  const controllers = controllersOf(root)
  if (controllers === undefined) return fail('cgroups', 'not mounted', 'Mount cgroup2 on /sys/fs/cgroup, as systemd does.')
  const { mode, enabled } = controllers
  const missing = ['cpu', 'memory', 'pids'].filter(name => !enabled.includes(name))
  if (missing.length === 0 && !hasFile(root, controllers, 'cpu', mode === 'v2' ? 'cpu.max' : 'cpu.cfs_quota_us'))
    return fail('cgroups', `${mode}, but this kernel has no CPU quotas`, 'Use a kernel with CONFIG_CFS_BANDWIDTH.')
  if (missing.length === 0) return ok('cgroups', mode)
  const remedy =
    missing.includes('memory') && read(join(root, 'proc/cgroups')).includes('memory')
      ? 'Boot with cgroup_enable=memory swapaccount=1.'
      : `Mount them below /sys/fs/cgroup, or use a kernel that has them: ${missing.join(', ')}.`
  return fail('cgroups', `${mode}, without ${missing.join(', ')}: no instance can be limited`, remedy)
}

/** File systems whose buffered writes the kernel charges to the cgroup that made them: ext2-4, xfs, btrfs, f2fs. */
const charging = new Set([0xef53, 0x58465342, 0x9123683e, 0xf2f52010])
const toV2 = 'Boot with systemd.unified_cgroup_hierarchy=1.'

export const checkIo = ({ device, fileSystem }: ScratchDisk, root = '/'): Check => {
  const none = (why: string, remedy: string): Check => warn('io limit', `${why}: --io is not enforced`, remedy)
  const controllers = controllersOf(root)
  if (controllers === undefined) return none('no cgroups', 'Mount cgroup2 on /sys/fs/cgroup, as systemd does.')
  const { mode, enabled } = controllers
  const [controller, file] = mode === 'v2' ? (['io', 'io.max'] as const) : (['blkio', 'blkio.throttle.read_bps_device'] as const)
  if (!enabled.includes(controller))
    return none(
      `no controller ${controller} (cgroup ${mode})`,
      mode === 'v2' ? 'Use a kernel with CONFIG_BLK_CGROUP.' : 'Mount blkio below /sys/fs/cgroup.',
    )
  if (!hasFile(root, controllers, controller, file)) return none('this kernel cannot slow disks down', 'Use a kernel with CONFIG_BLK_DEV_THROTTLING.')
  if (typeof device === 'string') return none(device, 'Put --state-dir on a local disk.')
  const where = `disk ${device.major}:${device.minor}`
  if (mode !== 'v2')
    return warn('io limit', `${where}; with cgroup ${mode} it holds for reads and direct writes, not for writes through the cache`, toV2)
  if (!charging.has(fileSystem >>> 0))
    return warn(
      'io limit',
      `${where}; on its file system it holds for reads and direct writes, not for writes through the cache`,
      'Put --state-dir on ext4, xfs, btrfs or f2fs.',
    )
  return ok('io limit', where)
}

export const checkSwap = (root = '/'): Check => {
  const areas = read(join(root, 'proc/swaps')).split('\n').slice(1)
  if (areas.length === 0) return ok('swap limit', 'there is no swap')
  const size = formatBytes(areas.reduce((sum, line) => sum + Number(line.split(/\s+/)[2] ?? 0) * 1024, 0))
  const controllers = controllersOf(root)
  const enforced =
    controllers?.mount('memory') !== undefined &&
    hasFile(root, controllers, 'memory', controllers.mode === 'v2' ? 'memory.swap.max' : 'memory.memsw.limit_in_bytes')
  if (enforced) return ok('swap limit', `${size} of swap, counted with memory`)
  return warn(
    'swap limit',
    `${size} of swap is not counted: an instance may use it beyond its --memory`,
    'Boot with swapaccount=1, or turn swap off.',
  )
}

export const checkDevices = (root = '/'): Check => {
  const controllers = controllersOf(root)
  const guard = 'no device node can be made or opened in a user namespace'
  if (controllers === undefined || controllers.mode === 'v2' || controllers.enabled.includes('devices')) return ok('devices', guard)
  return warn(
    'devices',
    `no controller devices (cgroup ${controllers.mode}): only that ${guard} keeps them closed`,
    'Mount devices below /sys/fs/cgroup.',
  )
}
