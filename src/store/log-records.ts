/** The bytes of a CRI log as records. */
import { DayflyError } from '../base/errors.ts'
import type { LogRecord } from '../model/log.ts'

/** Longer than any record a monitor writes (one record is one read of a pipe); a file that has one is not a log. */
export const longestRecord = 1 << 20

const newline = 10
const space = 32
const letter = { F: 70, P: 80, o: 111, e: 101 } as const

interface Header {
  readonly stream: 'stdout' | 'stderr'
  readonly partial: boolean
  /** Offset of the space after the time stamp, and of the payload. */
  readonly timeEnd: number
  readonly payload: number
}

/** The header of the record in `bytes[from, to)`, or undefined when that is none. */
export const headerOf = (bytes: Buffer, from: number, to: number): Header | undefined => {
  const timeEnd = bytes.indexOf(space, from)
  // ` stdout F ` follows the time stamp; o and e are the fourth letters of the streams' names.
  const payload = timeEnd + 10
  if (timeEnd < 0 || payload > to || bytes[timeEnd + 7] !== space || bytes[timeEnd + 9] !== space) return undefined
  const flag = bytes[timeEnd + 8]
  const which = bytes[timeEnd + 4]
  if ((flag !== letter.F && flag !== letter.P) || (which !== letter.o && which !== letter.e)) return undefined
  return { stream: which === letter.o ? 'stdout' : 'stderr', partial: flag === letter.P, timeEnd, payload }
}

export interface RecordParser {
  /** The records that are complete with these bytes. They hold on to the bytes. */
  push(chunk: Buffer): Generator<LogRecord>
  /** What is left of a record that was torn by a crash, as far as it can be read. */
  rest(): LogRecord | undefined
}

/** Lines that are no records are passed over: a log is worth reading although one byte of it is damaged. */
export const createRecordParser = (): RecordParser => {
  let pending: Buffer = Buffer.alloc(0)
  let second = ''
  let secondMs = 0

  /** Records of one second share the expensive part of their time stamp. */
  const timeOf = (bytes: Buffer, from: number, to: number): number => {
    const text = bytes.toString('latin1', from, Math.min(to, from + 26))
    if (!text.startsWith(second) || second === '') {
      second = text.slice(0, 19)
      secondMs = Date.parse(`${second}Z`)
    }
    const fraction = /^\.(\d{1,6})/.exec(text.slice(19))?.[1] ?? '0'
    return secondMs + Number(fraction.padEnd(6, '0')) / 1000
  }

  const record = (bytes: Buffer, from: number, to: number, whole: boolean): LogRecord | undefined => {
    const header = headerOf(bytes, from, to)
    if (!header) return undefined
    const time = timeOf(bytes, from, header.timeEnd)
    if (Number.isNaN(time)) return undefined
    // The newline that ends a full record in the file is the one that the instance wrote.
    return { stream: header.stream, time, data: bytes.subarray(header.payload, whole && !header.partial ? to + 1 : to) }
  }

  return {
    *push(chunk) {
      const bytes = pending.length === 0 ? chunk : Buffer.concat([pending, chunk])
      let from = 0
      let scanned = pending.length
      for (let to = bytes.indexOf(newline, scanned); to >= 0; to = bytes.indexOf(newline, scanned)) {
        const found = record(bytes, from, to, true)
        from = to + 1
        scanned = from
        if (found) yield found
      }
      pending = bytes.subarray(from)
      if (pending.length > longestRecord) {
        throw new DayflyError('corrupt', `the log has a record of more than ${longestRecord} bytes`)
      }
    },
    rest: () => {
      const found = pending.length === 0 ? undefined : record(pending, 0, pending.length, false)
      return found && found.data.length > 0 ? found : undefined
    },
  }
}
