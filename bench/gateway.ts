/**
 * Dayfly's gateway beside nginx and haproxy as reverse proxies, in one run: requests per second, latency, processor time and memory.
 *
 *     node bench/gateway.ts [--quick]
 *
 * Each proxy has one core to itself, the load and the instance share another. Subjects take turns, several times over, so that whatever else the
 * machine does falls on all of them; what is compared is the median over the rounds, and the ratio within each.
 */
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { readFacts, versionOf } from './facts.ts'
import type { Program } from './gateway/programs.ts'
import { family, loadCore, missing, processorTime, startDayfly, startHaproxy, startNginx, startUpstream } from './gateway/programs.ts'
import { median } from './measure.ts'
import { proportionalSize } from './memory.ts'

const host = 'web.bench.localhost'
const connectionCounts = [1, 64]

interface Sample {
  /** Requests per second. */
  readonly rate: number
  /** ms. */
  readonly p50: number
  readonly p99: number
  /** µs of processor time a request. */
  readonly cost: number
  readonly failed: number
}

const milliseconds = (text: string | undefined): number => {
  const found = /^([\d.]+)(us|ms|s)$/.exec(text ?? '')
  return found === null ? Number.NaN : Number(found[1]) * ({ us: 0.001, ms: 1, s: 1000 }[found[2] ?? ''] ?? Number.NaN)
}

/** `seconds` of load by wrk on kept connections. */
const load = (program: Program, connections: number, seconds: number): Sample => {
  const before = processorTime(program.pid)
  const argv = [
    '-c',
    String(loadCore),
    'wrk',
    '-t1',
    `-c${connections}`,
    `-d${seconds}`,
    '--latency',
    '-H',
    `Host: ${host}`,
    `http://127.0.0.1:${program.port}/`,
  ]
  const { stdout, status } = spawnSync('taskset', argv, { encoding: 'utf8' })
  if (status !== 0) throw new Error(`wrk failed against ${program.name}`)
  const after = processorTime(program.pid)
  const requests = Number(/(\d+) requests in/.exec(stdout)?.[1])
  const errors = /Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)/.exec(stdout)?.slice(1) ?? []
  return {
    rate: Number(/Requests\/sec:\s+([\d.]+)/.exec(stdout)?.[1]),
    p50: milliseconds(/^\s+50%\s+(\S+)/m.exec(stdout)?.[1]),
    p99: milliseconds(/^\s+99%\s+(\S+)/m.exec(stdout)?.[1]),
    cost: ((after - before) * 1e6) / requests,
    failed: Number(/Non-2xx or 3xx responses: (\d+)/.exec(stdout)?.[1] ?? 0) + errors.reduce((sum, count) => sum + Number(count), 0),
  }
}

const absent = missing(['nginx', 'haproxy', 'wrk', 'taskset'])
if (absent.length > 0) {
  console.error(`bench/gateway: ${absent.join(', ')} not installed; \`sudo make bench-peers\` installs what is compared`)
  process.exit(2)
}

const { values } = parseArgs({ options: { quick: { type: 'boolean', default: false } } })
const rounds = values.quick ? 3 : 9
const seconds = values.quick ? 1 : 3
const folder = mkdtempSync(join(tmpdir(), 'dayfly-bench-gateway-'))
await using stack = new AsyncDisposableStack()
stack.defer(() => rmSync(folder, { recursive: true, force: true }))
const upstream = stack.use(await startUpstream(join(folder, 'upstream'), 18_080))
const programs = [
  upstream,
  stack.use(await startNginx(join(folder, 'nginx'), 18_081, upstream.port)),
  stack.use(await startHaproxy(join(folder, 'haproxy'), 18_082, upstream.port)),
  stack.use(await startDayfly(18_083, upstream.port)),
]

const samples = new Map<string, Sample[]>()
const key = (program: Program, connections: number): string => `${program.name} ${connections}`
for (const program of programs) for (const connections of connectionCounts) load(program, connections, 2) // warm
for (let round = 0; round < rounds; round++) {
  for (const connections of connectionCounts) {
    for (const program of programs) {
      const sample = load(program, connections, seconds)
      const name = key(program, connections)
      samples.set(name, [...(samples.get(name) ?? []), sample])
    }
  }
}

const of = (program: Program, connections: number, what: keyof Sample): number[] =>
  (samples.get(key(program, connections)) ?? []).map(sample => sample[what])
const nginx = programs[1]
const ratio = (program: Program, connections: number): number => {
  const base = nginx === undefined ? [] : of(nginx, connections, 'rate')
  return median(of(program, connections, 'rate').map((rate, round) => rate / (base[round] ?? Number.NaN)))
}
const memory = (program: Program): number => family(program.pid).reduce((sum, pid) => sum + proportionalSize(pid), 0)

const head = ['', 'connections', 'requests/s', 'of nginx', 'p50, ms', 'p99, ms', 'CPU, µs a request', 'failed', 'memory, MB']
const rows = connectionCounts.flatMap(connections =>
  programs.map(program => [
    program.name,
    String(connections),
    median(of(program, connections, 'rate')).toFixed(0),
    program === upstream ? '' : ratio(program, connections).toFixed(2),
    median(of(program, connections, 'p50')).toFixed(2),
    median(of(program, connections, 'p99')).toFixed(2),
    median(of(program, connections, 'cost')).toFixed(1),
    String(of(program, connections, 'failed').reduce((sum, count) => sum + count, 0)),
    program === upstream ? '' : (memory(program) / 1e6).toFixed(1),
  ]),
)
const facts = readFacts()
const versions = [
  `node ${process.version.slice(1)}`,
  `nginx ${/[\d.]+/.exec(spawnSync('nginx', ['-v'], { encoding: 'utf8' }).stderr)?.[0] ?? ''}`,
  `haproxy ${versionOf('haproxy', '-v') ?? ''}`,
]
const widths = head.map((title, column) => Math.max(title.length, ...rows.map(row => row[column]?.length ?? 0)))
const line = (row: readonly string[]): string =>
  `| ${row.map((cell, column) => (column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0))).join(' | ')} |`
const table = [
  line(head),
  `|${widths.map((width, column) => (column === 0 ? '-'.repeat(width + 2) : `${'-'.repeat(width + 1)}:`)).join('|')}|`,
  ...rows.map(line),
]
const text = `# The gateway beside nginx and haproxy

${facts.date.slice(0, 10)} · ${facts.system} · kernel ${facts.kernel} · ${facts.processor}, ${facts.cores} cores
${versions.join(' · ')}

GET of 1 KiB on kept connections by wrk, ${rounds} rounds of ${seconds} s in which the programs take turns: medians. "of nginx" is the median of the ratios
within a round. Each proxy is pinned to one core (dayfly with both its threads), load and instance to another; all set X-Forwarded-For, -Proto and -Host
and choose by host name. Processor time is the proxy's own: on a busy machine it is dearer for all, but says more than the rates. dayfly keeps an access log and counts; the
others' logs are off. Memory is the proportional set size of all processes after the run; dayfly's is a whole Node with its two threads.
Load averages of the machine at the end (others used it too, when they are above 2): ${spawnSync('cut', ['-d ', '-f1-3', '/proc/loadavg'], { encoding: 'utf8' }).stdout.trim()}.

${table.join('\n')}
`
console.log(text)
if (!values.quick) {
  const results = resolve(import.meta.dirname, 'results')
  mkdirSync(results, { recursive: true })
  writeFileSync(join(results, 'gateway.md'), text)
}
