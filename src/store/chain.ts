/** The hash chain of a record. */
import { createHash } from 'node:crypto'
import type { Event } from '../model/event.ts'
import { entryText, genesisText } from '../model/record.ts'

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')

/** What stands before the first entry. */
export const genesisHash = (environment: string): string => sha256(genesisText(environment))

/** The hash of an entry that follows one with the hash `previous`. */
export const entryHash = (previous: string, entry: Omit<Event, 'cursor' | 'hash'>): string => sha256(previous + entryText(entry))

export interface Head {
  readonly count: number
  readonly hash: string
  readonly sealed: boolean
}

export const sealedType = 'record.sealed'

/**
 * Position of the first entry that is not what was written there, or undefined. An entry that cannot be read is given as undefined. `head` is what the record's last entry must be; `over` says that
 * the environment has ended, so that the record must be sealed.
 */
export const firstBroken = (environment: string, entries: Iterable<Event | undefined>, head: Head, over: boolean): number | undefined => {
  let count = 0
  let hash = genesisHash(environment)
  let sealed = false
  for (const entry of entries) {
    const position = count + 1
    if (!entry || sealed || entry.sequence !== position || entry.environment !== environment) return position
    if (entry.hash !== entryHash(hash, entry)) return position
    if (entry.type === sealedType) {
      if (entry.data['count'] !== count || entry.data['hash'] !== hash) return position
      sealed = true
    }
    count = position
    hash = entry.hash
  }
  if (count !== head.count) return Math.min(count, head.count) + 1
  if (hash !== head.hash) return Math.max(count, 1)
  return sealed === head.sealed && (sealed || !over) ? undefined : count + 1
}
