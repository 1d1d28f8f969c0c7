/** Reads text line by line without holding more than a piece of it. */
import { throwIfAborted } from '../../../base/abort.ts'
import type { Content } from '../../catalogue.ts'
import { Malformed } from './collect.ts'

const piece = 1024 * 1024
/** Bytes. A thousand packages have some 1 MB in dpkg's file, and some 5 MB with all their files' names in apk's. */
const mostBytes = 64 * 1024 * 1024
const longestLine = 1024 * 1024

/** A line is the bytes from `start` up to, and without, `end`, its line feed's place. They are valid only during the call. */
export type OnLine = (bytes: Buffer, start: number, end: number) => void

/** Calls `line` with each line. Throws `Malformed`, or by the signal. */
export const eachLine = async (content: Content, signal: AbortSignal, line: OnLine): Promise<void> => {
  if (content.size > mostBytes) throw new Malformed(`is larger than ${mostBytes} bytes`)
  let rest: Buffer = Buffer.alloc(0)
  for (let offset = 0; offset < content.size; ) {
    throwIfAborted(signal)
    const read = await content.read(offset, piece)
    if (read.length === 0) throw new Malformed(`ends after ${offset} of ${content.size} bytes`)
    offset += read.length
    const bytes: Buffer = rest.length > 0 ? Buffer.concat([rest, read]) : read
    let start = 0
    for (let end = bytes.indexOf(0x0a); end >= 0; end = bytes.indexOf(0x0a, start)) {
      line(bytes, start, end)
      start = end + 1
    }
    rest = bytes.subarray(start)
    if (rest.length > longestLine) throw new Malformed(`has a line of more than ${longestLine} bytes`)
  }
  if (rest.length > 0) line(rest, 0, rest.length)
}
