/**
 * Alpine's order, `digits{.digits}[letter]{_suffix[digits]}[~hash][-r#]`, as apk-tools 3 has it: a version is a sequence of tokens, and what is no token
 * ends it as invalid. Three things that apk-tools 2 knew are kept, for versions in the data have them: digits after the letter (`6.6.2p1`),
 * empty numbers (`0..8`), and `-r` without a number, which is `-r0`.
 */
import type { VersionOrder } from './text.ts'
import { compareNumbers, compareText, endOfRun, isDigit, isLower } from './text.ts'

const before = ['alpha', 'beta', 'pre', 'rc']
const after = ['cvs', 'svn', 'git', 'hg', 'p']

/** From least to most: what comes after an equal beginning. A pre-release suffix is less than the end, and the end less than anything valid. */
const rank = { prerelease: 0, invalid: 1, empty: 2, end: 3, revision: 4, hash: 5, suffixNumber: 6, suffix: 7, letter: 8, number: 9 } as const
type Kind = keyof typeof rank

class Tokens {
  readonly #text: string
  #at = 0
  kind: Kind = 'number'
  /** What it is compared by within its kind. */
  value = ''
  /** A number after a dot: one with a leading zero is compared as text, as Gentoo does. */
  fraction = false
  #numbers = true

  constructor(text: string) {
    this.#text = text
    this.#number()
    // An empty first number is 0, so that `.1` and `a` are versions.
    this.kind = 'number'
  }

  #take(is: (code: number) => boolean): void {
    const end = endOfRun(this.#text, this.#at, is)
    this.value = this.#text.slice(this.#at, end)
    this.#at = end
  }

  #number(): void {
    this.#take(isDigit)
    this.kind = this.value === '' ? 'empty' : 'number'
  }

  /** Kinds come in the order of the grammar; what comes too late is invalid. */
  #may(least: Kind): boolean {
    return this.kind === 'prerelease' || this.kind === 'suffix' ? rank.suffix > rank[least] : this.#numbers || rank[this.kind] > rank[least]
  }

  next(): void {
    if (this.#at >= this.#text.length) {
      this.kind = 'end'
      return
    }
    const code = this.#text.charCodeAt(this.#at)
    const numeric = this.kind === 'number' || this.kind === 'empty'
    this.fraction = false
    if (isLower(code) && numeric) {
      this.value = this.#text.charAt(this.#at++)
      this.kind = 'letter'
    } else if (code === 46 && numeric) {
      this.#at++
      this.fraction = true
      this.#number()
    } else if (isDigit(code) && this.kind === 'letter') this.#number()
    else if (isDigit(code) && (this.kind === 'suffix' || this.kind === 'prerelease')) {
      this.#take(isDigit)
      this.kind = 'suffixNumber'
    } else if (
      code === 95 &&
      (numeric || this.kind === 'letter' || this.kind === 'suffix' || this.kind === 'prerelease' || this.kind === 'suffixNumber')
    ) {
      this.#at++
      this.#suffix()
    } else if (code === 126 && this.#may('hash')) {
      this.#at++
      this.#take(digit => isDigit(digit) || (digit >= 97 && digit <= 102))
      this.kind = this.value === '' ? 'invalid' : 'hash'
    } else if (code === 45 && this.#may('revision')) this.#revision()
    else this.kind = 'invalid'
    this.#numbers = this.kind === 'number' || this.kind === 'empty'
  }

  #suffix(): void {
    this.#take(isLower)
    const [early, late] = [before.indexOf(this.value), after.indexOf(this.value)]
    this.kind = early >= 0 ? 'prerelease' : late >= 0 ? 'suffix' : 'invalid'
    this.value = String(early >= 0 ? early : late)
  }

  #revision(): void {
    const following = this.#text.charCodeAt(this.#at + 2)
    if (this.#text.charCodeAt(this.#at + 1) !== 114 || !(Number.isNaN(following) || isDigit(following) || following === 45)) {
      this.kind = 'invalid'
      return
    }
    this.#at += 2
    this.#take(isDigit)
    this.kind = 'revision'
  }
}

const compareValues = (left: Tokens, right: Tokens): number => {
  if (left.kind === 'letter' || left.kind === 'hash') return compareText(left.value, right.value)
  if (left.fraction && (left.value.startsWith('0') || right.value.startsWith('0'))) return compareText(left.value, right.value)
  return compareNumbers(left.value, right.value)
}

export const apk: VersionOrder = {
  compare: (left, right) => {
    if (left === right) return 0
    const [a, b] = [new Tokens(left), new Tokens(right)]
    for (;;) {
      const difference = rank[a.kind] - rank[b.kind]
      if (difference !== 0) return difference
      if (a.kind === 'end' || a.kind === 'invalid') return 0
      if (a.kind !== 'empty') {
        const order = compareValues(a, b)
        if (order !== 0) return order
      }
      a.next()
      b.next()
    }
  },
  valid: version => {
    const tokens = new Tokens(version)
    if (tokens.value === '') return false
    for (;;) {
      const letter = tokens.kind === 'letter'
      tokens.next()
      if (tokens.kind === 'end') return true
      if (tokens.kind === 'invalid' || tokens.value === '' || (letter && tokens.kind === 'number')) return false
    }
  },
}
