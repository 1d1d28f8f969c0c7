/**
 * What `dayfly-unpack --scan` says while it writes a layer (native/PROTOCOL.md), as it comes: one entry at a time, nothing is kept. Its writer is ours, but the
 * names in it are anybody's.
 */
import { DayflyError } from '../base/errors.ts'
import type { Seen } from './seen.ts'

const mostFrame = 128 * 1024

const kinds: Readonly<Record<string, Seen['kind']>> = { f: 'file', h: 'hardlink', d: 'folder', l: 'link', p: 'fifo', w: 'whiteout', o: 'opaque' }
const magics: Readonly<Record<string, Seen['magic']>> = { elf: 'elf', zip: 'zip', script: 'script' }

export interface RecordReader {
  /** Throws `internal` when the stream is not what the protocol says. */
  feed(bytes: Buffer): void
  /** Set by the last record: everything was written. Without it the layer is not whole. */
  readonly end: { readonly bytes: number; readonly entries: number } | undefined
}

const broken = (what: string): DayflyError => new DayflyError('internal', `the records of a layer are broken: ${what}`)

/** Decimal digits up to the NUL byte. */
const number = (bytes: Buffer, from: number, to: number): number => {
  let value = 0
  for (let at = from; at < to; at++) value = value * 10 + ((bytes[at] ?? 0) - 0x30)
  if (from === to || !Number.isSafeInteger(value) || value < 0) throw broken('no number where there should be one')
  return value
}

const noKeywords: readonly number[] = []

/** `onSeen` is called for each entry in the order of the archive. */
export const createRecordReader = (onSeen: (seen: Seen) => void): RecordReader => {
  let rest: Buffer = Buffer.alloc(0)
  let end: RecordReader['end']

  const frame = (bytes: Buffer, start: number, stop: number): void => {
    if (end) throw broken('something follows the end')
    const stops: number[] = []
    for (let at = start; at < stop; ) {
      const next = bytes.indexOf(0, at)
      if (next < 0 || next >= stop) throw broken('a field without an end')
      stops.push(next)
      at = next + 1
    }
    const [typeStop = 0, pathStop = 0, third = 0, fourth = 0, fifth = 0, sixth = 0, seventh = 0, eighth = 0, ninth = 0, tenth = 0] = stops
    const type = bytes.toString('latin1', start, typeStop)
    if (type === 'e') {
      end = { bytes: number(bytes, pathStop + 1, third), entries: number(bytes, third + 1, fourth) }
      return
    }
    const kind = kinds[type]
    if (kind === undefined) throw broken(`the type "${type}"`)
    const path = bytes.toString('utf8', typeStop + 1, pathStop)
    const raw = path.includes('\uFFFD') ? Buffer.from(bytes.subarray(typeStop + 1, pathStop)) : undefined
    const name = raw === undefined || raw.equals(Buffer.from(path)) ? { path } : { path, raw }
    if (kind === 'whiteout' || kind === 'opaque') {
      onSeen({ ...name, kind, mode: 0, uid: 0, gid: 0, size: 0, magic: undefined, keywords: noKeywords, hits: '', more: false })
      return
    }
    const isFile = kind === 'file'
    if (stops.length !== (isFile ? 10 : 6)) throw broken('too many fields or too few')
    onSeen({
      ...name,
      kind,
      mode: number(bytes, pathStop + 1, third),
      uid: number(bytes, third + 1, fourth),
      gid: number(bytes, fourth + 1, fifth),
      size: number(bytes, fifth + 1, sixth),
      magic: isFile ? magics[bytes.toString('latin1', sixth + 1, seventh)] : undefined,
      keywords:
        eighth > seventh + 1
          ? bytes
              .toString('latin1', seventh + 1, eighth)
              .split(',')
              .map(Number)
          : noKeywords,
      hits: ninth > eighth + 1 ? bytes.toString('latin1', eighth + 1, ninth) : '',
      more: tenth > ninth + 1,
    })
  }

  return {
    feed: chunk => {
      const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
      let at = 0
      while (bytes.length - at >= 4) {
        const length = bytes.readUInt32LE(at)
        if (length > mostFrame) throw broken(`a frame of ${length} bytes`)
        if (bytes.length - at - 4 < length) break
        frame(bytes, at + 4, at + 4 + length)
        at += 4 + length
      }
      rest = Buffer.from(bytes.subarray(at))
    },
    get end() {
      return end
    },
  }
}
