/**
 * Tar archives of ordinary files and nothing else, in one way only: each header is a function of name and size. So a reader has nothing to interpret:
 * what is not byte for byte as it would have been written is refused.
 */
import { DayflyError } from '../base/errors.ts'

const block = 512
/** What eleven octal digits hold. */
export const largestMember = 8 ** 11 - 1

/** At most three parts of harmless characters, none of them only dots. */
const namePattern = /^(?!\.)[A-Za-z0-9_.-]{1,80}(\/(?!\.)[A-Za-z0-9_.-]{1,80}){0,2}$/
const longestName = 100

export const isMemberName = (name: string): boolean => name.length <= longestName && namePattern.test(name)

const octal = (value: number, digits: number): string => `${value.toString(8).padStart(digits, '0')}\0`

/** Throws `internal` for a name that no member may have, and `host` for a size that a header cannot hold. */
export const tarHeader = (name: string, size: number): Buffer => {
  if (!isMemberName(name)) throw new DayflyError('internal', `${JSON.stringify(name)} is no name of a bundle's member`)
  if (size > largestMember) throw new DayflyError('host', `${name} is too large for an archive: ${size} bytes`)
  const header = Buffer.alloc(block)
  header.write(name, 0, 'latin1')
  header.write(octal(0o644, 7), 100)
  header.write(octal(0, 7), 108)
  header.write(octal(0, 7), 116)
  header.write(octal(size, 11), 124)
  header.write(octal(0, 11), 136)
  header.write('        ', 148)
  header.write('0', 156)
  header.write('ustar\x0000', 257)
  const sum = header.reduce((total, byte) => total + byte, 0)
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148)
  return header
}

/** Zeros from the end of a member of this size to the next header. */
export const tarPadding = (size: number): Buffer => Buffer.alloc((block - (size % block)) % block)
export const tarEnd = (): Buffer => Buffer.alloc(2 * block)

export interface TarMember {
  readonly name: string
  readonly size: number
  /** To be iterated at most once, and before the next member is asked for; what is left is passed over. */
  readonly content: AsyncIterable<Uint8Array>
}

const corrupt = (message: string): DayflyError => new DayflyError('corrupt', `the bundle ${message}`)

interface Source {
  /** Exactly so many bytes, fewer only at the end. */
  take(size: number): Promise<Buffer>
  /** The next bytes, at most so many; empty at the end. */
  some(most: number): Promise<Buffer>
}

const sourceOf = (chunks: AsyncIterable<Uint8Array>): Source => {
  const iterator = chunks[Symbol.asyncIterator]()
  let pending: Buffer = Buffer.alloc(0)
  const some = async (most: number): Promise<Buffer> => {
    while (pending.length === 0) {
      const { value, done } = await iterator.next()
      if (done === true) return pending
      pending = Buffer.from(value.buffer, value.byteOffset, value.length)
    }
    const taken = pending.subarray(0, most)
    pending = pending.subarray(taken.length)
    return taken
  }
  return {
    some,
    take: async size => {
      const parts: Buffer[] = []
      for (let left = size; left > 0; ) {
        const part = await some(left)
        if (part.length === 0) break
        parts.push(part)
        left -= part.length
      }
      return Buffer.concat(parts)
    },
  }
}

const nameOf = (header: Buffer): string => {
  const end = header.indexOf(0)
  return header.toString('latin1', 0, end < 0 || end > longestName ? longestName : end)
}

const sizeOf = (header: Buffer): number => {
  const digits = header.toString('latin1', 124, 135)
  return /^[0-7]{11}$/.test(digits) ? Number.parseInt(digits, 8) : Number.NaN
}

/**
 * The members of an archive, in memory that does not depend on it. Throws `corrupt` for whatever `tarHeader`, `tarPadding` and `tarEnd` would not have written:
 * other kinds of members, names that lead elsewhere, an end that is missing or followed by something.
 */
export async function* readTar(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<TarMember> {
  const source = sourceOf(chunks)
  for (let number = 1; ; number++) {
    const header = await source.take(block)
    if (header.length < block) throw corrupt(`is cut off ${number === 1 ? 'at its beginning' : `after ${number - 1} members`}`)
    if (header.every(byte => byte === 0)) {
      const rest = await source.take(block + 1)
      if (rest.length !== block || rest.some(byte => byte !== 0)) throw corrupt('does not end as it should')
      return
    }
    const name = nameOf(header)
    const size = sizeOf(header)
    if (!isMemberName(name)) throw corrupt(`has a member (the ${number}.) whose name no bundle has: ${JSON.stringify(name.slice(0, 100))}`)
    if (Number.isNaN(size) || !tarHeader(name, size).equals(header)) throw corrupt(`has a header that is not as it was written: that of ${name}`)

    let left = size
    const content = (async function* (): AsyncGenerator<Buffer> {
      while (left > 0) {
        const part = await source.some(left)
        if (part.length === 0) throw corrupt(`is cut off within ${name}`)
        left -= part.length
        yield part
      }
    })()
    yield { name, size, content }
    while (left > 0) {
      const part = await source.some(left)
      if (part.length === 0) throw corrupt(`is cut off within ${name}`)
      left -= part.length
    }
    const padding = await source.take(tarPadding(size).length)
    if (padding.length !== tarPadding(size).length) throw corrupt(`is cut off after ${name}`)
    if (padding.some(byte => byte !== 0)) throw corrupt(`has something after ${name} that belongs to no member`)
  }
}
