/** What a field is. The table of all is `table.ts`; docs/rules.md has what is said here for readers. */
import type { EventContext } from './context.ts'

/**
 *   number     an integer                                        time, duration   nanoseconds since the epoch, or between two moments
 *   port       0 to 65535; rules may name a service            address, network   an IP address as text; networks are compared by prefix
 *   bytes      not text: compared byte by byte
 */
export type FieldType = 'string' | 'number' | 'boolean' | 'port' | 'address' | 'network' | 'time' | 'duration' | 'bytes'

export type Scalar = string | number | boolean | Uint8Array
/** An array is what a field of several values has. */
export type Value = Scalar | readonly Scalar[]
/** Undefined: the event has no such value, or it is not known. No comparison with that is true, and its output is `<NA>`. */
export type Reader = (context: EventContext) => Value | undefined

/** A field with the argument that a rule gives it. */
export interface BoundField {
  readonly type: FieldType
  /**
   *   one    a single value
   *   any    several, each of which stands for all: a comparison holds when it does for one of them (`!=` of addresses, networks and ports: for each)
   *   list   several, which only `in`, `intersects` and `exists` compare
   */
  readonly holds: 'one' | 'any' | 'list'
  readonly read: Reader
}

export interface Field {
  readonly name: string
  readonly type: FieldType
  readonly doc: string
  readonly holds?: BoundField['holds']
  /** What stands in brackets, or after a dot where `dotted`. Without any, it takes none. */
  readonly argument?: { readonly need: 'optional' | 'required'; readonly kind: 'index' | 'key'; readonly dotted?: true }
  /** It can be compared, but not written. */
  readonly conditionOnly?: true
  /** It takes no transformer and stands on no right-hand side. */
  readonly plain?: true
  /** It is put together anew each time it is read, so it is read once for an event. */
  readonly costly?: true
  /** The same as several values, for transformers that take a list. */
  readonly asList?: Reader
  /** Why nobody should use it any more. */
  readonly deprecated?: string
  /** Why Dayfly cannot know it. It has no value ever. */
  readonly lacking?: string
  /** `argument` fits `argument` above. Throws RangeError, in words for the author of the rule, when it cannot be used. */
  readonly bind: (argument: string | undefined) => Reader | Pick<BoundField, 'holds' | 'read'>
}

/** Fields by name. */
export type FieldTable = ReadonlyMap<string, Field>
