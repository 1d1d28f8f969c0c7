/** One way to write a JSON value down, and its digest: the same content has the same one, whatever the order of its keys. */
import { createHash } from 'node:crypto'

/** Keys sorted, no spaces, members that are undefined left out. */
export const canonical = (value: unknown): string =>
  JSON.stringify(value, (_key, member: unknown) =>
    typeof member === 'object' && member !== null && !Array.isArray(member)
      ? Object.fromEntries(Object.entries(member).toSorted(([left], [right]) => (left < right ? -1 : left > right ? 1 : 0)))
      : member,
  ) ?? 'null'

/** `sha256:…` of the canonical form. */
export const digestOf = (value: unknown): string => `sha256:${createHash('sha256').update(canonical(value)).digest('hex')}`
