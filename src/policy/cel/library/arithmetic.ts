/** Operators on numbers, texts, lists and times. What leaves its type's range is an error. */
import { fn, sizeCost, textCost } from '../overloads.ts'
import { durationOf, timestampOf } from '../time.ts'
import { CelError, Uint } from '../values.ts'

const int = (value: bigint): bigint => {
  if (value >= -(2n ** 63n) && value < 2n ** 63n) return value
  throw new CelError('integer overflow')
}

const uint = (value: bigint): Uint => {
  if (value >= 0n && value < 2n ** 64n) return new Uint(value)
  throw new CelError('unsigned integer overflow')
}

const divisor = (value: bigint, operation: string): bigint => {
  if (value !== 0n) return value
  throw new CelError(`${operation} by zero`)
}

export const arithmetic = [
  fn('_+_', ['int', 'int'], 'int', (a, b) => int(a + b)),
  fn('_-_', ['int', 'int'], 'int', (a, b) => int(a - b)),
  fn('_*_', ['int', 'int'], 'int', (a, b) => int(a * b)),
  fn('_/_', ['int', 'int'], 'int', (a, b) => int(a / divisor(b, 'division'))),
  fn('_%_', ['int', 'int'], 'int', (a, b) => int(a % divisor(b, 'modulus'))),
  fn('-_', ['int'], 'int', a => int(-a)),
  fn('_+_', ['uint', 'uint'], 'uint', (a, b) => uint(a.value + b.value)),
  fn('_-_', ['uint', 'uint'], 'uint', (a, b) => uint(a.value - b.value)),
  fn('_*_', ['uint', 'uint'], 'uint', (a, b) => uint(a.value * b.value)),
  fn('_/_', ['uint', 'uint'], 'uint', (a, b) => uint(a.value / divisor(b.value, 'division'))),
  fn('_%_', ['uint', 'uint'], 'uint', (a, b) => uint(a.value % divisor(b.value, 'modulus'))),
  fn('_+_', ['double', 'double'], 'double', (a, b) => a + b),
  fn('_-_', ['double', 'double'], 'double', (a, b) => a - b),
  fn('_*_', ['double', 'double'], 'double', (a, b) => a * b),
  fn('_/_', ['double', 'double'], 'double', (a, b) => a / b),
  fn('-_', ['double'], 'double', a => -a),
  fn('!_', ['bool'], 'bool', a => !a),
  fn('_+_', ['string', 'string'], 'string', (a, b) => a + b, { cost: textCost }),
  fn('_+_', ['bytes', 'bytes'], 'bytes', (a, b) => new Uint8Array(Buffer.concat([a, b])), { cost: textCost }),
  fn('_+_', ['list<A>', 'list<A>'], 'list<A>', (a, b) => [...a, ...b], { cost: sizeCost }),
  fn('_+_', ['timestamp', 'duration'], 'timestamp', (a, b) => timestampOf(a.ns + b.ns)),
  fn('_+_', ['duration', 'timestamp'], 'timestamp', (a, b) => timestampOf(a.ns + b.ns)),
  fn('_+_', ['duration', 'duration'], 'duration', (a, b) => durationOf(a.ns + b.ns)),
  fn('_-_', ['timestamp', 'timestamp'], 'duration', (a, b) => durationOf(a.ns - b.ns)),
  fn('_-_', ['timestamp', 'duration'], 'timestamp', (a, b) => timestampOf(a.ns - b.ns)),
  fn('_-_', ['duration', 'duration'], 'duration', (a, b) => durationOf(a.ns - b.ns)),
]
