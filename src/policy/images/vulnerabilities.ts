/** Which of an image's vulnerabilities deny it now, and which will later. */
import { formatDuration } from '../../base/durations.ts'
import type { Finding, VulnerabilityFinding } from '../../model/finding.ts'
import { compareSeverity } from '../../model/finding.ts'
import type { Action } from '../policy.ts'
import type { ImageRules } from './settings.ts'

type Rules = NonNullable<ImageRules['vulnerabilities']>

export interface Judged {
  /** Of each action, the findings, worst first. */
  readonly due: readonly VulnerabilityFinding[]
  readonly inGrace: readonly VulnerabilityFinding[]
  /** Wall ms when the first grace ends. */
  readonly nextDue: number | undefined
}

const isSettled = ({ vex }: VulnerabilityFinding): boolean => vex?.status === 'not_affected' || vex?.status === 'fixed'

const counts = (finding: VulnerabilityFinding, rules: Rules): boolean => {
  if (isSettled(finding) || (rules.fixable && finding.fixed === undefined)) return false
  if (finding.exploited === true && rules.exploitedGrace !== undefined) return true
  return compareSeverity(finding.severity, rules.severity) >= 0
}

/** ms by which clocks may differ. */
export const longestAhead = 86_400_000

/** Wall ms from which on it counts. */
const dueAt = (finding: VulnerabilityFinding, rules: Rules, now: number): number => {
  const grace = finding.exploited === true && rules.exploitedGrace !== undefined ? rules.exploitedGrace : (rules.grace[finding.severity] ?? 0)
  // A date that is yet to come would be a grace without an end.
  return finding.publishedAt === undefined || finding.publishedAt > now + longestAhead ? 0 : finding.publishedAt + grace
}

const worstFirst = (left: VulnerabilityFinding, right: VulnerabilityFinding): number =>
  compareSeverity(right.severity, left.severity) ||
  Number(right.exploited ?? false) - Number(left.exploited ?? false) ||
  (left.id < right.id ? -1 : 1)

export const judgeVulnerabilities = (findings: readonly Finding[], rules: Rules, now: number): Judged => {
  const counted = findings.filter(finding => finding.kind === 'vulnerability').filter(finding => counts(finding, rules))
  const later = counted.filter(finding => dueAt(finding, rules, now) > now)
  return {
    due: counted.filter(finding => dueAt(finding, rules, now) <= now).sort(worstFirst),
    inGrace: later.sort(worstFirst),
    nextDue: later.length === 0 ? undefined : Math.min(...later.map(finding => dueAt(finding, rules, now))),
  }
}

export const describeVulnerability = ({ id, package: { name, version }, fixed, severity, exploited }: VulnerabilityFinding): string =>
  `${id} (${severity}${exploited === true ? ', exploited' : ''}) in ${name} ${version}${fixed === undefined ? '' : `, fixed in ${fixed}`}`

/** How long until the first of `inGrace` counts, and of which those are. */
export const describeGrace = ({ inGrace, nextDue }: Judged, now: number): string => {
  const [first, ...more] = inGrace
  if (first === undefined || nextDue === undefined) return ''
  const others = more.length === 0 ? '' : ` and ${more.length} more`
  return `${describeVulnerability(first)}${others}; the first counts from ${formatDuration(nextDue - now)} from now on`
}

/** What would be denied later is warned of until then. */
export const actionInGrace = (action: Action): Action => (action === 'deny' ? 'warn' : action)
