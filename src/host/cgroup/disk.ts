/** Which disk a folder is on, as cgroups name disks. */
import { existsSync, readFileSync, realpathSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { messageOf } from '../../base/errors.ts'

/** `device`: `major:minor` of the whole disk, because partitions cannot be throttled. `reason`: why there is none. */
export type Disk = { readonly device: string } | { readonly reason: string }

// The encoding of dev_t that stat(2) uses in user space.
const major = (dev: number): number => (Math.floor(dev / 2 ** 8) & 0xfff) | (Math.floor(dev / 2 ** 44) << 12)
const minor = (dev: number): number => (dev & 0xff) | (Math.floor(dev / 2 ** 12) & 0xffff_ff00)

/** Of a mountinfo text: what is mounted where `number` (`0:42`) is, e.g. `/dev/sda2` under a btrfs subvolume's own number. */
const sourceOf = (mountinfo: string, number: string): { type: string; source: string } | undefined => {
  for (const line of mountinfo.split('\n')) {
    const [fields, source] = line.split(' - ')
    if (fields?.split(' ')[2] !== number) continue
    const [type, device] = source?.split(' ') ?? []
    if (type !== undefined && device !== undefined) return { type, source: device }
  }
  return undefined
}

const wholeDisk = (number: string, sysfs: string): string | undefined => {
  const link = join(sysfs, 'dev/block', number)
  if (!existsSync(link)) return undefined
  const folder = realpathSync(link)
  const disk = existsSync(join(folder, 'partition')) ? dirname(folder) : folder
  return readFileSync(join(disk, 'dev'), 'utf8').trim()
}

export const diskOf = (folder: string, sysfs = '/sys', mountinfo = '/proc/self/mountinfo'): Disk => {
  try {
    const { dev } = statSync(folder)
    const number = `${major(dev)}:${minor(dev)}`
    const direct = wholeDisk(number, sysfs)
    if (direct !== undefined) return { device: direct }
    const mount = sourceOf(readFileSync(mountinfo, 'utf8'), number)
    if (mount?.source.startsWith('/dev/') === true) {
      const { rdev } = statSync(mount.source)
      const behind = wholeDisk(`${major(rdev)}:${minor(rdev)}`, sysfs)
      if (behind !== undefined) return { device: behind }
    }
    return { reason: `${folder} is on ${mount === undefined ? 'a file system' : mount.type} without a disk of its own` }
  } catch (error) {
    return { reason: `the disk of ${folder} cannot be found: ${messageOf(error)}` }
  }
}
