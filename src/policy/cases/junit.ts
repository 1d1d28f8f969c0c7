/** Results of policy tests as JUnit XML, as CI servers read it. */
import type { CaseResult } from './cases.ts'

/** XML 1.0 has no way to write most control characters: they are left out. */
const isCharacter = (code: number): boolean =>
  code === 9 || code === 10 || code === 13 || (code >= 32 && code !== 0xfffe && code !== 0xffff && (code < 0xd800 || code > 0xdfff))

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  '\n': '&#10;',
  '\r': '&#13;',
  '\t': '&#9;',
}

const xml = (text: string): string => Array.from(text, char => (isCharacter(char.codePointAt(0) ?? 0) ? (entities[char] ?? char) : '')).join('')

const seconds = (milliseconds: number): string => (milliseconds / 1000).toFixed(6)

const testCase = ({ suite, name, file, line, milliseconds, failures }: CaseResult): string => {
  const open = `    <testcase name="${xml(name)}" classname="${xml(suite)}" file="${xml(file)}" line="${line}" time="${seconds(milliseconds)}"`
  if (failures.length === 0) return `${open}/>`
  return `${open}>\n      <failure message="${xml(failures[0] ?? '')}" type="policy">${xml(failures.join('\n'))}</failure>\n    </testcase>`
}

const sum = (results: readonly CaseResult[]): string => seconds(results.reduce((total, { milliseconds }) => total + milliseconds, 0))
const failed = (results: readonly CaseResult[]): number => results.filter(({ failures }) => failures.length > 0).length

/** One `testsuite` for each suite, in the order in which they first come. */
export const junit = (results: readonly CaseResult[]): string => {
  const suites = [...Map.groupBy(results, ({ suite }) => suite)].map(
    ([suite, cases]) =>
      `  <testsuite name="${xml(suite)}" tests="${cases.length}" failures="${failed(cases)}" errors="0" skipped="0" time="${sum(cases)}">\n${cases.map(testCase).join('\n')}\n  </testsuite>`,
  )
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="dayfly policy" tests="${results.length}" failures="${failed(results)}" errors="0" time="${sum(results)}">\n${suites.join('\n')}\n</testsuites>\n`
}
