/**
 * Measures Dayfly and its peers on this machine in one run, prints the table and keeps it in bench/results/.
 *
 *     node bench/main.ts [--quick] [--only dayfly|peers]     as root
 */
import { spawnSync } from 'node:child_process'
import { copyFileSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { z } from 'zod'
import { makeFolder } from '../test/daemon.ts'
import { dayflySubjects } from './dayfly.ts'
import { hostKind, readFacts } from './facts.ts'
import { floors } from './floors.ts'
import { must } from './peers/bundle.ts'
import type { Effort } from './row.ts'
import { measureRow, Row } from './row.ts'
import { renderTable } from './table.ts'

const root = resolve(import.meta.dirname, '..')
const { values } = parseArgs({ options: { quick: { type: 'boolean', default: false }, only: { type: 'string' } } })
const effort: Effort = values.quick ? { runs: 10, counts: [20], idle: 10 } : { runs: 30, counts: [20, 100], idle: 50 }

/** The peers, in namespaces of their own. */
const measurePeers = (folder: string, rootTar: string): Row[] => {
  const { status, stdout } = spawnSync(
    'unshare',
    ['--mount', '--net', process.execPath, join(root, 'bench/peers/main.ts'), folder, rootTar, JSON.stringify(effort)],
    { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'], maxBuffer: 64 * 1024 * 1024 },
  )
  if (status !== 0) throw new Error(`bench: measuring the peers failed (${status})`)
  return z.array(Row).parse(JSON.parse(stdout.trim().split('\n').at(-1) ?? ''))
}

const rootTar = must(join(root, 'scripts/make-image'), []).trim()
const folder = makeFolder('/var/tmp/dayfly-bench-')
// /run is a tmpfs wherever systemd is; here it may not be.
const runDir = makeFolder('/dev/shm/dayfly-bench-')
const rows: Row[] = []
try {
  if (values.only !== 'peers') {
    for (const subject of floors()) rows.push(await measureRow(subject, { ...effort, counts: [] }))
    await using dayfly = await dayflySubjects(join(folder, 'dayfly'), runDir, rootTar)
    for (const subject of dayfly.subjects) rows.push(await measureRow(subject, effort))
  }
  if (values.only !== 'dayfly') rows.push(...measurePeers(folder, rootTar))
} finally {
  for (const used of [folder, runDir]) rmSync(used, { recursive: true, force: true })
}

const facts = readFacts()
const text = renderTable(facts, rows, effort.counts)
console.log(`\n${text}`)
if (!values.quick && values.only === undefined) {
  const results = join(root, 'bench/results')
  mkdirSync(results, { recursive: true })
  const name = join(results, `${facts.date.slice(0, 10)}-${hostKind(facts)}`)
  writeFileSync(`${name}.json`, `${JSON.stringify({ facts, rows }, null, 2)}\n`)
  writeFileSync(`${name}.md`, text)
  copyFileSync(`${name}.md`, join(results, 'latest.md'))
  console.log(`kept as ${name}.md, ${name}.json and latest.md`)
}
