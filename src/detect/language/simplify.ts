/** What can be known of a condition without an event. Macros are looked at once, however many use them. */
import type { Condition } from './condition.ts'

type Known = WeakMap<Condition, Condition>

const simplifyJunction = (kind: 'and' | 'or', operands: readonly Condition[], known: Known): Condition => {
  /** What decides the whole: false in a conjunction, true in a disjunction. */
  const decisive = kind === 'or'
  const left: Condition[] = []
  for (const operand of operands) {
    const simple = simplify(operand, known)
    if (simple.kind === 'constant' && simple.value === decisive) return simple
    if (simple.kind !== 'constant') left.push(simple)
  }
  const [only] = left
  if (!only) return { kind: 'constant', value: !decisive }
  return left.length === 1 ? only : { kind, operands: left }
}

/** The same without constants in it, or one constant. */
export const simplify = (condition: Condition, known: Known = new WeakMap()): Condition => {
  const found = known.get(condition)
  if (found) return found
  let simple = condition
  if (condition.kind === 'and' || condition.kind === 'or') simple = simplifyJunction(condition.kind, condition.operands, known)
  else if (condition.kind === 'not') {
    const operand = simplify(condition.operand, known)
    simple = operand.kind === 'constant' ? { kind: 'constant', value: !operand.value } : { kind: 'not', operand }
  } else if (condition.kind === 'macro') {
    // The body is what is shared: each use of a macro is a node of its own.
    const body = simplify(condition.body, known)
    simple = body.kind === 'constant' ? body : { kind: 'macro', name: condition.name, body }
  }
  known.set(condition, simple)
  return simple
}
