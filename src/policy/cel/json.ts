/**
 * JSON in and out of CEL. In: as the API server does with objects without a schema. A number without a fraction is an int; JavaScript does not know 1.0
 * from 1, nor integers beyond 2^53 (they become double).
 */

import { formatDuration, formatTimestamp } from './time.ts'
import type { Key, MapValue, Value } from './values.ts'
import { CelError, Duration, isList, isMap, Optional, Timestamp, TypeValue, Uint } from './values.ts'

/** Deeper JSON is refused: no Kubernetes object is, and every walk over values is recursive. */
export const deepest = 100

/** Plain JSON as a CEL value; members that are undefined are not there. Throws CelError on what is not JSON or is nested too deeply. */
export const fromJson = (value: unknown, depth = 0): Value => {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return value
    case 'number':
      return Number.isSafeInteger(value) ? BigInt(value) : value
    case 'object': {
      if (value === null) return null
      if (depth >= deepest) throw new CelError(`the value is nested deeper than ${deepest} levels`)
      if (Array.isArray(value)) {
        const list: Value[] = new Array(value.length)
        for (let at = 0; at < value.length; at++) list[at] = fromJson(value[at] ?? null, depth + 1)
        return list
      }
      const map = new Map<Key, Value>()
      for (const [key, member] of Object.entries(value)) if (member !== undefined) map.set(key, fromJson(member, depth + 1))
      return map
    }
    default:
      throw new CelError(`a ${typeof value} is not JSON`)
  }
}

const longestText = 1000
const mostItems = 20

/** A value as CEL would write it, for people; long and deep ones are cut. */
export const show = (value: Value): string => write(value, 0, { left: 4000 })

const write = (value: Value, depth: number, room: { left: number }): string => {
  if (room.left <= 0 || depth > 6) return '…'
  const text = isList(value) || isMap(value) || value instanceof Optional ? inside(value, depth, room) : plain(value)
  room.left -= text.length
  return text
}

const inside = (value: readonly Value[] | MapValue | Optional, depth: number, room: { left: number }): string => {
  const each = (item: Value): string => write(item, depth + 1, room)
  if (value instanceof Optional) return value.value === undefined ? 'optional.none()' : `optional.of(${each(value.value)})`
  const size = isList(value) ? value.length : value.size
  const parts = isList(value)
    ? value.slice(0, mostItems).map(each)
    : [...value].slice(0, mostItems).map(([key, member]) => `${plain(key)}: ${each(member)}`)
  const all = [...parts, ...(size > mostItems ? ['…'] : [])].join(', ')
  return isList(value) ? `[${all}]` : `{${all}}`
}

const plain = (value: Value): string => {
  if (typeof value === 'string') return JSON.stringify(value.length > longestText ? `${value.slice(0, longestText)}…` : value)
  if (value === null || typeof value === 'boolean' || typeof value === 'bigint') return String(value)
  if (typeof value === 'number') return Number.isInteger(value) ? `${value}.0` : String(value)
  if (value instanceof Uint) return `${value.value}u`
  if (value instanceof Timestamp) return `timestamp(${JSON.stringify(formatTimestamp(value))})`
  if (value instanceof Duration) return `duration(${JSON.stringify(formatDuration(value))})`
  if (value instanceof TypeValue) return value.type
  if (value instanceof Uint8Array) return `b"${Buffer.from(value.subarray(0, 100)).toString('hex')}"`
  if (!('opaque' in value)) return '…'
  return `${value.opaque}(${JSON.stringify(String(value).slice(0, longestText))})`
}
