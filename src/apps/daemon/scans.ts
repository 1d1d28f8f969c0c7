/** What is known of an image, as it is told: by the same evidence that admission is decided by. */
import type { ScanSummary } from '../../api/schemas/images.ts'
import type { ScanRequest, WhoRowView, WhoView } from '../../api/schemas/scans.ts'
import type { OnProgress, Scans } from '../../api/services.ts'
import type { Clock } from '../../base/clock.ts'
import { readVersion } from '../../base/version.ts'
import type { Severity } from '../../model/finding.ts'
import { compareSeverity } from '../../model/finding.ts'
import type { Inventory, WhoQuestion, WhoRow } from '../../model/inventory.ts'
import { misconfigurationsOfName } from '../../scan/misconfigurations.ts'
import type { Contents } from '../../scan/sbom/contents.ts'
import { cyclonedx } from '../../scan/sbom/cyclonedx.ts'
import { spdx } from '../../scan/sbom/spdx.ts'
import { orderOf } from '../../scan/versions/order.ts'
import type { Matched } from './evidence.ts'
import type { DaemonImages } from './images.ts'
import type { KeepingParts } from './keeping.ts'
import type { DatedFacts } from './scanning.ts'

export interface ScanParts {
  readonly images: Pick<DaemonImages, 'facts' | 'resolve'>
  readonly match: KeepingParts['match']
  readonly clock: Clock
}

interface Looked {
  readonly digest: string
  readonly facts: DatedFacts
  readonly matched: Matched
}

export const createScans = ({ images, match, clock }: ScanParts): Scans => {
  const look = async ({ image, pull, auth }: ScanRequest, onProgress: OnProgress, signal: AbortSignal): Promise<Looked> => {
    const { digest } = await images.resolve({ image, pull, ...(auth === undefined ? {} : { auth }) }, onProgress, signal)
    const facts = await images.facts(digest, signal)
    return { digest, facts, matched: await match(facts, [image], signal) }
  }

  return {
    scan: async (request, onProgress, signal) => {
      const { digest, facts, matched } = await look(request, onProgress, signal)
      const findings = [...matched.findings, ...facts.secrets, ...facts.misconfigurations, ...misconfigurationsOfName(request.image)]
      return {
        image: { name: request.image, digest },
        distribution: facts.distribution ?? null,
        packages: [...facts.packages],
        findings: findings.sort((left, right) => compareSeverity(right.severity, left.severity)),
        ...{ problems: [...facts.problems], unknown: [...matched.problems], scannedAt: facts.scannedAt, dataFrom: matched.dataFrom ?? null },
      }
    },
    document: async (request, format, onProgress, signal) => {
      const { digest, facts, matched } = await look(request, onProgress, signal)
      const contents: Contents = {
        subject: { kind: 'image', name: request.image, digest },
        ...{ distribution: facts.distribution, packages: facts.packages, complete: facts.problems.length === 0, findings: matched.findings },
      }
      const stamp = { at: clock.wall(), version: readVersion() }
      return { ...(format === 'cyclonedx' ? cyclonedx(contents, stamp) : spdx(contents, stamp)) }
    },
    summary: async ({ digest, names }, signal): Promise<ScanSummary> => {
      const facts = await images.facts(digest, signal)
      const { findings, dataFrom } = await match(facts, names, signal)
      const counted = findings.filter(({ vex }) => vex?.status !== 'not_affected' && vex?.status !== 'fixed')
      const count = (severity: Severity): number => counted.filter(finding => finding.severity === severity).length
      return {
        packages: facts.packages.length,
        vulnerabilities: {
          ...{ critical: count('critical'), high: count('high'), medium: count('medium') },
          ...{ low: count('low'), negligible: count('negligible'), unknown: count('unknown') },
        },
        ...{ secrets: facts.secrets.length, misconfigurations: facts.misconfigurations.length, problems: facts.problems.length },
        ...{ scannedAt: facts.scannedAt, dataFrom: dataFrom ?? null },
      }
    },
  }
}

/** By what a package's versions are ordered. */
const families: Readonly<Record<string, string>> = {
  ...{ deb: 'Debian', apk: 'Alpine', rpm: 'Red Hat', npm: 'npm', pypi: 'PyPI', maven: 'Maven', golang: 'Go', gem: 'RubyGems' },
  ...{ composer: 'Packagist', cargo: 'crates.io', nuget: 'NuGet' },
}

/** The version that is without all of them; null where one has none. */
const fixOf = ({ package: of, vulnerabilities }: WhoRow): string | null => {
  const open = vulnerabilities.filter(({ settled }) => !settled)
  const fixes = open.flatMap(({ fixed }) => fixed ?? [])
  if (of === undefined || open.length === 0 || fixes.length < open.length) return null
  return fixes.toSorted(orderOf(families[of.type] ?? '').compare).at(-1) ?? null
}

const rowView = (row: WhoRow): WhoRowView => ({
  ...{ environment: row.environment, workload: row.workload, image: { digest: row.image.digest, names: [...row.image.names] } },
  ...{ instances: row.instances, running: row.running, from: row.from, until: row.until ?? null, package: row.package ?? null },
  vulnerabilities: row.vulnerabilities.map(({ id, severity, fixed, exploited, settled }) => ({
    id,
    severity,
    fixed: fixed ?? null,
    exploited,
    settled,
  })),
  fixed: fixOf(row),
})

/** `upToDate`: has what is known already written down. */
export const whoBy =
  (inventory: Inventory, upToDate: () => void) =>
  (question: WhoQuestion): WhoView => {
    upToDate()
    const { rows, more, unknown } = inventory.who(question)
    return { rows: rows.map(rowView), more, unknown: [...unknown] }
  }
