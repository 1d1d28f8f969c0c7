/** RPM's order: epoch:version-release, each part by rpmvercmp: `~` before the end, `^` just after it, letters before numbers. */
import type { VersionOrder } from './text.ts'
import { compareNumbers, compareText, endOfRun, isDigit, isLetter } from './text.ts'

const [tilde, caret] = [126, 94]
const isSeparator = (code: number): boolean => !isDigit(code) && !isLetter(code) && code !== tilde && code !== caret

/** What comes next decides: `~`, the end, `^`, letters, a number, in this order. */
const rank = (text: string, at: number): number => {
  if (at >= text.length) return 1
  const code = text.charCodeAt(at)
  if (code === tilde) return 0
  if (code === caret) return 2
  return isLetter(code) ? 3 : 4
}

const comparePart = (left: string, right: string): number => {
  let a = 0
  let b = 0
  for (;;) {
    a = endOfRun(left, a, isSeparator)
    b = endOfRun(right, b, isSeparator)
    const kind = rank(left, a)
    const difference = kind - rank(right, b)
    if (difference !== 0) return difference
    if (kind === 1) return 0
    if (kind === 0 || kind === 2) {
      a++
      b++
      continue
    }
    const belongs = kind === 3 ? isLetter : isDigit
    const [endA, endB] = [endOfRun(left, a, belongs), endOfRun(right, b, belongs)]
    const order = (kind === 3 ? compareText : compareNumbers)(left.slice(a, endA), right.slice(b, endB))
    if (order !== 0) return order
    a = endA
    b = endB
  }
}

/** An epoch is digits only: the colon of `1.m+e2:1` is none. No release is less than any. */
const parse = (text: string): { epoch: string; version: string; release: string | undefined } => {
  const digits = endOfRun(text, 0, isDigit)
  const hasEpoch = text.charCodeAt(digits) === 58
  const rest = hasEpoch ? text.slice(digits + 1) : text
  const dash = rest.lastIndexOf('-')
  return {
    epoch: hasEpoch ? text.slice(0, digits) : '',
    version: dash < 0 ? rest : rest.slice(0, dash),
    release: dash < 0 ? undefined : rest.slice(dash + 1),
  }
}

export const rpm: VersionOrder = {
  compare: (left, right) => {
    if (left === right) return 0
    const [a, b] = [parse(left), parse(right)]
    const order = compareNumbers(a.epoch, b.epoch) || comparePart(a.version, b.version)
    if (order !== 0) return order
    if (a.release === undefined || b.release === undefined) return Number(a.release !== undefined) - Number(b.release !== undefined)
    return comparePart(a.release, b.release)
  },
  valid: version => {
    const { version: middle, release } = parse(version)
    return middle !== '' && release !== '' && endOfRun(version, 0, code => code > 32 && code < 127) === version.length
  },
}
