/**
 * Whether an access log is what the record says it was. The record has marks: how long the file was and the hash of it, as the daemon wrote it, every ten
 * seconds and before the seal. What was written after the last mark of a daemon that was killed is vouched for by the next one, as it finds it.
 */
import { createHash } from 'node:crypto'
import { z } from 'zod'
import type { Entry } from './facts.ts'
import { accessMarkType, sealedType } from './facts.ts'

const Mark = z.object({ bytes: z.int().min(0), lines: z.int().min(0), sha256: z.string() })

export interface AccessVerdict {
  /** Bytes and lines that the record vouches for: the file begins with them, unless there is a fault. */
  readonly bytes: number
  readonly lines: number
  /** Bytes after those. The daemon marks them within seconds; of a living environment they are no fault. */
  readonly rest: number
  /** The first thing that does not agree. */
  readonly fault: AccessFault | undefined
}

export interface AccessFault {
  /** `changed`: something in these bytes, or a line less before them. `missing`: the file ends before them. `added`: they came after the record was sealed. */
  readonly what: 'changed' | 'missing' | 'added'
  /** Bytes [from, to) of the file as it was written. */
  readonly from: number
  readonly to: number
  /** Position in the record of the mark that says otherwise; of what was added, the last mark's, or 0 where there is none. */
  readonly sequence: number
}

/**
 * Compares the file's content with the marks among the entries of one environment's record, given in their order. The record itself is taken as it is:
 * whether it is whole is for others to say (facts.ts). An absent file is an empty content. Reads the content once; memory is bounded by one chunk.
 */
export const checkAccessLog = async (
  record: Iterable<Pick<Entry, 'type' | 'sequence' | 'data'>>,
  content: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): Promise<AccessVerdict> => {
  const marks: { sequence: number; bytes: number; sha256: string | undefined; lines: number }[] = []
  let sealed = false
  for (const { type, sequence, data } of record) {
    if (type === sealedType) sealed = true
    if (type !== accessMarkType) continue
    const parsed = Mark.safeParse(data)
    marks.push({ sequence, ...(parsed.success ? parsed.data : { bytes: marks.at(-1)?.bytes ?? 0, lines: 0, sha256: undefined }) })
  }

  const hash = createHash('sha256')
  let fault: AccessFault | undefined
  let at = 0
  let lines = 0
  let vouched = { bytes: 0, lines: 0, sequence: 0 }
  let next = 0
  /** Judges the marks that end here. */
  const judge = (): void => {
    for (let mark = marks[next]; fault === undefined && mark !== undefined && mark.bytes <= at; mark = marks[++next]) {
      // One that is behind the one before it: somebody has shortened the file, and the next daemon went on from there.
      const agrees = mark.bytes === at && mark.lines === lines && mark.sha256 === hash.copy().digest('hex')
      if (agrees) vouched = { bytes: at, lines, sequence: mark.sequence }
      else fault = { what: 'changed', from: Math.min(vouched.bytes, mark.bytes), to: Math.max(vouched.bytes, mark.bytes), sequence: mark.sequence }
    }
  }
  judge()
  let size = 0
  for await (const chunk of content) {
    size += chunk.length
    for (let from = 0; from < chunk.length && fault === undefined; ) {
      const mark = marks[next]
      if (mark === undefined) break
      const piece = chunk.subarray(from, from + mark.bytes - at)
      hash.update(piece)
      for (let found = piece.indexOf(10); found >= 0; found = piece.indexOf(10, found + 1)) lines++
      at += piece.length
      from += piece.length
      judge()
    }
  }
  const unmet = marks[next]
  if (fault === undefined && unmet !== undefined) fault = { what: 'missing', from: at, to: unmet.bytes, sequence: unmet.sequence }
  if (fault === undefined && sealed && size > vouched.bytes) fault = { what: 'added', from: vouched.bytes, to: size, sequence: vouched.sequence }
  return { bytes: vouched.bytes, lines: vouched.lines, rest: Math.max(0, size - vouched.bytes), fault }
}
