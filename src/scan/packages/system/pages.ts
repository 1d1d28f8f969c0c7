/** Reads a database file that may be hostile: every read is checked against the file's size, and all of them together are bounded by it. */
import { throwIfAborted } from '../../../base/abort.ts'
import type { Content } from '../../catalogue.ts'
import { Malformed } from './collect.ts'

/** Bytes. A full installation has some 200 MB. */
const mostBytes = 512 * 1024 * 1024
const smallRead = 16 * 1024
const largeRead = 512 * 1024
/** A sound file is read about once; one whose parts are scattered, a few times. */
const allowance = (size: number): number => size * 8 + 16 * 1024 * 1024

export interface Pages {
  /** Bytes of the file. */
  readonly size: number
  /** Exactly `length` bytes, not to be kept or written to. Throws `Malformed` where the file has not got them or too much was read already. */
  read(offset: number, length: number): Promise<Buffer>
}

/** What is read in order comes in pieces that double, what is not in small ones. At most 16 MiB at once. */
export const pagesOf = (content: Content, signal: AbortSignal): Pages => {
  if (content.size > mostBytes) throw new Malformed(`is larger than ${mostBytes} bytes`)
  let left = allowance(content.size)
  let window: Buffer = Buffer.alloc(0)
  let start = 0
  let step = smallRead
  const fill = async (offset: number, length: number): Promise<void> => {
    throwIfAborted(signal)
    const inOrder = offset >= start && offset <= start + window.length
    step = inOrder ? Math.min(step * 2, largeRead) : smallRead
    const most = Math.min(Math.max(length, step), content.size - offset)
    left -= most
    if (left < 0) throw new Malformed('is laid out so that it would have to be read again and again')
    window = await content.read(offset, most)
    start = offset
    if (window.length < length) throw new Malformed(`ends after ${offset + window.length} of ${content.size} bytes`)
  }
  return {
    size: content.size,
    read: async (offset, length) => {
      if (offset < 0 || length < 0 || offset + length > content.size) {
        throw new Malformed(`is cut off: ${length} bytes at ${offset} are beyond its end at ${content.size}`)
      }
      if (offset < start || offset + length > start + window.length) await fill(offset, length)
      return window.subarray(offset - start, offset - start + length)
    },
  }
}

/** Header blobs beyond this are refused: the largest real ones, of kernels and of language data with a hundred thousand files, have some 12 MB. */
export const mostBlob = 16 * 1024 * 1024

/** Remembers the pages that are part of something: in a sound file none is part of two things, in a hostile one that is a loop. */
export const onlyOnce = (): ((page: number) => void) => {
  const seen = new Set<number>()
  return page => {
    if (seen.has(page)) throw new Malformed(`has page ${page} in two places`)
    seen.add(page)
  }
}
