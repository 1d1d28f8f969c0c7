/** The lines of a record in a bundle, as entries that are checked. */
import { z } from 'zod'
import { DayflyError } from '../base/errors.ts'
import { Event } from '../model/event.ts'
import type { Fault } from '../model/seal.ts'
import { entryLine } from './bundle.ts'
import type { Entry, RecordReader } from './facts.ts'
import { recordMember } from './facts.ts'
import { linesOf } from './lines.ts'

const Line = z.strictObject(Event.omit({ cursor: true }).shape)

/** What a program wrote is in one form only: the same entry in other bytes was written by somebody else. */
const entryOf = (line: Buffer): Entry | undefined => {
  try {
    const text = line.toString()
    const parsed = Line.safeParse(JSON.parse(text))
    return parsed.success && entryLine(parsed.data) === `${text}\n` ? parsed.data : undefined
  } catch {
    return undefined // Also what is nested too deep to be looked at.
  }
}

/** Reads all of it into `reader`, whatever is wrong; returns the first fault. */
export const readRecord = async (content: AsyncIterable<Uint8Array>, reader: RecordReader): Promise<Fault | undefined> => {
  let fault: Fault | undefined
  try {
    for await (const line of linesOf(content)) {
      if (fault ?? reader.fault) continue
      const entry = entryOf(line)
      if (entry === undefined) fault = { member: recordMember, sequence: reader.count + 1, message: 'it is no entry as one is written' }
      else reader.push(entry)
    }
  } catch (error) {
    if (!(error instanceof DayflyError)) throw error
    fault ??= { member: recordMember, sequence: reader.count + 1, message: error.message }
  }
  return fault ?? reader.fault
}
