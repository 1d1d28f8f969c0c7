/**
 * What an unquoted YAML scalar means, as docker compose has it: YAML 1.2's core schema, and from 1.1 the octal `0644`, binary numbers and
 * underscores in numbers. `yes`, `no`, `on` and `off` are text; where a boolean is expected they are taken as one later on.
 */
import type { Value } from './tree.ts'

export interface Resolved {
  readonly value: Value
  readonly text: string
}

const nulls = new Set(['', '~', 'null', 'Null', 'NULL'])
const booleans = new Map([
  ...['true', 'True', 'TRUE'].map(text => [text, true] as const),
  ...['false', 'False', 'FALSE'].map(text => [text, false] as const),
])
const infinities = new Map([
  ...['.inf', '.Inf', '.INF', '+.inf', '+.Inf', '+.INF'].map(text => [text, Number.POSITIVE_INFINITY] as const),
  ...['-.inf', '-.Inf', '-.INF'].map(text => [text, Number.NEGATIVE_INFINITY] as const),
  ...['.nan', '.NaN', '.NAN'].map(text => [text, Number.NaN] as const),
])

const largest = 2n ** 64n - 1n
const smallest = -(2n ** 63n)

/** The integer that a text is, in any of its bases, or undefined. */
const integer = (text: string): bigint | undefined => {
  const found = /^([+-]?)(?:0b([01]+)|0o([0-7]+)|0x([0-9a-fA-F]+)|0([0-7]+)|(0|[1-9][0-9]*))$/.exec(text)
  if (!found) return undefined
  const [, sign, binary, octal, hexadecimal, oldOctal, decimal] = found
  const digits =
    binary !== undefined
      ? `0b${binary}`
      : (octal ?? oldOctal) !== undefined
        ? `0o${octal ?? oldOctal}`
        : hexadecimal !== undefined
          ? `0x${hexadecimal}`
          : (decimal ?? '')
  const magnitude = BigInt(digits)
  const value = sign === '-' ? -magnitude : magnitude
  return value >= smallest && value <= largest ? value : undefined
}

/** A number as Go prints it: an exponent has two digits at least, and sets in below 1e-4. */
export const numberText = (value: number): string => {
  if (Number.isNaN(value)) return 'NaN'
  if (!Number.isFinite(value)) return value > 0 ? '+Inf' : '-Inf'
  const magnitude = Math.abs(value)
  if (magnitude !== 0 && (magnitude < 1e-4 || magnitude >= 1e21)) {
    return value.toExponential().replace(/e([+-])(\d)$/, 'e$10$2')
  }
  return String(value)
}

/** What an unquoted scalar is. */
export const resolvePlain = (source: string): Resolved => {
  if (nulls.has(source)) return { value: null, text: '' }
  const boolean = booleans.get(source)
  if (boolean !== undefined) return { value: boolean, text: String(boolean) }
  const infinity = infinities.get(source)
  if (infinity !== undefined) return { value: infinity, text: numberText(infinity) }
  if (!/^[-+.\d]/.test(source)) return { value: source, text: source }
  const digits = source.replaceAll('_', '')
  const whole = integer(digits)
  if (whole !== undefined) return { value: Number(whole), text: whole.toString() }
  if (/^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$/.test(digits)) {
    const value = Number(digits)
    return { value, text: numberText(value) }
  }
  return { value: source, text: source }
}
