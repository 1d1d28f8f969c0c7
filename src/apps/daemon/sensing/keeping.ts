/**
 * What is kept goes to the store in blocks: of each environment what came within a second, or as much as is worth a block. The record is told how far
 * it has got (`activity.kept`), so that nothing of it can be removed or changed unseen.
 */
import { DayflyError } from '../../../base/errors.ts'
import type { Log } from '../../../base/log.ts'
import type { Testimony } from '../../../engine/witness.ts'
import type { Activity, ActivityHead, ActivityOrigin } from '../../../model/activity.ts'
import type { ActivityStore } from '../../../store/activity/activity-store.ts'
import { lostTestimony } from './testimonies.ts'
import { weightOf } from './weight.ts'

/** ms that an event waits at most, and a sample where there is nothing but samples: a block for each would be more frame than content. */
const eventPatience = 1_000
const samplePatience = 5_000

export interface KeepingLimits {
  /** Entries, and bytes, that are written at once: more would keep the thread from judging what comes meanwhile. */
  readonly most: number
  readonly heaviest: number
  /** Entries, and bytes, that wait for a disk with room, of all environments. */
  readonly mostWaiting: number
  readonly heaviestWaiting: number
}

const usualLimits: KeepingLimits = { most: 1_000, heaviest: 4 * 2 ** 20, mostWaiting: 200_000, heaviestWaiting: 128 * 2 ** 20 }

/** Environments that are over, and are remembered as such. */
const mostFinished = 20_000

export interface Keeping {
  /** Before the first entry of an instance. While the disk is full, its entries wait with it. Throws when the store does not take it for another reason. */
  introduce(origin: ActivityOrigin): void
  /** What comes of an environment that is finished is let go. */
  add(activity: Activity): void
  /** Writes what is due: to be called several times a second. */
  look(now: number): void
  /** What the record is to say of each environment that has more than the last time. */
  marks(): readonly { readonly environment: string; readonly testimony: Testimony }[]
  /** Writes all of an environment. What the record is to say at its end: also of what an earlier daemon has kept of it. */
  settle(environment: string): readonly Testimony[]
  /** Nothing of it is kept from now on: its record is closed, or about to be. */
  finish(environment: string): void
}

interface Pending {
  entries: Activity[]
  weight: number
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

const isFull = (error: unknown): boolean => error instanceof DayflyError && error.code === 'host'

export const createKeeping = (
  store: Pick<ActivityStore, 'introduce' | 'append' | 'head'>,
  log: Log,
  limits: KeepingLimits = usualLimits,
): Keeping => {
  const pending = new Map<string, Pending>()
  const known = new Map<string, Kept>()
  const finished = new Set<string>()
  /** Instances that the store could not be told of yet. */
  let strangers: ActivityOrigin[] = []
  let waiting = 0
  let weighing = 0
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

  /** It waits no more, whatever became of it. */
  const take = (environment: string): readonly Activity[] => {
    const those = pending.get(environment)
    if (those === undefined) return []
    pending.delete(environment)
    waiting -= those.entries.length
    weighing -= those.weight
    return those.entries
  }

  const introduceStrangers = (): void => {
    for (let [next] = strangers; next !== undefined; [next] = strangers) {
      try {
        store.introduce(next)
      } catch (error) {
        if (!isFull(error)) strangers = strangers.slice(1)
        throw error
      }
      strangers = strangers.slice(1)
    }
  }

  /** One entry that the store does not take is lost, and no other with it; and when the disk is full meanwhile, what is left: nothing is to be told twice. */
  const appendApart = (entries: readonly Activity[]): void => {
    const [first] = entries
    if (first === undefined) return
    try {
      store.append(entries)
    } catch (error) {
      if (entries.length > 1 && !isFull(error)) {
        const half = entries.length >> 1
        appendApart(entries.slice(0, half))
        appendApart(entries.slice(half))
        return
      }
      log.error('entries of what an instance does could not be kept', { entries: entries.length, type: first.type, instance: first.instance, error })
      lose(first.environment, entries.length, isFull(error) ? 'host' : 'internal')
    }
  }

  /** False: it has to wait. */
  const write = (environments: readonly string[]): boolean => {
    const all = environments.flatMap(environment => pending.get(environment)?.entries ?? [])
    if (all.length === 0) return true
    try {
      introduceStrangers()
      store.append(all)
    } catch (error) {
      log.error('what instances do could not be kept', { entries: all.length, again: isFull(error), error })
      if (isFull(error)) return false
      for (const environment of environments) appendApart(pending.get(environment)?.entries ?? [])
    }
    for (const environment of environments) {
      take(environment)
      keptOf(environment).changed = true
    }
    return true
  }

  return {
    introduce: origin => {
      finished.delete(origin.environment)
      strangers.push(origin)
      try {
        introduceStrangers()
      } catch (error) {
        log.warn('an instance cannot be written down as one that is watched', { instance: origin.instance, again: isFull(error), error })
        if (isFull(error)) return
        strangers = strangers.filter(one => one !== origin)
        throw error
      }
    },
    add: activity => {
      const { environment } = activity
      if (finished.has(environment)) return
      const weight = weightOf(activity)
      if (waiting >= limits.mostWaiting || weighing + weight > limits.heaviestWaiting) {
        lose(environment, 1, 'host')
        return
      }
      const now = Date.now()
      const due = now + (activity.type === 'sample' ? samplePatience : eventPatience)
      const those = pending.get(environment) ?? { entries: [], weight: 0, due }
      pending.set(environment, those)
      waiting++
      weighing += weight
      those.entries.push(activity)
      those.weight += weight
      those.due = Math.min(those.due, due)
      const enough = those.entries.length >= limits.most || those.weight >= limits.heaviest
      if (enough && now >= pausedUntil && !write([environment])) pausedUntil = now + eventPatience
    },
    look: now => {
      if (now < pausedUntil) return
      let group: string[] = []
      let [size, weight] = [0, 0]
      for (const [environment, those] of [...pending]) {
        if (those.due > now) continue
        group.push(environment)
        size += those.entries.length
        weight += those.weight
        if (size < limits.most && weight < limits.heaviest) continue
        if (!write(group)) pausedUntil = now + eventPatience
        group = []
        size = weight = 0
      }
      if (!write(group)) pausedUntil = now + eventPatience
    },
    marks: () =>
      [...known].flatMap(([environment, kept]) => {
        if (!kept.changed) return []
        kept.changed = false
        const head = store.head(environment)
        if (head.blocks === 0 || kept.marked === head.hash) return []
        kept.marked = head.hash
        return [{ environment, testimony: keptTestimony(head) }]
      }),
    settle: environment => {
      if (!write([environment])) lose(environment, take(environment).length, 'host')
      const { lost, code } = keptOf(environment)
      const head = store.head(environment)
      return [
        ...(head.blocks === 0 ? [] : [keptTestimony(head)]),
        ...(lost === 0 ? [] : [lostTestimony(`${lost} entries of what it did could not be kept`, code ?? 'host', lost)]),
      ]
    },
    finish: environment => {
      take(environment)
      known.delete(environment)
      strangers = strangers.filter(one => one.environment !== environment)
      finished.add(environment)
      const [oldest] = finished.size > mostFinished ? finished : []
      if (oldest !== undefined) finished.delete(oldest)
    },
  }
}
