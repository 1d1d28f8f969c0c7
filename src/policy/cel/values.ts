/**
 * The values of CEL and what holds of all of them: equality, order, names of types.
 *
 * | CEL | here |
 * |---|---|
 * | int, uint, double | bigint, Uint, number |
 * | string, bytes, bool, null | string, Uint8Array, boolean, null |
 * | list, map | readonly array, Map with keys of string, bigint or boolean (`keyOf`) |
 * | timestamp, duration | nanoseconds |
 * | url, quantity, IP, … | an `Opaque` |
 */
/** What makes an evaluation fail. `&&`, `||`, `all` and `exists` absorb it, as CEL says. */
export class CelError extends Error {
  override readonly name = 'CelError'
  /** The innermost part of the expression at fault: offsets. */
  part: { readonly start: number; readonly end: number } | undefined
}

/** The evaluation cost more than it may. Nothing absorbs it. */
export class CostError extends Error {
  override readonly name = 'CostError'
}

export class Uint {
  readonly value: bigint
  constructor(value: bigint) {
    this.value = value
  }
}

export class Timestamp {
  /** Nanoseconds since the Unix epoch. */
  readonly ns: bigint
  constructor(ns: bigint) {
    this.ns = ns
  }
}

export class Duration {
  readonly ns: bigint
  constructor(ns: bigint) {
    this.ns = ns
  }
}

export class TypeValue {
  readonly type: string
  constructor(type: string) {
    this.type = type
  }
}

export class Optional {
  /** Undefined: there is none. */
  readonly value: Value | undefined
  constructor(value: Value | undefined) {
    this.value = value
  }
}

export const none = new Optional(undefined)

/** A value of a library: it says its type, how it is written, and what it equals. */
export interface Opaque {
  readonly opaque: string
  toString(): string
  equals(other: Opaque): boolean
}

export type Key = string | bigint | boolean
export type Value =
  | null
  | boolean
  | string
  | bigint
  | number
  | Uint
  | Uint8Array
  | readonly Value[]
  | MapValue
  | Timestamp
  | Duration
  | TypeValue
  | Optional
  | Opaque
export type MapValue = ReadonlyMap<Key, Value>

/** A map whose keys are uint: they are bigint inside, so that 1u finds what 1 finds. */
export class UintMap extends Map<Key, Value> {}

export const isList = (value: Value): value is readonly Value[] => Array.isArray(value)
export const isMap = (value: Value): value is MapValue => value instanceof Map

/** The key that a value is in a map: equal numbers of all types are one key. undefined: no such value can be a key. */
export const keyOf = (value: Value): Key | undefined => {
  switch (typeof value) {
    case 'string':
    case 'bigint':
    case 'boolean':
      return value
    case 'number':
      return Number.isInteger(value) ? BigInt(value) : undefined
    default:
      return value instanceof Uint ? value.value : undefined
  }
}

/** The keys of a map as CEL sees them. */
export const keysOf = (map: MapValue): Value[] => {
  const keys = [...map.keys()]
  return map instanceof UintMap ? keys.map(key => (typeof key === 'bigint' ? new Uint(key) : key)) : keys
}

/** The runtime type's name, as `type(x)` gives it. */
export const typeName = (value: Value): string => {
  switch (typeof value) {
    case 'string':
      return 'string'
    case 'bigint':
      return 'int'
    case 'number':
      return 'double'
    case 'boolean':
      return 'bool'
  }
  if (value === null) return 'null_type'
  if (isList(value)) return 'list'
  if (isMap(value)) return 'map'
  if (value instanceof Uint) return 'uint'
  if (value instanceof Uint8Array) return 'bytes'
  if (value instanceof Timestamp) return 'google.protobuf.Timestamp'
  if (value instanceof Duration) return 'google.protobuf.Duration'
  if (value instanceof TypeValue) return 'type'
  if (value instanceof Optional) return 'optional_type'
  return value.opaque
}

type Numeric = bigint | number | Uint
export const isNumeric = (value: Value): value is Numeric => typeof value === 'bigint' || typeof value === 'number' || value instanceof Uint

/** -1, 0, 1; NaN when one of them is. An int beside a double is compared as a double, as the specification has it. */
export const compareNumbers = (left: Numeric, right: Numeric): number => {
  let a = left instanceof Uint ? left.value : left
  let b = right instanceof Uint ? right.value : right
  if (typeof a !== typeof b) {
    a = Number(a)
    b = Number(b)
  }
  if (a < b) return -1
  if (a > b) return 1
  return Number.isNaN(a) || Number.isNaN(b) ? Number.NaN : 0
}

/** By code points; JavaScript's own order is that of UTF-16 units, which puts U+FFFD after U+1F600. */
export const compareStrings = (left: string, right: string): number => {
  if (left === right) return 0
  const length = Math.min(left.length, right.length)
  for (let at = 0; at < length; at++) {
    const a = left.charCodeAt(at)
    const b = right.charCodeAt(at)
    if (a === b) continue
    const highA = a >= 0xd800 && a <= 0xdfff
    const highB = b >= 0xd800 && b <= 0xdfff
    if (highA !== highB) return highA ? 1 : -1
    return a < b ? -1 : 1
  }
  return left.length < right.length ? -1 : 1
}

const compareBytes = (left: Uint8Array, right: Uint8Array): number => {
  const length = Math.min(left.length, right.length)
  for (let at = 0; at < length; at++) {
    const difference = (left[at] ?? 0) - (right[at] ?? 0)
    if (difference !== 0) return difference < 0 ? -1 : 1
  }
  return Math.sign(left.length - right.length)
}

const compareBigints = (left: bigint, right: bigint): number => (left < right ? -1 : left > right ? 1 : 0)

/** -1, 0, 1, NaN where neither is less; undefined where CEL has no order between the two. */
export const compare = (left: Value, right: Value): number | undefined => {
  if (typeof left === 'string' && typeof right === 'string') return compareStrings(left, right)
  if (isNumeric(left) && isNumeric(right)) return compareNumbers(left, right)
  if (typeof left === 'boolean' && typeof right === 'boolean') return Number(left) - Number(right)
  if (left instanceof Timestamp && right instanceof Timestamp) return compareBigints(left.ns, right.ns)
  if (left instanceof Duration && right instanceof Duration) return compareBigints(left.ns, right.ns)
  if (left instanceof Uint8Array && right instanceof Uint8Array) return compareBytes(left, right)
  return undefined
}

const equalMaps = (left: MapValue, right: MapValue): boolean => {
  if (left.size !== right.size) return false
  for (const [key, value] of left) {
    const other = right.get(key)
    if (other === undefined || !equals(value, other)) return false
  }
  return true
}

/** CEL's equality over all types: what is of different types differs, but numbers are equal by their value. */
export const equals = (left: Value, right: Value): boolean => {
  if (left === right) return !Number.isNaN(left)
  if (typeof left === 'string' || typeof right === 'string' || left === null || right === null) return false
  if (isNumeric(left)) return isNumeric(right) && compareNumbers(left, right) === 0
  if (isList(left)) return isList(right) && left.length === right.length && left.every((value, at) => equals(value, right[at] ?? null))
  if (isMap(left)) return isMap(right) && equalMaps(left, right)
  if (left instanceof TypeValue) return right instanceof TypeValue && left.type === right.type
  if (left instanceof Optional) {
    if (!(right instanceof Optional)) return false
    if (left.value === undefined || right.value === undefined) return left.value === right.value
    return equals(left.value, right.value)
  }
  if (typeof left === 'object' && 'opaque' in left) {
    return typeof right === 'object' && 'opaque' in right && left.opaque === right.opaque && left.equals(right)
  }
  return compare(left, right) === 0
}

/** How many code points. */
export const lengthOf = (text: string): number => {
  let count = text.length
  for (let at = 0; at < text.length - 1; at++) {
    const unit = text.charCodeAt(at)
    if (unit < 0xd800 || unit > 0xdbff) continue
    const next = text.charCodeAt(at + 1)
    if (next >= 0xdc00 && next <= 0xdfff) {
      count--
      at++
    }
  }
  return count
}
