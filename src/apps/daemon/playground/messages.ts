/** What the daemon and the thread of the playground say to each other. Plain JSON. */
import type { DiagnosticView, RuleView, TriedPolicyView, TriedRuleView } from '../../../api/schemas/rules.ts'
import type { ErrorCode } from '../../../base/errors.ts'
import type { SubjectFacts } from '../../../detect/subject.ts'

export interface Start {
  /** Of what instances did. It need not be there. */
  readonly activityPath: string
}

export interface RuleText {
  readonly path: string
  readonly text: string
}

export interface Task {
  readonly policy: {
    readonly policy: string
    readonly sample: string
    readonly builtIn: boolean
    /** Wall ms. */
    readonly now: number
  }
  readonly rule: {
    readonly rules: string
    readonly dayfly: boolean
    readonly cases: string | undefined
    /** Whose activity: with all of its instances that the record describes. */
    readonly recorded: { readonly environment: string; readonly subjects: readonly SubjectFacts[] } | undefined
    /** ms that may be spent on it. */
    readonly milliseconds: number
  }
  readonly list: { readonly dayfly: boolean; readonly files: readonly RuleText[] }
}

export interface Result {
  readonly policy: TriedPolicyView
  readonly rule: TriedRuleView
  readonly list: { readonly rules: readonly RuleView[]; readonly problems: readonly DiagnosticView[] }
}

export type Kind = keyof Task

export interface Question {
  readonly id: number
  readonly task: Task[Kind]
}

export type Answer =
  | { readonly ready: true }
  | { readonly id: number; readonly result: Result[Kind] }
  | {
      readonly id: number
      readonly failure: {
        readonly code: ErrorCode
        readonly message: string
        readonly field: string | undefined
        readonly remedy: string | undefined
      }
    }
