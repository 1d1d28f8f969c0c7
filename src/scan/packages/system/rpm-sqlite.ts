/**
 * The header blobs of `rpmdb.sqlite`. A reader of the two kinds of pages that matter, and nothing of SQL: SQLite itself was never made for files
 * that somebody has tampered with. https://www.sqlite.org/fileformat2.html
 */
import { Malformed } from './collect.ts'
import type { Pages } from './pages.ts'
import { mostBlob, onlyOnce } from './pages.ts'

const interior = 5
const leaf = 13
const deepest = 20

interface Layout {
  readonly pageSize: number
  /** Bytes of a page that SQLite uses. */
  readonly usable: number
  readonly pages: number
}

/** Of the schema; rpm's has some 40. */
const mostTables = 10_000

type Column = number | Buffer | null

const varint = (bytes: Buffer, at: number): { value: number; next: number } => {
  let value = 0
  for (let index = 0; index < 9; index++) {
    const byte = bytes[at + index]
    if (byte === undefined) break
    if (index === 8) return { value: value * 256 + byte, next: at + 9 }
    value = value * 128 + (byte & 0x7f)
    if (byte < 0x80) return { value, next: at + index + 1 }
  }
  throw new Malformed('has a number that is cut off')
}

const readLayout = async (file: Pages): Promise<Layout> => {
  const head = await file.read(0, 100)
  if (head.toString('latin1', 0, 16) !== 'SQLite format 3\0') throw new Malformed('is no SQLite database')
  const stored = head.readUInt16BE(16)
  const pageSize = stored === 1 ? 65_536 : stored
  const usable = pageSize - (head[20] ?? 0)
  if (pageSize < 512 || (pageSize & (pageSize - 1)) !== 0 || usable < 480)
    throw new Malformed(`is no SQLite database: its pages have ${pageSize} bytes`)
  if (head.readUInt32BE(56) !== 1) throw new Malformed('is no database of rpm: its text is not in UTF-8')
  const claimed = head.readUInt32BE(28)
  const present = Math.floor(file.size / pageSize)
  if (claimed > present) throw new Malformed(`is cut off: it has ${present} of ${claimed} pages`)
  return { pageSize, usable, pages: present }
}

/** How much of a row's payload stands in its leaf page; the rest is in a chain of overflow pages. */
const localPart = (payload: number, usable: number): number => {
  const most = usable - 35
  if (payload <= most) return payload
  const least = Math.floor(((usable - 12) * 32) / 255) - 23
  const rest = least + ((payload - least) % (usable - 4))
  return rest <= most ? rest : least
}

/** The first `columns` values of a record: integers, and texts and blobs as bytes. */
const columnsOf = (record: Buffer, columns: number): Column[] => {
  const header = varint(record, 0)
  if (header.value > record.length) throw new Malformed('has a row whose header is longer than the row')
  const values: Column[] = []
  let at = header.next
  let offset = header.value
  while (at < header.value && values.length < columns) {
    const { value: type, next } = varint(record, at)
    at = next
    const length = type >= 12 ? Math.floor((type - 12) / 2) : ([0, 1, 2, 3, 4, 6, 8, 8, 0, 0][type] ?? Number.NaN)
    if (!(offset + length <= record.length)) throw new Malformed('has a row whose values are longer than the row')
    if (type >= 12) values.push(record.subarray(offset, offset + length))
    else if (type >= 1 && type <= 5) values.push(record.readIntBE(offset, length))
    else if (type === 8 || type === 9) values.push(type - 8)
    else values.push(null)
    offset += length
  }
  return values
}

/** The header blobs, in order of their numbers. What is wrong with one row is told to `problem`; what is wrong with the file is thrown: `Malformed`. */
export async function* sqliteBlobs(file: Pages, problem: (clause: string) => void): AsyncGenerator<Buffer> {
  const layout = await readLayout(file)
  const visit = onlyOnce()
  const page = (number: number): Promise<Buffer> => {
    if (number < 1 || number > layout.pages) throw new Malformed(`has a reference to page ${number} of ${layout.pages}`)
    visit(number)
    return file.read((number - 1) * layout.pageSize, layout.usable)
  }

  const record = async (cell: Buffer, at: number): Promise<Buffer> => {
    const payload = varint(cell, at)
    const start = varint(cell, payload.next).next
    const local = localPart(payload.value, layout.usable)
    if (payload.value > mostBlob || start + local > cell.length) throw new Malformed(`has a row of ${payload.value} bytes`)
    if (local === payload.value) return cell.subarray(start, start + local)
    const whole = Buffer.allocUnsafe(payload.value)
    cell.copy(whole, 0, start, start + local)
    let next = cell.length >= start + local + 4 ? cell.readUInt32BE(start + local) : 0
    for (let filled = local; filled < whole.length; ) {
      const overflow = await page(next)
      next = overflow.readUInt32BE(0)
      filled += overflow.copy(whole, filled, 4)
    }
    return whole
  }

  /** Every row of a table. The page is copied where it must outlive the reads of what it refers to. */
  async function* rows(root: number, depth: number): AsyncGenerator<Buffer> {
    if (depth > deepest) throw new Malformed(`has a tree of more than ${deepest} levels`)
    const bytes = Buffer.from(await page(root))
    const at = root === 1 ? 100 : 0
    const kind = bytes[at]
    if (kind !== interior && kind !== leaf) throw new Malformed(`has a page ${root} of an unknown kind (${kind})`)
    const cells = bytes.readUInt16BE(at + 3)
    const pointers = at + (kind === leaf ? 8 : 12)
    if (pointers + cells * 2 > bytes.length) throw new Malformed(`has a page ${root} with ${cells} rows`)
    for (let index = 0; index < cells; index++) {
      const offset = bytes.readUInt16BE(pointers + index * 2)
      if (offset + 4 > bytes.length) throw new Malformed(`has a page ${root} whose row ${index} lies outside of it`)
      if (kind === leaf) yield await record(bytes, offset)
      else yield* rows(bytes.readUInt32BE(offset), depth + 1)
    }
    if (kind === interior) yield* rows(bytes.readUInt32BE(at + 8), depth + 1)
  }

  let root: number | undefined
  let tables = 0
  for await (const row of rows(1, 0)) {
    if (++tables > mostTables) throw new Malformed(`has more than ${mostTables} tables`)
    const [type, name, , page] = columnsOf(row, 4)
    if (
      Buffer.isBuffer(type) &&
      Buffer.isBuffer(name) &&
      typeof page === 'number' &&
      type.toString('latin1') === 'table' &&
      name.toString('latin1') === 'Packages'
    )
      root = page
  }
  if (root === undefined) throw new Malformed('is no database of rpm: it has no table Packages')
  for await (const row of rows(root, 0)) {
    const [, blob] = columnsOf(row, 2)
    if (Buffer.isBuffer(blob)) yield blob
    else problem('has a row without a header')
  }
}
