/** Matches of rules in bytes: bounded in number, and each with the place it is at. */
import type { Severity } from '../../model/finding.ts'
import type { Match, Rule } from './rule.ts'

/** One match that counts. Offsets are those of the file. */
export interface Hit {
  readonly rule: Rule
  readonly severity: Severity
  readonly start: number
  readonly end: number
  readonly secret: Buffer
}

/** Most findings of one rule in one file, and of all rules. */
export const mostOfRule = 100
export const mostOfFile = 500

/** How much of a line a rule may look at on each side of its match. */
const longestLine = 2048

const newline = 10

const lineAround = (bytes: Buffer, start: number, end: number): string => {
  const before = bytes.lastIndexOf(newline, Math.max(0, start - 1)) + 1
  const after = bytes.indexOf(newline, end)
  const first = start === 0 ? 0 : Math.max(before > start ? 0 : before, start - longestLine)
  return bytes.toString('latin1', first, Math.min(after < 0 ? bytes.length : after, end + longestLine))
}

export interface Part {
  readonly bytes: Buffer
  /** Offset of `bytes` in the file. */
  readonly start: number
  /** Only matches whose secret begins in here, in offsets of the file, belong to this part. */
  readonly from: number
  readonly to: number
}

/**
 * Gives the matches of `rule` in `part` to `onHit`, until that says no. False: something was given up, because the rule matches too often.
 */
export const matchesOf = (rule: Rule, part: Part, path: string | undefined, onHit: (hit: Hit) => boolean): boolean => {
  if (rule.pattern === undefined) return true
  const pattern = rule.pattern()
  const { bytes } = part
  pattern.lastIndex = 0
  for (let attempt = 0; attempt < rule.mostAttempts; attempt++) {
    const found = pattern.exec(bytes)
    if (found === null) return true
    const whole = found.indices?.[0]
    if (whole === undefined) return true
    // An empty match would be found for ever.
    if (whole[1] === whole[0]) pattern.lastIndex = whole[1] + 1
    if (pattern.lastIndex > bytes.length) return true
    const span = spanOf(rule, found.indices)
    // gitleaks, too, leaves out the line ends around a match.
    if (span === undefined || span[0] === span[1]) continue
    const secret = bytes.subarray(span[0], span[1])
    const start = part.start + span[0]
    if (start < part.from || start >= part.to) continue
    const match: Match = {
      secret: secret.toString('latin1'),
      match: bytes.toString('latin1', whole[0], whole[1]),
      line: () => lineAround(bytes, whole[0], whole[1]),
      path,
    }
    const severity = rule.judge(match)
    if (severity === undefined) continue
    if (!onHit({ rule, severity, start, end: part.start + span[1], secret })) return false
  }
  return false
}

const spanOf = (rule: Rule, indices: RegExpIndicesArray | undefined): [number, number] | undefined => {
  if (indices === undefined) return undefined
  if (rule.group !== 'first') return indices[rule.group]
  for (let group = 1; group < indices.length; group++) {
    const span = indices[group]
    // A group that took no part in the match has no span.
    if (span !== undefined && span[1] > span[0]) return span
  }
  return indices[0]
}

/** Without the hits that give way: of the own rules' hits on the same bytes the earliest rule's stays, and a generic one only where it is alone. */
export const withoutRepeats = (hits: readonly Hit[], order: (rule: Rule) => number): Hit[] => {
  const kept: Hit[] = []
  const ranked = hits.toSorted(
    (left, right) => Number(left.rule.generic) - Number(right.rule.generic) || order(left.rule) - order(right.rule) || left.start - right.start,
  )
  for (const hit of ranked) {
    const covered =
      (hit.rule.own || hit.rule.generic) && kept.some(other => (other.rule.own || hit.rule.generic) && other.start < hit.end && hit.start < other.end)
    if (!covered) kept.push(hit)
  }
  return kept.toSorted((left, right) => left.start - right.start || order(left.rule) - order(right.rule))
}
