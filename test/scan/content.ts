/** Files for cataloguers' tests: in memory, with a count of what was read. */

import { DayflyError } from '../../src/base/errors.ts'
import type { Distribution } from '../../src/model/package.ts'
import type { Cataloguer, Content, Entry, Found } from '../../src/scan/catalogue.ts'

export interface CountedContent extends Content {
  /** Bytes that were asked for and given. */
  readonly bytesRead: number
  readonly reads: number
}

export const contentOf = (bytes: Buffer): CountedContent => {
  const count = { bytes: 0, reads: 0 }
  return {
    size: bytes.length,
    read: (offset, length) => {
      if (length > 16 * 1024 * 1024 || offset < 0 || length < 0) return Promise.reject(new Error(`a read of ${length} bytes at ${offset}`))
      const part = Buffer.from(bytes.subarray(offset, offset + length))
      count.bytes += part.length
      count.reads++
      return Promise.resolve(part)
    },
    whole: most => {
      if (bytes.length > most) return Promise.reject(new DayflyError('corrupt', `the file is larger than ${most} bytes`))
      count.bytes += bytes.length
      count.reads++
      return Promise.resolve(Buffer.from(bytes))
    },
    get bytesRead() {
      return count.bytes
    },
    get reads() {
      return count.reads
    },
  }
}

export const entryOf = (path: string, size: number, more: Partial<Entry> = {}): Entry => ({
  ...{ path, kind: 'file', mode: 0o644, uid: 0, gid: 0, size, magic: undefined },
  ...more,
})

/** What `cataloguer` finds in a file of these bytes. */
export const found = (cataloguer: Cataloguer, path: string, bytes: Buffer | string, distribution?: Distribution): Promise<Found> => {
  const buffer = Buffer.from(bytes)
  return cataloguer.read(entryOf(path, buffer.length), contentOf(buffer), distribution, new AbortController().signal)
}
