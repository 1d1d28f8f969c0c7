/**
 * What the Go linker leaves in every program (package runtime/debug, BuildInfo): the version of Go and the modules. Since Go 1.18 both stand where the magic
 * bytes are; before, there are pointers to them, in the program's own word size and byte order.
 */
import type { Content } from '../../catalogue.ts'
import { Malformed } from '../system/collect.ts'
import type { Elf } from './elf.ts'

const magic = Buffer.from('\xff Go buildinf:', 'latin1')
const alignment = 16
const headerSize = 32
const pointersAreInline = 2
const bigEndian = 1
/** Bytes. Modules take some 100 each, with their sums. */
const mostModules = 4 * 1024 * 1024
const mostVersion = 1024
/** Bytes of a program without sections that are searched for the magic ones: they stand near the beginning of its data. */
const mostSearched = 16 * 1024 * 1024
const piece = 1024 * 1024

export interface GoBuildInfo {
  /** `go1.22.4`, `devel go1.23-a1b2c3 …` */
  readonly goVersion: string
  /** Lines of `path`, `mod`, `dep`, `=>` and `build`; '' where it was built without modules. */
  readonly modules: string
}

/** Where the magic bytes are. Sections name the place; a program that was stripped of them is searched as Go's own tools do. */
const find = async (content: Content, elf: Elf): Promise<number | undefined> => {
  const section = elf.sections.find(({ name }) => name === '.go.buildinfo')
  if (elf.sections.length > 0 && section === undefined) return undefined
  const place = section ?? elf.segments.find(({ writable }) => writable)
  if (place === undefined) return undefined
  const most = Math.min(place.size, mostSearched)
  for (let at = 0; at < most; at += piece) {
    const bytes = await content.read(place.offset + at, Math.min(piece, most - at))
    for (let index = bytes.indexOf(magic); index >= 0; index = bytes.indexOf(magic, index + 1))
      if (index % alignment === 0) return place.offset + at + index
  }
  return undefined
}

const longestVarint = 5

/** A number of at most 5 bytes, seven bits in each, and where it ends. */
const varint = (bytes: Buffer, start: number): { value: number; end: number } => {
  let value = 0
  for (let at = start; at < Math.min(start + longestVarint, bytes.length); at++) {
    const byte = bytes[at] ?? 0
    value += (byte & 0x7f) * 2 ** (7 * (at - start))
    if (byte < 0x80) return { value, end: at + 1 }
  }
  throw new Malformed('has build information of Go with a broken length')
}

const cutOff = (): Malformed => new Malformed('has build information of Go that is cut off')

/** A length and as many bytes, from `offset` in the file. */
const lengthAndText = async (content: Content, offset: number, most: number): Promise<{ text: Buffer; end: number }> => {
  const head = await content.read(offset, longestVarint)
  const { value, end } = varint(head, 0)
  if (value > most) throw cutOff()
  const text = await content.read(offset + end, value)
  if (text.length < value) throw cutOff()
  return { text, end: offset + end + value }
}

const inline = async (content: Content, at: number): Promise<[Buffer, Buffer]> => {
  const version = await lengthAndText(content, at + headerSize, mostVersion)
  return [version.text, (await lengthAndText(content, version.end, mostModules)).text]
}

const pointed = async (content: Content, elf: Elf, header: Buffer): Promise<[Buffer, Buffer]> => {
  const word = header[14]
  const littleEndian = (header[15] ?? 0) % 2 !== bigEndian
  if (word !== 4 && word !== 8) throw new Malformed(`has build information of Go with words of ${word} bytes`)
  const number = (bytes: Buffer, at: number): number => {
    if (word === 4) return littleEndian ? bytes.readUInt32LE(at) : bytes.readUInt32BE(at)
    return Number(littleEndian ? bytes.readBigUInt64LE(at) : bytes.readBigUInt64BE(at))
  }
  /** What is in memory at an address when the program runs. */
  const memory = async (address: number, length: number): Promise<Buffer> => {
    const segment = elf.segments.find(each => address >= each.address && address + length <= each.address + each.size)
    const bytes = segment && (await content.read(segment.offset + (address - segment.address), length))
    if (bytes?.length !== length) throw cutOff()
    return bytes
  }
  /** A string of Go: a pointer to where its pointer and its length are. */
  const text = async (pointer: number, most: number): Promise<Buffer> => {
    if (pointer === 0) return Buffer.alloc(0)
    const string = await memory(pointer, 2 * word)
    const [data, length] = [number(string, 0), number(string, word)]
    if (length > most) throw cutOff()
    return length === 0 ? Buffer.alloc(0) : memory(data, length)
  }
  return [await text(number(header, 16), mostVersion), await text(number(header, 16 + word), mostModules)]
}

/** Sentinels of 16 bytes stand around the modules, so that they can be found in a core dump. */
const unwrapped = (modules: Buffer): string =>
  modules.length >= 33 && modules[modules.length - 17] === 0x0a ? modules.toString('utf8', 16, modules.length - 16) : ''

/** undefined for a program that is not of Go. Throws `Malformed`. */
export const readGoBuildInfo = async (content: Content, elf: Elf): Promise<GoBuildInfo | undefined> => {
  const at = await find(content, elf)
  if (at === undefined) return undefined
  const header = await content.read(at, headerSize)
  if (header.length < headerSize) throw cutOff()
  const isInline = ((header[15] ?? 0) & pointersAreInline) !== 0
  const [version, modules] = isInline ? await inline(content, at) : await pointed(content, elf, header)
  return { goVersion: version.toString('utf8'), modules: unwrapped(modules) }
}
