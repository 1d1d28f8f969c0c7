/** Blocks: the bytes that entries are kept as, and the chain that proves them. */
import { createHash } from 'node:crypto'
import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import { DayflyError } from '../../base/errors.ts'
import type { Activity } from '../../model/activity.ts'
import { activityGenesisText } from '../../model/activity.ts'
import { canonicalJson } from '../../model/record.ts'

/** A block has at most so many entries: a search that finds one of them uncompresses them all. */
export const blockEntries = 128

const sha256 = (content: string | Uint8Array): string => createHash('sha256').update(content).digest('hex')

/** What stands before the first block. */
export const genesisHash = (environment: string): string => sha256(activityGenesisText(environment))

/** The hash of a block of these uncompressed bytes that follows one with the hash `previous`. */
export const blockHash = (previous: string, bytes: Uint8Array): string => sha256(previous + sha256(bytes))

export const bytesOf = (entries: readonly Activity[]): Buffer => Buffer.from(entries.map(entry => `${canonicalJson(entry)}\n`).join(''))

export const compress = (bytes: Uint8Array): Buffer =>
  zstdCompressSync(bytes, { params: { [constants.ZSTD_c_compressionLevel]: 1, [constants.ZSTD_c_checksumFlag]: 1 } })

/** More than any block has: an entry's arguments and paths are some KiB. */
const largestBlock = 256 * 1024 * 1024

/** Throws `corrupt`. */
export const uncompress = (data: Uint8Array): Buffer => {
  try {
    return zstdDecompressSync(data, { maxOutputLength: largestBlock })
  } catch (error) {
    throw new DayflyError('corrupt', 'it cannot be uncompressed', { cause: error })
  }
}

/** An entry of its line, which was written by bytesOf. Throws `corrupt` for what is no entry. */
export const activityOf = (line: string): Activity => {
  try {
    const value: unknown = JSON.parse(line)
    if (isActivity(value)) return value
  } catch (error) {
    throw new DayflyError('corrupt', 'a line of it is not JSON', { cause: error })
  }
  throw new DayflyError('corrupt', 'a line of it is no entry')
}

/** The chain says whether it is what was written: what was, needs no closer look. */
const isActivity = (value: unknown): value is Activity =>
  typeof value === 'object' && value !== null && 'type' in value && 'time' in value && 'environment' in value && 'instance' in value

/** The lines of a block, without their newlines. */
export const linesOf = (bytes: Buffer): string[] => bytes.toString().split('\n').slice(0, -1)

/** Offsets at which its lines begin, and of its end. */
export const lineStarts = (bytes: Buffer): number[] => {
  const starts = [0]
  for (let at = bytes.indexOf(10); at >= 0; at = bytes.indexOf(10, at + 1)) starts.push(at + 1)
  return starts
}
