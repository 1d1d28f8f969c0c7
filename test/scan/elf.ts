/** Programs for cataloguers' tests: one writable segment of data, and sections that begin where it does. */

export interface ElfOptions {
  readonly word: 4 | 8
  readonly littleEndian: boolean
  /** Of the data, in memory. */
  readonly address: number
  readonly data: Buffer
  /** Each from the beginning of the data. */
  readonly sections: readonly { readonly name: string; readonly size: number }[]
}

const align = (value: number): number => Math.ceil(value / 16) * 16

export const makeElf = ({ word, littleEndian, address, data, sections }: ElfOptions): Buffer => {
  const wide = word === 8
  const [headerSize, segmentSize, sectionSize] = wide ? [64, 56, 64] : [52, 32, 40]
  const dataOffset = 4096
  const names = Buffer.from(`\0${sections.map(({ name }) => name).join('\0')}\0.shstrtab\0`, 'latin1')
  const namesOffset = align(dataOffset + data.length)
  const tableOffset = align(namesOffset + names.length)
  const count = sections.length === 0 ? 0 : sections.length + 2
  const bytes = Buffer.alloc(Math.max(tableOffset + count * sectionSize, 8192))
  const half = (value: number, at: number): unknown => (littleEndian ? bytes.writeUInt16LE(value, at) : bytes.writeUInt16BE(value, at))
  const int = (value: number, at: number): unknown => (littleEndian ? bytes.writeUInt32LE(value, at) : bytes.writeUInt32BE(value, at))
  const long = (value: number, at: number): unknown => {
    if (!wide) return int(value, at)
    return littleEndian ? bytes.writeBigUInt64LE(BigInt(value), at) : bytes.writeBigUInt64BE(BigInt(value), at)
  }
  Buffer.from([0x7f, 0x45, 0x4c, 0x46, wide ? 2 : 1, littleEndian ? 1 : 2, 1]).copy(bytes)
  half(2, 16)
  half(wide ? 62 : 3, 18)
  int(1, 20)
  long(headerSize, wide ? 32 : 28)
  if (count > 0) long(tableOffset, wide ? 40 : 32)
  const at = wide ? 52 : 40
  for (const [index, value] of [headerSize, segmentSize, 1, sectionSize, count, Math.max(count - 1, 0)].entries()) half(value, at + 2 * index)
  // The segment: readable and writable.
  int(1, headerSize)
  int(6, headerSize + (wide ? 4 : 24))
  const [offsetAt, addressAt, sizeAt] = wide ? [8, 16, 32] : [4, 8, 16]
  long(dataOffset, headerSize + offsetAt)
  long(address, headerSize + addressAt)
  long(data.length, headerSize + sizeAt)
  long(data.length, headerSize + sizeAt + word)
  data.copy(bytes, dataOffset)
  if (count === 0) return bytes
  names.copy(bytes, namesOffset)
  const section = (index: number, name: string, type: number, where: { address: number; offset: number; size: number }): void => {
    const start = tableOffset + index * sectionSize
    int(names.indexOf(`${name}\0`, 0, 'latin1'), start)
    int(type, start + 4)
    long(where.address, start + (wide ? 16 : 12))
    long(where.offset, start + (wide ? 24 : 16))
    long(where.size, start + (wide ? 32 : 20))
  }
  for (const [index, { name, size }] of sections.entries()) section(index + 1, name, 1, { address, offset: dataOffset, size })
  section(count - 1, '.shstrtab', 3, { address: 0, offset: namesOffset, size: names.length })
  return bytes
}
