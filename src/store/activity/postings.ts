/**
 * Posting lists: at which offsets of a segment a token occurs. The lists of a segment lie in buckets, told apart by a hash; two tokens of one hash share what they
 * find, which is looked at closely anyway.
 *
 * A bucket is a sequence of: hash (4 bytes), count * 4 + form, length (both as varints), and so many bytes:
 *   form 0   distances: each offset less the one before less 1, as varints, the first from -1
 *   form 1   runs: for each run of offsets without gaps its distance from the end of the one before, and its length less 1
 *   form 2   a bit for each offset
 */

/** Offsets are below this. */
export const longestSegment = 65_536

const forms = { distances: 0, runs: 1, bits: 2 } as const

/** Two numbers of 32 bits: the first one says the bucket, the second one is in it. */
export const hashOf = (token: string): readonly [number, number] => {
  let left = 0x811c9dc5
  let right = 0x9e3779b9
  for (let at = 0; at < token.length; at++) {
    const code = token.charCodeAt(at)
    left = Math.imul(left ^ code, 0x01000193)
    right = Math.imul(right ^ code, 0x85ebca6b) ^ (right >>> 15)
  }
  left = Math.imul(left ^ (left >>> 16), 0xc2b2ae35)
  right = Math.imul(right ^ (right >>> 13), 0x27d4eb2f)
  return [(left ^ (left >>> 13)) >>> 0, (right ^ (right >>> 16)) >>> 0]
}

/** The bucket among 2 ** bits. */
export const bucketOf = (hash: number, bits: number): number => (bits === 0 ? 0 : hash >>> (32 - bits))

const varintSize = (value: number): number => (value < 1 << 7 ? 1 : value < 1 << 14 ? 2 : value < 1 << 21 ? 3 : 5)

interface Shape {
  readonly form: 0 | 1 | 2
  readonly size: number
}

/** The form that takes the least room. Offsets are in order, without doubles. */
const shapeOf = (offsets: readonly number[]): Shape => {
  let [distances, runs, before, runEnd, runStart] = [0, 0, -1, -1, -1]
  for (const offset of offsets) {
    distances += varintSize(offset - before - 1)
    if (offset !== before + 1 || runStart < 0) {
      if (runStart >= 0) runs += varintSize(before - runStart)
      runs += varintSize(offset - runEnd - 1)
      runStart = offset
    }
    before = offset
    runEnd = offset
  }
  if (runStart >= 0) runs += varintSize(before - runStart)
  const bits = (before >> 3) + 1
  if (bits < runs && bits < distances) return { form: forms.bits, size: bits }
  return runs < distances ? { form: forms.runs, size: runs } : { form: forms.distances, size: distances }
}

/** Bytes of a bucket while it is made. */
interface Sink {
  bytes: Buffer
  length: number
}

const putVarint = (sink: Sink, value: number): void => {
  let rest = value
  for (; rest > 127; rest >>>= 7) sink.bytes[sink.length++] = (rest & 127) | 128
  sink.bytes[sink.length++] = rest
}

const putRuns = (sink: Sink, offsets: readonly number[]): void => {
  let end = -1
  for (let at = 0; at < offsets.length; ) {
    const start = offsets[at] ?? 0
    let next = at + 1
    while (next < offsets.length && offsets[next] === start + (next - at)) next++
    putVarint(sink, start - end - 1)
    putVarint(sink, next - at - 1)
    end = start + (next - at) - 1
    at = next
  }
}

const putList = (sink: Sink, hash: number, offsets: readonly number[]): void => {
  const { form, size } = shapeOf(offsets)
  if (sink.length + size + 16 > sink.bytes.length) sink.bytes = Buffer.concat([sink.bytes], Math.max(sink.bytes.length * 2, sink.length + size + 16))
  sink.length = sink.bytes.writeUInt32LE(hash, sink.length)
  putVarint(sink, offsets.length * 4 + form)
  putVarint(sink, size)
  if (form === forms.runs) putRuns(sink, offsets)
  else if (form === forms.distances) {
    let before = -1
    for (const offset of offsets) {
      putVarint(sink, offset - before - 1)
      before = offset
    }
  } else {
    sink.bytes.fill(0, sink.length, sink.length + size)
    for (const offset of offsets) {
      const at = sink.length + (offset >> 3)
      sink.bytes[at] = (sink.bytes[at] ?? 0) | (1 << (offset & 7))
    }
    sink.length += size
  }
}

/** About so many bytes a bucket: one read of the file. */
const bucketSize = 2048
const mostBits = 14

/** Lists of one bucket: the hash of each, and its offsets, in order and without doubles. */
export type Bucket = readonly (readonly [hash: number, offsets: readonly number[]])[]

/** Lists by token, shared out to 2 ** bits buckets. */
export const bucketsOf = (lists: ReadonlyMap<string, readonly number[]>): { readonly bits: number; readonly buckets: readonly Bucket[] } => {
  let estimate = 0
  for (const offsets of lists.values()) estimate += 7 + Math.min(offsets.length, longestSegment / 8)
  const bits = Math.min(mostBits, Math.max(0, Math.ceil(Math.log2(estimate / bucketSize))))
  const buckets: [number, readonly number[]][][] = Array.from({ length: 2 ** bits }, () => [])
  for (const [token, offsets] of lists) {
    const [which, hash] = hashOf(token)
    buckets[bucketOf(which, bits)]?.push([hash, offsets])
  }
  return { bits, buckets }
}

const sink: Sink = { bytes: Buffer.allocUnsafe(1 << 16), length: 0 }

export const encodeBucket = (bucket: Bucket): Buffer => {
  sink.length = 0
  for (const [hash, offsets] of bucket) putList(sink, hash, offsets)
  return Buffer.from(sink.bytes.subarray(0, sink.length))
}

/** A list in its bucket. */
export interface Posting {
  readonly count: number
  readonly form: number
  readonly bytes: Uint8Array
}

interface Cursor {
  at: number
}

const varintAt = (bytes: Uint8Array, cursor: Cursor): number => {
  let value = 0
  for (let shift = 0; shift < 35; shift += 7) {
    const byte = bytes[cursor.at++] ?? 0
    value |= (byte & 127) << shift
    if (byte < 128) break
  }
  return value >>> 0
}

/** Calls `visit` with each list of a bucket. What is damaged gives less, never something outside of the bucket. */
const eachList = (bucket: Uint8Array, visit: (hash: number, head: number, start: number, end: number) => void): void => {
  const view = new DataView(bucket.buffer, bucket.byteOffset, bucket.byteLength)
  const cursor: Cursor = { at: 0 }
  while (cursor.at + 6 <= bucket.length) {
    const hash = view.getUint32(cursor.at, true)
    cursor.at += 4
    const head = varintAt(bucket, cursor)
    const size = varintAt(bucket, cursor)
    visit(hash, head, cursor.at, cursor.at + size)
    cursor.at += size
  }
}

/** The lists of that hash. */
export const postingsIn = (bucket: Uint8Array, wanted: number): Posting[] => {
  const found: Posting[] = []
  eachList(bucket, (hash, head, start, end) => {
    if (hash === wanted) found.push({ count: head >>> 2, form: head & 3, bytes: bucket.subarray(start, end) })
  })
  return found
}

/** The bucket without the offsets that `keeps` refuses; undefined: nothing is left. */
export const thinned = (bucket: Uint8Array, keeps: (offset: number) => boolean): Buffer | undefined => {
  const left: (readonly [number, readonly number[]])[] = []
  eachList(bucket, (hash, head, start, end) => {
    const offsets: number[] = []
    eachOffset({ count: head >>> 2, form: head & 3, bytes: bucket.subarray(start, end) }, offset => {
      if (keeps(offset)) offsets.push(offset)
    })
    if (offsets.length > 0) left.push([hash, offsets])
  })
  return left.length === 0 ? undefined : encodeBucket(left)
}

/** Calls `visit` with each offset, in order. */
export const eachOffset = ({ form, bytes }: Posting, visit: (offset: number) => void): void => {
  const cursor: Cursor = { at: 0 }
  if (form === forms.distances) {
    for (let before = -1; cursor.at < bytes.length; ) {
      before += varintAt(bytes, cursor) + 1
      visit(before)
    }
  } else if (form === forms.runs) {
    for (let end = -1; cursor.at < bytes.length; ) {
      const start = end + 1 + varintAt(bytes, cursor)
      end = Math.min(start + varintAt(bytes, cursor), longestSegment)
      for (let offset = start; offset <= end; offset++) visit(offset)
    }
  } else {
    for (let at = 0; at < bytes.length; at++) {
      const byte = bytes[at] ?? 0
      if (byte === 0) continue
      for (let bit = 0; bit < 8; bit++) if (byte & (1 << bit)) visit(at * 8 + bit)
    }
  }
}

const marks = new Uint8Array(longestSegment)

/** Offsets, in order, that are in a list of each group. There is at least one group, and there are fewer than 256. */
export const intersection = (groups: readonly (readonly Posting[])[]): number[] => {
  const size = (group: readonly Posting[]): number => group.reduce((sum, { count }) => sum + count, 0)
  const ordered = groups.toSorted((left, right) => size(left) - size(right))
  const [smallest = [], ...others] = ordered
  if (others.length === 0 && smallest.length === 1) {
    const found: number[] = []
    for (const posting of smallest) eachOffset(posting, offset => found.push(offset))
    return found
  }
  marks.fill(0)
  for (const posting of smallest) {
    eachOffset(posting, offset => {
      marks[offset] = 1
    })
  }
  for (const [index, group] of others.entries()) {
    const reached = index + 1
    for (const posting of group) {
      eachOffset(posting, offset => {
        if (marks[offset] === reached) marks[offset] = reached + 1
      })
    }
  }
  const found: number[] = []
  for (let offset = marks.indexOf(groups.length); offset >= 0; offset = marks.indexOf(groups.length, offset + 1)) found.push(offset)
  return found
}
