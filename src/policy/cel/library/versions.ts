/** Semantic versions 2.0.0, by the letter; with `true`, as people write them: `v1.2`, `01.2.3`. */
import { fn, method, opaque } from '../overloads.ts'
import type { Opaque, Value } from '../values.ts'
import { CelError, compareStrings } from '../values.ts'

export class Semver implements Opaque {
  readonly opaque = 'kubernetes.Semver'
  readonly text: string
  readonly numbers: readonly [bigint, bigint, bigint]
  readonly prerelease: readonly string[]
  constructor(text: string, numbers: readonly [bigint, bigint, bigint], prerelease: readonly string[]) {
    this.text = text
    this.numbers = numbers
    this.prerelease = prerelease
  }
  toString(): string {
    return this.text
  }
  equals(other: Opaque): boolean {
    return other instanceof Semver && compareVersions(this, other) === 0
  }
}

const identifiers = (text: string, strict: boolean): readonly string[] | undefined => {
  const parts = text.split('.')
  return parts.every(part => /^[0-9A-Za-z-]+$/.test(part) && !(strict && /^0\d+$/.test(part))) ? parts : undefined
}

/** `v1.2` → `1.2.0`, `01.2.3` → `1.2.3`; what stands behind stays. */
const normalize = (text: string): string => {
  const rest = text.replace(/^v/, '')
  const end = rest.search(/[-+]/)
  const core = (end < 0 ? rest : rest.slice(0, end)).split('.')
  if (core.length > 3) return rest
  const numbers = core.map(part => part.replace(/^0+(?=\d)/, ''))
  while (numbers.length < 3) {
    if (end >= 0) return rest
    numbers.push('0')
  }
  return numbers.join('.') + (end < 0 ? '' : rest.slice(end))
}

const parseVersion = (given: string, lenient: boolean): Semver | undefined => {
  const text = lenient ? normalize(given) : given
  const match = text.length > 256 ? null : /^(\d+)\.(\d+)\.(\d+)(?:-([^+]*))?(?:\+(.*))?$/.exec(text)
  if (!match) return undefined
  const [, major = '', minor = '', patch = '', pre, build] = match
  if ([major, minor, patch].some(part => (part.length > 1 && part.startsWith('0')) || BigInt(part) >= 2n ** 63n)) return undefined
  const prerelease = pre === undefined ? [] : identifiers(pre, true)
  if (!prerelease || (build !== undefined && !identifiers(build, false))) return undefined
  return new Semver(text, [BigInt(major), BigInt(minor), BigInt(patch)], prerelease)
}

const compareIdentifiers = (left: string | undefined, right: string | undefined): number => {
  if (left === undefined || right === undefined) return left === right ? 0 : left === undefined ? -1 : 1
  const [numericLeft, numericRight] = [/^\d+$/.test(left), /^\d+$/.test(right)]
  if (numericLeft !== numericRight) return numericLeft ? -1 : 1
  if (!numericLeft) return compareStrings(left, right)
  const difference = BigInt(left) - BigInt(right)
  return difference < 0n ? -1 : difference > 0n ? 1 : 0
}

const compareVersions = (left: Semver, right: Semver): number => {
  for (let at = 0; at < 3; at++) {
    const difference = (left.numbers[at] ?? 0n) - (right.numbers[at] ?? 0n)
    if (difference !== 0n) return difference < 0n ? -1 : 1
  }
  if (left.prerelease.length === 0 || right.prerelease.length === 0) return Math.sign(right.prerelease.length - left.prerelease.length)
  for (let at = 0; at < Math.max(left.prerelease.length, right.prerelease.length); at++) {
    const order = compareIdentifiers(left.prerelease[at], right.prerelease[at])
    if (order !== 0) return order
  }
  return 0
}

const semver = (text: string, lenient: boolean): Semver => {
  const parsed = parseVersion(text, lenient)
  if (!parsed) throw new CelError(`${JSON.stringify(text.slice(0, 60))} is no semantic version`)
  return parsed
}

const s = (value: Value): Semver => opaque(Semver, value)
const type = 'kubernetes.Semver'

export const versions = [
  fn('semver', ['string'], type, text => semver(text, false), { constant: true }),
  fn('semver', ['string', 'bool'], type, semver, { constant: true }),
  fn('isSemver', ['string'], 'bool', text => parseVersion(text, false) !== undefined),
  fn('isSemver', ['string', 'bool'], 'bool', (text, lenient) => parseVersion(text, lenient) !== undefined),
  method('major', [type], 'int', value => s(value).numbers[0]),
  method('minor', [type], 'int', value => s(value).numbers[1]),
  method('patch', [type], 'int', value => s(value).numbers[2]),
  method('compareTo', [type, type], 'int', (left, right) => BigInt(compareVersions(s(left), s(right)))),
  method('isGreaterThan', [type, type], 'bool', (left, right) => compareVersions(s(left), s(right)) > 0),
  method('isLessThan', [type, type], 'bool', (left, right) => compareVersions(s(left), s(right)) < 0),
]
