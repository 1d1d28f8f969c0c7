/**
 * The header blobs of `Packages.db`, rpm's own format (ndb): pages of slots, each of which says where in the file a blob stands. Little-endian.
 * A blob is framed by its number, length and an Adler-32 sum. lib/backend/ndb/rpmpkg.c of rpm is its only description.
 */
import { Malformed } from './collect.ts'
import type { Pages } from './pages.ts'
import { mostBlob, onlyOnce } from './pages.ts'

const word = (text: string): number => Buffer.from(text, 'latin1').readUInt32LE(0)
const fileMagic = word('RpmP')
const slotMagic = word('Slot')
const blobMagic = word('BlbS')
const endMagic = word('BlbE')

const slotPage = 4096
const slotSize = 16
/** Room for 260,000 packages. */
const mostSlotPages = 1024
/** The first slots' place is the file's header. */
const headerSlots = 2
const block = 16
const blobHead = 16
const blobTail = 12

const adler32 = (bytes: Buffer): number => {
  let low = 1
  let high = 0
  for (let at = 0; at < bytes.length; ) {
    // 3800 additions stay below 2^32 without a division in between.
    for (const end = Math.min(at + 3800, bytes.length); at < end; at++) {
      low += bytes[at] ?? 0
      high += low
    }
    low %= 65_521
    high %= 65_521
  }
  return high * 65_536 + low
}

/** The header blobs in order of their slots. What is wrong with one is told to `problem`; what is wrong with the file is thrown: `Malformed`. */
export async function* ndbBlobs(file: Pages, problem: (clause: string) => void): AsyncGenerator<Buffer> {
  const head = await file.read(0, 32)
  if (head.readUInt32LE(0) !== fileMagic) throw new Malformed('is no database of rpm')
  const version = head.readUInt32LE(4)
  if (version !== 0) throw new Malformed(`is a database of rpm in version ${version}, which is not known`)
  const slotPages = head.readUInt32LE(12)
  if (slotPages === 0 || slotPages > mostSlotPages || slotPages * slotPage > file.size) throw new Malformed(`claims an index of ${slotPages} pages`)
  const slots = (slotPages * slotPage) / slotSize
  const visit = onlyOnce()

  const slotted: { number: number; offset: number; length: number }[] = []
  for (let index = headerSlots; index < slots; index++) {
    const slot = await file.read(index * slotSize, slotSize)
    if (slot.readUInt32LE(0) !== slotMagic) {
      problem(`has something else than a slot at ${index * slotSize}`)
      continue
    }
    const number = slot.readUInt32LE(4)
    if (number !== 0) slotted.push({ number, offset: slot.readUInt32LE(8) * block, length: slot.readUInt32LE(12) * block })
  }
  for (const { number, offset, length } of slotted) {
    if (offset < slotPages * slotPage || length < blobHead + blobTail || length > mostBlob) {
      problem(`has a slot for package ${number} that points at ${length} bytes at ${offset}`)
      continue
    }
    visit(offset)
    const blob = await file.read(offset, length)
    const size = blob.readUInt32LE(12)
    const tail = length - blobTail
    const framed = blob.readUInt32LE(0) === blobMagic && blob.readUInt32LE(4) === number && blob.readUInt32LE(length - 4) === endMagic
    if (!framed || blob.readUInt32LE(tail + 4) !== size || blobHead + size > tail) {
      problem(`has no package at ${offset} where ${number} should be`)
      continue
    }
    if (adler32(blob.subarray(0, tail)) !== blob.readUInt32LE(tail)) problem(`has a damaged package ${number}: its sum is another one`)
    else yield blob.subarray(blobHead, blobHead + size)
  }
}
