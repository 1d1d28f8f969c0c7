/** Tokens for the tests, put together when they run: the repository holds none, so that no scanner stops a push of it. The same at each run. */
import { createHash } from 'node:crypto'

const letters = 'abcdefghijklmnopqrstuvwxyz'
const digits = '0123456789'
const alphabets = {
  hex: `${digits}abcdef`,
  lower: letters + digits,
  upper: letters.toUpperCase() + digits,
  alphanumeric: letters + letters.toUpperCase() + digits,
  letters: letters + letters.toUpperCase(),
  digits,
  base32: `${letters.toUpperCase()}234567`,
  base64: `${letters}${letters.toUpperCase()}${digits}+/`,
  url: `${letters}${letters.toUpperCase()}${digits}-_`,
}

let counter = 0

const pick = (alphabet: string, length: number): string => {
  let text = ''
  while (text.length < length) {
    for (const byte of createHash('sha256').update(`vector ${counter++}`).digest()) text += alphabet[byte % alphabet.length] ?? ''
  }
  return text.slice(0, length)
}

export const random = {
  hex: (length: number) => pick(alphabets.hex, length),
  lower: (length: number) => pick(alphabets.lower, length),
  upper: (length: number) => pick(alphabets.upper, length),
  /** With a digit, a capital and a small letter. */
  alphanumeric: (length: number) => (length < 3 ? pick(alphabets.alphanumeric, length) : `${pick(alphabets.alphanumeric, length - 3)}7qZ`),
  letters: (length: number) => pick(alphabets.letters, length),
  digits: (length: number) => pick(alphabets.digits, length),
  base32: (length: number) => pick(alphabets.base32, length),
  base64: (length: number) => pick(alphabets.base64, length),
  url: (length: number) => `${pick(alphabets.url, length - 3)}7qZ`,
  uuid: () => [8, 4, 4, 4, 12].map(length => pick(alphabets.hex, length)).join('-'),
  bytes: (length: number) => Buffer.from(pick(alphabets.alphanumeric, length)),
}

/** A text with a secret in it that exactly one rule must find. */
export interface Vector {
  readonly rule: string
  readonly before: string
  readonly secret: string
  readonly after: string
  readonly path: string
  /** Texts in the secret's place that the rule must not find. */
  readonly not: readonly string[]
}

export interface VectorOptions {
  readonly before?: string
  readonly after?: string
  readonly path?: string
  readonly not?: readonly string[]
}

/** Without `not`: half of the secret, and the secret with an `x` for each letter and digit after its first four characters. */
export const vector = (rule: string, secret: string, options: VectorOptions = {}): Vector => ({
  ...{ rule, secret, before: options.before ?? 'value = "', after: options.after ?? '"\n', path: options.path ?? 'srv/data.bin.txt' },
  not: options.not ?? [secret.slice(0, Math.min(12, secret.length / 3)), secret.slice(0, 4) + secret.slice(4).replaceAll(/[A-Za-z0-9]/g, 'x')],
})
