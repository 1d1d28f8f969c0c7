/** What an expression may speak of: variables with their types, functions of the libraries, and names of types. */
import type { Overload } from './overloads.ts'
import type { Type } from './types.ts'
import { assignable, dyn, formatType, isConcrete, substitute } from './types.ts'
import type { Value } from './values.ts'
import { CostError } from './values.ts'

/** Where the variables of one evaluation come from, and what it may still cost. */
export interface Activation {
  /** By the variable's slot; called as often as the variable is used. */
  load(slot: number): Value
  /** Units left for all expressions evaluated with it. */
  budget: number
  /** Units for one expression. */
  readonly limit: number
}

/** One evaluation of one expression. */
export class Frame {
  readonly activation: Activation
  /** Variables of comprehensions. */
  readonly locals: Value[] = []
  left: number
  constructor(activation: Activation, limit: number) {
    this.activation = activation
    this.left = limit
  }

  spend(units: number): void {
    this.left -= units
    if (!(this.left >= 0)) throw new CostError('the expression costs more than it may')
  }
}

/** A part of an expression, ready to be evaluated. */
export type Code = (frame: Frame) => Value

export interface Variable {
  readonly type: Type
  /** In `Activation.load`, or of a comprehension in `Frame.locals`. */
  readonly slot: number
  readonly local: boolean
  /** The name stands for these and is no value itself: `variables.name`. */
  readonly members?: ReadonlyMap<string, Variable>
}

export interface Scope {
  readonly variables: ReadonlyMap<string, Variable>
  /** Number of locals in use. */
  readonly depth: number
}

/** Functions by `name/arguments`, methods by `.name/arguments` (the receiver counts). */
export type Library = ReadonlyMap<string, readonly Overload[]>

export const libraryOf = (overloads: Iterable<Overload>): Library =>
  Map.groupBy(overloads, one => `${one.method ? '.' : ''}${one.name}/${one.parameters.length}`)

/** The scope within a comprehension or binding. */
export const inner = (scope: Scope, names: readonly string[], types: readonly Type[]): Scope => {
  const variables = new Map(scope.variables)
  for (const [at, name] of names.entries()) variables.set(name, { type: types[at] ?? dyn, slot: scope.depth + at, local: true })
  return { variables, depth: scope.depth + names.length }
}

export interface Resolved {
  readonly candidates: readonly Overload[]
  readonly result: Type
  /** The one candidate fits for certain: nothing is to be checked when it is evaluated. */
  readonly certain: boolean
}

/** The overloads that fit arguments of these types; undefined when none does. */
export const resolve = (overloads: readonly Overload[], types: readonly Type[]): Resolved | undefined => {
  const candidates: Overload[] = []
  const results: Type[] = []
  for (const overload of overloads) {
    const bindings = new Map<string, Type>()
    if (!overload.parameters.every((parameter, at) => assignable(parameter, types[at] ?? dyn, bindings))) continue
    candidates.push(overload)
    results.push(substitute(overload.result, bindings))
  }
  const [first, ...others] = results
  if (!first) return undefined
  const same = others.every(other => formatType(other) === formatType(first))
  const [only] = candidates
  const certain =
    candidates.length === 1 &&
    (only?.parameters ?? []).every((parameter, at) => parameter.kind === 'dyn' || parameter.kind === 'param' || isConcrete(types[at] ?? dyn))
  return { candidates, result: same ? first : dyn, certain }
}
