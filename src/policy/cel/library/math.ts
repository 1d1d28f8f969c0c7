/** The math extension. */
import { fn } from '../overloads.ts'
import type { Value } from '../values.ts'
import { CelError, compareNumbers, isNumeric, typeName, Uint } from '../values.ts'

const extreme = (values: readonly Value[], sign: 1 | -1, name: string): Value => {
  const [first, ...rest] = values
  if (first === undefined) throw new CelError(`${name} of an empty list`)
  return rest.reduce((best, value) => {
    if (!isNumeric(best) || !isNumeric(value)) throw new CelError(`${name} is for numbers, not for a ${typeName(value)}`)
    return compareNumbers(value, best) * sign > 0 ? value : best
  }, first)
}

const extremes = (name: string, sign: 1 | -1) => [
  fn(name, ['list<A>'], 'A', list => extreme(list, sign, name)),
  ...[1, 2, 3, 4, 5, 6]
    .flatMap(count => (count === 1 ? [['int'], ['uint'], ['double']] : [Array<string>(count).fill('dyn')]))
    .map(parameters => fn(name, parameters, parameters[0] ?? 'dyn', (...values) => extreme(values, sign, name))),
]

const mask = (value: bigint): bigint => BigInt.asIntN(64, value)
const shift = (by: bigint): bigint => {
  if (by < 0n) throw new CelError('a shift is not negative')
  return by > 64n ? 64n : by
}
const unsigned = (value: bigint): Uint => new Uint(BigInt.asUintN(64, value))

const roundAway = (value: number): number => Math.sign(value) * Math.round(Math.abs(value))

const absolute = (value: bigint): bigint => {
  if (value === -(2n ** 63n)) throw new CelError('integer overflow')
  return value < 0n ? -value : value
}

export const math = [
  ...extremes('math.greatest', 1),
  ...extremes('math.least', -1),
  fn('math.ceil', ['double'], 'double', Math.ceil),
  fn('math.floor', ['double'], 'double', Math.floor),
  fn('math.round', ['double'], 'double', roundAway),
  fn('math.trunc', ['double'], 'double', Math.trunc),
  fn('math.sqrt', ['double'], 'double', Math.sqrt),
  fn('math.sqrt', ['int'], 'double', value => Math.sqrt(Number(value))),
  fn('math.sqrt', ['uint'], 'double', ({ value }) => Math.sqrt(Number(value))),
  fn('math.isInf', ['double'], 'bool', value => value === Infinity || value === -Infinity),
  fn('math.isNaN', ['double'], 'bool', Number.isNaN),
  fn('math.isFinite', ['double'], 'bool', Number.isFinite),
  fn('math.abs', ['int'], 'int', absolute),
  fn('math.abs', ['uint'], 'uint', value => value),
  fn('math.abs', ['double'], 'double', Math.abs),
  fn('math.sign', ['int'], 'int', value => (value > 0n ? 1n : value < 0n ? -1n : 0n)),
  fn('math.sign', ['uint'], 'uint', ({ value }) => new Uint(value > 0n ? 1n : 0n)),
  fn('math.sign', ['double'], 'double', Math.sign),
  fn('math.bitAnd', ['int', 'int'], 'int', (a, b) => a & b),
  fn('math.bitAnd', ['uint', 'uint'], 'uint', (a, b) => unsigned(a.value & b.value)),
  fn('math.bitOr', ['int', 'int'], 'int', (a, b) => a | b),
  fn('math.bitOr', ['uint', 'uint'], 'uint', (a, b) => unsigned(a.value | b.value)),
  fn('math.bitXor', ['int', 'int'], 'int', (a, b) => a ^ b),
  fn('math.bitXor', ['uint', 'uint'], 'uint', (a, b) => unsigned(a.value ^ b.value)),
  fn('math.bitNot', ['int'], 'int', value => ~value),
  fn('math.bitNot', ['uint'], 'uint', ({ value }) => unsigned(~value)),
  fn('math.bitShiftLeft', ['int', 'int'], 'int', (value, by) => mask(value << shift(by))),
  fn('math.bitShiftLeft', ['uint', 'int'], 'uint', ({ value }, by) => unsigned(value << shift(by))),
  fn('math.bitShiftRight', ['int', 'int'], 'int', (value, by) => mask(BigInt.asUintN(64, value) >> shift(by))),
  fn('math.bitShiftRight', ['uint', 'int'], 'uint', ({ value }, by) => unsigned(value >> shift(by))),
]
