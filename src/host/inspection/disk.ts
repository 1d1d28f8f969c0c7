/** Where images, scratch space and records are kept. */
import { accessSync, constants, existsSync, statfsSync } from 'node:fs'
import { dirname } from 'node:path'
import { formatBytes } from '../../base/bytes.ts'
import { messageOf } from '../../base/errors.ts'
import type { Check } from './check.ts'
import { fail, ok, warn } from './check.ts'

/** File systems (statfs f_type) that overlayfs does not take for its upper folder. */
const unfit: Readonly<Record<number, string>> = { 2035054128: 'overlayfs', 26985: 'NFS', 1702057286: 'FUSE', 19780: 'FAT', 4283649346: 'CIFS' }

const comfortable = 2 * 1024 ** 3
const least = 200 * 1024 ** 2
const leastInodes = 10_000

/** The folder, or the nearest one above it that exists. */
const nearest = (path: string): string => (existsSync(path) || path === '/' ? path : nearest(dirname(path)))

export const checkDisk = (folder: string): Check => {
  const place = nearest(folder)
  const { bavail, bsize, ffree, files, type } = statfsSync(place)
  const kind = unfit[type >>> 0]
  if (kind !== undefined)
    return fail('disk', `${place} is on ${kind}, on which containers cannot write`, 'Put --state-dir on ext4, xfs, btrfs or zfs.')
  try {
    accessSync(place, constants.W_OK)
  } catch (error) {
    return fail('disk', `${place} cannot be written to: ${messageOf(error)}`, 'Choose another --state-dir, or mount its disk read-write.')
  }
  const free = bavail * bsize
  const found = `${formatBytes(free)} free at ${place}`
  const remedy = 'Make room (`dayfly image gc --all`), or move --state-dir.'
  if (free < least) return fail('disk', found, remedy)
  if (files > 0 && ffree < leastInodes) return fail('disk', `${ffree} inodes left at ${place}`, remedy)
  return free < comfortable ? warn('disk', found, remedy) : ok('disk', found)
}
