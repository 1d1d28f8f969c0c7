/**
 * What is kept goes to the store in blocks: of each environment what came within a second, or as many entries as are worth a block. The record is told how far
 * it has got (`activity.kept`), so that nothing of it can be removed or changed unseen.
 */
import { DayflyError } from '../../../base/errors.ts'
import type { Log } from '../../../base/log.ts'
import type { Testimony } from '../../../engine/witness.ts'
import type { Activity, ActivityHead, ActivityOrigin } from '../../../model/activity.ts'
import type { ActivityStore } from '../../../store/activity/activity-store.ts'

/** ms that an event waits at most, and a sample where there is nothing but samples: a block for each would be more frame than content. */
const eventPatience = 1_000
const samplePatience = 5_000
/** Entries that are written at once: more would keep the thread from judging what comes meanwhile. */
const most = 1_000
/** Entries that wait for a disk with room, of all environments. */
const mostWaiting = 200_000

export interface Keeping {
  /** Before the first entry of an instance. While the disk is full, its entries wait with it. */
  introduce(origin: ActivityOrigin): void
  add(activity: Activity): void
  /** Writes what is due: to be called several times a second. */
  look(now: number): void
  /** What the record is to say of each environment that has more than the last time. */
  marks(): readonly { readonly environment: string; readonly testimony: Testimony }[]
  /** Writes all of an environment. What the record is to say at its end. */
  settle(environment: string): readonly Testimony[]
  forget(environment: string): void
}

interface Pending {
  entries: Activity[]
  /** Wall ms at which it is to be written. */
  due: number
}

interface Kept {
  marked: string | undefined
  changed: boolean
  lost: number
  code: string | undefined
}

export const keptTestimony = ({ blocks, entries, hash }: ActivityHead): Testimony => ({
  ...{ instance: undefined, type: 'activity.kept', reason: `${entries} entries of what it did are kept`, data: { blocks, entries, hash } },
})

export const createKeeping = (store: Pick<ActivityStore, 'introduce' | 'append' | 'head'>, log: Log): Keeping => {
  const pending = new Map<string, Pending>()
  const known = new Map<string, Kept>()
  /** Instances that the store could not be told of yet. */
  let strangers: ActivityOrigin[] = []
  let waiting = 0
  /** Wall ms: not before, for the disk was full. */
  let pausedUntil = 0

  const keptOf = (environment: string): Kept => {
    const kept = known.get(environment) ?? { marked: undefined, changed: false, lost: 0, code: undefined }
    known.set(environment, kept)
    return kept
  }

  const lose = (environment: string, count: number, code: string): void => {
    const kept = keptOf(environment)
    kept.lost += count
    kept.code = code
  }

  const isFull = (error: unknown): boolean => error instanceof DayflyError && error.code === 'host'

  const introduceStrangers = (): void => {
    for (let [next] = strangers; next !== undefined; [next] = strangers) {
      store.introduce(next)
      strangers = strangers.slice(1)
    }
  }

  /** False: it has to wait. */
  const write = (environments: readonly string[]): boolean => {
    const entries = environments.flatMap(environment => pending.get(environment)?.entries ?? [])
    if (entries.length === 0) return true
    try {
      introduceStrangers()
      store.append(entries)
    } catch (error) {
      const full = isFull(error)
      log.error('what instances do could not be kept', { entries: entries.length, again: full, error })
      if (full) return false
      for (const environment of environments) lose(environment, pending.get(environment)?.entries.length ?? 0, 'internal')
    }
    for (const environment of environments) {
      keptOf(environment).changed = true
      pending.delete(environment)
    }
    waiting -= entries.length
    return true
  }

  const mark = (environment: string): Testimony | undefined => {
    const kept = keptOf(environment)
    kept.changed = false
    const head = store.head(environment)
    if (head.blocks === 0 || kept.marked === head.hash) return undefined
    kept.marked = head.hash
    return keptTestimony(head)
  }

  return {
    introduce: origin => {
      strangers.push(origin)
      try {
        introduceStrangers()
      } catch (error) {
        log.warn('an instance cannot be written down as one that is watched; it is tried again', { instance: origin.instance, error })
        if (!isFull(error)) strangers = strangers.filter(one => one !== origin)
      }
    },
    add: activity => {
      const { environment } = activity
      if (waiting >= mostWaiting) {
        lose(environment, 1, 'host')
        return
      }
      const now = Date.now()
      const patience = activity.type === 'sample' ? samplePatience : eventPatience
      const those = pending.get(environment)
      waiting++
      if (those === undefined) {
        pending.set(environment, { entries: [activity], due: now + patience })
        return
      }
      those.entries.push(activity)
      those.due = Math.min(those.due, now + patience)
      if (those.entries.length >= most && now >= pausedUntil && !write([environment])) pausedUntil = now + eventPatience
    },
    look: now => {
      if (now < pausedUntil) return
      let group: string[] = []
      let size = 0
      for (const [environment, { entries, due }] of [...pending]) {
        if (due > now) continue
        group.push(environment)
        size += entries.length
        if (size < most) continue
        if (!write(group)) pausedUntil = now + eventPatience
        group = []
        size = 0
      }
      if (!write(group)) pausedUntil = now + eventPatience
    },
    marks: () =>
      [...known].flatMap(([environment, { changed }]) => {
        const testimony = changed ? mark(environment) : undefined
        return testimony === undefined ? [] : [{ environment, testimony }]
      }),
    settle: environment => {
      if (!write([environment])) {
        const entries = pending.get(environment)?.entries.length ?? 0
        lose(environment, entries, 'host')
        waiting -= entries
        pending.delete(environment)
      }
      const { lost, code } = keptOf(environment)
      const kept = mark(environment)
      return [
        ...(kept === undefined ? [] : [kept]),
        ...(lost === 0
          ? []
          : [
              {
                ...{ instance: undefined, type: 'activity.lost', reason: `${lost} entries of what it did could not be kept` },
                data: { entries: lost, code: code ?? 'host' },
              },
            ]),
      ]
    },
    forget: environment => {
      waiting -= pending.get(environment)?.entries.length ?? 0
      pending.delete(environment)
      known.delete(environment)
      strangers = strangers.filter(one => one.environment !== environment)
    },
  }
}
