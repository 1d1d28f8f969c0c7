/** Which findings count, which are shown and which fail: each asked for by the user. */
import { DayflyError } from '../../base/errors.ts'
import type { Finding, FindingKind, Severity } from '../../model/finding.ts'
import { compareSeverity, FindingKind as Kind, severities } from '../../model/finding.ts'
import type { LeftOut } from './report.ts'
import { byWorst, kinds } from './report.ts'

/** One `--fail-on`: at least so severe, of that kind or of any. */
export interface Threshold {
  readonly severity: Severity
  readonly kind: FindingKind | undefined
}

export const parseSeverity = (text: string, field: string): Severity => {
  const found = severities.find(severity => severity === text.toLowerCase())
  if (found !== undefined) return found
  throw new DayflyError('invalid', `${field}: "${text}" is no severity`, { field, remedy: `Write one of ${severities.toReversed().join(', ')}.` })
}

/** `high`, or `high,secret`. Throws `invalid` naming `field`. */
export const parseThreshold = (text: string, field: string): Threshold => {
  const [severity = '', kind, ...more] = text.split(',')
  const read = kind === undefined ? undefined : Kind.safeParse(kind)
  if (read?.success === false || more.length > 0) {
    throw new DayflyError('invalid', `${field}: "${text}" names no kind of findings after its comma`, {
      field,
      remedy: `Write it like high or high,secret; kinds are ${kinds.join(', ')}. Give it several times for several kinds.`,
    })
  }
  return { severity: parseSeverity(severity, field), kind: read?.data }
}

/** Whether any of the thresholds is reached. */
export const fails = (thresholds: readonly Threshold[], finding: Finding): boolean =>
  thresholds.some(({ severity, kind }) => (kind === undefined || kind === finding.kind) && compareSeverity(finding.severity, severity) >= 0)

export interface Choice {
  /** Shown are those that are at least so severe. */
  readonly severity: Severity
  readonly ignoreUnfixed: boolean
  /** Fingerprints that are known. */
  readonly baseline: ReadonlySet<string>
}

export interface Selection {
  /** All that count: VEX, baseline and what cannot be fixed taken out. Whether a scan fails is asked of these. */
  readonly counting: readonly Finding[]
  /** Of them, those that are severe enough to be shown. Both are sorted, the worst first. */
  readonly shown: readonly Finding[]
  readonly leftOut: LeftOut
}

const isSettled = (finding: Finding): boolean => finding.kind === 'vulnerability' && ['not_affected', 'fixed'].includes(finding.vex?.status ?? '')
const isUnfixed = (finding: Finding): boolean => finding.kind === 'vulnerability' && finding.fixed === undefined

export const select = (findings: readonly Finding[], { severity, ignoreUnfixed, baseline }: Choice): Selection => {
  const open = findings.filter(finding => !isSettled(finding))
  const fixable = ignoreUnfixed ? open.filter(finding => !isUnfixed(finding)) : open
  const counting = fixable.filter(({ fingerprint }) => !baseline.has(fingerprint)).toSorted(byWorst)
  const shown = counting.filter(finding => compareSeverity(finding.severity, severity) >= 0)
  const leftOut = {
    severity: counting.length - shown.length,
    unfixed: open.length - fixable.length,
    vex: findings.length - open.length,
    baseline: fixable.length - counting.length,
  }
  return { counting, shown, leftOut }
}
