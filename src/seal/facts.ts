/**
 * A record read entry by entry: whether its chain holds, and what it says. The same of a store's entries and of those of a bundle, in memory that does not
 * grow with their number (but for that of instances).
 */
import { createHash } from 'node:crypto'
import { z } from 'zod'
import type { Event } from '../model/event.ts'
import { entryText, genesisText } from '../model/record.ts'
import type { Fault, RecordPredicate } from '../model/seal.ts'

export type Entry = Omit<Event, 'cursor'>

export const recordMember = 'record.ndjson'

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')

const Workloads = z.record(z.string(), z.looseObject({ image: z.string(), imageName: z.string() }))
const Creating = z.looseObject({ name: z.string(), owner: z.string(), workloads: Workloads })
const Mark = z.looseObject({ bytes: z.int().min(0), lines: z.int().min(0), sha256: z.string() })
const Kept = z.looseObject({ blocks: z.int().min(0), entries: z.int().min(0), hash: z.string() })
const Sealed = z.looseObject({ count: z.int(), hash: z.string() })

/** Entries that an access log is held against. */
export const accessMarkType = 'gateway.access_log'
export const sealedType = 'record.sealed'
export const activityKeptType = 'activity.kept'
export const forensicsTakenType = 'forensics.taken'

/** What the entries alone say of what is signed. */
export type RecordFacts = Pick<
  RecordPredicate,
  'environment' | 'createdAt' | 'endedAt' | 'cause' | 'entries' | 'types' | 'accessLog' | 'activity'
> & {
  readonly head: string
  readonly instances: readonly string[]
  /** Digests of the images that it was made with, and the names that were asked for: not those of later updates. */
  readonly firstImages: readonly (readonly [digest: string, name: string])[]
}

export interface RecordReader {
  push(entry: Entry): void
  /** The first thing that is wrong with the chain. What comes after it is not looked at. */
  readonly fault: Fault | undefined
  readonly count: number
  readonly head: string
  readonly sealed: boolean
  /** Marks of the access log and the seal. */
  readonly marks: readonly Entry[]
  /** Entries of `forensics.taken`. */
  readonly forensics: readonly Entry[]
  /** Of a sealed record whose chain holds; undefined of any other. */
  facts(): RecordFacts | undefined
}

/** Of what is held in memory: more than any record that was written has. */
const mostHeld = 500_000
const mostTypes = 1000

/** Of what a Date can say; what is beyond it was written by nobody's clock. */
const longestTime = 8_640_000_000_000_000
const iso = (ms: number): string => new Date(ms).toISOString()

export const createRecordReader = (environment: string): RecordReader => {
  let count = 0
  let head = sha256(genesisText(environment))
  let sealed = false
  let fault: Fault | undefined
  let creating: z.infer<typeof Creating> | undefined
  let createdAt = 0
  let ended: Entry | undefined
  let activity: RecordFacts['activity'] = null
  let kinds = 0
  const types: Record<string, number> = Object.create(null)
  const instances: string[] = []
  const marks: Entry[] = []
  const forensics: Entry[] = []

  const broken = (message: string): undefined => {
    fault ??= { member: recordMember, sequence: count + 1, message }
  }

  const note = (entry: Entry): undefined => {
    const { type, data } = entry
    types[type] = (types[type] ?? 0) + 1
    if (types[type] === 1) kinds++
    if (kinds > mostTypes || instances.length + marks.length + forensics.length > mostHeld) return broken('there is more than any record has')
    if (type === 'environment.creating') {
      const parsed = Creating.safeParse(data)
      if (parsed.success) creating = parsed.data
      createdAt = entry.time
    }
    if (type === 'instance.pending' && entry.instance !== undefined) instances.push(entry.instance)
    if (type === 'environment.ended') ended = entry
    if (type === accessMarkType || type === sealedType) marks.push(entry)
    if (type === forensicsTakenType) forensics.push(entry)
    if (type === activityKeptType) {
      const parsed = Kept.safeParse(data)
      if (parsed.success) activity = { blocks: parsed.data.blocks, entries: parsed.data.entries, digest: { sha256: parsed.data.hash } }
    }
  }

  return {
    push: entry => {
      if (fault) return
      if (sealed) return broken('it was added after the record was sealed')
      if (entry.environment !== environment) return broken(`it is of another environment, ${entry.environment}`)
      if (entry.sequence > count + 1) {
        return broken(entry.sequence === count + 2 ? 'it is missing' : `entries ${count + 1} to ${entry.sequence - 1} are missing`)
      }
      if (entry.sequence < count + 1) return broken(`entry ${entry.sequence} is in its place: entries were added or reordered`)
      if (entry.hash !== sha256(head + entryText(entry))) return broken('it is not what was written: its hash does not follow from the one before it')
      if (Math.abs(entry.time) > longestTime) return broken('its time is none')
      if (entry.type === sealedType) {
        const parsed = Sealed.safeParse(entry.data)
        if (!parsed.success || parsed.data.count !== count || parsed.data.hash !== head) return broken('the seal is not of the entries before it')
        sealed = true
      }
      count++
      head = entry.hash
      note(entry)
    },
    get fault() {
      return fault
    },
    get count() {
      return count
    },
    get head() {
      return head
    },
    get sealed() {
      return sealed
    },
    marks,
    forensics,
    facts: () => {
      if (fault || !sealed || creating === undefined || ended === undefined) return undefined
      const { cause } = ended.data
      const mark = marks.findLast(({ type }) => type === accessMarkType)
      const last = Mark.safeParse(mark?.data)
      return {
        environment: { id: environment, name: creating.name, owner: creating.owner },
        createdAt: iso(createdAt),
        endedAt: iso(ended.time),
        cause: typeof cause === 'string' ? cause : null,
        entries: count,
        types,
        accessLog: last.success ? { bytes: last.data.bytes, lines: last.data.lines, digest: { sha256: last.data.sha256 } } : null,
        activity,
        head,
        instances,
        firstImages: [...new Map(Object.values(creating.workloads).map(({ image, imageName }) => [image, imageName]))],
      }
    },
  }
}
