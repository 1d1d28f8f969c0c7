/** Findings for people: a table for each kind, the worst first, no wider than the terminal. */
import { formatDuration } from '../../base/durations.ts'
import type { Finding, FindingKind, Severity } from '../../model/finding.ts'
import type { LeftOut, Report } from './report.ts'
import { counted, countsOf, countsText, kinds, packagesText } from './report.ts'

export interface TableOptions {
  /** Columns of the terminal; undefined: nothing is cut off. */
  readonly width: number | undefined
  readonly paint: (style: 'bold' | 'dim' | 'red' | 'yellow' | 'cyan', text: string) => string
}

const styles: Readonly<Record<Severity, 'red' | 'yellow' | 'cyan' | 'dim'>> = {
  ...{ critical: 'red', high: 'red', medium: 'yellow', unknown: 'yellow', low: 'cyan', negligible: 'dim' },
}

/** What steers a terminal, or turns text around in it, is shown as a mark. */
const printable = (text: string): string => text.toWellFormed().replaceAll(/[\p{Cc}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]/gu, '\ufffd')

const cut = (text: string, most: number): string => {
  const characters = [...text]
  return characters.length <= most ? text : `${characters.slice(0, Math.max(0, most - 1)).join('')}…`
}

const placeOf = ({ places }: Finding): string => {
  const [place] = places
  const at = place?.path === undefined ? (place?.object ?? '') : `${place.path}${place.line === undefined ? '' : `:${place.line}`}`
  const field = place?.field === undefined ? '' : `${at === '' ? '' : ' '}${place.field}`
  const inside = place?.path !== undefined && place.object !== undefined ? ` (${place.object})` : ''
  const hidden = place?.hidden === true ? ' (hidden)' : ''
  return `${at}${field}${inside}${hidden}${places.length > 1 ? ` (+${places.length - 1})` : ''}`
}

type Row = readonly string[]

const headOf = (kind: FindingKind): Row => {
  if (kind === 'vulnerability') return ['SEVERITY', 'ID', 'PACKAGE', 'VERSION', 'FIXED', 'TITLE']
  return kind === 'secret' ? ['SEVERITY', 'RULE', 'PLACE', 'SECRET', 'TITLE'] : ['SEVERITY', 'RULE', 'PLACE', 'TITLE']
}

const rowOf = (finding: Finding): Row => {
  const title = finding.kind === 'vulnerability' && finding.exploited === true ? `exploited · ${finding.title}` : finding.title
  if (finding.kind === 'vulnerability') {
    const { package: found, fixed } = finding
    return [finding.severity, finding.id, found.name, found.version, fixed ?? '-', title]
  }
  const secret = finding.kind === 'secret' ? [finding.redacted] : []
  return [finding.severity, finding.id, placeOf(finding), ...secret, title]
}

const widest = 60

/** The last column takes what is left of the width, at least 20. */
const tableOf = (kind: FindingKind, findings: readonly Finding[], { width, paint }: TableOptions): string => {
  const head = headOf(kind)
  const most = width === undefined ? Number.POSITIVE_INFINITY : Math.max(24, Math.min(widest, Math.floor(width / 3)))
  const rows = [head, ...findings.map(finding => rowOf(finding).map(cell => printable(cell)))].map(row =>
    row.map((cell, column) => (column === row.length - 1 ? cell : cut(cell, most))),
  )
  const widths = head.map((_, column) => rows.reduce((wide, row) => Math.max(wide, [...(row[column] ?? '')].length), 0))
  const before = widths.slice(0, -1).reduce((sum, each) => sum + each + 2, 0)
  const left = width === undefined ? Number.POSITIVE_INFINITY : Math.max(20, width - before)
  const line = (row: Row, at: number): string =>
    row
      .map((cell, column) => {
        const last = column === row.length - 1
        const text = last ? cut(cell, left) : cell
        const pad = last ? '' : ' '.repeat((widths[column] ?? 0) - [...text].length + 2)
        const severity = findings[at - 1]?.severity
        const painted = at === 0 ? paint('bold', text) : column === 0 && severity !== undefined ? paint(styles[severity], text) : text
        return `${painted}${pad}`
      })
      .join('')
      .trimEnd()
  return rows.map(line).join('\n')
}

const leftOutText = ({ severity, unfixed, vex, baseline }: LeftOut): string =>
  [
    ...(severity > 0 ? [`${severity} milder`] : []),
    ...(unfixed > 0 ? [`${unfixed} without a fix`] : []),
    ...(vex > 0 ? [`${vex} settled by VEX`] : []),
    ...(baseline > 0 ? [`${baseline} in the baseline`] : []),
  ].join(', ')

const mostProblems = 10

/** Ends with a newline. */
export const table = (report: Report, options: TableOptions): string => {
  const { target, findings, leftOut, problems, packages, dataFrom, distribution, at } = report
  const { paint } = options
  const groups = Map.groupBy(findings, ({ kind }) => kind)
  const sections = kinds.flatMap(kind => {
    const each = groups.get(kind)
    if (each === undefined) return []
    return [`${paint('bold', counted(each.length, kind))} (${countsText(countsOf(each))})\n${tableOf(kind, each, options)}`]
  })
  const incomplete =
    problems.length === 0
      ? []
      : [
          [
            paint('yellow', 'The scan is incomplete:'),
            ...problems.slice(0, mostProblems).map(problem => `  ${printable(problem)}`),
            ...(problems.length > mostProblems ? [`  and ${problems.length - mostProblems} more`] : []),
          ].join('\n'),
        ]
  const data =
    packages.length === 0
      ? ''
      : dataFrom === undefined
        ? ', no vulnerability data about them'
        : `, vulnerability data ${formatDuration(age(at, dataFrom))} old`
  const os = distribution === undefined ? '' : `, ${printable(`${distribution.id} ${distribution.version}`).trim()}`
  const out = leftOutText(leftOut)
  const sum = findings.length === 0 ? 'nothing found' : countsText(countsOf(findings))
  const closing = `${printable(target.name)}: ${sum}${out === '' ? '' : ` (not shown: ${out})`}; ${packagesText(packages.length)}${os}${data}`
  return `${[...sections, ...incomplete, closing].join('\n\n')}\n`
}

/** To the hour, and no less than one: nobody cares for less. */
const age = (at: number, from: number): number => Math.max(3_600_000, Math.floor((at - from) / 3_600_000) * 3_600_000)
