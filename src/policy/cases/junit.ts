/** Results of policy tests as JUnit XML, as CI servers read it. */
import { xmlText as xml } from '../../base/xml.ts'
import type { CaseResult } from './cases.ts'

const seconds = (milliseconds: number): string => (milliseconds / 1000).toFixed(6)

const testCase = ({ suite, name, file, line, milliseconds, failures }: CaseResult): string => {
  const open = `    <testcase name="${xml(name)}" classname="${xml(suite)}" file="${xml(file)}" line="${line}" time="${seconds(milliseconds)}"`
  if (failures.length === 0) return `${open}/>`
  return `${open}>\n      <failure message="${xml(failures[0] ?? '')}" type="policy">${xml(failures.join('\n'))}</failure>\n    </testcase>`
}

const sum = (results: readonly CaseResult[]): string => seconds(results.reduce((total, { milliseconds }) => total + milliseconds, 0))
const failed = (results: readonly CaseResult[]): number => results.filter(({ failures }) => failures.length > 0).length

/** One `testsuite` for each suite, in the order in which they first come. `name` is that of the whole. */
export const junit = (results: readonly CaseResult[], name = 'dayfly policy'): string => {
  const suites = [...Map.groupBy(results, ({ suite }) => suite)].map(
    ([suite, cases]) =>
      `  <testsuite name="${xml(suite)}" tests="${cases.length}" failures="${failed(cases)}" errors="0" skipped="0" time="${sum(cases)}">\n${cases.map(testCase).join('\n')}\n  </testsuite>`,
  )
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="${xml(name)}" tests="${results.length}" failures="${failed(results)}" errors="0" time="${sum(results)}">\n${suites.join('\n')}\n</testsuites>\n`
}
