/**
 * Reads zip archives of strangers in place: the directory at the end, then single members. Nothing is written to disk; sizes and offsets are checked
 * against the file before they are used, and a member is unpacked to no more than the directory says it has.
 */
import { inflateRawSync } from 'node:zlib'
import { throwIfAborted } from '../../../base/abort.ts'
import type { Content } from '../../catalogue.ts'
import { Malformed } from '../system/collect.ts'

export interface Member {
  readonly name: string
  readonly method: number
  readonly encrypted: boolean
  readonly packedSize: number
  readonly size: number
  /** Of its own header, in the file. */
  readonly offset: number
}

const signature = { end: 0x06054b50, end64: 0x06064b50, locator64: 0x07064b50, directory: 0x02014b50, local: 0x04034b50 }
const endSize = 22
const longestComment = 0xffff
const directoryEntrySize = 46
/** Bytes. A large application's archive has some 50,000 members and 6 MB of directory. */
const mostDirectory = 64 * 1024 * 1024
const mostMembers = 500_000
const piece = 1024 * 1024
const longestName = 4096

const notZip = (): Malformed => new Malformed('is not a zip archive, or its end is missing')

interface Directory {
  readonly offset: number
  readonly size: number
  /** What stands before the archive, such as a script that starts it: offsets count from behind it. */
  readonly shift: number
}

const exactly = async (content: Content, offset: number, length: number): Promise<Buffer> => {
  const bytes = offset < 0 || offset + length > content.size ? undefined : await content.read(offset, length)
  if (bytes?.length !== length) throw new Malformed('is a zip archive that is cut off')
  return bytes
}

/** A number of 8 bytes; none is larger than a file can be. */
const long = (bytes: Buffer, offset: number): number => {
  const value = Number(bytes.readBigUInt64LE(offset))
  if (!Number.isSafeInteger(value)) throw new Malformed('is a zip archive with an impossible offset')
  return value
}

const findDirectory = async (content: Content): Promise<Directory> => {
  const length = Math.min(content.size, endSize + longestComment)
  const tail = await content.read(content.size - length, length)
  let at = tail.length - endSize
  while (at >= 0 && !(tail.readUInt32LE(at) === signature.end && at + endSize + tail.readUInt16LE(at + 20) <= tail.length)) at--
  if (at < 0) throw notZip()
  const end = content.size - length + at
  let [size, offset] = [tail.readUInt32LE(at + 12), tail.readUInt32LE(at + 16)]
  let stop = end
  if ((size === 0xffffffff || offset === 0xffffffff || tail.readUInt16LE(at + 10) === 0xffff) && end >= 20) {
    const locator = await exactly(content, end - 20, 20)
    if (locator.readUInt32LE(0) === signature.locator64) {
      stop = long(locator, 8)
      const end64 = await exactly(content, stop, 56)
      if (end64.readUInt32LE(0) !== signature.end64) throw notZip()
      size = long(end64, 40)
      offset = long(end64, 48)
    }
  }
  const shift = stop - size - offset
  if (shift < 0) throw new Malformed('is a zip archive whose directory lies outside of it')
  if (size > mostDirectory) throw new Malformed(`is a zip archive whose directory is larger than ${mostDirectory} bytes`)
  return { offset: offset + shift, size, shift }
}

/** Sizes and offset of a member that needs 8 bytes for one of them, from its extra field. */
const wide = (extra: Buffer, sizes: { size: number; packedSize: number; offset: number }): { size: number; packedSize: number; offset: number } => {
  for (let at = 0; at + 4 <= extra.length; ) {
    const [id, length] = [extra.readUInt16LE(at), extra.readUInt16LE(at + 2)]
    const field = extra.subarray(at + 4, at + 4 + length)
    at += 4 + length
    if (id !== 1) continue
    let from = 0
    const next = (value: number): number => {
      if (value !== 0xffffffff) return value
      if (from + 8 > field.length) throw new Malformed('is a zip archive with a broken entry')
      from += 8
      return long(field, from - 8)
    }
    return { size: next(sizes.size), packedSize: next(sizes.packedSize), offset: next(sizes.offset) }
  }
  return sizes
}

/** Calls `onMember` with each one that `wants` says by its name. Throws `Malformed`, or by the signal. */
export const eachMember = async (
  content: Content,
  signal: AbortSignal,
  wants: (name: string) => boolean,
  onMember: (member: Member) => void,
): Promise<void> => {
  const directory = await findDirectory(content)
  let rest: Buffer = Buffer.alloc(0)
  let count = 0
  for (let done = 0; done < directory.size; ) {
    throwIfAborted(signal)
    const length = Math.min(piece, directory.size - done)
    const read = await exactly(content, directory.offset + done, length)
    done += length
    const bytes: Buffer = rest.length > 0 ? Buffer.concat([rest, read]) : read
    let at = 0
    while (at + directoryEntrySize <= bytes.length) {
      if (bytes.readUInt32LE(at) !== signature.directory) throw new Malformed('is a zip archive with a broken directory')
      const nameLength = bytes.readUInt16LE(at + 28)
      const extraLength = bytes.readUInt16LE(at + 30)
      const extraAt = at + directoryEntrySize + nameLength
      const next = extraAt + extraLength + bytes.readUInt16LE(at + 32)
      if (next > bytes.length) break
      if (++count > mostMembers) throw new Malformed(`is a zip archive of more than ${mostMembers} members`)
      const name = nameLength > longestName ? '' : bytes.toString('utf8', at + directoryEntrySize, extraAt)
      if (wants(name)) {
        const narrow = { size: bytes.readUInt32LE(at + 24), packedSize: bytes.readUInt32LE(at + 20), offset: bytes.readUInt32LE(at + 42) }
        const { size, packedSize, offset } = wide(bytes.subarray(extraAt, extraAt + extraLength), narrow)
        const [flags, method] = [bytes.readUInt16LE(at + 8), bytes.readUInt16LE(at + 10)]
        onMember({ name, method, encrypted: (flags & 1) !== 0, packedSize, size, offset: offset + directory.shift })
      }
      at = next
    }
    rest = bytes.subarray(at)
  }
  if (rest.length > 0) throw new Malformed('is a zip archive with a broken directory')
}

/** Where the member's data is. Throws `Malformed`. */
const dataOffset = async (content: Content, member: Member): Promise<number> => {
  if (member.encrypted) throw new Malformed('is encrypted')
  const header = await exactly(content, member.offset, 30)
  if (header.readUInt32LE(0) !== signature.local) throw new Malformed('is not where its archive says')
  const offset = member.offset + 30 + header.readUInt16LE(26) + header.readUInt16LE(28)
  if (offset + member.packedSize > content.size) throw new Malformed('ends outside of its archive')
  return offset
}

/** A member that is stored as it is, read in place; undefined for others. Throws `Malformed`. */
export const storedMember = async (content: Content, member: Member): Promise<Content | undefined> => {
  if (member.method !== 0) return undefined
  const start = await dataOffset(content, member)
  const size = member.packedSize
  const read: Content['read'] = (offset, length) => content.read(start + offset, Math.max(0, Math.min(length, size - offset)))
  return {
    size,
    read,
    whole: most => {
      if (size > most) return Promise.reject(new Malformed(`is larger than ${most} bytes`))
      return read(0, size)
    },
  }
}

/** Bytes of data that are read at once; a member that is packed to more is not read. */
const mostPacked = 16 * 1024 * 1024

/** The member's content, of at most `most` bytes. Throws `Malformed`. */
export const readMember = async (content: Content, member: Member, most: number): Promise<Buffer> => {
  if (member.size > most || member.packedSize > most + 1024) throw new Malformed(`is larger than ${most} bytes`)
  if (member.method !== 0 && member.method !== 8) throw new Malformed(`is packed in a way that is not known (${member.method})`)
  const start = await dataOffset(content, member)
  const parts: Buffer[] = []
  for (let done = 0; done < member.packedSize; done += mostPacked) {
    parts.push(await exactly(content, start + done, Math.min(mostPacked, member.packedSize - done)))
  }
  const packed = parts.length === 1 && parts[0] ? parts[0] : Buffer.concat(parts)
  if (member.method === 0) return packed
  try {
    // One piece of what the directory says: nothing is copied together, and one byte more would be a lie.
    const bytes = inflateRawSync(packed, { maxOutputLength: member.size + 1, chunkSize: Math.max(member.size + 1, 64) })
    if (bytes.length === member.size) return bytes
  } catch {
    // Said below: zlib's own words say nothing to people.
  }
  throw new Malformed('is packed wrongly, or not as large as its archive says')
}

export const contentOfBytes = (bytes: Buffer): Content => ({
  size: bytes.length,
  read: (offset, length) => Promise.resolve(bytes.subarray(offset, offset + length)),
  whole: most => (bytes.length > most ? Promise.reject(new Malformed(`is larger than ${most} bytes`)) : Promise.resolve(bytes)),
})
