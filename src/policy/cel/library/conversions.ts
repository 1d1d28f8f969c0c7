/** Conversions between types, and `size`. */
import { fn, method, textCost } from '../overloads.ts'
import { formatDuration, formatTimestamp, parseDuration, parseTimestamp, timestampOf } from '../time.ts'
import { CelError, lengthOf, TypeValue, typeName, Uint } from '../values.ts'

const parseInteger = (text: string, least: bigint, end: bigint, type: string): bigint => {
  const value = /^[+-]?\d{1,20}$/.test(text) ? BigInt(text.replace(/^\+/, '')) : undefined
  if (value === undefined || value < least || value >= end) throw new CelError(`${JSON.stringify(text.slice(0, 40))} is no ${type}`)
  return value
}

const truncate = (value: number, least: number, end: number, type: string): bigint => {
  const whole = Math.trunc(value)
  // Both ends are excluded, as in cel-go: a double near them stands for numbers beyond.
  if (!(whole > least && whole < end)) throw new CelError(`the double is beyond the range of ${type}`)
  return BigInt(whole)
}

const parseDouble = (text: string): number => {
  const special: Readonly<Record<string, number>> = {
    nan: Number.NaN,
    inf: Infinity,
    '+inf': Infinity,
    '-inf': -Infinity,
    infinity: Infinity,
    '+infinity': Infinity,
    '-infinity': -Infinity,
  }
  const named = special[text.toLowerCase()]
  if (named !== undefined) return named
  if (text.length > 400 || !/^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(text))
    throw new CelError(`${JSON.stringify(text.slice(0, 40))} is no double`)
  const value = Number(text)
  if (!Number.isFinite(value)) throw new CelError(`${text.slice(0, 40)} is too large for a double`)
  return value
}

/** As Go's %g with the fewest digits: an exponent from a million on, and below a ten-thousandth. */
export const showDouble = (value: number): string => {
  if (Number.isNaN(value)) return 'NaN'
  if (!Number.isFinite(value)) return value > 0 ? '+Inf' : '-Inf'
  if (Object.is(value, -0)) return '-0'
  const exponent = value === 0 ? 0 : Math.floor(Number(value.toExponential().split('e')[1]))
  if (exponent >= -4 && exponent < 6) return value.toString()
  return value.toExponential().replace(/e([+-])(\d)$/, 'e$10$2')
}

const boolTexts = new Map([
  ...['1', 't', 'T', 'true', 'TRUE', 'True'].map(text => [text, true] as const),
  ...['0', 'f', 'F', 'false', 'FALSE', 'False'].map(text => [text, false] as const),
])

const decode = (value: Uint8Array): string => {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(value)
  } catch {
    throw new CelError('the bytes are not UTF-8')
  }
}

const size = ['size'] as const

export const conversions = [
  ...size.flatMap(name => [
    fn(name, ['string'], 'int', text => BigInt(lengthOf(text))),
    fn(name, ['bytes'], 'int', value => BigInt(value.length)),
    fn(name, ['list<A>'], 'int', list => BigInt(list.length)),
    fn(name, ['map<A, B>'], 'int', map => BigInt(map.size)),
    method(name, ['string'], 'int', text => BigInt(lengthOf(text))),
    method(name, ['bytes'], 'int', value => BigInt(value.length)),
    method(name, ['list<A>'], 'int', list => BigInt(list.length)),
    method(name, ['map<A, B>'], 'int', map => BigInt(map.size)),
  ]),
  fn('dyn', ['A'], 'dyn', value => value),
  fn('type', ['A'], 'type', value => new TypeValue(typeName(value))),
  fn('bool', ['bool'], 'bool', value => value),
  fn('bool', ['string'], 'bool', text => {
    const value = boolTexts.get(text)
    if (value === undefined) throw new CelError(`${JSON.stringify(text.slice(0, 40))} is no bool`)
    return value
  }),
  fn('int', ['int'], 'int', value => value),
  fn('int', ['uint'], 'int', ({ value }) => {
    if (value >= 2n ** 63n) throw new CelError('the uint is beyond the range of int')
    return value
  }),
  fn('int', ['double'], 'int', value => truncate(value, -(2 ** 63), 2 ** 63, 'int')),
  fn('int', ['string'], 'int', text => parseInteger(text, -(2n ** 63n), 2n ** 63n, 'int')),
  fn('int', ['timestamp'], 'int', time =>
    time.ns >= 0n || time.ns % 1_000_000_000n === 0n ? time.ns / 1_000_000_000n : time.ns / 1_000_000_000n - 1n,
  ),
  fn('int', ['duration'], 'int', duration => duration.ns),
  fn('uint', ['uint'], 'uint', value => value),
  fn('uint', ['int'], 'uint', value => {
    if (value < 0n) throw new CelError('a uint is not negative')
    return new Uint(value)
  }),
  fn('uint', ['double'], 'uint', value => new Uint(truncate(value < 0 ? Number.NaN : value, -1, 2 ** 64, 'uint'))),
  fn('uint', ['string'], 'uint', text => new Uint(parseInteger(text.startsWith('+') ? '' : text, 0n, 2n ** 64n, 'uint'))),
  fn('double', ['double'], 'double', value => value),
  fn('double', ['int'], 'double', value => Number(value)),
  fn('double', ['uint'], 'double', ({ value }) => Number(value)),
  fn('double', ['string'], 'double', parseDouble),
  fn('string', ['string'], 'string', text => text),
  fn('string', ['bool'], 'string', value => String(value)),
  fn('string', ['int'], 'string', value => String(value)),
  fn('string', ['uint'], 'string', ({ value }) => String(value)),
  fn('string', ['double'], 'string', showDouble),
  fn('string', ['bytes'], 'string', decode, { cost: textCost }),
  fn('string', ['timestamp'], 'string', formatTimestamp),
  fn('string', ['duration'], 'string', formatDuration),
  fn('bytes', ['bytes'], 'bytes', value => value),
  fn('bytes', ['string'], 'bytes', text => new TextEncoder().encode(text), { cost: textCost }),
  fn('timestamp', ['timestamp'], 'timestamp', value => value),
  fn('timestamp', ['string'], 'timestamp', parseTimestamp, { constant: true }),
  fn('timestamp', ['int'], 'timestamp', seconds => timestampOf(seconds * 1_000_000_000n)),
  fn('duration', ['duration'], 'duration', value => value),
  fn('duration', ['string'], 'duration', parseDuration, { constant: true }),
]
