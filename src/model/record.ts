/**
 * The record's entries as bytes to be hashed: JSON with sorted keys and no spaces (RFC 8785 for the values that occur here), so that anyone can
 * compute the chain again from the entries alone. The store's own position (`cursor`) is no part of it.
 */
import type { Event } from './event.ts'

/** Any JSON value with its objects' keys in code-unit order. Members that are undefined are left out, as JSON does. */
export const canonicalJson = (value: unknown): string => {
  if (Array.isArray(value)) return `[${value.map(item => canonicalJson(item ?? null)).join(',')}]`
  if (typeof value === 'object' && value !== null) {
    const members = Object.entries(value)
      .filter(([, member]) => member !== undefined)
      .sort(([left], [right]) => (left < right ? -1 : 1))
      .map(([key, member]) => `${JSON.stringify(key)}:${canonicalJson(member)}`)
    return `{${members.join(',')}}`
  }
  return JSON.stringify(value)
}

/** What the hash of an entry covers, beside the hash before it. */
export const entryText = (entry: Omit<Event, 'cursor' | 'hash'>): string => {
  const { sequence, environment, instance, time, type, actor, reason, data } = entry
  return canonicalJson({ sequence, environment, instance, time, type, actor, reason, data })
}

/** What the first entry's predecessor hash is the hash of: a record cannot be passed off as another environment's. */
export const genesisText = (environment: string): string => `dayfly record of ${environment}`
