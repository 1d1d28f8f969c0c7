/** What the closed egress of environments has stopped, counted for as long as this daemon lives: the kernel's own counts go with its entries, after an hour. */
import type { Denied } from '../../engine/backend.ts'

export interface Denials {
  /** `total` as its source counts it: it begins anew at 0 when its entry has gone and come again. */
  observe(kind: Omit<Denied, 'count'>, source: string, total: number): void
  add(kind: Omit<Denied, 'count'>, source: string, more: number): void
  all(): Denied[]
}

/** Kinds kept of one environment. */
const mostKinds = 1024

interface Entry {
  readonly kind: Omit<Denied, 'count'>
  seen: number
  count: number
}

export const createDenials = (): Denials => {
  const entries = new Map<string, Entry>()
  const entryOf = (kind: Omit<Denied, 'count'>, source: string): Entry | undefined => {
    // By the address it came from: who is at it may be known a moment later only.
    const key = [source, kind.destination, kind.port, kind.protocol].join(' ')
    const found = entries.get(key)
    const entry = { kind, seen: 0, count: 0, ...found, ...(found !== undefined && found.kind.instance !== kind.instance ? { kind } : {}) }
    if (found === undefined && entries.size >= mostKinds) return undefined
    entries.set(key, entry)
    return entry
  }
  return {
    observe: (kind, source, total) => {
      const entry = entryOf(kind, source)
      if (entry === undefined) return
      entry.count += total < entry.seen ? total : total - entry.seen
      entry.seen = total
    },
    add: (kind, source, more) => {
      const entry = entryOf(kind, source)
      if (entry !== undefined) entry.count += more
    },
    all: () => [...entries.values()].map(({ kind, count }) => ({ ...kind, count })),
  }
}
