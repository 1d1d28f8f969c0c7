/** Bytes as lines, in memory that is bounded by one line. */
import { DayflyError } from '../base/errors.ts'

/** Longer than any line that is written. */
export const longestLine = 16 * 1024 * 1024

const newline = 10

/** Each line without its newline. Throws `corrupt` for one that is too long, and for a last one that does not end. */
export async function* linesOf(chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): AsyncGenerator<Buffer> {
  let parts: Buffer[] = []
  let length = 0
  for await (const chunk of chunks) {
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length)
    let from = 0
    for (let end = bytes.indexOf(newline); end >= 0; end = bytes.indexOf(newline, from)) {
      const last = bytes.subarray(from, end)
      const line = parts.length === 0 ? last : Buffer.concat([...parts, last])
      parts = []
      length = 0
      from = end + 1
      yield line
    }
    const rest = bytes.subarray(from)
    length += rest.length
    if (length > longestLine) throw new DayflyError('corrupt', 'it has a line that is longer than any that is written')
    if (rest.length > 0) parts.push(rest)
  }
  if (length > 0) throw new DayflyError('corrupt', 'its last line does not end')
}
