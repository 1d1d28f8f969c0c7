/** What is kept of an advisory, whatever source it came from. Everything in it is bounded when it is made; nothing in it is trusted. */
import type { Rating, Severity } from '../../model/finding.ts'

/** What happens at a version, in the order of versions. `introduced` '0' is before every version. */
export type RangeEvent = readonly ['introduced' | 'fixed' | 'last_affected', string]

export interface Range {
  /** By SemVer 2.0 whatever the ecosystem; else by the ecosystem's own order. */
  readonly semver: boolean
  readonly events: readonly RangeEvent[]
  /** Only what is before one of these is in the range; none is no limit. */
  readonly limits: readonly string[]
}

export interface Affected {
  /** As OSV writes it: `Debian:12`, `npm`. */
  readonly ecosystem: string
  /** Normalised as the ecosystem does. */
  readonly name: string
  readonly ranges: readonly Range[]
  /** Affected versions that no range holds. */
  readonly versions: readonly string[]
  readonly ratings: readonly Rating[]
  readonly severity: Severity | undefined
}

export interface Advisory {
  readonly id: string
  /** Wall ms. */
  readonly modified: number
  readonly published: number | undefined
  readonly withdrawn: boolean
  /** Other names of the same vulnerability. */
  readonly aliases: readonly string[]
  /**
   * The vulnerabilities that a distribution's advisory is about. One makes the advisory another name of it; an advisory about several
   * stands for each of them.
   */
  readonly covers: readonly string[]
  readonly summary: string
  readonly references: readonly string[]
  readonly ratings: readonly Rating[]
  /** In words, where nobody gave a vector. */
  readonly severity: Severity | undefined
  readonly affected: readonly Affected[]
}

const words: Readonly<Record<string, Severity>> = {
  critical: 'critical',
  high: 'high',
  important: 'high',
  medium: 'medium',
  moderate: 'medium',
  low: 'low',
  minor: 'low',
  negligible: 'negligible',
  unimportant: 'negligible',
}

/** What a database calls `HIGH`, `Important`, `low**`; undefined for what says nothing, as `not yet assigned`. */
export const severityOfWord = (word: string | undefined): Severity | undefined => {
  if (word === undefined || word.length > 40) return undefined
  const plain = word.trim().toLowerCase().replaceAll('*', '')
  return Object.hasOwn(words, plain) ? words[plain] : undefined
}

/** One line of bounded length, without control characters. */
export const oneLine = (text: string, most: number): string => {
  const cut = text.length > most * 4 ? text.slice(0, most * 4) : text
  const flat = cut.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\s]+/gu, ' ').trim()
  return flat.length <= most ? flat : `${flat.slice(0, most - 1).trimEnd()}…`
}
