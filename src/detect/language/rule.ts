/** What comes of loading rule files, and what a set of rules does. `load.ts` and `rule-set.ts` make them. */
import type { Priority } from '../detector.ts'
import type { EventContext } from '../fields/context.ts'
import type { Condition } from './condition.ts'
import type { Place } from './diagnostic.ts'
import type { Output } from './output.ts'

/** One file, by the name that errors tell. */
export interface RuleSource {
  readonly name: string
  readonly text: string
}

export interface Rule {
  readonly name: string
  readonly description: string
  readonly priority: Priority
  /** In the order of the alphabet, each once. */
  readonly tags: readonly string[]
  /** `syscall`, or another one: such a rule is inert. */
  readonly source: string
  readonly enabled: boolean
  readonly place: Place
  /** As it is written, appends and exceptions included. */
  readonly text: string
  readonly condition: Condition
  readonly output: Output
  /** Names of the events (`evt.type`) that can match: of those which Dayfly has. */
  readonly eventTypes: ReadonlySet<string>
  /** What it asks for and Dayfly has not: fields (`proc.env`), events (`evt.type=read`), sources (`source: k8s_audit`). */
  readonly lacking: readonly string[]
  /** It can never match, because of what is lacking. */
  readonly isInert: boolean
}

export interface Match {
  readonly rule: Rule
  /** The rule's output with its fields filled in; what has no value is `<NA>`. */
  readonly output: string
  /** The values that the output names. */
  readonly fields: Readonly<Record<string, string | number | boolean | null>>
}

export interface RuleSet {
  readonly rules: readonly Rule[]
  /** All rules that match, in their order. */
  readonly match: (context: EventContext) => readonly Match[]
}
