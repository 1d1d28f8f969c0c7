/** Fields, keys and indices at run time: what is not there is an error, of an optional it is none. */
import type { Value } from './values.ts'
import { CelError, isList, isMap, keyOf, none, Optional, typeName } from './values.ts'

/** A list has no fields, and asking for one is a mistake. Anything else that is no map has none either, as the API server sees it: none is there. */
const noFields = (value: Value): void => {
  if (isList(value)) throw new CelError('a list has no fields')
}

/** `target.field`. Of an optional it is an optional. */
export const select = (target: Value, field: string): Value => {
  if (target instanceof Optional) return selectOptional(target, field)
  const value = isMap(target) ? target.get(field) : undefined
  if (value !== undefined) return value
  noFields(target)
  throw new CelError(`no such key: ${field}`)
}

/** `target.?field`. */
export const selectOptional = (target: Value, field: string): Value => {
  if (target instanceof Optional) return target.value === undefined ? none : selectOptional(target.value, field)
  noFields(target)
  const value = isMap(target) ? target.get(field) : undefined
  return value === undefined ? none : new Optional(value)
}

/** `has(target.field)`. */
export const has = (target: Value, field: string): boolean => {
  if (target instanceof Optional) return target.value !== undefined && has(target.value, field)
  noFields(target)
  return isMap(target) && target.has(field)
}

/** The element, or undefined where there is none. Throws for what cannot be an index of that. */
const find = (target: Value, index: Value): Value | undefined => {
  if (isMap(target)) {
    const key = keyOf(index)
    if (key === undefined && typeof index !== 'number') throw new CelError(`a ${typeName(index)} is no key of a map`)
    return key === undefined ? undefined : target.get(key)
  }
  if (!isList(target)) return undefined
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
