/** Vulnerabilities in CycloneDX: one for each that several packages have, as long as the same is said of all of them. */
import type { Rating, Severity, VulnerabilityFinding } from '../../model/finding.ts'
import type { Part } from './contents.ts'
import { shortHash } from './contents.ts'

type CycloneDxSeverity = 'critical' | 'high' | 'medium' | 'low' | 'info' | 'unknown'

interface Source {
  name: string
  url?: string
}

export interface CycloneDxVulnerability {
  'bom-ref': string
  id: string
  source: Source
  references?: { id: string; source: Source }[]
  ratings: { score?: number; severity: CycloneDxSeverity; method?: string; vector?: string }[]
  description: string
  recommendation?: string
  advisories?: { url: string }[]
  published?: string
  analysis?: { state: string; justification?: string; detail?: string }
  affects: { ref: string; versions: { version: string; status: 'affected' | 'unaffected' }[] }[]
  properties?: { name: string; value: string }[]
}

/** A component for a package that a finding names and the contents do not have, so that nothing points nowhere. */
export interface Stranger {
  type: 'library'
  'bom-ref': string
  name: string
  version: string
  purl?: string
}

const severities: Readonly<Record<Severity, CycloneDxSeverity>> = {
  ...{ unknown: 'unknown', negligible: 'info', low: 'low', medium: 'medium', high: 'high', critical: 'critical' },
}
const methods: Readonly<Record<Rating['version'], string>> = { '2.0': 'CVSSv2', '3.0': 'CVSSv3', '3.1': 'CVSSv31', '4.0': 'CVSSv4' }

const states = { not_affected: 'not_affected', affected: 'exploitable', fixed: 'resolved', under_investigation: 'in_triage' } as const

/** OpenVEX's words in CycloneDX's. The one that has no equal goes into the detail. */
const justifications: Readonly<Record<string, string>> = {
  component_not_present: 'code_not_present',
  vulnerable_code_not_present: 'code_not_present',
  vulnerable_code_not_in_execute_path: 'code_not_reachable',
  inline_mitigations_already_exist: 'protected_by_mitigating_control',
}

const sources: readonly (readonly [prefix: string, source: (id: string) => Source])[] = [
  ['CVE-', id => ({ name: 'NVD', url: `https://nvd.nist.gov/vuln/detail/${encodeURIComponent(id)}` })],
  ['GHSA-', id => ({ name: 'GitHub Advisories', url: `https://github.com/advisories/${encodeURIComponent(id)}` })],
]
const sourceOf = (id: string): Source =>
  sources.find(([prefix]) => id.startsWith(prefix))?.[1](id.toWellFormed()) ?? {
    name: 'OSV',
    url: `https://osv.dev/vulnerability/${encodeURIComponent(id.toWellFormed())}`,
  }

const analysisOf = ({ vex }: VulnerabilityFinding): Pick<CycloneDxVulnerability, 'analysis'> => {
  if (!vex) return {}
  const { status, justification } = vex
  const known = justification && Object.hasOwn(justifications, justification) ? justifications[justification] : undefined
  return { analysis: { state: states[status], ...(known && { justification: known }), ...(justification && !known && { detail: justification }) } }
}

/** A date that a date can be: milliseconds of the year 1 to 9999. */
const isDate = (at: number | undefined): at is number => at !== undefined && at > -62_135_596_800_000 && at < 253_402_300_800_000

const propertiesOf = ({ epss, exploited, fixed }: VulnerabilityFinding): Pick<CycloneDxVulnerability, 'properties'> => {
  const properties = [
    ...(epss === undefined ? [] : [{ name: 'dayfly:epss', value: `${epss}` }]),
    ...(exploited === undefined ? [] : [{ name: 'dayfly:exploited', value: `${exploited}` }]),
    ...(fixed === undefined ? [] : [{ name: 'dayfly:fixed', value: fixed }]),
  ]
  return properties.length > 0 ? { properties } : {}
}

const describe = (finding: VulnerabilityFinding): Omit<CycloneDxVulnerability, 'bom-ref' | 'affects'> => {
  const advisories = [...new Set(finding.references)]
    .filter(url => /^https?:/.test(url) && URL.canParse(url))
    .map(url => ({ url: new URL(url).href }))
  const severity = severities[finding.severity]
  return {
    id: finding.id,
    source: sourceOf(finding.id),
    ...(finding.aliases.length > 0 && { references: [...new Set(finding.aliases)].sort().map(id => ({ id, source: sourceOf(id) })) }),
    ratings:
      finding.ratings.length > 0
        ? finding.ratings.map(({ version, vector, score }) => ({ score, severity, method: methods[version], vector }))
        : [{ severity }],
    description: finding.title,
    ...(finding.remedy && { recommendation: finding.remedy }),
    ...(advisories.length > 0 && { advisories }),
    ...(isDate(finding.publishedAt) && { published: new Date(finding.publishedAt).toISOString() }),
    ...analysisOf(finding),
    ...propertiesOf(finding),
  }
}

export const vulnerabilitiesOf = (
  findings: readonly VulnerabilityFinding[],
  parts: readonly Part[],
): { vulnerabilities: CycloneDxVulnerability[]; strangers: Stranger[] } => {
  const refs = new Map<string, string[]>()
  for (const { package: each, ref } of parts) refs.set(each.purl, [...(refs.get(each.purl) ?? []), ref])
  const strangers = new Map<string, Stranger>()
  const refsOf = ({ purl, name, version }: VulnerabilityFinding['package']): readonly string[] => {
    const known = refs.get(purl)
    if (known) return known
    const ref = `package:${shortHash('stranger', purl, name, version)}`
    strangers.set(ref, { type: 'library', 'bom-ref': ref, name, version: version.slice(0, 1024), ...(purl.startsWith('pkg:') && { purl }) })
    return [ref]
  }

  const grouped = new Map<
    string,
    { said: Omit<CycloneDxVulnerability, 'bom-ref' | 'affects'>; affects: Map<string, CycloneDxVulnerability['affects'][number]> }
  >()
  for (const finding of findings) {
    const said = describe(finding)
    const key = JSON.stringify(said)
    const group = grouped.get(key) ?? { said, affects: new Map() }
    grouped.set(key, group)
    const status = finding.vex?.status === 'not_affected' || finding.vex?.status === 'fixed' ? 'unaffected' : 'affected'
    for (const ref of refsOf(finding.package)) {
      group.affects.set(ref, { ref, versions: [{ version: finding.package.version.slice(0, 1024), status }] })
    }
  }
  const byText = (left: string, right: string): number => (left < right ? -1 : left > right ? 1 : 0)
  return {
    vulnerabilities: [...grouped]
      .sort(([leftKey, left], [rightKey, right]) => byText(left.said.id, right.said.id) || byText(leftKey, rightKey))
      .map(([key, { said, affects }]) => ({
        'bom-ref': `vulnerability:${shortHash(key)}`,
        ...said,
        affects: [...affects.values()].sort((left, right) => byText(left.ref, right.ref)),
      })),
    strangers: [...strangers.values()].sort((left, right) => byText(left['bom-ref'], right['bom-ref'])),
  }
}
