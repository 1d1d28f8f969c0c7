/** Optionals and base64. */
import { fn, method, textCost } from '../overloads.ts'
import type { Value } from '../values.ts'
import { CelError, isList, isMap, none, Optional, Uint } from '../values.ts'

const unwrap = (optional: Optional): Value => {
  if (optional.value === undefined) throw new CelError('the optional has no value')
  return optional.value
}

const isZero = (value: Value): boolean => {
  if (value === null || value === false || value === 0n || value === 0 || value === '') return true
  if (value instanceof Uint) return value.value === 0n
  if (value instanceof Uint8Array || isList(value)) return value.length === 0
  return isMap(value) && value.size === 0
}

const decode = (text: string): Uint8Array => {
  if (text.length % 4 === 1 || !/^[A-Za-z0-9+/]*={0,2}$/.test(text)) throw new CelError('that is not base64')
  return new Uint8Array(Buffer.from(text, 'base64'))
}

export const optionals = [
  fn('optional.of', ['A'], 'optional<A>', value => new Optional(value)),
  fn('optional.none', [], 'optional<dyn>', () => none),
  fn('optional.ofNonZeroValue', ['A'], 'optional<A>', value => (isZero(value) ? none : new Optional(value))),
  method('hasValue', ['optional<A>'], 'bool', optional => optional.value !== undefined),
  method('value', ['optional<A>'], 'A', unwrap),
  method('or', ['optional<A>', 'optional<A>'], 'optional<A>', (optional, other) => (optional.value === undefined ? other : optional)),
  method('orValue', ['optional<A>', 'A'], 'A', (optional, other) => optional.value ?? (optional.value === undefined ? other : null)),
  fn('optional.unwrap', ['list<optional<A>>'], 'list<A>', list =>
    list.flatMap(each => (each instanceof Optional && each.value !== undefined ? [each.value] : [])),
  ),
  method('unwrapOpt', ['list<optional<A>>'], 'list<A>', list =>
    list.flatMap(each => (each instanceof Optional && each.value !== undefined ? [each.value] : [])),
  ),
  fn('base64.encode', ['bytes'], 'string', value => Buffer.from(value).toString('base64'), { cost: textCost }),
  fn('base64.decode', ['string'], 'bytes', decode, { cost: textCost }),
]
