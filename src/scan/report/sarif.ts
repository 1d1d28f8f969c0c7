/**
 * SARIF 2.1.0 (https://docs.oasis-open.org/sarif/sarif/v2.1.0), as GitHub's code scanning takes it: every result has a file, relative where it can be, rules
 * have `security-severity`, fingerprints do not change with lines, and no more results than are kept.
 */
import type { Finding, Severity } from '../../model/finding.ts'
import { compareSeverity } from '../../model/finding.ts'
import type { Report, Target } from './report.ts'
import { messageOf } from './report.ts'

type Level = 'error' | 'warning' | 'note'

interface Message {
  readonly text: string
  readonly markdown?: string
}

interface Location {
  readonly physicalLocation: {
    readonly artifactLocation: { readonly uri: string; readonly uriBaseId?: '%SRCROOT%' }
    readonly region: { readonly startLine: number }
  }
  readonly logicalLocations?: readonly { readonly fullyQualifiedName: string }[]
  readonly message?: Message
}

interface Rule {
  readonly id: string
  readonly name: string
  readonly shortDescription: Message
  readonly fullDescription: Message
  readonly help: Message
  readonly helpUri?: string
  readonly defaultConfiguration: { readonly level: Level }
  readonly properties: { readonly tags: readonly string[]; readonly 'security-severity': string; readonly precision: 'very-high' | 'high' }
}

interface Result {
  readonly ruleId: string
  readonly ruleIndex: number
  readonly level: Level
  readonly message: Message
  readonly locations: readonly Location[]
  readonly partialFingerprints: { readonly 'dayflyFingerprint/v1': string; readonly primaryLocationLineHash: string }
}

interface Notification {
  readonly level: Level
  readonly message: Message
}

export interface SarifLog {
  readonly $schema: 'https://json.schemastore.org/sarif-2.1.0.json'
  readonly version: '2.1.0'
  readonly runs: readonly [
    {
      readonly tool: { readonly driver: { readonly name: 'Dayfly'; readonly version: string; readonly rules: readonly Rule[] } }
      readonly automationDetails: { readonly id: string }
      readonly invocations: readonly [{ readonly executionSuccessful: true; readonly toolExecutionNotifications: readonly Notification[] }]
      readonly results: readonly Result[]
    },
  ]
}

/** What code scanning keeps of one run. */
export const mostResults = 5_000
/** Places that it shows of one result. */
const mostLocations = 100
const mostNotifications = 1_000
/** Characters of a name, and of a text, that it takes. */
const longestName = 255
const longestText = 1_024

const levels: Readonly<Record<Severity, Level>> = {
  critical: 'error',
  high: 'error',
  medium: 'warning',
  unknown: 'warning', // It may be anything.
  low: 'note',
  negligible: 'note',
}

/** Where nothing has a score of its own: within the range that code scanning calls so. */
const scores: Readonly<Record<Severity, number>> = { critical: 9.5, high: 8, medium: 5.5, unknown: 5, low: 2, negligible: 0.1 }

const cut = (text: string, most: number): string => {
  const whole = text.toWellFormed()
  return whole.length <= most ? whole : `${whole.slice(0, most - 1).replace(/[\ud800-\udbff]$/, '')}…`
}

const scoreOf = (finding: Finding): number => {
  const rated = finding.kind === 'vulnerability' ? finding.ratings[0]?.score : undefined
  return rated !== undefined && rated > 0 ? rated : scores[finding.severity]
}

/** A path as a relative URI reference: its first part must not look like a scheme. */
const uriOf = (path: string): string => {
  const encoded = path
    .toWellFormed()
    .split('/')
    .map(part => encodeURIComponent(part))
    .join('/')
  return encoded === '' ? '.' : encoded
}

const artifact = (target: Target, path: string | undefined): Location['physicalLocation']['artifactLocation'] => {
  const whole = path === undefined ? target.file : `${target.prefix}${path}`
  if (whole.startsWith('/')) return { uri: `file://${uriOf(whole)}` }
  return { uri: uriOf(whole), uriBaseId: '%SRCROOT%' }
}

const locationsOf = ({ places }: Finding, target: Target): Location[] => {
  const listed = places.length === 0 ? [{}] : places.slice(0, mostLocations)
  return listed.map(({ path, line, field, object, layer, hidden }: Finding['places'][number]) => {
    const names = [object, field, layer].flatMap(name => (name === undefined ? [] : [{ fullyQualifiedName: name.toWellFormed() }]))
    return {
      physicalLocation: { artifactLocation: artifact(target, path), region: { startLine: line ?? 1 } },
      ...(names.length === 0 ? {} : { logicalLocations: names }),
      ...(hidden === true ? { message: { text: 'A later layer hides it; whoever has the image has it.' } } : {}),
    }
  })
}

const isLink = (text: string): boolean => /^https?:\/\/[^\s<>"]+$/.test(text)

/** Characters that Markdown would take for its own. */
const markdown = (text: string): string => text.replaceAll(/[\\`*_{}[\]<>()#+!|~-]/g, '\\$&')

const helpOf = ({ id, title, remedy, references = [] }: Finding): Message => {
  const links = references.filter(isLink).slice(0, 10)
  const todo = remedy === undefined ? [] : [remedy]
  return {
    text: [title, ...todo, ...links].join('\n').toWellFormed(),
    markdown: [`**${markdown(id)}**`, markdown(title), ...todo.map(markdown), links.map(link => `- <${link}>`).join('\n')]
      .filter(part => part !== '')
      .join('\n\n')
      .toWellFormed(),
  }
}

/** `findings` of one rule, at least one, the worst first. */
const ruleOf = (findings: readonly Finding[]): Rule | undefined => {
  const [first] = findings
  if (first === undefined) return undefined
  const { id, kind, title, references = [] } = first
  const link = references.find(isLink)
  const score = Math.max(...findings.map(scoreOf))
  return {
    id: cut(id, longestName),
    name: cut(id, longestName),
    shortDescription: { text: cut(title, longestText) },
    fullDescription: { text: cut(first.remedy === undefined ? title : `${title}. ${first.remedy}`, longestText) },
    help: helpOf(first),
    ...(link === undefined ? {} : { helpUri: link }),
    defaultConfiguration: { level: levels[first.severity] },
    properties: { tags: ['security', kind], 'security-severity': score.toFixed(1), precision: kind === 'secret' ? 'high' : 'very-high' },
  }
}

export const sarif = (report: Report): SarifLog => {
  const { target, version, findings, problems } = report
  const kept = findings.slice(0, mostResults)
  const grouped = Map.groupBy(kept, ({ id }) => cut(id, longestName))
  const rules = [...grouped.values()].flatMap(each => ruleOf(each.toSorted((left, right) => compareSeverity(right.severity, left.severity))) ?? [])
  const index = new Map(rules.map(({ id }, at) => [id, at]))
  const truncated = findings.length - kept.length
  const notes: Notification[] = [
    ...(truncated > 0
      ? [
          {
            level: 'warning',
            message: { text: `${truncated} of ${findings.length} findings, the mildest, are not in this file: it holds ${mostResults}.` },
          } as const,
        ]
      : []),
    ...problems
      .slice(0, mostNotifications)
      .map(problem => ({ level: 'warning', message: { text: `The scan is incomplete: ${problem.toWellFormed()}` } }) as const),
  ]
  return {
    $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
    version: '2.1.0',
    runs: [
      {
        tool: { driver: { name: 'Dayfly', version, rules } },
        automationDetails: { id: `dayfly/${target.kind}/${target.name.toWellFormed()}/` },
        invocations: [{ executionSuccessful: true, toolExecutionNotifications: notes }],
        results: kept.map(finding => {
          const ruleId = cut(finding.id, longestName)
          return {
            ruleId,
            ruleIndex: index.get(ruleId) ?? 0,
            level: levels[finding.severity],
            message: { text: messageOf(finding).toWellFormed() },
            locations: locationsOf(finding, target),
            partialFingerprints: { 'dayflyFingerprint/v1': finding.fingerprint, primaryLocationLineHash: `${finding.fingerprint}:1` },
          }
        }),
      },
    ],
  }
}
