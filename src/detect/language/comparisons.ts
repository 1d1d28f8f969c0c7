/** Operators: which there are for which type, and what they do. */
import type { BoundField, FieldType, Scalar, Value } from '../fields/field.ts'
import { addressWords, isWithin } from './addresses.ts'
import { parseBytes, parseIp, parseIpNetwork, parseScalar } from './literals.ts'
import { globTest, pathTest, regexTest } from './patterns.ts'
import type { BinaryOperator, Modifier } from './syntax.ts'

export type Passes = (value: Value) => boolean
type ScalarTest = (value: Scalar) => boolean

const equality: readonly BinaryOperator[] = ['=', '==', '!=', 'in', 'intersects']
const order: readonly BinaryOperator[] = ['<', '<=', '>', '>=']
const numeric = [...equality, ...order]
const textual: readonly BinaryOperator[] = [
  ...numeric,
  ...(['contains', 'icontains', 'startswith', 'endswith', 'glob', 'iglob', 'regex', 'pmatch'] as const),
]
const operatorsOf: Readonly<Record<FieldType, readonly BinaryOperator[]>> = {
  ...{ number: numeric, port: numeric, time: numeric, duration: numeric, boolean: equality, address: equality, network: equality, string: textual },
  bytes: [...equality, 'contains', 'startswith', 'endswith', 'bcontains', 'bstartswith'],
}

/** Throws RangeError when the operator does not go with the type. */
export const checkOperator = ({ type, holds }: Pick<BoundField, 'type' | 'holds'>, operator: BinaryOperator): void => {
  if (holds === 'list' && operator !== 'in' && operator !== 'intersects')
    throw new RangeError(`${operator} does not compare a list: only in, intersects and exists do`)
  const allowed = operatorsOf[type]
  if (!allowed.includes(operator)) throw new RangeError(`${operator} does not compare what is of type ${type}: there are ${allowed.join(' ')} exists`)
}

const textOf = (value: Scalar): string => (typeof value === 'string' ? value : String(value))
const bytesOf = (value: Scalar): Buffer => {
  if (typeof value === 'object') return Buffer.from(value.buffer, value.byteOffset, value.byteLength)
  return Buffer.from(textOf(value))
}

const ordered =
  (operator: BinaryOperator, right: Scalar): ScalarTest =>
  value => {
    if (operator === '<') return value < right
    if (operator === '<=') return value <= right
    return operator === '>' ? value > right : value >= right
  }

const bytesTest = (operator: BinaryOperator, right: Buffer): ScalarTest => {
  if (operator === 'contains' || operator === 'bcontains') return value => bytesOf(value).includes(right)
  if (operator === 'startswith' || operator === 'bstartswith') return value => bytesOf(value).subarray(0, right.length).equals(right)
  if (operator === 'endswith') return value => right.length === 0 || bytesOf(value).subarray(-right.length).equals(right)
  return operator === '!=' ? value => !bytesOf(value).equals(right) : value => bytesOf(value).equals(right)
}

const addressTest = (type: 'address' | 'network', operator: BinaryOperator, literal: string): ScalarTest => {
  const network = type === 'network' ? parseIpNetwork(literal) : undefined
  const words = network ? undefined : parseIp(literal)
  const wanted = network ?? { words: words ?? [], prefix: 128 }
  const fits: ScalarTest = value => {
    const address = addressWords(textOf(value))
    return address !== undefined && isWithin(address, { ...wanted, prefix: Math.min(wanted.prefix, address.length * 16) })
  }
  return operator === '!=' ? value => !fits(value) : fits
}

/** One literal on the right. `in` and the like are as `=`. */
const scalarTest = (type: FieldType, operator: BinaryOperator, literal: string): ScalarTest => {
  if (type === 'address' || type === 'network') return addressTest(type, operator, literal)
  if (type === 'bytes') return bytesTest(operator, parseBytes(literal, operator.startsWith('b')))
  const right = parseScalar(type, literal)
  if (order.includes(operator)) return ordered(operator, right)
  const text = String(right)
  if (operator === '!=') return value => value !== right
  if (operator === 'contains') return value => textOf(value).includes(text)
  if (operator === 'icontains') return value => textOf(value).toLowerCase().includes(text.toLowerCase())
  if (operator === 'startswith') return value => textOf(value).startsWith(text)
  if (operator === 'endswith') return value => textOf(value).endsWith(text)
  if (operator === 'glob' || operator === 'iglob') {
    const test = globTest(text, operator === 'iglob')
    return value => test(textOf(value))
  }
  if (operator === 'regex') {
    const test = regexTest(text)
    return value => test(textOf(value))
  }
  return value => value === right
}

/** Any of the literals: a set where they are equal as they stand. */
const memberTest = (type: FieldType, literals: readonly string[]): ScalarTest => {
  if (type === 'address' || type === 'network' || type === 'bytes') {
    const tests = literals.map(literal => scalarTest(type, '=', literal))
    return value => tests.some(test => test(value))
  }
  const members = new Set<Scalar>(literals.map(literal => parseScalar(type, literal)))
  return value => members.has(value)
}

const modified = (modifier: Modifier, tests: readonly ScalarTest[]): ScalarTest => {
  if (tests.length === 0) return () => false
  if (modifier === 'allof') return value => tests.every(test => test(value))
  if (modifier === 'anyof') return value => tests.some(test => test(value))
  return value => {
    let count = 0
    for (const test of tests) if (test(value) && ++count > 1) return false
    return count === 1
  }
}

/** For each value of one that has several. Both `!=` and `in` of a list ask for all of them. */
const spread = (left: Pick<BoundField, 'type' | 'holds'>, operator: BinaryOperator, test: ScalarTest): Passes => {
  const ofAll = left.holds === 'list' ? operator === 'in' : operator === '!=' && ['address', 'network', 'port'].includes(left.type)
  return value => {
    if (typeof value !== 'object' || value instanceof Uint8Array) return test(value)
    return ofAll ? value.every(test) : value.some(test)
  }
}

/** What `left` must be to be `operator` the literals: one for most operators, any number for lists and modifiers. Throws RangeError. */
export const literalTest = (
  left: Pick<BoundField, 'type' | 'holds'>,
  operator: BinaryOperator,
  modifier: Modifier | undefined,
  literals: readonly string[],
): Passes => {
  checkOperator(left, operator)
  const { type } = left
  if (modifier !== undefined) {
    const tests = literals.map(literal => scalarTest(type, operator, literal))
    return spread(left, operator, modified(modifier, tests))
  }
  if (operator === 'pmatch') {
    const test = pathTest(literals)
    return spread(left, operator, value => test(textOf(value)))
  }
  if (operator === 'in' || operator === 'intersects') return spread(left, operator, memberTest(type, literals))
  return spread(left, operator, scalarTest(type, operator, literals[0] ?? ''))
}

const isSeveral = (value: Value): value is readonly Scalar[] => Array.isArray(value)
const same = (left: Scalar, right: Scalar): boolean =>
  typeof left === 'object' || typeof right === 'object' ? bytesOf(left).equals(bytesOf(right)) : left === right

/** Patterns that come from events: few of them, and kept only while they are. */
const globs = new Map<string, (text: string) => boolean>()
const mostGlobs = 256
const dynamicGlob = (pattern: string, ignoreCase: boolean): ((text: string) => boolean) => {
  const key = `${ignoreCase}:${pattern}`
  let test = globs.get(key)
  if (!test) {
    try {
      test = globTest(pattern, ignoreCase)
    } catch {
      test = () => false
    }
    if (globs.size >= mostGlobs) globs.clear()
    globs.set(key, test)
  }
  return test
}

const relate = (operator: BinaryOperator, left: Scalar, right: Scalar): boolean => {
  if (operator === '!=') return !same(left, right)
  if (operator === '=' || operator === '==') return same(left, right)
  if (order.includes(operator)) return ordered(operator, right)(left)
  if (operator === 'glob' || operator === 'iglob') return dynamicGlob(textOf(right), operator === 'iglob')(textOf(left))
  if (typeof left === 'object' || typeof right === 'object') return bytesTest(operator, bytesOf(right))(left)
  const [text, other] = [textOf(left), textOf(right)]
  if (operator === 'contains') return text.includes(other)
  if (operator === 'icontains') return text.toLowerCase().includes(other.toLowerCase())
  return operator === 'startswith' ? text.startsWith(other) : text.endsWith(other)
}

/** The same with a field on the right. Throws RangeError. */
export const sourceTest = (left: Pick<BoundField, 'type' | 'holds'>, operator: BinaryOperator): ((left: Value, right: Value) => boolean) => {
  checkOperator(left, operator)
  if (operator === 'pmatch' || operator === 'regex') throw new RangeError(`${operator} does not compare with a field, only with values`)
  return (value, other) => {
    if (operator === 'in' || operator === 'intersects') {
      const members = isSeveral(other) ? other : [other]
      const test: ScalarTest = scalar => members.some(member => same(scalar, member))
      return isSeveral(value) ? (operator === 'in' ? value.every(test) : value.some(test)) : test(value)
    }
    return !isSeveral(value) && !isSeveral(other) && relate(operator, value, other)
  }
}
