/** Protocol buffers' wire format, as far as it takes to write OTLP: a tree of the JSON mapping and the fields of its message become bytes. */
import { DayflyError } from '../../base/errors.ts'
import type { Field, Kind, Message } from './messages.ts'
import type { Tree } from './tree.ts'

const varint = 0
const eightBytes = 1
const delimited = 2
const fourBytes = 5

const wireTypes: Readonly<Record<Kind, number>> = {
  ...{ string: delimited, hex: delimited, bool: varint, varint, fixed32: fourBytes, fixed64: eightBytes, sfixed64: eightBytes, double: eightBytes },
}

/** Grows as it is written to: small buffers for each value would cost more than all the rest. */
class Writer {
  #bytes = Buffer.allocUnsafe(4096)
  #length = 0

  #reserve(count: number): void {
    if (this.#length + count <= this.#bytes.length) return
    const grown = Buffer.allocUnsafe(Math.max(this.#bytes.length * 2, this.#length + count))
    this.#bytes.copy(grown, 0, 0, this.#length)
    this.#bytes = grown
  }

  /** At most 53 bits, not negative. */
  small(value: number): void {
    this.#reserve(8)
    let left = value
    for (; left >= 0x80; left = Math.floor(left / 0x80)) this.#bytes[this.#length++] = (left % 0x80) | 0x80
    this.#bytes[this.#length++] = left
  }

  /** Those that are negative take ten bytes. */
  int64(value: bigint): void {
    this.#reserve(10)
    let left = BigInt.asUintN(64, value)
    for (; left >= 0x80n; left >>= 7n) this.#bytes[this.#length++] = Number(left & 0x7fn) | 0x80
    this.#bytes[this.#length++] = Number(left)
  }

  fixed32(value: number): void {
    this.#reserve(4)
    this.#length = this.#bytes.writeUInt32LE(value, this.#length)
  }

  fixed64(value: bigint): void {
    this.#reserve(8)
    this.#length = this.#bytes.writeBigUInt64LE(BigInt.asUintN(64, value), this.#length)
  }

  double(value: number): void {
    this.#reserve(8)
    this.#length = this.#bytes.writeDoubleLE(value, this.#length)
  }

  text(value: string, encoding: 'utf8' | 'hex'): void {
    const size = encoding === 'hex' ? value.length / 2 : Buffer.byteLength(value)
    this.small(size)
    this.#reserve(size)
    this.#length += this.#bytes.write(value, this.#length, encoding)
  }

  /** What `write` writes, after its length. Most of it is short, and has one byte for that; what is longer is moved. */
  delimited(write: () => void): void {
    this.#reserve(1)
    const begin = ++this.#length
    write()
    const size = this.#length - begin
    let more = 0
    for (let left = size; left >= 0x80; left = Math.floor(left / 0x80)) more++
    // Also for writing the length, which must not find too little: from then on what was written is behind the end.
    this.#reserve(more + 8)
    if (more > 0) {
      this.#bytes.copyWithin(begin + more, begin, this.#length)
    }
    this.#length = begin - 1
    this.small(size)
    this.#length = begin + more + size
  }

  taken(): Buffer {
    return Buffer.from(this.#bytes.subarray(0, this.#length))
  }
}

const wrong = (value: Tree): DayflyError => new DayflyError('internal', `a value of an OTLP message is of the wrong kind: ${JSON.stringify(value)}`)

const numeric = (value: Tree): string | number => {
  if (typeof value === 'string' || typeof value === 'number') return value
  throw wrong(value)
}

const scalar = (writer: Writer, kind: Kind, value: Tree): void => {
  switch (kind) {
    case 'string':
    case 'hex':
      if (typeof value !== 'string') throw wrong(value)
      writer.text(value, kind === 'hex' ? 'hex' : 'utf8')
      break
    case 'bool':
      writer.small(value === true ? 1 : 0)
      break
    case 'varint':
      writer.int64(BigInt(numeric(value)))
      break
    case 'fixed32':
      writer.fixed32(Number(numeric(value)))
      break
    case 'fixed64':
    case 'sfixed64':
      writer.fixed64(BigInt(numeric(value)))
      break
    case 'double':
      writer.double(Number(numeric(value)))
      break
  }
}

const single = (writer: Writer, number: number, kind: Kind | Message, value: Tree): void => {
  if (typeof kind === 'object') {
    writer.small((number << 3) | delimited)
    writer.delimited(() => fields(writer, kind, value))
  } else {
    writer.small((number << 3) | wireTypes[kind])
    scalar(writer, kind, value)
  }
}

const field = (writer: Writer, { number, kind, repeated }: Field, value: Tree): void => {
  if (!repeated) {
    single(writer, number, kind, value)
    return
  }
  if (!Array.isArray(value)) throw wrong(value)
  const items: readonly Tree[] = value
  // Numbers are packed, texts and messages are not.
  if (typeof kind === 'object' || wireTypes[kind] === delimited) {
    for (const item of items) single(writer, number, kind, item)
  } else if (items.length > 0) {
    writer.small((number << 3) | delimited)
    writer.delimited(() => {
      for (const item of items) scalar(writer, kind, item)
    })
  }
}

const fields = (writer: Writer, message: Message, tree: Tree): void => {
  if (typeof tree !== 'object' || Array.isArray(tree)) throw wrong(tree)
  for (const [name, value] of Object.entries<Tree>({ ...tree })) {
    if (value === undefined) continue
    const known = message.fields[name]
    if (known === undefined) throw new DayflyError('internal', `OTLP has no field ${name} here`)
    field(writer, known, value)
  }
}

/** Throws `internal` for a field that the message does not have. */
export const encodeProtobuf = (message: Message, tree: Tree): Buffer => {
  const writer = new Writer()
  fields(writer, message, tree)
  return writer.taken()
}
