/** Texts: the standard functions and the strings extension. Positions count code points. */
import { fn, method, textCost } from '../overloads.ts'
import type { Value } from '../values.ts'
import { CelError, lengthOf } from '../values.ts'
import { formatText } from './text-format.ts'

/** Code points, or the text itself where each of its units is one. */
const points = (text: string): string | readonly string[] => (lengthOf(text) === text.length ? text : Array.from(text))
const slice = (of: string | readonly string[], from: number, to: number): string =>
  typeof of === 'string' ? of.slice(from, to) : of.slice(from, to).join('')

const position = (value: bigint, length: number): number => {
  if (value < 0n || value > BigInt(length)) throw new CelError(`index out of range: ${value}`)
  return Number(value)
}

const matchesAt = (of: string | readonly string[], wanted: string | readonly string[], at: number): boolean => {
  for (let offset = 0; offset < wanted.length; offset++) if (of[at + offset] !== wanted[offset]) return false
  return true
}

/** A start beyond the end finds nothing, a negative one is an error; an empty text is found at the end at the latest. */
const start = (from: bigint, length: number): number => {
  if (from < 0n) throw new CelError(`index out of range: ${from}`)
  return from > BigInt(length) ? length : Number(from)
}

const indexOf = (text: string, wanted: string, from: bigint): bigint => {
  const of = points(text)
  const first = start(from, of.length)
  if (typeof of === 'string') return BigInt(of.indexOf(wanted, first))
  const searched = Array.from(wanted)
  for (let at = first; at + searched.length <= of.length; at++) if (matchesAt(of, searched, at)) return BigInt(at)
  return -1n
}

const lastIndexOf = (text: string, wanted: string, from?: bigint): bigint => {
  const of = points(text)
  const last = from === undefined ? of.length : start(from, of.length)
  if (wanted === '') return BigInt(last)
  // A place behind the last character is none to start from, as cel-go has it.
  if (from !== undefined && last >= of.length) return -1n
  if (typeof of === 'string') return BigInt(of.lastIndexOf(wanted, last))
  const searched = Array.from(wanted)
  for (let at = Math.min(last, of.length - searched.length); at >= 0; at--) if (matchesAt(of, searched, at)) return BigInt(at)
  return -1n
}

const longestResult = 10_000_000

const replace = (text: string, old: string, by: string, limit: bigint): string => {
  if (limit === 0n) return text
  const parts = old === '' ? ['', ...Array.from(text), ''] : text.split(old)
  const most = limit < 0n ? parts.length - 1 : Math.min(Number(limit), parts.length - 1)
  if (text.length + most * by.length > longestResult) throw new CelError('the text becomes too long')
  if (old === '') return parts.map((part, at) => part + (at < most ? by : '')).join('')
  return (
    parts.slice(0, most + 1).join(by) +
    parts
      .slice(most + 1)
      .map(part => old + part)
      .join('')
  )
}

const split = (text: string, by: string, limit: bigint): Value[] => {
  if (limit === 0n) return []
  const parts = by === '' ? Array.from(text) : text.split(by)
  if (limit < 0n || BigInt(parts.length) <= limit) return parts
  const most = Number(limit)
  return [...parts.slice(0, most - 1), parts.slice(most - 1).join(by)]
}

const join = (list: readonly Value[], by: string): string => {
  let length = 0
  for (const item of list) {
    if (typeof item !== 'string') throw new CelError('only texts can be joined')
    length += item.length + by.length
    if (length > longestResult) throw new CelError('the text becomes too long')
  }
  return list.join(by)
}

const charAt = (text: string, at: bigint): string => {
  const of = points(text)
  return of[position(at, of.length)] ?? ''
}

const substring = (text: string, from: bigint, to?: bigint): string => {
  const of = points(text)
  const start = position(from, of.length)
  const end = to === undefined ? of.length : position(to, of.length)
  if (start > end) throw new CelError(`invalid substring range: ${start} to ${end}`)
  return slice(of, start, end)
}

// Unicode's white space, which Go trims; JavaScript's trim also takes U+FEFF, and not U+0085.
const white = new Set('\t\n\v\f\r \u0085\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000')
const trim = (text: string): string => {
  let from = 0
  let to = text.length
  while (from < to && white.has(text[from] ?? '')) from++
  while (to > from && white.has(text[to - 1] ?? '')) to--
  return text.slice(from, to)
}

const quotes: Readonly<Record<string, string>> = {
  '\x07': '\\a',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
  '\\': '\\\\',
  '"': '\\"',
}
const quote = (text: string): string => `"${Array.from(text, char => quotes[char] ?? char).join('')}"`

const cost = { cost: textCost }

export const strings = [
  method('contains', ['string', 'string'], 'bool', (text, part) => text.includes(part), cost),
  method('startsWith', ['string', 'string'], 'bool', (text, part) => text.startsWith(part)),
  method('endsWith', ['string', 'string'], 'bool', (text, part) => text.endsWith(part)),
  method('charAt', ['string', 'int'], 'string', charAt, cost),
  method('indexOf', ['string', 'string'], 'int', (text, part) => indexOf(text, part, 0n), cost),
  method('indexOf', ['string', 'string', 'int'], 'int', indexOf, cost),
  method('lastIndexOf', ['string', 'string'], 'int', (text, part) => lastIndexOf(text, part), cost),
  method('lastIndexOf', ['string', 'string', 'int'], 'int', lastIndexOf, cost),
  method('lowerAscii', ['string'], 'string', text => text.replaceAll(/[A-Z]+/g, part => part.toLowerCase()), cost),
  method('upperAscii', ['string'], 'string', text => text.replaceAll(/[a-z]+/g, part => part.toUpperCase()), cost),
  method('replace', ['string', 'string', 'string'], 'string', (text, old, by) => replace(text, old, by, -1n), cost),
  method('replace', ['string', 'string', 'string', 'int'], 'string', replace, cost),
  method('split', ['string', 'string'], 'list<string>', (text, by) => split(text, by, -1n), cost),
  method('split', ['string', 'string', 'int'], 'list<string>', split, cost),
  method('substring', ['string', 'int'], 'string', (text, from) => substring(text, from), cost),
  method('substring', ['string', 'int', 'int'], 'string', substring, cost),
  method('trim', ['string'], 'string', trim, cost),
  method('reverse', ['string'], 'string', text => Array.from(text).reverse().join(''), cost),
  method('join', ['list<string>'], 'string', list => join(list, ''), { cost: list => (Array.isArray(list) ? textCost(...list) + list.length : 0) }),
  method('join', ['list<string>', 'string'], 'string', join, { cost: list => (Array.isArray(list) ? textCost(...list) + list.length : 0) }),
  method('format', ['string', 'list<dyn>'], 'string', formatText, cost),
  fn('strings.quote', ['string'], 'string', quote, cost),
]
