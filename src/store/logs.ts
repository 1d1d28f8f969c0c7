/** Reading instance logs, while they are written and afterwards. Memory is bounded by one chunk and one record, however long the log. */
import type { FileHandle } from 'node:fs/promises'
import type { ReadLog } from '../model/log.ts'
import { chunkSize, followFile } from './follow-file.ts'
import { createRecordParser, headerOf, longestRecord } from './log-records.ts'

/**
 * Where the last `lines` lines begin. A line ends with a full record; partial records at the end are a line, too. Where both streams have a line open
 * at once, the first line may lack its beginning.
 */
const tailOffset = async (file: FileHandle, lines: number): Promise<number> => {
  const { size } = await file.stat()
  if (lines <= 0) return size
  let seen = 0
  let open = false
  let end = size
  let carried: Buffer = Buffer.alloc(0)
  for (let start = size; start > 0; ) {
    const length = Math.min(chunkSize, start)
    const block = Buffer.alloc(length)
    await file.read(block, 0, length, start - length)
    start -= length
    const bytes = Buffer.concat([block, carried])
    let to = bytes.length
    for (;;) {
      // The newline at `to - 1` ends the record; the one before it ends its predecessor.
      const before = to >= 2 ? bytes.lastIndexOf(10, to - 2) : -1
      if (before < 0 && start > 0) break
      const header = headerOf(bytes, before + 1, to)
      const counts = header && (!header.partial || (seen === 0 && !open))
      if (header?.partial && seen === 0) open = true
      if (counts) seen++
      if (counts && seen > lines) return start + to
      end = start + before + 1
      if (before < 0) break
      to = before + 1
    }
    carried = bytes.subarray(0, to)
    if (carried.length > longestRecord) return end
  }
  return 0
}

/**
 * The records of the log at `path`, as options say (see LogOptions). When `until` settles, what was written before that is read to the end. A last record
 * torn by a crash is given as far as it goes.
 */
export const readLog: ReadLog = async function* (
  path,
  { since = Number.NEGATIVE_INFINITY, notAfter = Number.POSITIVE_INFINITY, tail, from, until, signal },
) {
  const parser = createRecordParser()
  const begin = (file: FileHandle): number | Promise<number> => from ?? (tail === undefined ? 0 : tailOffset(file, tail))
  for await (const chunk of followFile(path, { from: begin, until, signal })) {
    for (const record of parser.push(chunk)) {
      if (record.time >= since && record.time <= notAfter) yield record
      if (signal.aborted) return
    }
  }
  if (signal.aborted) return
  const torn = parser.rest()
  if (torn && torn.time >= since && torn.time <= notAfter) yield torn
}
