import { DayflyError } from '../base/errors.ts'
import type { Event } from '../model/event.ts'
import type { Notices } from './notices.ts'
import { anything } from './notices.ts'
import type { EventFilter, Store } from './store.ts'

/** Entries read at once: bounds memory, however long the record. */
const page = 256

/** What is in the record and then what comes, until the signal aborts, which is no error. A filter's limit bounds the whole. */
export const follow = async function* (store: Store, notices: Notices, filter: EventFilter, signal: AbortSignal): AsyncGenerator<Event> {
  let after = filter.after ?? 0
  let left = filter.limit ?? Number.POSITIVE_INFINITY
  while (left > 0 && !signal.aborted) {
    const entries = store.events({ ...filter, after, limit: Math.min(page, left) })
    for (const entry of entries) {
      yield entry
      if (signal.aborted) return
      after = entry.cursor
      left--
    }
    if (entries.length > 0) continue
    try {
      await notices.next(filter.environment ?? anything, signal)
    } catch (error) {
      if (signal.aborted) return
      throw new DayflyError('internal', 'following the events failed', { cause: error })
    }
  }
}
