/** Debian's order (deb-version(7)): epoch, upstream version, revision; `~` sorts before everything, even before the end. */
import type { VersionOrder } from './text.ts'
import { allDigits, compareNumbers, endOfRun, isDigit, isLetter } from './text.ts'

interface Parsed {
  readonly epoch: string
  readonly upstream: string
  readonly revision: string
}

const parse = (version: string): Parsed => {
  const text = version.trim()
  const colon = text.indexOf(':')
  const hasEpoch = colon > 0 && allDigits(text.slice(0, colon))
  const rest = hasEpoch ? text.slice(colon + 1) : text
  const dash = rest.lastIndexOf('-')
  return {
    epoch: hasEpoch ? text.slice(0, colon) : '',
    upstream: dash < 0 ? rest : rest.slice(0, dash),
    revision: dash < 0 ? '' : rest.slice(dash + 1),
  }
}

/** `~` before the end (or a digit), that before letters, those before all else. */
const weight = (text: string, at: number): number => {
  if (at >= text.length) return 0
  const code = text.charCodeAt(at)
  if (isDigit(code)) return 0
  if (code === 126) return -1
  return isLetter(code) ? code : code + 256
}

const comparePart = (left: string, right: string): number => {
  let a = 0
  let b = 0
  while (a < left.length || b < right.length) {
    while ((a < left.length && !isDigit(left.charCodeAt(a))) || (b < right.length && !isDigit(right.charCodeAt(b)))) {
      const difference = weight(left, a) - weight(right, b)
      if (difference !== 0) return difference
      a++
      b++
    }
    const [endA, endB] = [endOfRun(left, a, isDigit), endOfRun(right, b, isDigit)]
    const difference = compareNumbers(left.slice(a, endA), right.slice(b, endB))
    if (difference !== 0) return difference
    a = endA
    b = endB
  }
  return 0
}

const every = (text: string, extra: string): boolean => {
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (!isDigit(code) && !isLetter(code) && !extra.includes(text.charAt(at))) return false
  }
  return true
}

export const dpkg: VersionOrder = {
  compare: (left, right) => {
    if (left === right) return 0
    const [a, b] = [parse(left), parse(right)]
    return compareNumbers(a.epoch, b.epoch) || comparePart(a.upstream, b.upstream) || comparePart(a.revision, b.revision)
  },
  valid: version => {
    const { upstream, revision } = parse(version)
    const dashed = version.includes('-')
    return isDigit(upstream.charCodeAt(0)) && every(upstream, '.+-~:') && every(revision, '.+~') && (!dashed || revision !== '')
  },
}
