/**
 * Follows the sequences in the events of one instance. A *thread* is a sequence that has begun: how far it is, and the values that its steps had. An event moves
 * every thread that waits for it one step on, and leaves it where it was, too: what was downloaded once can be run twice.
 *
 * Bounded: `threads` for each step of each sequence. What is over, goes oldest first, so whoever floods an instance with first steps must do so within `within`
 * of the real ones; a thread with the same values as another takes its place, so repeating one is no flood.
 */
import type { EventContext } from '../fields/context.ts'
import type { Sequence, Step, Told } from './pattern.ts'

export const threadLimit = 512

interface Thread {
  /** Wall ms of its first step. */
  readonly since: number
  readonly values: ReadonlyMap<string, string>
  readonly notes: readonly Told[]
}

export interface CompletedSequence {
  readonly sequence: Sequence
  readonly told: Told
}

const valuesOf = (step: Step, context: EventContext): ReadonlyMap<string, string> | undefined => {
  const values = new Map<string, string>()
  for (const { name, read } of step.same) {
    const value = read(context)
    if (value === undefined) return undefined
    values.set(name, JSON.stringify(value))
  }
  return values
}

/** Both together; undefined where they contradict each other. */
const united = (left: ReadonlyMap<string, string>, right: ReadonlyMap<string, string>): ReadonlyMap<string, string> | undefined => {
  for (const [name, value] of right) if ((left.get(name) ?? value) !== value) return undefined
  return new Map([...left, ...right])
}

const identityOf = (values: ReadonlyMap<string, string>): string => JSON.stringify([...values].sort(([a], [b]) => (a < b ? -1 : 1)))

/** `waiting[i]` holds the threads whose next step is `i`. */
const createFollower = (sequence: Sequence, limit: number) => {
  const waiting: Map<string, Thread>[] = sequence.steps.map(() => new Map())
  const last = sequence.steps.length - 1

  const keep = (at: number, thread: Thread): void => {
    const threads = waiting[at]
    if (threads === undefined) return
    const identity = identityOf(thread.values)
    threads.delete(identity)
    threads.set(identity, thread)
    const [oldest] = threads.size > limit ? threads.keys() : []
    if (oldest !== undefined) threads.delete(oldest)
  }

  const finish = (context: EventContext, thread: Thread, note: Told): CompletedSequence => {
    const { output, fields } = sequence.output(context)
    const steps = sequence.steps.map(({ as }, index) => [as, (thread.notes[index] ?? note).output] as const)
    return {
      sequence,
      told: { output: `${output} (${steps.map(([as, text]) => `${as}: ${text}`).join('; ')})`, fields: { ...fields, ...Object.fromEntries(steps) } },
    }
  }

  return (context: EventContext, type: string): CompletedSequence | undefined => {
    const { time } = context.event
    let completed: CompletedSequence | undefined
    // The last step first, so that one event is one step only.
    for (let at = last; at >= 0; at--) {
      const step = sequence.steps[at]
      const threads = waiting[at]
      if (step === undefined || threads === undefined || (at > 0 && threads.size === 0) || !step.eventTypes.has(type) || !step.matches(context))
        continue
      const values = valuesOf(step, context)
      if (values === undefined) continue
      const note = step.note(context)
      if (at === 0) {
        keep(1, { since: time, values, notes: [note] })
        continue
      }
      for (const [identity, thread] of [...threads]) {
        if (time - thread.since > sequence.within) {
          threads.delete(identity)
          continue
        }
        const both = united(thread.values, values)
        if (both === undefined) continue
        if (at < last) {
          keep(at + 1, { since: thread.since, values: both, notes: [...thread.notes, note] })
          continue
        }
        threads.delete(identity)
        completed ??= finish(context, thread, note)
      }
    }
    return completed
  }
}

/** Of one instance. An event completes each sequence at most once. */
export const createSequenceTracker = (
  sequences: readonly Sequence[],
  limit: number = threadLimit,
): ((context: EventContext, type: string) => readonly CompletedSequence[]) => {
  const byType = new Map<string, ReturnType<typeof createFollower>[]>()
  for (const sequence of sequences) {
    const follow = createFollower(sequence, limit)
    for (const type of new Set(sequence.steps.flatMap(({ eventTypes }) => [...eventTypes]))) byType.set(type, [...(byType.get(type) ?? []), follow])
  }
  return (context, type) => (byType.get(type) ?? []).flatMap(follow => follow(context, type) ?? [])
}
