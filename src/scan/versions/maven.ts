/**
 * Maven's order (its version order specification, and ComparableVersion): tokens between dots, dashes and changes between digits and letters; null values
 * (0, ga, final, release) at the end and before each dash do not count. At the same place .word < -word < -number < .number, and words are
 * alpha < beta < milestone < rc < snapshot < nothing < sp < all others.
 * Where a word follows a dot this is no total order, in Maven neither: 2.9 < 2.9-1 < 2.9.0.RC1 < 2.9.
 */
import type { VersionOrder } from './text.ts'
import { compareNumbers, compareText, endOfRun, isDigit, isZero } from './text.ts'

interface Token {
  readonly dash: boolean
  /** Digits, or a word in lower case. */
  readonly text: string
  readonly numeric: boolean
}

const prereleases = ['alpha', 'beta', 'milestone', 'rc', 'snapshot']
const aliases: ReadonlyMap<string, string> = new Map([
  ['ga', ''],
  ['final', ''],
  ['release', ''],
  ['cr', 'rc'],
])
/** Only where a digit follows at once. */
const abbreviations: ReadonlyMap<string, string> = new Map([
  ['a', 'alpha'],
  ['b', 'beta'],
  ['m', 'milestone'],
])

const isNull = (token: Token): boolean => (token.numeric ? isZero(token.text) : token.text === '')
const isWord = (code: number): boolean => !isDigit(code) && code !== 46 && code !== 45

/** Drops what is null before a dash or the end. */
const trim = (tokens: Token[]): void => {
  for (let last = tokens.at(-1); last && isNull(last); last = tokens.at(-1)) tokens.pop()
}

const parse = (version: string): Token[] => {
  const text = version.trim().toLowerCase()
  const tokens: Token[] = []
  let dash = false
  for (let at = 0; ; ) {
    const code = text.charCodeAt(at)
    const numeric = isDigit(code)
    const stop = endOfRun(text, at, numeric ? isDigit : isWord)
    const raw = text.slice(at, stop)
    const changes = stop < text.length && isDigit(text.charCodeAt(stop)) !== numeric && text.charCodeAt(stop) !== 46 && text.charCodeAt(stop) !== 45
    const word = (changes ? abbreviations.get(raw) : undefined) ?? aliases.get(raw) ?? raw
    const token = raw === '' ? { dash, text: '0', numeric: true } : { dash, text: numeric ? raw : word, numeric }
    if (token.dash) trim(tokens)
    tokens.push(token)
    if (stop >= text.length) break
    dash = changes || text.charCodeAt(stop) === 45
    at = changes ? stop : stop + 1
  }
  trim(tokens)
  return tokens
}

/** Of a word: pre-releases are negative, what is no word at all is 0. */
const weight = (word: string): number => {
  const early = prereleases.indexOf(word)
  if (early >= 0) return early - prereleases.length
  return word === '' ? 0 : word === 'sp' ? 1 : 2
}

/** What is missing is null: 0 or no word, whatever it is compared with. */
const compareToNull = (token: Token): number => (token.numeric ? Number(!isZero(token.text)) : weight(token.text))

const kind = (token: Token): number => (token.numeric ? (token.dash ? 2 : 3) : token.dash ? 1 : 0)

const compareTokens = (left: Token, right: Token): number => {
  const difference = kind(left) - kind(right)
  if (difference !== 0) return difference
  if (left.numeric) return compareNumbers(left.text, right.text)
  return weight(left.text) - weight(right.text) || compareText(left.text, right.text)
}

export const maven: VersionOrder = {
  compare: (left, right) => {
    if (left === right) return 0
    const [a, b] = [parse(left), parse(right)]
    for (let at = 0; at < Math.max(a.length, b.length); at++) {
      const [one, other] = [a[at], b[at]]
      const order = one && other ? compareTokens(one, other) : one ? compareToNull(one) : other ? -compareToNull(other) : 0
      if (order !== 0) return order
    }
    return 0
  },
  valid: version => endOfRun(version, 0, code => code > 32 && code < 127) === version.length && isDigit(version.charCodeAt(0)),
}
