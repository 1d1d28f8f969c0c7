/** What every version order compares: runs of digits as numbers of any length, and text by code units. All in linear time. */

export const isDigit = (code: number): boolean => code >= 48 && code <= 57
export const isLower = (code: number): boolean => code >= 97 && code <= 122
export const isLetter = (code: number): boolean => isLower(code | 32)

export const compareText = (left: string, right: string): number => (left < right ? -1 : left > right ? 1 : 0)

const significant = (digits: string): string => {
  let start = 0
  while (start < digits.length && digits.charCodeAt(start) === 48) start++
  return start === 0 ? digits : digits.slice(start)
}

/** Two runs of ASCII digits as numbers, however long; '' is 0. Versions hold dates and hashes that no double holds. */
export const compareNumbers = (left: string, right: string): number => {
  const [a, b] = [significant(left), significant(right)]
  return a.length - b.length || compareText(a, b)
}

export const isZero = (digits: string): boolean => significant(digits) === ''

/** The index after the run of what `is` accepts, from `from` on. */
export const endOfRun = (text: string, from: number, is: (code: number) => boolean): number => {
  let at = from
  while (at < text.length && is(text.charCodeAt(at))) at++
  return at
}

export const allDigits = (text: string): boolean => text !== '' && endOfRun(text, 0, isDigit) === text.length

/** How the versions of an ecosystem are ordered. */
export interface VersionOrder {
  /** Negative, 0 or positive. Never throws: what is not a version at all has its place too. */
  readonly compare: (left: string, right: string) => number
  /** Whether it is a version by the ecosystem's own rules. */
  readonly valid: (version: string) => boolean
}
