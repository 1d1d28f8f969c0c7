/** The disk that a folder is on, as the io controller wants it: a whole disk, because partitions cannot be throttled. */
import { existsSync, readFileSync, realpathSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { messageOf } from '../../base/errors.ts'

export interface BlockDevice {
  readonly major: number
  readonly minor: number
}

/** The encoding of a device number that stat(2) uses. */
const decode = (dev: number): BlockDevice => ({
  major: (Math.floor(dev / 2 ** 8) & 0xfff) | (Math.floor(dev / 2 ** 32) & ~0xfff),
  minor: (dev & 0xff) | (Math.floor(dev / 2 ** 12) & ~0xff),
})

export const deviceNumber = ({ major, minor }: BlockDevice): string => `${major}:${minor}`

/** From a mountinfo text: type and source of the file system with that number. */
const mountOf = (mountinfo: string, number: string): { type: string; source: string } | undefined => {
  for (const line of mountinfo.split('\n')) {
    const [place, origin] = line.split(' - ')
    if (place?.split(' ')[2] !== number) continue
    const [type, source] = origin?.split(' ') ?? []
    if (type !== undefined && source !== undefined) return { type, source }
  }
  return undefined
}

const wholeDisk = (device: BlockDevice, sysfs: string): BlockDevice | undefined => {
  const link = join(sysfs, 'dev/block', deviceNumber(device))
  if (!existsSync(link)) return undefined
  // A partition's folder in sysfs lies inside its disk's.
  const folder = realpathSync(link)
  const disk = existsSync(join(folder, 'partition')) ? dirname(folder) : folder
  const [major, minor] = readFileSync(join(disk, 'dev'), 'utf8').trim().split(':').map(Number)
  return major === undefined || minor === undefined ? undefined : { major, minor }
}

/** A string says why there is none: network and memory file systems cannot be throttled. Never throws. */
export const blockDeviceOf = (folder: string, sysfs = '/sys', mountinfo = '/proc/self/mountinfo'): BlockDevice | string => {
  try {
    const own = decode(statSync(folder).dev)
    const direct = wholeDisk(own, sysfs)
    if (direct !== undefined) return direct
    // btrfs gives each subvolume a number that is no disk's; the mount tells the disk.
    const mount = mountOf(readFileSync(mountinfo, 'utf8'), deviceNumber(own))
    const behind = mount?.source.startsWith('/dev/') === true ? wholeDisk(decode(statSync(mount.source).rdev), sysfs) : undefined
    return behind ?? `${folder} is on ${mount === undefined ? 'a file system' : mount.type} without a disk of its own`
  } catch (error) {
    return `the disk of ${folder} cannot be found: ${messageOf(error)}`
  }
}
