/** `"%s has %d".format([…])` of the strings extension, in the version that the API server has. */
import { formatDuration, formatTimestamp } from '../time.ts'
import type { MapValue, Value } from '../values.ts'
import { CelError, compareStrings, Duration, isList, isMap, keyOf, keysOf, Timestamp, TypeValue, typeName, Uint } from '../values.ts'
import { showDouble } from './conversions.ts'

const longestResult = 1_000_000
const mostDigits = 1000

/** What may still be written; a list may hold one long text many times. */
interface Room {
  left: number
}

const asText = (value: Value, room: Room, depth = 0): string => {
  if (depth > 100) throw new CelError('the value is nested too deeply to be written')
  const text = isList(value) || isMap(value) ? collected(value, room, depth) : scalar(value)
  room.left -= text.length
  if (room.left < 0) throw new CelError('the text becomes too long')
  return text
}

const collected = (value: readonly Value[] | MapValue, room: Room, depth: number): string => {
  if (isList(value)) return `[${value.map(item => quoted(item, room, depth)).join(', ')}]`
  const entries = keysOf(value).map(key => [quoted(key, room, depth), quoted(value.get(keyOf(key) ?? '') ?? null, room, depth)] as const)
  const sorted = entries.toSorted(([left], [right]) => compareStrings(left, right))
  return `{${sorted.map(([key, member]) => `${key}:${member}`).join(', ')}}`
}

/** Within a list or map a value is written as CEL writes it, and a double with six digits. */
const quoted = (value: Value, room: Room, depth: number): string => {
  const text = asText(value, room, depth + 1)
  if (typeof value === 'string') return JSON.stringify(text)
  if (typeof value === 'number') return Number.isFinite(value) ? value.toFixed(6) : `"${text}"`
  if (value instanceof Uint8Array) return `b${JSON.stringify(text)}`
  if (value instanceof Timestamp) return `timestamp("${text}")`
  if (value instanceof Duration) return `duration("${text}")`
  return text
}

const scalar = (value: Value): string => {
  if (typeof value === 'string') return value
  if (value === null || typeof value === 'boolean' || typeof value === 'bigint') return String(value)
  if (typeof value === 'number') return showDouble(value)
  if (value instanceof Uint) return String(value.value)
  if (value instanceof Uint8Array) return new TextDecoder().decode(value)
  if (value instanceof Timestamp) return formatTimestamp(value)
  if (value instanceof Duration) return formatDuration(value)
  if (value instanceof TypeValue) return value.type
  throw new CelError(`%s does not write a ${typeName(value)}`)
}

const wrong = (clause: string, value: Value): CelError => new CelError(`%${clause} does not write a ${typeName(value)}`)

const integer = (clause: string, value: Value): bigint => {
  if (typeof value === 'bigint') return value
  if (value instanceof Uint) return value.value
  throw wrong(clause, value)
}

/** JavaScript rounds a half up, Go to the even neighbour. 100 digits tell a true half from what only looks like one. */
const roundHalfEven = (value: number, digits: number): string => {
  const rounded = value.toFixed(digits)
  const exact = value.toFixed(100)
  const point = exact.indexOf('.')
  if (point < 0 || !/^50*$/.test(exact.slice(point + 1 + digits))) return rounded
  const down = exact.slice(0, digits === 0 ? point : point + 1 + digits)
  return Number(down.at(-1)) % 2 === 0 ? down : rounded
}

const thousands = (text: string): string => {
  const [whole = '', fraction] = text.split('.')
  const grouped = whole.replaceAll(/\B(?=(\d{3})+$)/g, ',')
  return fraction === undefined ? grouped : `${grouped}.${fraction}`
}

const raised = (exponent: number): string =>
  `${exponent < 0 ? '⁻' : ''}${String(Math.abs(exponent))
    .padStart(2, '0')
    .replaceAll(/\d/g, digit => '⁰¹²³⁴⁵⁶⁷⁸⁹'.charAt(Number(digit)))}`

/** As the API server's English has it: 1,234.500000 and 1.234500×10⁰³. */
const decimal = (clause: string, value: Value, digits: number): string => {
  if (typeof value !== 'number') throw wrong(clause, value)
  if (Number.isNaN(value)) return 'NaN'
  if (!Number.isFinite(value)) return value > 0 ? '∞' : '-∞'
  if (clause === 'f')
    return thousands(
      Math.abs(value) < 1e21 ? roundHalfEven(value, Math.min(digits, 99)) : `${BigInt(value)}${digits > 0 ? `.${'0'.repeat(digits)}` : ''}`,
    )
  const [mantissa = '', exponent = '0'] = value.toExponential(Math.min(digits, 100)).split('e')
  return `${mantissa}×10${raised(Number(exponent))}`
}

const radix = (clause: string, value: Value): string => {
  if (clause === 'b' && typeof value === 'boolean') return value ? '1' : '0'
  if (clause.toLowerCase() === 'x' && (typeof value === 'string' || value instanceof Uint8Array)) return Buffer.from(value).toString('hex')
  return integer(clause, value).toString(clause === 'b' ? 2 : clause === 'o' ? 8 : 16)
}

const write = (clause: string, value: Value, digits: number, room: Room): string => {
  switch (clause) {
    case 's':
      return asText(value, room)
    case 'd':
      return String(integer(clause, value))
    case 'e':
    case 'f':
      return decimal(clause, value, digits)
    case 'b':
    case 'o':
    case 'x':
      return radix(clause, value)
    case 'X':
      return radix(clause, value).toUpperCase()
    default:
      throw new CelError(`%${clause} is no clause: there are %s %d %f %e %b %o %x %X`)
  }
}

export const formatText = (format: string, args: readonly Value[]): string => {
  let result = ''
  let next = 0
  const room = { left: longestResult }
  for (let at = 0; at < format.length; at++) {
    const char = format[at] ?? ''
    if (char !== '%') {
      result += char
      continue
    }
    if (format[++at] === '%') {
      result += '%'
      continue
    }
    let digits = 6
    if (format[at] === '.') {
      const from = ++at
      while (/^\d$/.test(format[at] ?? '')) at++
      digits = Number(format.slice(from, at) || '0')
      if (digits > mostDigits) throw new CelError(`a precision is at most ${mostDigits}`)
    }
    const clause = format[at]
    if (clause === undefined) throw new CelError('the format ends behind a %')
    const value = args[next]
    if (value === undefined) throw new CelError(`the format asks for more than its ${args.length} arguments`)
    next++
    result += write(clause, value, digits, room)
    if (result.length > longestResult) throw new CelError('the text becomes too long')
  }
  return result
}
