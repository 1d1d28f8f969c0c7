/** What a secret looks like: as the own rules write it down, and as it is matched. */
import RE2 from 're2'
import type { Severity } from '../../model/finding.ts'
import type { Check } from './checks.ts'

/** A rule of Dayfly's own, as data. Patterns are RE2's syntax over bytes. */
export interface OwnRule {
  /** What a finding has as its id. */
  readonly id: string
  readonly title: string
  readonly severity: Severity
  /**
   * In lower case: one of them is in every text that matches, in either case. As specific as can be, for they are looked for in every byte of an image.
   * None: the rule looks at the files that `path` names, whole, and so needs one.
   */
  readonly keywords: readonly string[]
  /** Group 1 is the secret; without a group the match is. Reaches no further than 4096 bytes from its keyword. */
  readonly pattern: string
  /** Bits per character that the secret must exceed. */
  readonly entropy?: number
  /** What the format lets one verify. */
  readonly check?: Check
  /** Only in files whose path (no leading slash) matches. Fields have no path. */
  readonly path?: string
  /** Never in files whose path matches. */
  readonly notPath?: string
  /** Secrets that match one of these are public: examples of the provider's documentation, keys of emulators. */
  readonly allow?: readonly string[]
  /** The secret is a password that people choose: whether it counts is judged by `judgePassword` instead of by how random it looks. */
  readonly chosen?: boolean
  /** Gives way to every other rule that finds the same bytes. */
  readonly generic?: boolean
  /** Whether it looks at fields, too (environment variables, command lines, labels). As it has keywords, when not given. */
  readonly inFields?: boolean
  readonly remedy?: string
}

/** When a match is no finding. Conditions that were not given are empty. */
export interface AllowList {
  /** All conditions that are given must hold; otherwise one of them is enough. */
  readonly all: boolean
  readonly paths: readonly RE2[]
  readonly regexes: readonly RE2[]
  readonly target: 'secret' | 'match' | 'line'
  /** In lower case. */
  readonly stopwords: readonly string[]
}

export interface Match {
  readonly secret: string
  readonly match: string
  /** The lines that the match is in. */
  readonly line: () => string
  readonly path: string | undefined
}

export interface Rule {
  readonly id: string
  readonly title: string
  readonly severity: Severity
  readonly remedy: string | undefined
  readonly keywords: readonly string[]
  /** Made when it is first needed. undefined: the rule is about paths only. */
  readonly pattern: (() => RE2) | undefined
  /** The group that is the secret; `first`: the first that is not empty, or else the match. */
  readonly group: number | 'first'
  readonly path: (() => RE2) | undefined
  readonly notPath: (() => RE2) | undefined
  readonly generic: boolean
  /** One of Dayfly's own, which gives way to an earlier one that finds the same bytes. A user's rule always speaks for itself. */
  readonly own: boolean
  readonly inFields: boolean
  /** How often it may match in one piece (256 KiB) without a finding before the rest is given up. Less for patterns that may be unbounded. */
  readonly mostAttempts: number
  /** The severity of this match, or undefined: it is none. */
  judge(match: Match): Severity | undefined
  /** Everything about it that decides what it finds, for the version. */
  readonly definition: unknown
}

/** `make`'s result, made once. */
export const once = <T>(make: () => T): (() => T) => {
  let made: { readonly value: T } | undefined
  return () => {
    made ??= { value: make() }
    return made.value
  }
}

/**
 * Whether one of `rules` is about files of a path: as asking each, in fewer matches. It is asked for every file of an image, and most rules that are about
 * names share the names that they are not about.
 */
export const anyConcerns = (rules: readonly Rule[]): ((path: string) => boolean) => {
  const groups = new Map<string, Rule[]>()
  for (const rule of rules) {
    const key = JSON.stringify([rule.path?.().flags, rule.notPath?.().source, rule.notPath?.().flags])
    groups.set(key, [...(groups.get(key) ?? []), rule])
  }
  const questions = [...groups.values()].map(group => {
    const paths = group.flatMap(rule => (rule.path === undefined ? [] : [rule.path()]))
    const [first] = paths
    const path = first === undefined ? undefined : new RE2(paths.map(({ source }) => `(?:${source})`).join('|'), first.flags)
    return { path, notPath: group[0]?.notPath?.() }
  })
  return path => questions.some(question => (question.path === undefined || question.path.test(path)) && question.notPath?.test(path) !== true)
}

/** Whether the rule is about files of this path, or about this text of no file. */
export const concerns = (rule: Rule, path: string | undefined): boolean =>
  path === undefined
    ? rule.inFields
    : (rule.path === undefined || rule.path().test(path)) && (rule.notPath === undefined || !rule.notPath().test(path))

export const isAllowed = (list: AllowList, found: Match): boolean => {
  const holds: boolean[] = []
  if (list.paths.length > 0) holds.push(found.path !== undefined && list.paths.some(path => path.test(found.path ?? '')))
  if (list.regexes.length > 0) {
    const text = Buffer.from(list.target === 'secret' ? found.secret : list.target === 'match' ? found.match : found.line(), 'latin1')
    holds.push(list.regexes.some(regex => regex.test(text)))
  }
  if (list.stopwords.length > 0) {
    const secret = found.secret.toLowerCase()
    holds.push(list.stopwords.some(word => secret.includes(word)))
  }
  return holds.length > 0 && (list.all ? holds.every(Boolean) : holds.some(Boolean))
}
