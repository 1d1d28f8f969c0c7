/**
 * Semantic Versioning 2.0 as loosely as it is met: a leading `v`, fewer or more than three numbers, a pre-release without its dash (`1.0.0beta`).
 * npm, Go, crates.io, Hex and most others; NuGet counts a fourth number and no case, Pub counts builds.
 */
import type { VersionOrder } from './text.ts'
import { allDigits, compareNumbers, compareText, endOfRun, isDigit, isLetter } from './text.ts'

interface Parsed {
  readonly numbers: readonly string[]
  /** undefined for a release. */
  readonly prerelease: string | undefined
  readonly build: string
}

const parse = (version: string, most: number): Parsed => {
  const text = version.trim()
  let at = text.startsWith('v') || text.startsWith('V') || text.startsWith('=') ? 1 : 0
  const numbers: string[] = []
  while (numbers.length < most) {
    const end = endOfRun(text, at, isDigit)
    if (end === at) break
    numbers.push(text.slice(at, end))
    at = end
    if (text.charCodeAt(at) !== 46 || !isDigit(text.charCodeAt(at + 1)) || numbers.length === most) break
    at++
  }
  const plus = text.indexOf('+', at)
  const rest = plus < 0 ? text.slice(at) : text.slice(at, plus)
  const build = plus < 0 ? '' : text.slice(plus + 1)
  // More numbers than there are places: what follows is a build, as in OSV.
  const surplus = rest.startsWith('.') ? endOfRun(rest, 0, code => isDigit(code) || code === 46) : 0
  const tail = rest.slice(surplus)
  const dashed = tail.startsWith('-') ? tail.slice(1) : tail.startsWith('.') ? tail.slice(1) : tail
  return { numbers, prerelease: tail === '' ? undefined : dashed, build }
}

const compareIdentifiers = (left: string, right: string): number => {
  const [a, b] = [left.split('.'), right.split('.')]
  for (let at = 0; at < Math.max(a.length, b.length); at++) {
    const [one, other] = [a[at], b[at]]
    if (one === undefined) return -1
    if (other === undefined) return 1
    const [numeric, otherNumeric] = [allDigits(one), allDigits(other)]
    if (numeric !== otherNumeric) return numeric ? -1 : 1
    const order = (numeric ? compareNumbers : compareText)(one, other)
    if (order !== 0) return order
  }
  return 0
}

const comparePrerelease = (left: string | undefined, right: string | undefined): number => {
  if (left === undefined || right === undefined) return Number(left === undefined) - Number(right === undefined)
  return compareIdentifiers(left, right)
}

const order = (places: number, foldsCase: boolean, countsBuild: boolean): VersionOrder['compare'] => {
  const fold = (text: string): string => (foldsCase ? text.toLowerCase() : text)
  return (left, right) => {
    if (left === right) return 0
    const [a, b] = [parse(fold(left), places), parse(fold(right), places)]
    for (let at = 0; at < places; at++) {
      const difference = compareNumbers(a.numbers[at] ?? '', b.numbers[at] ?? '')
      if (difference !== 0) return difference
    }
    const difference = comparePrerelease(a.prerelease, b.prerelease)
    if (difference !== 0 || !countsBuild) return difference
    if (a.build === '' || b.build === '') return Number(a.build !== '') - Number(b.build !== '')
    return compareIdentifiers(a.build, b.build)
  }
}

const identifiers = (text: string, zeros: boolean): boolean =>
  text.split('.').every(part => {
    if (part === '' || endOfRun(part, 0, code => isDigit(code) || isLetter(code) || code === 45) !== part.length) return false
    return zeros || part.length === 1 || !part.startsWith('0') || !allDigits(part)
  })

const valid =
  (least: number, most: number) =>
  (version: string): boolean => {
    const text = version.startsWith('v') ? version.slice(1) : version
    const plus = text.indexOf('+')
    const [main, build] = plus < 0 ? [text, undefined] : [text.slice(0, plus), text.slice(plus + 1)]
    const dash = main.indexOf('-')
    const [core, prerelease] = dash < 0 ? [main, undefined] : [main.slice(0, dash), main.slice(dash + 1)]
    const numbers = core.split('.')
    if (
      numbers.length < least ||
      numbers.length > most ||
      !numbers.every(number => allDigits(number) && (number.length === 1 || !number.startsWith('0')))
    )
      return false
    return (prerelease === undefined || identifiers(prerelease, false)) && (build === undefined || identifiers(build, true))
  }

export const semver: VersionOrder = { compare: order(3, false, false), valid: valid(3, 3) }
export const nuget: VersionOrder = { compare: order(4, true, false), valid: valid(1, 4) }
export const pub: VersionOrder = { compare: order(3, false, true), valid: valid(3, 3) }

const numbersOf = (version: string): string[] => {
  const numbers: string[] = []
  for (let at = 0; at < version.length; at++) {
    if (!isDigit(version.charCodeAt(at))) continue
    const end = endOfRun(version, at, isDigit)
    numbers.push(version.slice(at, end))
    at = end
  }
  return numbers
}

/** CRAN, Bioconductor, Hackage, GHC: numbers and nothing else; the longer of two equal beginnings is the later. */
export const numeric: VersionOrder = {
  compare: (left, right) => {
    const [a, b] = [numbersOf(left), numbersOf(right)]
    for (let at = 0; at < Math.min(a.length, b.length); at++) {
      const difference = compareNumbers(a[at] ?? '', b[at] ?? '')
      if (difference !== 0) return difference
    }
    return a.length - b.length
  },
  valid: version => version.split(/[.-]/).every(allDigits),
}
