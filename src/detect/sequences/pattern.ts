/** What is said over several events: sequences and thresholds, once they are loaded. `load.ts` makes them; `sequence-tracker.ts` and `threshold-tracker.ts` follow them. */
import type { Priority } from '../detector.ts'
import type { EventContext } from '../fields/context.ts'
import type { Reader } from '../fields/field.ts'
import type { Place } from '../language/diagnostic.ts'

interface Common {
  readonly name: string
  readonly description: string
  readonly priority: Priority
  readonly tags: readonly string[]
  readonly enabled: boolean
  readonly place: Place
  /** ms of event time between the first and the last event. */
  readonly within: number
  /** Of the last event. */
  readonly output: (context: EventContext) => Told
}

/** Text with its fields filled in, and the values that it names. */
export interface Told {
  readonly output: string
  readonly fields: Readonly<Record<string, string | number | boolean | null>>
}

export interface Trigger {
  /** Names of the events (`evt.type`) that can match. */
  readonly eventTypes: ReadonlySet<string>
  readonly matches: (context: EventContext) => boolean
}

export interface Step extends Trigger {
  readonly as: string
  /** Values by name: those of all steps that have a name must be equal. A step at which one has no value does not match. */
  readonly same: readonly { readonly name: string; readonly read: Reader }[]
  /** What the detection tells of this step. */
  readonly note: (context: EventContext) => Told
}

/** All steps, in their order. */
export interface Sequence extends Common {
  readonly kind: 'sequence'
  /** At least two. */
  readonly steps: readonly Step[]
}

/** More than so many events, or different values, of the same `by`. */
export interface Threshold extends Common {
  readonly kind: 'threshold'
  readonly trigger: Trigger
  readonly by: readonly Reader[]
  /** Without any, events are counted. */
  readonly distinct: readonly Reader[]
  readonly moreThan: number
}

export type Pattern = Sequence | Threshold

/** Values as one text, the same for the same; undefined when one is not known. */
export const keyOf = (readers: readonly Reader[], context: EventContext): string | undefined => {
  const parts: string[] = []
  for (const read of readers) {
    const value = read(context)
    if (value === undefined) return undefined
    parts.push(value instanceof Uint8Array ? Buffer.from(value).toString('hex') : JSON.stringify(value))
  }
  return parts.join(' ')
}
