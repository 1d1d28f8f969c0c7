/**
 * Keeps the audit log. What changes something, or was refused, is an entry at once. Reads that succeed, and refusals that repeat, are counted for a minute, by who,
 * from where, which route and what, and are one entry then: polling does not flood the log, nor does whoever knocks.
 */
import type { Called } from '../../../api/caller.ts'
import type { Clock } from '../../../base/clock.ts'
import { messageOf } from '../../../base/errors.ts'
import type { Log } from '../../../base/log.ts'
import type { AuditBook, NewAuditEntry } from '../../../model/audit.ts'

const window = 60_000
/** Counted at once; with more, all are written. */
const mostCounted = 2_000
const keptFor = 90 * 86_400_000
const mostEntries = 1_000_000
const pruneEvery = 3_600_000

/** Over the socket, calls about access: what else the owner changes is in the record of environments. */
const ofOwner = (route: string): boolean => /\/v1\/(tokens|session|audit)/.test(route)

export interface Audit extends Disposable {
  note(called: Called): void
  /** Writes what is counted. */
  flush(): void
}

export const createAudit = (book: AuditBook, clock: Pick<Clock, 'wall'>, log: Log): Audit => {
  const counted = new Map<string, NewAuditEntry>()
  let prunedAt = 0

  const write = (entries: readonly NewAuditEntry[]): void => {
    if (entries.length === 0) return
    try {
      book.append(entries)
    } catch (error) {
      // A disk that is full must not keep whoever could help out.
      log.error('the audit log could not be written', { entries: entries.length, error: messageOf(error) })
    }
  }
  const flush = (): void => {
    const entries = [...counted.values()]
    counted.clear()
    write(entries)
    const now = clock.wall()
    if (now - prunedAt < pruneEvery) return
    prunedAt = now
    try {
      book.prune(now - keptFor, mostEntries)
    } catch (error) {
      log.error('the audit log could not be shortened', { error: messageOf(error) })
    }
  }
  const timer = setInterval(flush, window)
  timer.unref()

  return {
    note: ({ principal, address, route, ref, status, code, reads }) => {
      const kind = principal === undefined || principal.name === '' ? 'stranger' : principal.kind
      if (kind === 'owner' && !ofOwner(route)) return
      const now = clock.wall()
      const name = principal?.name ?? ''
      const entry: NewAuditEntry = {
        ...{ time: now, kind, name, address, route, ref: kind === 'stranger' ? '' : ref, status, count: 1, until: now },
        ...(code === undefined ? {} : { code }),
      }
      const key = JSON.stringify([kind, name, address, route, entry.ref, status, code])
      const before = counted.get(key)
      if (before !== undefined) {
        counted.set(key, { ...before, count: before.count + 1, until: now })
        return
      }
      // The first of a refusal is told at once, what repeats it is counted; a change is told at once each time.
      const refused = status >= 400
      if (!reads && !refused) return write([entry])
      if (counted.size >= mostCounted) flush()
      counted.set(key, entry)
    },
    flush,
    [Symbol.dispose]: () => {
      clearInterval(timer)
      flush()
    },
  }
}
