/** RubyGems' order (Gem::Version): runs of digits and of letters; letters are a pre-release; zeros at the end of either half do not count. */
import type { VersionOrder } from './text.ts'
import { compareNumbers, compareText, endOfRun, isDigit, isLetter, isZero } from './text.ts'

const withoutTrailingZeros = (segments: string[]): string[] => {
  let end = segments.length
  while (end > 0 && isZero(segments[end - 1] ?? '')) end--
  return segments.slice(0, end)
}

const startsWithDigit = (segment: string): boolean => isDigit(segment.charCodeAt(0))

const parse = (version: string): string[] => {
  const segments: string[] = []
  for (let at = 0; at < version.length; ) {
    const code = version.charCodeAt(at)
    const end = isDigit(code) ? endOfRun(version, at, isDigit) : isLetter(code) ? endOfRun(version, at, isLetter) : at + 1
    if (end > at + 1 || isDigit(code) || isLetter(code)) segments.push(version.slice(at, end))
    // A dash stands for a pre-release.
    else if (code === 45) segments.push('pre')
    at = end
  }
  const first = segments.findIndex(segment => !startsWithDigit(segment))
  if (first < 0) return withoutTrailingZeros(segments)
  return [...withoutTrailingZeros(segments.slice(0, first)), ...withoutTrailingZeros(segments.slice(first))]
}

export const rubygems: VersionOrder = {
  compare: (left, right) => {
    if (left === right) return 0
    const [a, b] = [parse(left), parse(right)]
    for (let at = 0; at < Math.max(a.length, b.length); at++) {
      const [one, other] = [a[at] ?? '0', b[at] ?? '0']
      const [numeric, otherNumeric] = [startsWithDigit(one), startsWithDigit(other)]
      if (numeric !== otherNumeric) return numeric ? 1 : -1
      const order = (numeric ? compareNumbers : compareText)(one, other)
      if (order !== 0) return order
    }
    return 0
  },
  valid: version => {
    const [main = '', ...rest] = version.trim().split('-')
    const parts = main.split('.')
    const word = (part: string): boolean => part !== '' && endOfRun(part, 0, code => isDigit(code) || isLetter(code)) === part.length
    if (!parts.every(word) || endOfRun(parts[0] ?? '', 0, isDigit) !== parts[0]?.length) return false
    return (
      rest.length === 0 ||
      rest
        .join('-')
        .split('.')
        .every(part => part !== '' && endOfRun(part, 0, code => isDigit(code) || isLetter(code) || code === 45) === part.length)
    )
  },
}
