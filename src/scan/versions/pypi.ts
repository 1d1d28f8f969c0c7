/** PyPI's order: PEP 440, and what is none of it before all that is, by the rule that setuptools had before. */
import type { VersionOrder } from './text.ts'
import { allDigits, compareNumbers, compareText, endOfRun, isDigit, isLetter, isLower, isZero } from './text.ts'

interface Standard {
  readonly epoch: string
  readonly release: readonly string[]
  /** a, b or rc and its number. */
  readonly pre: readonly [string, string] | undefined
  readonly post: string | undefined
  readonly dev: string | undefined
  readonly local: readonly string[] | undefined
}

const preNames: ReadonlyMap<string, string> = new Map([
  ['a', 'a'],
  ['alpha', 'a'],
  ['b', 'b'],
  ['beta', 'b'],
  ['c', 'rc'],
  ['rc', 'rc'],
  ['pre', 'rc'],
  ['preview', 'rc'],
])
const postNames: ReadonlyMap<string, string> = new Map(['post', 'rev', 'r'].map(name => [name, 'post']))
const devNames: ReadonlyMap<string, string> = new Map([['dev', 'dev']])

const isSeparator = (code: number): boolean => code === 46 || code === 45 || code === 95

/** The longest of `names` that the letters at `at` begin with: `a` of `adev1`, which is an alpha's development release. */
const nameAt = (text: string, at: number, names: ReadonlyMap<string, string>): string | undefined => {
  const letters = text.slice(at, at + 8)
  let longest: string | undefined
  for (const name of names.keys()) if (letters.startsWith(name) && name.length > (longest?.length ?? 0)) longest = name
  return longest
}

/** Reads `[sep]name[sep][digits]` at `at`; the name must be one of `names`. */
const readSegment = (
  text: string,
  at: number,
  names: ReadonlyMap<string, string>,
): { readonly name: string; readonly number: string; readonly next: number } | undefined => {
  const start = isSeparator(text.charCodeAt(at)) ? at + 1 : at
  const name = nameAt(text, start, names)
  if (name === undefined) return undefined
  const end = start + name.length
  const digits = isSeparator(text.charCodeAt(end)) ? end + 1 : end
  const next = endOfRun(text, digits, isDigit)
  return { name: names.get(name) ?? name, number: text.slice(digits, next), next }
}

const readLocal = (text: string): readonly string[] | undefined => {
  const parts = text.split(/[-_.]/)
  return parts.every(part => part !== '' && endOfRun(part, 0, code => isDigit(code) || isLower(code)) === part.length) ? parts : undefined
}

const parse = (version: string): Standard | undefined => {
  const text = version.trim().toLowerCase()
  let at = text.startsWith('v') ? 1 : 0
  let epoch = ''
  const release: string[] = []
  for (;;) {
    const end = endOfRun(text, at, isDigit)
    if (end === at) return undefined
    if (release.length === 0 && epoch === '' && text.charCodeAt(end) === 33) {
      epoch = text.slice(at, end)
      at = end + 1
      continue
    }
    release.push(text.slice(at, end))
    at = end
    if (text.charCodeAt(at) !== 46 || !isDigit(text.charCodeAt(at + 1))) break
    at++
  }
  const pre = readSegment(text, at, preNames)
  at = pre?.next ?? at
  const implicit = text.charCodeAt(at) === 45 && isDigit(text.charCodeAt(at + 1)) ? endOfRun(text, at + 1, isDigit) : undefined
  const post = implicit === undefined ? readSegment(text, at, postNames) : { number: text.slice(at + 1, implicit), next: implicit }
  at = post?.next ?? at
  const dev = readSegment(text, at, devNames)
  at = dev?.next ?? at
  const local = text.charCodeAt(at) === 43 ? readLocal(text.slice(at + 1)) : undefined
  if (at < text.length && !local) return undefined
  return { epoch, release, pre: pre && [pre.name, pre.number], post: post?.number, dev: dev?.number, local }
}

const compareReleases = (left: readonly string[], right: readonly string[]): number => {
  for (let at = 0; at < Math.max(left.length, right.length); at++) {
    const order = compareNumbers(left[at] ?? '', right[at] ?? '')
    if (order !== 0) return order
  }
  return 0
}

/** A development release of nothing else comes before its alphas; what has no pre-release comes after all of them. */
const preRank = (version: Standard): number => {
  if (version.pre) return ['a', 'b', 'rc'].indexOf(version.pre[0]) + 1
  return version.post === undefined && version.dev !== undefined ? 0 : 4
}

/** undefined is `missing`: -1 before all numbers, 1 after them. */
const compareOptional = (left: string | undefined, right: string | undefined, missing: -1 | 1): number => {
  if (left === undefined || right === undefined) return (Number(left === undefined) - Number(right === undefined)) * missing
  return compareNumbers(left, right)
}

const compareLocals = (left: readonly string[] | undefined, right: readonly string[] | undefined): number => {
  if (!left || !right) return Number(left !== undefined) - Number(right !== undefined)
  for (let at = 0; at < Math.min(left.length, right.length); at++) {
    const [one, other] = [left[at] ?? '', right[at] ?? '']
    const [numeric, otherNumeric] = [allDigits(one), allDigits(other)]
    if (numeric !== otherNumeric) return numeric ? 1 : -1
    const order = (numeric ? compareNumbers : compareText)(one, other)
    if (order !== 0) return order
  }
  return left.length - right.length
}

const compareStandard = (a: Standard, b: Standard): number =>
  compareNumbers(a.epoch, b.epoch) ||
  compareReleases(a.release, b.release) ||
  preRank(a) - preRank(b) ||
  compareNumbers(a.pre?.[1] ?? '', b.pre?.[1] ?? '') ||
  compareOptional(a.post, b.post, -1) ||
  compareOptional(a.dev, b.dev, 1) ||
  compareLocals(a.local, b.local)

const legacyWords: ReadonlyMap<string, string> = new Map([
  ['pre', 'c'],
  ['preview', 'c'],
  ['-', 'final-'],
  ['rc', 'c'],
  ['dev', '@'],
])

/** setuptools' old rule: words with a star before them, numbers padded, zeros before a word and dashes before a pre-release dropped. */
const legacyParts = (version: string): string[] => {
  const text = version.trim().toLowerCase()
  const parts: string[] = []
  const push = (part: string): void => {
    if (part.startsWith('*')) {
      if (part < '*final') while (parts.at(-1) === '*final-') parts.pop()
      for (let last = parts.at(-1); last !== undefined && allDigits(last) && isZero(last); last = parts.at(-1)) parts.pop()
    }
    parts.push(part)
  }
  for (let at = 0; at < text.length; ) {
    const code = text.charCodeAt(at)
    const kind = isDigit(code) ? isDigit : isLetter(code) ? isLetter : undefined
    const stop = kind
      ? endOfRun(text, at, kind)
      : code === 46 || code === 45
        ? at + 1
        : endOfRun(text, at, other => !isDigit(other) && !isLetter(other) && other !== 46 && other !== 45)
    const part = text.slice(at, stop)
    at = stop
    if (part === '.') continue
    push(kind === isDigit ? part : `*${legacyWords.get(part) ?? part}`)
  }
  push('*final')
  return parts
}

const compareLegacy = (left: string, right: string): number => {
  const [a, b] = [legacyParts(left), legacyParts(right)]
  for (let at = 0; at < Math.min(a.length, b.length); at++) {
    const [one, other] = [a[at] ?? '', b[at] ?? '']
    const order = allDigits(one) && allDigits(other) ? compareNumbers(one, other) : compareText(one, other)
    if (order !== 0) return order
  }
  return a.length - b.length
}

export const pypi: VersionOrder = {
  compare: (left, right) => {
    if (left === right) return 0
    const [a, b] = [parse(left), parse(right)]
    if (a && b) return compareStandard(a, b)
    return a || b ? Number(a !== undefined) - Number(b !== undefined) : compareLegacy(left, right)
  },
  valid: version => parse(version) !== undefined,
}
