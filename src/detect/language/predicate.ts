/** Conditions as functions. What macros share, and what is costly to read, is computed once for an event. */
import type { EventContext } from '../fields/context.ts'
import type { Reader } from '../fields/field.ts'
import type { Check, Condition, Source } from './condition.ts'

export type Predicate = (context: EventContext) => boolean

/** What is shared by all predicates of one set. `turn` tells events apart, whatever objects they come in. */
export interface Workshop {
  turn: number
  readonly macros: Map<Condition, Predicate>
  readonly readers: Map<string, Reader>
}

export const createWorkshop = (): Workshop => ({ turn: 0, macros: new Map(), readers: new Map() })

const once = <T>(workshop: Workshop, compute: (context: EventContext) => T): ((context: EventContext) => T) => {
  let turn = -1
  let result: T
  return context => {
    if (turn !== workshop.turn) {
      result = compute(context)
      turn = workshop.turn
    }
    return result
  }
}

const readerOf = (workshop: Workshop, { key, read, isCostly }: Source): Reader => {
  if (!isCostly) return read
  const found = workshop.readers.get(key)
  if (found) return found
  const made = once(workshop, read)
  workshop.readers.set(key, made)
  return made
}

const compileCheck = (workshop: Workshop, { source, test }: Check): Predicate => {
  const read = readerOf(workshop, source)
  if (test.kind === 'exists') return context => read(context) !== undefined
  if (test.kind === 'source') {
    const { passes } = test
    const readRight = readerOf(workshop, test.right)
    return context => {
      const left = read(context)
      if (left === undefined) return false
      const right = readRight(context)
      return right !== undefined && passes(left, right)
    }
  }
  const { passes } = test
  return context => {
    const value = read(context)
    return value !== undefined && passes(value)
  }
}

const compileJunction = (kind: 'and' | 'or', operands: readonly Predicate[]): Predicate => {
  const [first, second] = operands
  if (first && second && operands.length === 2)
    return kind === 'and' ? context => first(context) && second(context) : context => first(context) || second(context)
  const decisive = kind === 'or'
  return context => {
    for (const operand of operands) if (operand(context) === decisive) return decisive
    return !decisive
  }
}

export const compileCondition = (workshop: Workshop, condition: Condition): Predicate => {
  if (condition.kind === 'constant') {
    const { value } = condition
    return () => value
  }
  if (condition.kind === 'and' || condition.kind === 'or')
    return compileJunction(
      condition.kind,
      condition.operands.map(operand => compileCondition(workshop, operand)),
    )
  if (condition.kind === 'not') {
    const operand = compileCondition(workshop, condition.operand)
    return context => !operand(context)
  }
  if (condition.kind === 'check') return compileCheck(workshop, condition)
  const { body } = condition
  const found = workshop.macros.get(body)
  if (found) return found
  const plain = compileCondition(workshop, body)
  // A single check costs no more than remembering it.
  const made = body.kind === 'check' || body.kind === 'macro' ? plain : once(workshop, plain)
  workshop.macros.set(body, made)
  return made
}
