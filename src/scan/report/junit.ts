/** Findings as JUnit XML: a suite for each kind, a test for each finding. What does not fail the scan is a test that has passed, with what was found. */
import { xmlText as xml } from '../../base/xml.ts'
import type { Finding } from '../../model/finding.ts'
import type { Report } from './report.ts'
import { kinds, messageOf } from './report.ts'

const placeOf = ({ places: [place] }: Finding, { target }: Report): string =>
  place?.path === undefined ? target.file : `${target.prefix}${place.path}`

const details = (finding: Finding): string => {
  const places = finding.places.map(({ path = '', line, field, object }) =>
    [`${path}${line === undefined ? '' : `:${line}`}`, object, field].filter(Boolean).join(' '),
  )
  return [`severity: ${finding.severity}`, finding.remedy ?? '', ...places.slice(0, 20), ...(finding.references ?? []).slice(0, 5)]
    .filter(Boolean)
    .join('\n')
}

const nameOf = (finding: Finding): string => (finding.kind === 'vulnerability' ? `${finding.id} ${finding.package.name}` : finding.id)

const testCase = (finding: Finding, report: Report, failing: boolean): string => {
  const { places } = finding
  const line = places[0]?.line === undefined ? '' : ` line="${places[0].line}"`
  const open = `    <testcase name="${xml(nameOf(finding))}" classname="${xml(finding.kind)}" file="${xml(placeOf(finding, report))}"${line} time="0">`
  const text = xml(details(finding))
  const inner = failing
    ? `<failure message="${xml(messageOf(finding))}" type="${finding.severity}">${text}</failure>`
    : `<system-out>${xml(messageOf(finding))}&#10;${text}</system-out>`
  return `${open}\n      ${inner}\n    </testcase>`
}

/** `fails` says which findings are failures. A kind without findings is one test that has passed, so that a report is never empty. */
export const junit = (report: Report, fails: (finding: Finding) => boolean): string => {
  const { findings, target, problems } = report
  const groups = Map.groupBy(findings, ({ kind }) => kind)
  const shown = kinds.filter(kind => groups.has(kind))
  const suites = shown.map(kind => {
    const each = groups.get(kind) ?? []
    const cases = each.map(finding => testCase(finding, report, fails(finding)))
    return `  <testsuite name="${xml(`${target.name}: ${kind}`)}" tests="${each.length}" failures="${each.filter(fails).length}" errors="0" skipped="0" time="0">\n${cases.join('\n')}\n  </testsuite>`
  })
  const clean = `  <testsuite name="${xml(target.name)}" tests="1" failures="0" errors="0" skipped="0" time="0">\n    <testcase name="nothing was found" classname="scan" time="0"/>\n  </testsuite>`
  const told =
    problems.length === 0
      ? []
      : [
          `  <testsuite name="${xml(`${target.name}: what could not be looked at`)}" tests="${problems.length}" failures="0" errors="0" skipped="${problems.length}" time="0">\n${problems
            .map(
              problem => `    <testcase name="${xml(problem)}" classname="scan" time="0"><skipped message="it could not be looked at"/></testcase>`,
            )
            .join('\n')}\n  </testsuite>`,
        ]
  const all = [...(suites.length === 0 ? [clean] : suites), ...told]
  const tests = Math.max(findings.length, 1) + problems.length
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="dayfly scan" tests="${tests}" failures="${findings.filter(fails).length}" errors="0" time="0">\n${all.join('\n')}\n</testsuites>\n`
}
