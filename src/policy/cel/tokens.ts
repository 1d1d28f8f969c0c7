/** CEL's words. */
import type { Value } from './values.ts'
import { Uint } from './values.ts'

export class SyntaxFault extends Error {
  override readonly name = 'SyntaxFault'
  /** Offsets in the expression. */
  readonly start: number
  readonly end: number
  constructor(message: string, start: number, end: number) {
    super(message)
    this.start = start
    this.end = Math.max(end, start + 1)
  }
}

export interface Token {
  /** `escaped` is a field name within backticks. */
  readonly kind: 'name' | 'escaped' | 'literal' | 'operator' | 'end'
  /** Name or operator as written. */
  readonly text: string
  readonly value: Value
  readonly start: number
  readonly end: number
  /** Of a number: its digits, for a minus sign before it. */
  readonly digits?: string
}

const number = /0[xX][0-9a-fA-F]+[uU]?|(?:\d+\.\d+|\.\d+)(?:[eE][+-]?\d+)?|\d+[eE][+-]?\d+|\d+[uU]?/y
const name = /[A-Za-z_][A-Za-z0-9_]*/y
const escaped = /`[A-Za-z0-9_.\-/ ]+`/y
const space = /(?:[ \t\r\n\f]+|\/\/[^\n]*)+/y
const operator = /&&|\|\||==|!=|<=|>=|[-+*/%<>!?:.,()[\]{}]/y
const stringStart = /([rR][bB]|[bB][rR]|[rRbB])?("""|'''|"|')/y

const simpleEscapes: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '\\': '\\',
  '?': '?',
  '"': '"',
  "'": "'",
  '`': '`',
}
const codeEscapes: Readonly<Record<string, number>> = { x: 2, X: 2, u: 4, U: 8 }

/** One escape at `at` (behind the backslash): what it stands for, whether that is a byte, and how long it is. */
const readEscape = (text: string, at: number, bytes: boolean): { code: number; length: number } => {
  const char = text[at] ?? ''
  const plain = simpleEscapes[char]
  if (plain !== undefined) return { code: plain.charCodeAt(0), length: 1 }
  const length = codeEscapes[char]
  const digits = length === undefined ? text.slice(at, at + 3) : text.slice(at + 1, at + 1 + length)
  const octal = length === undefined
  if (octal ? !/^[0-3][0-7][0-7]$/.test(digits) : digits.length !== length || !/^[0-9a-fA-F]+$/.test(digits)) {
    throw new SyntaxFault(`\\${char} is no escape sequence`, at - 1, at + 1)
  }
  if (bytes && (char === 'u' || char === 'U')) throw new SyntaxFault(`\\${char} stands for no byte`, at - 1, at + 1)
  const code = Number.parseInt(digits, octal ? 8 : 16)
  if (code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
    throw new SyntaxFault(`\\${char}${digits} is no Unicode character`, at - 1, at + 1 + digits.length)
  return { code, length: octal ? 3 : 1 + digits.length }
}

const readString = (text: string, start: number): Token | undefined => {
  stringStart.lastIndex = start
  const match = stringStart.exec(text)
  if (!match) return undefined
  const prefix = (match[1] ?? '').toLowerCase()
  const quote = match[2] ?? '"'
  const raw = prefix.includes('r')
  const bytes = prefix.includes('b')
  const parts: (string | number)[] = []
  let at = start + match[0].length
  let from = at
  for (;;) {
    const char = text[at]
    if (char === undefined || (quote.length === 1 && (char === '\n' || char === '\r'))) throw new SyntaxFault('the string has no end', start, at)
    if (text.startsWith(quote, at)) break
    if (char !== '\\' || raw) {
      at++
      continue
    }
    const { code, length } = readEscape(text, at + 1, bytes)
    parts.push(text.slice(from, at), code)
    at += 1 + length
    from = at
  }
  parts.push(text.slice(from, at))
  const value = bytes
    ? Buffer.concat(parts.map(part => (typeof part === 'number' ? Buffer.from([part & 0xff]) : Buffer.from(part))))
    : parts.map(part => (typeof part === 'number' ? String.fromCodePoint(part) : part)).join('')
  const end = at + quote.length
  return { kind: 'literal', text: text.slice(start, end), value: typeof value === 'string' ? value : new Uint8Array(value), start, end }
}

const readNumber = (text: string, start: number): Token | undefined => {
  number.lastIndex = start
  const written = number.exec(text)?.[0]
  if (written === undefined) return undefined
  const end = start + written.length
  const token = { kind: 'literal', text: written, start, end } as const
  const hex = /^0[xX]/.test(written)
  if (/[uU]$/.test(written)) {
    const value = BigInt(written.slice(0, -1))
    if (value >= 2n ** 64n) throw new SyntaxFault('the number is too large for a uint', start, end)
    return { ...token, value: new Uint(value) }
  }
  if (!hex && /[.eE]/.test(written)) {
    const value = Number(written)
    if (!Number.isFinite(value)) throw new SyntaxFault('the number is too large for a double', start, end)
    return { ...token, value, digits: written }
  }
  const value = BigInt(written)
  // 2^63 is an int behind a minus sign only: the parser looks at it again.
  if (value > 2n ** 63n) throw new SyntaxFault('the number is too large for an int', start, end)
  return { ...token, value, digits: written }
}

const match = (pattern: RegExp, text: string, at: number): string | undefined => {
  pattern.lastIndex = at
  return pattern.exec(text)?.[0]
}

/** All tokens of an expression, the last of kind `end`. Throws SyntaxFault. */
export const tokenize = (text: string): Token[] => {
  const tokens: Token[] = []
  let at = 0
  for (;;) {
    at += match(space, text, at)?.length ?? 0
    if (at >= text.length) break
    const char = text[at] ?? ''
    let token = /[rRbB"']/.test(char) ? readString(text, at) : /[0-9.]/.test(char) ? readNumber(text, at) : undefined
    if (!token) {
      const word = match(name, text, at)
      const field = char === '`' ? match(escaped, text, at) : undefined
      const sign = match(operator, text, at)
      if (word !== undefined) token = { kind: 'name', text: word, value: null, start: at, end: at + word.length }
      else if (field !== undefined) token = { kind: 'escaped', text: field.slice(1, -1), value: null, start: at, end: at + field.length }
      else if (sign !== undefined) token = { kind: 'operator', text: sign, value: null, start: at, end: at + sign.length }
      else throw new SyntaxFault(`${JSON.stringify(String.fromCodePoint(text.codePointAt(at) ?? 0))} means nothing here`, at, at + 1)
    }
    tokens.push(token)
    at = token.end
  }
  tokens.push({ kind: 'end', text: '', value: null, start: text.length, end: text.length })
  return tokens
}
