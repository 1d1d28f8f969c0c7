/** Secrets that are wrapped in base64, as in the manifests of Kubernetes: one layer is taken off. */
import RE2 from 're2'
import { printableFromBase64 } from './checks.ts'

/** What says that a document's values are in base64, in lower case. */
export const encodedKeywords: readonly string[] = ['kind: secret', 'kind: "secret"', '"kind":"secret"', '"kind": "secret"']

/** Values of one piece that are decoded. */
const mostValues = 500

const values = new RE2(
  '(?m)(?:^[ \\t]{0,16}|[{,]\\s{0,16})["\']?([A-Za-z0-9._-]{1,128})["\']?[ \\t]{0,4}:[ \\t]{0,4}["\']?([A-Za-z0-9+/]{4,}={0,2})["\']?[ \\t]{0,4}(?:[,}\\r]|$)',
  'gd',
)

export interface Encoded {
  readonly name: string
  /** Of the base64, in the piece. */
  readonly start: number
  readonly end: number
  readonly text: string
}

/** Named values of `bytes` that are base64 of printable text. Second: whether those were all. */
export const encodedValues = (bytes: Buffer): readonly [readonly Encoded[], boolean] => {
  const found: Encoded[] = []
  values.lastIndex = 0
  for (let attempt = 0; attempt < mostValues; attempt++) {
    const match = values.exec(bytes)
    if (match === null) return [found, true]
    const name = match.indices?.[1]
    const value = match.indices?.[2]
    if (name === undefined || value === undefined) return [found, true]
    const text = printableFromBase64(bytes.toString('latin1', value[0], value[1]))
    if (text !== undefined) found.push({ name: bytes.toString('latin1', name[0], name[1]), start: value[0], end: value[1], text })
  }
  return [found, false]
}

/** The text that a single value stands for, where that is base64 and long enough not to be a word. */
export const decodedValue = (value: string): string | undefined =>
  value.length >= 16 && value.length <= 65_536 && value.length % 4 === 0 && /^[A-Za-z0-9+/]+={0,2}$/.test(value)
    ? printableFromBase64(value)
    : undefined
