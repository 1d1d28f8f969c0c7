/** What a scan has to say, whatever it is said in: the input of every format. */
import type { Finding, FindingKind, Severity } from '../../model/finding.ts'
import { compareSeverity, severities } from '../../model/finding.ts'
import type { Distribution, Package } from '../../model/package.ts'

export interface Target {
  readonly kind: 'folder' | 'compose' | 'image' | 'manifests'
  /** As the user wrote it. */
  readonly name: string
  /** Manifest digest of an image. */
  readonly digest?: string
  /** What stands before the findings' paths to make them paths from the working folder: '' or with a slash at its end. */
  readonly prefix: string
  /** A path that stands for findings that are in no file. */
  readonly file: string
}

/** What was found and is not shown, and why. */
export interface LeftOut {
  /** Milder than what is shown. */
  readonly severity: number
  /** Vulnerabilities that nothing fixes yet. */
  readonly unfixed: number
  /** An OpenVEX statement says that they do not matter here. */
  readonly vex: number
  /** In the baseline. */
  readonly baseline: number
}

export interface Report {
  readonly target: Target
  /** Dayfly's version. */
  readonly version: string
  /** Wall ms. */
  readonly at: number
  readonly distribution: Distribution | undefined
  readonly packages: readonly Package[]
  /** In the order of `byWorst`. */
  readonly findings: readonly Finding[]
  readonly leftOut: LeftOut
  /** Why it is incomplete, if it is. */
  readonly problems: readonly string[]
  /** Wall ms of the vulnerability data; undefined where there is none about what was found. */
  readonly dataFrom: number | undefined
}

/** `1 package`, `2 packages`. */
export const packagesText = (count: number): string => `${count} ${count === 1 ? 'package' : 'packages'}`

export const kinds: readonly FindingKind[] = ['vulnerability', 'secret', 'misconfiguration', 'policy', 'detection']

/** `1 vulnerability`, `3 secrets`. */
export const counted = (count: number, kind: FindingKind): string => {
  if (count === 1) return `1 ${kind}`
  return `${count} ${kind === 'vulnerability' ? 'vulnerabilities' : kind === 'policy' ? 'breaches of policy' : `${kind}s`}`
}

const compareText = (left: string, right: string): number => (left < right ? -1 : left > right ? 1 : 0)
const placeOf = ({ places: [place] }: Finding): string => `${place?.path ?? ''}\0${String(place?.line ?? 0).padStart(9, '0')}\0${place?.field ?? ''}`

/** Worst first; of the same severity by kind, name and place. The same findings always come in the same order. */
export const byWorst = (left: Finding, right: Finding): number =>
  compareSeverity(right.severity, left.severity) ||
  kinds.indexOf(left.kind) - kinds.indexOf(right.kind) ||
  compareText(left.id, right.id) ||
  compareText(placeOf(left), placeOf(right)) ||
  compareText(left.fingerprint, right.fingerprint)

export type Counts = Readonly<Record<Severity, number>>

export const countsOf = (findings: readonly Finding[]): Counts => {
  const counts: Record<Severity, number> = { critical: 0, high: 0, medium: 0, low: 0, negligible: 0, unknown: 0 }
  for (const { severity } of findings) counts[severity]++
  return counts
}

/** `2 critical, 1 low`; '' for none. */
export const countsText = (counts: Counts): string =>
  severities
    .toReversed()
    .flatMap(severity => (counts[severity] === 0 ? [] : [`${counts[severity]} ${severity}`]))
    .join(', ')

/** What is wrong, in one line: for formats that know no packages. */
export const messageOf = (finding: Finding): string => {
  const where = finding.places[0]?.hidden === true ? ' (a later layer hides it; whoever has the image has it)' : ''
  if (finding.kind === 'secret') return `${finding.title}: ${finding.redacted}${where}`
  if (finding.kind !== 'vulnerability') return finding.title
  const { name, version } = finding.package
  const fix = finding.fixed === undefined ? 'no fixed version is known' : `fixed in ${finding.fixed}`
  return `${finding.id} in ${name} ${version} (${fix}${finding.exploited === true ? ', exploited' : ''}): ${finding.title}`
}
