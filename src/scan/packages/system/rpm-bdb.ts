/**
 * The header blobs of `Packages`, a hash table of Berkeley DB, as rpm before 4.16 wrote it. Every page is looked at in turn, so that the
 * table's own chains, which may lead anywhere, need not be followed. Only blobs of several pages are chains, and each page can be in one.
 * Numbers are in the byte order of whoever wrote it.
 */
import { throwIfAborted } from '../../../base/abort.ts'
import { Malformed } from './collect.ts'
import type { Pages } from './pages.ts'
import { mostBlob, onlyOnce } from './pages.ts'

const hashMagic = 0x061561
const kinds = { unsortedHash: 2, overflow: 7, meta: 8, hash: 13 } as const
const inPage = 1
const offPage = 3
const pageHeader = 26

/** The header blobs in the file's order. What is wrong with one is told to `problem`; what is wrong with the file is thrown: `Malformed`, or the signal. */
export async function* bdbBlobs(file: Pages, problem: (clause: string) => void, signal: AbortSignal): AsyncGenerator<Buffer> {
  const meta = await file.read(0, 72)
  const little = meta.readUInt32LE(12) === hashMagic
  if (!little && meta.readUInt32BE(12) !== hashMagic) throw new Malformed('is no hash table of Berkeley DB')
  const u32 = (bytes: Buffer, at: number): number => (little ? bytes.readUInt32LE(at) : bytes.readUInt32BE(at))
  const u16 = (bytes: Buffer, at: number): number => (little ? bytes.readUInt16LE(at) : bytes.readUInt16BE(at))
  const pageSize = u32(meta, 20)
  const last = u32(meta, 32)
  if (meta[24] !== 0) throw new Malformed('is encrypted')
  if (meta[25] !== kinds.meta || pageSize < 512 || pageSize > 65_536 || (pageSize & (pageSize - 1)) !== 0) {
    throw new Malformed(`is no hash table of Berkeley DB: its pages have ${pageSize} bytes`)
  }
  const pages = Math.floor(file.size / pageSize)
  if (last >= pages) throw new Malformed(`is cut off: it has ${pages} of ${last + 1} pages`)
  const visit = onlyOnce()

  const chain = async (first: number, length: number): Promise<Buffer> => {
    if (length > mostBlob) throw new Malformed(`has a package of ${length} bytes`)
    const parts: Buffer[] = []
    let filled = 0
    for (let next = first; filled < length; ) {
      if (next < 1 || next > last) throw new Malformed(`has a chain that leads to page ${next} of ${last}`)
      visit(next)
      const page = await file.read(next * pageSize, pageSize)
      const part = u16(page, 22)
      if (page[25] !== kinds.overflow || part === 0 || pageHeader + part > pageSize)
        throw new Malformed(`has a page ${next} that is no part of a package`)
      parts.push(Buffer.from(page.subarray(pageHeader, pageHeader + part)))
      filled += part
      next = u32(page, 16)
    }
    if (filled > length) throw new Malformed(`has a package of ${length} bytes whose pages hold ${filled}`)
    return Buffer.concat(parts)
  }

  /** The values of one page, each a blob or where its chain begins. Items fill a page from its end: one ends where the one before it begins. */
  const valuesOf = (page: Buffer, number: number): (Buffer | { first: number; length: number })[] => {
    const entries = u16(page, 20)
    if (entries % 2 !== 0 || pageHeader + entries * 2 > pageSize) throw new Malformed(`has a page ${number} with ${entries} entries`)
    const begin = (index: number): number => (index < 0 ? pageSize : u16(page, pageHeader + index * 2))
    const values: (Buffer | { first: number; length: number })[] = []
    for (let index = 0; index < entries; index += 2) {
      const [end, key, value] = [begin(index - 1), begin(index), begin(index + 1)]
      if (key < pageHeader || value < pageHeader || key >= end || value >= key)
        throw new Malformed(`has a page ${number} whose entry ${index} lies outside of it`)
      // Package 0 is the number that the next package will have.
      if (page[key] !== inPage || end - key !== 5) throw new Malformed(`has a page ${number} whose entry ${index} is not the number of a package`)
      if (u32(page, key + 1) === 0) continue
      if (page[value] === inPage) values.push(Buffer.from(page.subarray(value + 1, key)))
      else if (page[value] === offPage && key - value === 12) values.push({ first: u32(page, value + 4), length: u32(page, value + 8) })
      else throw new Malformed(`has a page ${number} with an entry of an unknown kind (${page[value]})`)
    }
    return values
  }

  for (let number = 1; number <= last; number++) {
    throwIfAborted(signal)
    const page = await file.read(number * pageSize, pageSize)
    if (page[25] !== kinds.hash && page[25] !== kinds.unsortedHash) continue
    try {
      for (const value of valuesOf(page, number)) yield Buffer.isBuffer(value) ? value : await chain(value.first, value.length)
    } catch (error) {
      // The pages after it may be sound, and what they hold counts.
      if (!(error instanceof Malformed)) throw error
      problem(error.message)
    }
  }
}
