/**
 * What is to go: taken down at once, and what resists (a process that waits for a dead disk, a file system that says no) again and again with growing
 * pauses, until nothing is left of it. Nobody has to ask for that, and nothing else waits for it.
 */
import type { Agenda } from '../../base/agenda.ts'
import type { Clock } from '../../base/clock.ts'

export interface Condemned {
  /**
   * Takes it down now. Resolves after the first try, and never rejects: what resists is tried again. `work` must bear being done again. `of`: whom it
   * belonged to, if anybody waits for its end.
   */
  takeDown(id: string, work: () => Promise<void>, of?: string): Promise<void>
  /** Tries those of one owner again now. Rejects with the failure of one that still resists. */
  clear(of: string): Promise<void>
  /** Those that have resisted for so long that a person should know. */
  stubborn(): ReadonlySet<string>
  /** One last try each; then it is over, and what still resists is the next daemon's. */
  close(): Promise<void>
}

export interface CondemnedOptions {
  readonly clock: Clock
  readonly agenda: Agenda
  /** A try that failed, the first being number 1. */
  readonly failed: (id: string, tries: number, error: unknown) => void
}

/** ms between two tries: doubled from the one to the other. */
const shortestPause = 500
const longestPause = 60_000
/** After so many ms it is no longer a matter of a moment. */
const patience = 60_000

interface Entry {
  readonly work: () => Promise<void>
  readonly of: string | undefined
  /** Boot clock, ms. */
  readonly since: number
  tries: number
  timer: Disposable | undefined
  underWay: Promise<void> | undefined
}

export const createCondemned = ({ clock, agenda, failed }: CondemnedOptions): Condemned => {
  const entries = new Map<string, Entry>()
  let closed = false

  const attempt = async (id: string, entry: Entry): Promise<void> => {
    entry.timer?.[Symbol.dispose]()
    entry.tries += 1
    try {
      await entry.work()
      entries.delete(id)
    } catch (error) {
      failed(id, entry.tries, error)
      const pause = Math.min(shortestPause * 2 ** (entry.tries - 1), longestPause)
      if (!closed) entry.timer = agenda.at(clock.boot() + pause, () => void join(id, entry).catch(() => {}))
      throw error
    } finally {
      entry.underWay = undefined
    }
  }
  const join = (id: string, entry: Entry): Promise<void> => {
    entry.underWay ??= attempt(id, entry)
    return entry.underWay
  }

  return {
    takeDown: async (id, work, of) => {
      const entry: Entry = entries.get(id) ?? { work, of, since: clock.boot(), tries: 0, timer: undefined, underWay: undefined }
      entries.set(id, entry)
      await join(id, entry).catch(() => {})
    },
    clear: async of => {
      await Promise.all([...entries].filter(([, entry]) => entry.of === of).map(([id, entry]) => join(id, entry)))
    },
    stubborn: () => new Set([...entries].flatMap(([id, { since, tries }]) => (tries > 1 && clock.boot() - since >= patience ? [id] : []))),
    close: async () => {
      closed = true
      await Promise.allSettled([...entries].map(([id, entry]) => join(id, entry)))
      for (const { timer } of entries.values()) timer?.[Symbol.dispose]()
    },
  }
}
