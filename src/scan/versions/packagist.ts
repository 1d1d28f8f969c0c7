/** Packagist's order: PHP's version_compare. Parts are numbers or words; words before the end: dev, alpha, beta, RC; after any number: pl. */
import type { VersionOrder } from './text.ts'
import { compareNumbers, endOfRun, isDigit, isLetter } from './text.ts'

/** PHP compares beginnings, in this order and with this case: `patch` is `p`, `base` is `b`, `BETA` is nothing known. */
const words: readonly (readonly [string, number])[] = [
  ['dev', 1],
  ['alpha', 2],
  ['a', 2],
  ['beta', 3],
  ['b', 3],
  ['RC', 4],
  ['rc', 4],
  ['pl', 7],
  ['p', 7],
]
const [nothing, unknownWord, end, number] = [-1, 0, 5, 6]
/** PHP's placeholder for a number, which is equal to the end and to every number. The only part that makes the order not transitive. */
const anyNumber = '#'

const rank = (part: string | undefined): number => {
  if (part === undefined) return end
  if (part === '') return nothing
  if (isDigit(part.charCodeAt(0))) return number
  return words.find(([word]) => part.startsWith(word))?.[1] ?? unknownWord
}

const isWord = (code: number): boolean => isLetter(code) || code === 35
const isSeparator = (code: number): boolean => !isDigit(code) && !isWord(code)

const parse = (version: string): string[] => {
  const text = version.trim()
  const parts: string[] = []
  for (let at = text.startsWith('v') || text.startsWith('V') ? 1 : 0; at < text.length; ) {
    const code = text.charCodeAt(at)
    if (isSeparator(code)) {
      at = endOfRun(text, at, isSeparator)
      // A separator at the end is followed by an empty word.
      if (at === text.length) parts.push('')
      continue
    }
    const stop = endOfRun(text, at, isDigit(code) ? isDigit : isWord)
    parts.push(text.slice(at, stop))
    at = stop
  }
  return parts
}

const compareParts = (left: string | undefined, right: string | undefined): number => {
  if (left?.startsWith(anyNumber) || right?.startsWith(anyNumber)) {
    const [a, b] = [left, right].map(part => (part?.startsWith(anyNumber) || rank(part) === number ? end : rank(part)))
    return (a ?? end) - (b ?? end)
  }
  const difference = rank(left) - rank(right)
  if (difference !== 0 || left === undefined || right === undefined) return difference
  return isDigit(left.charCodeAt(0)) ? compareNumbers(left, right) : 0
}

export const packagist: VersionOrder = {
  compare: (left, right) => {
    if (left === right) return 0
    const [a, b] = [parse(left), parse(right)]
    for (let at = 0; at < Math.max(a.length, b.length); at++) {
      const order = compareParts(a[at], b[at])
      if (order !== 0) return order
    }
    return 0
  },
  valid: version => parse(version).some(part => part !== '') && endOfRun(version, 0, code => code > 32 && code < 127) === version.length,
}
