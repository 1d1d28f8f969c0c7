/** The disk that a folder is on, as the io controller wants it: a whole disk, not a partition. */
import { existsSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'

export interface BlockDevice {
  readonly major: number
  readonly minor: number
}

const major = (dev: number): number => ((dev >> 8) & 0xfff) | (Math.floor(dev / 2 ** 32) & ~0xfff)
const minor = (dev: number): number => (dev & 0xff) | ((dev >> 12) & 0xfff00)

/** A string says why there is none: network and memory file systems, and those with devices of their own, cannot be throttled. */
export const blockDeviceOf = (folder: string, sysfs = '/sys'): BlockDevice | string => {
  const { dev } = statSync(folder)
  const entry = join(sysfs, 'dev/block', `${major(dev)}:${minor(dev)}`)
  if (!existsSync(entry)) return `${folder} is not on a block device`
  // A partition's folder in sysfs lies inside its disk's.
  const disk = existsSync(join(entry, 'partition')) ? join(entry, '..', 'dev') : join(entry, 'dev')
  const [diskMajor, diskMinor] = readFileSync(disk, 'utf8').trim().split(':').map(Number)
  return diskMajor === undefined || diskMinor === undefined ? `${disk} names no device` : { major: diskMajor, minor: diskMinor }
}
