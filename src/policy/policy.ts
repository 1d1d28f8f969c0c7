/**
 * What a policy is to the one that asks all of them (`policies.ts`): built in ones are plain functions, those of users' files are CEL in a worker.
 * Both say the same kind of thing, so that a verdict does not tell where a rule came from.
 */
import type { AdmissionRequest, Objection } from './decision.ts'

/** What follows from an objection: `deny` refuses, `warn` is shown at once, `audit` is recorded only. */
export type Action = 'deny' | 'warn' | 'audit'

/** One thing that a policy says of a request, and what follows from it. */
export interface Ruling {
  readonly action: Action
  readonly objection: Objection
}

export interface Outcome {
  /** Empty: the policy has nothing against it. */
  readonly rulings: readonly Ruling[]
  /** Wall ms until which the same request has the same rulings; undefined where time plays no part. */
  readonly validUntil?: number | undefined
}

export interface PolicyRule {
  /** As in `Objection.rule`: `runAsNonRoot`, `validations[2]`. */
  readonly name: string
  /** What it asks for, in one sentence. */
  readonly summary: string
}

/** A policy that is built in: code of this repository, whose time is bounded by the size of the request. */
export interface NativePolicy {
  /** As in `Objection.policy`; unique among all policies in force. */
  readonly name: string
  /** For `policy ls`. */
  readonly rules: readonly PolicyRule[]
  /** Plain JSON of all that its answers depend on beside the request: level, parameters, a number that rises with its code. It goes into `Policies.version`. */
  readonly identity: unknown
  /** Pure: time is `request.now`. What it throws is a denial. */
  evaluate(request: AdmissionRequest): Outcome
}

/** One exemption that covers an objection. */
export interface Exempted {
  /** Its name: goes into `Objection.exemption`. */
  readonly name: string
  /** Wall ms when it ends; always later than `request.now`. */
  readonly until: number
}

/** All exemptions in force. An objection that one of them covers denies and warns no more: it becomes an audit entry. */
export interface Exemptions {
  /** Plain JSON of all of them; it goes into `Policies.version`. */
  readonly identity: unknown
  /** The exemption that covers this objection to this request at `request.now`, or undefined. What it throws exempts nothing. */
  find(objection: Objection, request: AdmissionRequest): Exempted | undefined
  /** Wall ms when the answer of `find` to anything may next become another one because one begins; undefined: never. */
  nextStart?(now: number): number | undefined
}
