/** Which events a condition can be true for: and, or and not as sets do, with not pushed down to the checks. A check of anything but the type allows all. */
import { eventNames } from '../fields/event-names.ts'
import type { Condition } from './condition.ts'

interface Known {
  readonly plain: WeakMap<Condition, ReadonlySet<string>>
  readonly negated: WeakMap<Condition, ReadonlySet<string>>
}

const none: ReadonlySet<string> = new Set()

const compute = (condition: Condition, isNegated: boolean, known: Known): ReadonlySet<string> => {
  if (condition.kind === 'constant') return condition.value === isNegated ? none : eventNames
  if (condition.kind === 'not') return typesOf(condition.operand, !isNegated, known)
  if (condition.kind === 'macro') return typesOf(condition.body, isNegated, known)
  if (condition.kind === 'check') {
    if (!condition.eventTypes) return eventNames
    return isNegated ? eventNames.difference(condition.eventTypes) : condition.eventTypes
  }
  const sets = condition.operands.map(operand => typesOf(operand, isNegated, known))
  const isUnion = (condition.kind === 'or') !== isNegated
  return sets.reduce((left, right) => (left === right ? left : isUnion ? left.union(right) : left.intersection(right)))
}

const typesOf = (condition: Condition, isNegated: boolean, known: Known): ReadonlySet<string> => {
  const memory = isNegated ? known.negated : known.plain
  const found = memory.get(condition)
  if (found) return found
  const types = compute(condition, isNegated, known)
  memory.set(condition, types)
  return types
}

/** Names of events. Use one `known` for conditions that share macros. */
export const eventTypesOf = (condition: Condition, known: Known = { plain: new WeakMap(), negated: new WeakMap() }): ReadonlySet<string> =>
  typesOf(condition, false, known)
