import { parseInteger } from './literals.ts'
import type { BinaryOperator } from './syntax.ts'

/**
 * `evt.num` counts from 1, so rules write `evt.num=0` for never and `evt.num>=0` for always: known without any event. Undefined where that depends.
 * Throws RangeError for what is no integer.
 */
export const foldEventNumber = (operator: BinaryOperator, literals: readonly string[]): boolean | undefined => {
  const numbers = literals.map(parseInteger)
  if (operator === 'in' || operator === 'intersects') return numbers.every(number => number < 1) ? false : undefined
  const [number] = numbers
  if (number === undefined) return undefined
  if (number < 1) return operator === '!=' || operator === '>' || operator === '>='
  if (number === 1 && operator === '<') return false
  return number === 1 && operator === '>=' ? true : undefined
}
