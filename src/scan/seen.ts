import type { Entry, EntryKind } from './catalogue.ts'

/** One entry on its way past. */
export interface Seen extends Omit<Entry, 'kind'> {
  readonly kind: EntryKind | 'opaque'
  /** The name's bytes, where they are not UTF-8. */
  readonly raw?: Buffer
  /** Keywords that its content holds, by their place in the list, rising. */
  readonly keywords: readonly number[]
  /** The first of them as `KEYWORD@OFFSET,…`, by offset of their first byte. */
  readonly hits: string
  /** There are more than `hits` says. */
  readonly more: boolean
}
