/** Reading access logs, while they are written and afterwards. */
import type { FileHandle } from 'node:fs/promises'
import { AccessEntry } from '../model/access.ts'
import { chunkSize, followFile } from './follow-file.ts'

export interface AccessOptions {
  /** Wall clock, ms: only requests whose head was there at or after it. */
  readonly since?: number | undefined
  /** Only the last so many lines of what is there at the beginning. */
  readonly tail?: number | undefined
  /** Follows until this settles. Without it: what is there now. */
  readonly until?: Promise<unknown> | undefined
  readonly signal: AbortSignal
}

const newline = 10
/** Longer than any line that is written; what is longer is none of ours. */
const longestLine = 1 << 20

/** Where the last `lines` whole lines begin. */
const tailOffset = async (file: FileHandle, lines: number): Promise<number> => {
  const { size } = await file.stat()
  let seen = 0
  for (let start = size; start > 0; ) {
    const length = Math.min(chunkSize, start)
    start -= length
    const { buffer } = await file.read(Buffer.alloc(length), 0, length, start)
    for (let at = buffer.lastIndexOf(newline); at >= 0; at = at === 0 ? -1 : buffer.lastIndexOf(newline, at - 1)) {
      if (seen++ === lines) return start + at + 1
    }
  }
  return 0
}

const entryOf = (line: Buffer): AccessEntry | undefined => {
  try {
    const parsed = AccessEntry.safeParse(JSON.parse(line.toString()))
    return parsed.success ? parsed.data : undefined
  } catch {
    return undefined
  }
}

/** The entries of the access log at `path`. Lines that are none are passed over: a log is worth reading although one byte of it is damaged. */
export async function* readAccessLog(
  path: string,
  { since = Number.NEGATIVE_INFINITY, tail, until, signal }: AccessOptions,
): AsyncGenerator<AccessEntry> {
  let pending: Buffer = Buffer.alloc(0)
  const from = (file: FileHandle): number | Promise<number> => (tail === undefined ? 0 : tailOffset(file, tail))
  for await (const chunk of followFile(path, { from, until, signal })) {
    const bytes = pending.length === 0 ? chunk : Buffer.concat([pending, chunk])
    let start = 0
    for (let end = bytes.indexOf(newline, pending.length); end >= 0; end = bytes.indexOf(newline, start)) {
      const entry = entryOf(bytes.subarray(start, end))
      start = end + 1
      if (entry !== undefined && entry.time >= since) yield entry
      if (signal.aborted) return
    }
    pending = bytes.length - start > longestLine ? Buffer.alloc(0) : bytes.subarray(start)
  }
}
