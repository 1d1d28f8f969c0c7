/** Of a log the lines that fit, each whole, byte for byte. */
import type { LogRecord } from '../model/log.ts'

/** Of a line so many bytes are looked at: longer ones are decided by their beginning, and not held in memory. */
export const longestLooked = 64 * 1024

interface Line {
  held: LogRecord[]
  bytes: number
  /** Decided by its beginning; undefined: it is still held. */
  fits: boolean | undefined
}

const newline = 10

/** `fits` gets a line without its newline, or the beginning of a long one. What is no whole line yet is held until it is, or until the end. */
export async function* matchingLines(records: AsyncIterable<LogRecord>, fits: (line: Uint8Array) => boolean): AsyncGenerator<LogRecord> {
  const begun = (): Line => ({ held: [], bytes: 0, fits: undefined })
  const lines = { stdout: begun(), stderr: begun() }
  const decide = ({ held }: Line): boolean => {
    const whole = Buffer.concat(held.map(({ data }) => data)).subarray(0, longestLooked)
    return fits(whole.at(-1) === newline ? whole.subarray(0, -1) : whole)
  }
  for await (const record of records) {
    const line = lines[record.stream]
    const ends = record.data.at(-1) === newline
    if (line.fits === undefined) {
      line.held.push(record)
      line.bytes += record.data.length
      if (!ends && line.bytes < longestLooked) continue
      line.fits = decide(line)
      if (line.fits) yield* line.held
      line.held = []
    } else if (line.fits) yield record
    if (ends) lines[record.stream] = begun()
  }
  for (const line of [lines.stdout, lines.stderr]) if (line.held.length > 0 && decide(line)) yield* line.held
}
