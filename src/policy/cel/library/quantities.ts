/** Kubernetes quantities: `1.5Gi`, `100m`, `12e6`. Exact, as a number of nano units; what is finer is rounded up, as Kubernetes does. */
import { fn, method, opaque } from '../overloads.ts'
import type { Opaque } from '../values.ts'
import { CelError } from '../values.ts'

const nano = 1_000_000_000n

export class Quantity implements Opaque {
  readonly opaque = 'kubernetes.Quantity'
  /** In billionths. */
  readonly nanos: bigint
  readonly text: string
  constructor(nanos: bigint, text: string) {
    this.nanos = nanos
    this.text = text
  }
  toString(): string {
    return this.text
  }
  equals(other: Opaque): boolean {
    return other instanceof Quantity && other.nanos === this.nanos
  }
}

/** Numerator and denominator of what a suffix multiplies with. */
const suffixes: Readonly<Record<string, readonly [bigint, bigint]>> = {
  '': [1n, 1n],
  n: [1n, nano],
  u: [1n, 1_000_000n],
  m: [1n, 1000n],
  k: [1000n, 1n],
  M: [10n ** 6n, 1n],
  G: [10n ** 9n, 1n],
  T: [10n ** 12n, 1n],
  P: [10n ** 15n, 1n],
  E: [10n ** 18n, 1n],
  Ki: [2n ** 10n, 1n],
  Mi: [2n ** 20n, 1n],
  Gi: [2n ** 30n, 1n],
  Ti: [2n ** 40n, 1n],
  Pi: [2n ** 50n, 1n],
  Ei: [2n ** 60n, 1n],
}

const written = /^([+-]?)(?:(\d+)(?:\.(\d*))?|\.(\d+))([KMGTPE]i|[numkMGTPE]|[eE][+-]?\d{1,3})?$/

const scaleOf = (suffix: string): readonly [bigint, bigint] | undefined => {
  const known = suffixes[suffix]
  if (known) return known
  const exponent = Number(suffix.slice(1))
  if (!Number.isInteger(exponent) || Math.abs(exponent) > 100) return undefined
  return exponent >= 0 ? [10n ** BigInt(exponent), 1n] : [1n, 10n ** BigInt(-exponent)]
}

/** undefined: it is no quantity. */
export const parseQuantity = (text: string): Quantity | undefined => {
  const match = text.length > 200 ? null : written.exec(text)
  if (!match) return undefined
  const [, sign, whole = '', after = '', only = '', suffix = ''] = match
  const fraction = after || only
  const scale = scaleOf(suffix)
  if (!scale) return undefined
  const numerator = BigInt(whole + fraction || '0') * scale[0] * nano
  const denominator = 10n ** BigInt(fraction.length) * scale[1]
  const size = (numerator + denominator - 1n) / denominator
  return new Quantity(sign === '-' ? -size : size, text)
}

const quantity = (text: string): Quantity => {
  const parsed = parseQuantity(text)
  if (!parsed) throw new CelError(`${JSON.stringify(text.slice(0, 60))} is no quantity`)
  return parsed
}

const fromNanos = (nanos: bigint): Quantity => {
  const size = nanos < 0n ? -nanos : nanos
  const text =
    size % nano === 0n
      ? String(size / nano)
      : size % 1_000_000n === 0n
        ? `${size / 1_000_000n}m`
        : size % 1000n === 0n
          ? `${size / 1000n}u`
          : `${size}n`
  return new Quantity(nanos, nanos < 0n ? `-${text}` : text)
}

const q = (value: Parameters<typeof opaque>[1]): Quantity => opaque(Quantity, value)
const fits = (value: Quantity): boolean => value.nanos % nano === 0n && value.nanos / nano >= -(2n ** 63n) && value.nanos / nano < 2n ** 63n
const asInteger = (value: Quantity): bigint => {
  if (!fits(value)) throw new CelError(`${value.text} is no integer`)
  return value.nanos / nano
}
const compared = (left: Quantity, right: Quantity): bigint => (left.nanos < right.nanos ? -1n : left.nanos > right.nanos ? 1n : 0n)

const type = 'kubernetes.Quantity'

export const quantities = [
  fn('quantity', ['string'], type, quantity, { constant: true }),
  fn('isQuantity', ['string'], 'bool', text => parseQuantity(text) !== undefined),
  method('sign', [type], 'int', value => (q(value).nanos > 0n ? 1n : q(value).nanos < 0n ? -1n : 0n)),
  method('isInteger', [type], 'bool', value => fits(q(value))),
  method('asInteger', [type], 'int', value => asInteger(q(value))),
  method('asApproximateFloat', [type], 'double', value => Number(q(value).nanos) / 1e9),
  method('compareTo', [type, type], 'int', (left, right) => compared(q(left), q(right))),
  method('isGreaterThan', [type, type], 'bool', (left, right) => compared(q(left), q(right)) > 0n),
  method('isLessThan', [type, type], 'bool', (left, right) => compared(q(left), q(right)) < 0n),
  method('add', [type, type], type, (left, right) => fromNanos(q(left).nanos + q(right).nanos)),
  method('add', [type, 'int'], type, (left, right) => fromNanos(q(left).nanos + right * nano)),
  method('sub', [type, type], type, (left, right) => fromNanos(q(left).nanos - q(right).nanos)),
  method('sub', [type, 'int'], type, (left, right) => fromNanos(q(left).nanos - right * nano)),
]
