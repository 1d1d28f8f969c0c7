/** The outline of ELF files of either word size and byte order: sections and segments, each checked against the file before it is read. */
import type { Content } from '../../catalogue.ts'
import { Malformed } from '../system/collect.ts'

export interface Section {
  readonly name: string
  readonly offset: number
  readonly size: number
}

/** A part of the file that is loaded into memory. */
export interface Segment {
  readonly address: number
  readonly offset: number
  readonly size: number
  readonly writable: boolean
}

export interface Elf {
  readonly littleEndian: boolean
  /** Bytes of an address. */
  readonly word: 4 | 8
  /** Empty where they were stripped. */
  readonly sections: readonly Section[]
  readonly segments: readonly Segment[]
}

/** A program has some 40 sections and a dozen segments. */
const mostSections = 2_000
const mostSegments = 500
const mostNames = 1024 * 1024
const headerSize = 64
const executable = 2
const shared = 3
const load = 1
const noBits = 8

interface Reader {
  half(at: number): number
  int(at: number): number
  /** An address, an offset or a size; NaN for what no file can have. */
  word(at: number): number
}

const readerOf = (bytes: Buffer, littleEndian: boolean, word: 4 | 8): Reader => {
  const half = (at: number): number => (littleEndian ? bytes.readUInt16LE(at) : bytes.readUInt16BE(at))
  const int = (at: number): number => (littleEndian ? bytes.readUInt32LE(at) : bytes.readUInt32BE(at))
  const long = (at: number): number => {
    const value = Number(littleEndian ? bytes.readBigUInt64LE(at) : bytes.readBigUInt64BE(at))
    return Number.isSafeInteger(value) ? value : Number.NaN
  }
  return { half, int, word: word === 8 ? long : int }
}

/** `length` bytes that the file must have. Throws `Malformed`, saying `what`. */
const table = async (content: Content, offset: number, length: number, what: string): Promise<Buffer> => {
  if (!(offset >= 0 && offset + length <= content.size)) throw new Malformed(`is a program whose ${what} lie outside of it`)
  const bytes = await content.read(offset, length)
  if (bytes.length < length) throw new Malformed(`is a program whose ${what} are cut off`)
  return bytes
}

const readSegments = async (content: Content, header: Reader, littleEndian: boolean, word: 4 | 8): Promise<Segment[]> => {
  const wide = word === 8
  const offset = header.word(wide ? 32 : 28)
  const [entry, count] = [header.half(wide ? 54 : 42), header.half(wide ? 56 : 44)]
  if (count === 0) return []
  if (count > mostSegments || entry < (wide ? 56 : 32) || entry > 1024) throw new Malformed(`is a program with ${count} segments of ${entry} bytes`)
  const reader = readerOf(await table(content, offset, count * entry, 'segments'), littleEndian, word)
  const segments: Segment[] = []
  for (let at = 0; at < count * entry; at += entry) {
    if (reader.int(at) !== load) continue
    const flags = reader.int(at + (wide ? 4 : 24))
    const [start, address, size] = [reader.word(at + (wide ? 8 : 4)), reader.word(at + (wide ? 16 : 8)), reader.word(at + (wide ? 32 : 16))]
    // Beyond 2^53, as kernels are loaded, nothing of a language's is looked up.
    if (start + size <= content.size && !Number.isNaN(address)) segments.push({ address, offset: start, size, writable: (flags & 2) !== 0 })
  }
  return segments
}

const readSections = async (content: Content, header: Reader, littleEndian: boolean, word: 4 | 8): Promise<Section[]> => {
  const wide = word === 8
  const offset = header.word(wide ? 40 : 32)
  const [entry, count, names] = [header.half(wide ? 58 : 46), header.half(wide ? 60 : 48), header.half(wide ? 62 : 50)]
  if (offset === 0) return []
  // More than 65,279 would be counted elsewhere, and `count` 0: no program has so many.
  if (count > mostSections || count === 0 || entry < (wide ? 64 : 40) || entry > 1024)
    throw new Malformed(`is a program with ${count} sections of ${entry} bytes`)
  const reader = readerOf(await table(content, offset, count * entry, 'sections'), littleEndian, word)
  const at = (index: number): { offset: number; size: number; type: number } => {
    const start = index * entry
    return { type: reader.int(start + 4), offset: reader.word(start + (wide ? 24 : 16)), size: reader.word(start + (wide ? 32 : 20)) }
  }
  if (names >= count) return []
  const strings = at(names)
  if (strings.size > mostNames) throw new Malformed(`is a program whose sections' names take ${strings.size} bytes`)
  const text = (await table(content, strings.offset, strings.size, "sections' names")).toString('latin1')
  const sections: Section[] = []
  for (let index = 0; index < count; index++) {
    const { type, offset: start, size } = at(index)
    const from = reader.int(index * entry)
    const end = text.indexOf('\0', from)
    // A file with the symbols only has sections that are not in it.
    if (type !== noBits && from < text.length && end > from && start + size <= content.size)
      sections.push({ name: text.slice(from, end), offset: start, size })
  }
  return sections
}

/** undefined for what is neither a program nor a shared library. Throws `Malformed`. */
export const readElf = async (content: Content): Promise<Elf | undefined> => {
  const bytes = await content.read(0, headerSize)
  if (bytes.length < 52 || bytes.readUInt32BE(0) !== 0x7f454c46) return undefined
  const [size, order] = [bytes[4], bytes[5]]
  if ((size !== 1 && size !== 2) || (order !== 1 && order !== 2)) return undefined
  const word = size === 2 ? 8 : 4
  if (word === 8 && bytes.length < headerSize) return undefined
  const littleEndian = order === 1
  const header = readerOf(bytes, littleEndian, word)
  const type = header.half(16)
  if (type !== executable && type !== shared) return undefined
  const sections = await readSections(content, header, littleEndian, word)
  return { littleEndian, word, sections, segments: await readSegments(content, header, littleEndian, word) }
}
