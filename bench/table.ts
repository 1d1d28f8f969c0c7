/** The results for people. */
import type { Facts } from './facts.ts'
import { pause } from './measure.ts'
import type { Row } from './row.ts'

const number = (value: number | undefined, digits = 1): string => (value === undefined || Number.isNaN(value) ? '' : value.toFixed(digits))

/** Markdown with its columns aligned, so that it reads the same in a terminal. */
const align = (rows: readonly (readonly string[])[]): string => {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map(row => row[column]?.length ?? 0)))
  const line = (row: readonly string[]): string =>
    `| ${widths.map((width, column) => (column === 0 ? (row[column] ?? '').padEnd(width) : (row[column] ?? '').padStart(width))).join(' | ')} |`
  const [head = [], ...body] = rows
  return [
    line(head),
    `|${widths.map((width, column) => (column === 0 ? '-'.repeat(width + 2) : `${'-'.repeat(width + 1)}:`)).join('|')}|`,
    ...body.map(line),
  ].join('\n')
}

const burst = (row: Row, count: number): string => {
  const found = row.atOnce.find(run => run.count === count)
  if (found === undefined) return ''
  return found.failures === 0 ? number(found.rate, found.rate < 10 ? 1 : 0) : `${number(found.rate, 0)} (${found.failures} failed)`
}

/** How many starts of a subject that has a pool came from it. */
const poolShares = (row: Row): string =>
  [
    ...(row.inARow === undefined ? [] : [`${row.inARow.prepared} of ${row.inARow.runs} in a row`]),
    ...row.atOnce.map(run => `${run.prepared} of ${run.count} at once`),
  ].join(', ')

export const renderTable = (facts: Facts, rows: readonly Row[], counts: readonly number[]): string => {
  const measured = rows.filter(row => row.absent === undefined)
  const docker = measured.find(row => row.name === 'docker run')?.inARow?.firstOutput.median
  const runs = Math.max(...measured.map(row => row.inARow?.runs ?? 0))
  const idle = Math.max(0, ...measured.map(row => row.idle?.count ?? 0))
  const table = align([
    ['', 'first output, ms', 'p90', 'exit, ms', 'docker ÷', ...counts.map(count => `${count} at once, starts/s`), 'helpers, MB an idle one'],
    ...measured.map(row => [
      row.name,
      number(row.inARow?.firstOutput.median),
      number(row.inARow?.firstOutput.p90),
      number(row.inARow?.exit.median),
      docker === undefined || row.inARow === undefined ? '' : number(docker / row.inARow.firstOutput.median, 1),
      ...counts.map(count => burst(row, count)),
      row.idle === undefined ? '' : number(row.idle.helpersEach / 1e6, 2),
    ]),
  ])
  const versions = Object.entries(facts.versions).map(([name, version]) => `${name} ${version}`)
  return [
    `${facts.date.slice(0, 10)} · ${facts.system} · kernel ${facts.kernel} · ${facts.processor}, ${facts.cores} cores, ${Math.round(facts.memory / 2 ** 30)} GiB · cgroup ${facts.cgroup}`,
    versions.join(' · '),
    '',
    `Medians of ${runs} runs of \`echo\` with ${pause} ms between them. "docker ÷" is how many times sooner than \`docker run\` the first output comes.`,
    `Helpers are the processes that stand beside each of ${idle} idle instances, by proportional set size.`,
    '',
    table,
    '',
    ...measured.map(row => `- ${row.name}: ${row.note}.`),
    ...measured.filter(row => row.name.includes('prepared, API')).map(row => `- ${row.name}: from the pool were ${poolShares(row)}.`),
    ...rows.filter(row => row.absent !== undefined).map(row => `- ${row.name}: ${row.absent}.`),
    ...measured.flatMap(row =>
      row.atOnce.filter(run => run.failures > 0).map(run => `- ${row.name}, ${run.count} at once: ${run.failures} failed: ${run.reason}.`),
    ),
    '',
  ].join('\n')
}
