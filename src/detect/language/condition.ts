/** A condition that has been checked against the fields: what a predicate is made of. */
import type { BoundField, Value } from '../fields/field.ts'

/** Parts that macros share are the same object wherever they are used. */
export type Condition =
  | { readonly kind: 'constant'; readonly value: boolean }
  | { readonly kind: 'and'; readonly operands: readonly Condition[] }
  | { readonly kind: 'or'; readonly operands: readonly Condition[] }
  | { readonly kind: 'not'; readonly operand: Condition }
  | { readonly kind: 'macro'; readonly name: string; readonly body: Condition }
  | Check

/** One comparison of one field. */
export interface Check {
  readonly kind: 'check'
  readonly source: Source
  readonly test: Test
  /** The event types for which it holds, when that is all it asks for. */
  readonly eventTypes: ReadonlySet<string> | undefined
}

/** What is compared: a field, or what transformers make of some. `key` is the same for the same. */
export interface Source extends BoundField {
  readonly key: string
  /** A field is read at once; what has to be put together is kept for the other checks of the event. */
  readonly isCostly: boolean
}

/** `value` is never undefined: what has no value passes no test. */
export type Test =
  | { readonly kind: 'exists' }
  | { readonly kind: 'value'; readonly passes: (value: Value) => boolean }
  | { readonly kind: 'source'; readonly right: Source; readonly passes: (left: Value, right: Value) => boolean }
