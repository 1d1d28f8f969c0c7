/** Fields, keys and indices at run time: what is not there is an error, of an optional it is none. */
import type { Value } from './values.ts'
import { CelError, isList, isMap, keyOf, none, Optional, typeName } from './values.ts'

const cannot = (value: Value): CelError => new CelError(`a ${typeName(value)} has no fields`)

/** `target.field`. Of an optional it is an optional. */
export const select = (target: Value, field: string): Value => {
  if (target instanceof Map) {
    const value: Value | undefined = target.get(field)
    if (value !== undefined) return value
    throw new CelError(`no such key: ${field}`)
  }
  if (target instanceof Optional) return selectOptional(target, field)
  throw cannot(target)
}

/** `target.?field`. */
export const selectOptional = (target: Value, field: string): Value => {
  if (target instanceof Optional) return target.value === undefined ? none : selectOptional(target.value, field)
  if (!isMap(target)) throw cannot(target)
  const value = target.get(field)
  return value === undefined ? none : new Optional(value)
}

/** `has(target.field)`. */
export const has = (target: Value, field: string): boolean => {
  if (target instanceof Optional) return target.value !== undefined && has(target.value, field)
  if (!isMap(target)) throw cannot(target)
  return target.has(field)
}

/** The element, or undefined where there is none. Throws for what cannot be indexed with that. */
const find = (target: Value, index: Value): Value | undefined => {
  if (isMap(target)) {
    const key = keyOf(index)
    if (key === undefined && typeof index !== 'number') throw new CelError(`a ${typeName(index)} is no key of a map`)
    return key === undefined ? undefined : target.get(key)
  }
  if (!isList(target)) throw new CelError(`a ${typeName(target)} has no elements`)
  const at = keyOf(index)
  if (typeof at !== 'bigint') throw new CelError(`a ${typeName(index)} is no index of a list`)
  return at >= 0n && at < BigInt(target.length) ? target[Number(at)] : undefined
}

/** `target[index]`. */
export const elementOf = (target: Value, index: Value): Value => {
  if (target instanceof Optional) return optionalElementOf(target, index)
  const value = find(target, index)
  if (value !== undefined) return value
  throw new CelError(isList(target) ? `index out of bounds: ${keyOf(index)} of ${target.length}` : `no such key: ${String(keyOf(index) ?? index)}`)
}

/** `target[?index]`. */
export const optionalElementOf = (target: Value, index: Value): Value => {
  if (target instanceof Optional) return target.value === undefined ? none : optionalElementOf(target.value, index)
  const value = find(target, index)
  return value === undefined ? none : new Optional(value)
}
