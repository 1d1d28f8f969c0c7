/** What OTLP messages are made of, in their JSON mapping: 64-bit integers are texts, ids are hexadecimal, names are lowerCamelCase. */

export type Tree = string | number | boolean | undefined | readonly Tree[] | { readonly [name: string]: Tree }

export type AttributeValue = string | number | boolean | readonly string[]
export type Attributes = Readonly<Record<string, AttributeValue | undefined>>

const anyValue = (value: AttributeValue): Tree => {
  if (typeof value === 'string') return { stringValue: value }
  if (typeof value === 'boolean') return { boolValue: value }
  if (typeof value === 'number') return Number.isSafeInteger(value) ? { intValue: String(value) } : { doubleValue: value }
  return { arrayValue: { values: value.map(stringValue => ({ stringValue })) } }
}

/** Without what is not known. */
export const attributeTrees = (attributes: Attributes): Tree[] =>
  Object.entries(attributes).flatMap(([key, value]) => (value === undefined ? [] : [{ key, value: anyValue(value) }]))

/** Wall ms, with a fraction, as ns. */
export const nanoseconds = (ms: number): string => String(BigInt(Math.round(ms * 1000)) * 1000n)

/** Who sends, and what it calls itself. */
export interface Sender {
  readonly resource: Attributes
  readonly version: string
}

export const resourceOf = ({ resource }: Sender): Tree => ({ attributes: attributeTrees(resource) })
export const scopeOf = ({ version }: Sender): Tree => ({ name: 'dayfly', version })
