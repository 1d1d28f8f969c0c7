/** Lists, macros and rules as all files together define them: appended to, replaced, not yet checked. */
import type { Priority } from '../detector.ts'
import type { Place } from './diagnostic.ts'
import type { PatternDefinition } from './pattern.ts'
import type { Piece } from './piece.ts'

/**
 * A definition sees those that began (`index`) before it was changed last (`visibility`). Both count all definitions and changes of all files.
 */
interface Ordered {
  readonly name: string
  readonly place: Place
  readonly index: number
  visibility: number
}

export interface ListDefinition extends Ordered {
  /** Appended to in place: there may be very many. */
  readonly items: (Piece & { readonly place: Place })[]
}

export interface MacroDefinition extends Ordered {
  readonly condition: Piece[]
}

/** A name or several, in exceptions' fields, operators and values. */
export type Entry =
  | { readonly kind: 'one'; readonly text: string; readonly place: Place }
  | { readonly kind: 'several'; readonly items: readonly Entry[]; readonly place: Place }

export interface ExceptionDefinition {
  readonly name: string
  readonly place: Place
  readonly fields: Entry | undefined
  readonly comparisons: Entry | undefined
  readonly values: readonly Entry[]
}

export interface RuleDefinition {
  readonly name: string
  readonly place: Place
  readonly condition: readonly Piece[]
  readonly output: readonly Piece[]
  readonly description: string
  readonly priority: Priority
  readonly tags: ReadonlySet<string>
  readonly source: string
  readonly enabled: boolean
  readonly warnEventTypes: boolean
  readonly skipIfUnknown: boolean
  readonly exceptions: readonly ExceptionDefinition[]
  /** How often it has been changed. */
  readonly changes: number
}

export interface Definitions {
  readonly lists: Map<string, ListDefinition>
  readonly macros: Map<string, MacroDefinition>
  readonly rules: Map<string, RuleDefinition>
  /** Sequences and thresholds. */
  readonly patterns: Map<string, PatternDefinition>
  /** Counts definitions and changes. */
  next: number
}

export const createDefinitions = (): Definitions => ({ lists: new Map(), macros: new Map(), rules: new Map(), patterns: new Map(), next: 0 })
