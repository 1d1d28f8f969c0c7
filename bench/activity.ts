/**
 * The activity store: how much it takes in a second by one thread, for a minute; how large it is; and how long searches take over ten million entries.
 *
 *     node bench/activity.ts [--quick]        BENCH_EVENTS=2000000 for fewer of them
 *
 * Entries are given to it as the daemon does: of each environment what came within a second, some thousand at once. The searches run in a process of their own kind, a reader beside the writer's file;
 * each is timed seven times, after one that is not counted.
 */
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import type { Activity, ActivityFilter } from '../src/model/activity.ts'
import { openActivityReader, openActivityStore } from '../src/store/activity/open.ts'
import type { World } from './activity/world.ts'
import { createWorld } from './activity/world.ts'
import { readFacts } from './facts.ts'
import { median, quantile } from './measure.ts'

const { values } = parseArgs({ options: { quick: { type: 'boolean', default: false } } })
const total = Number(process.env['BENCH_EVENTS'] ?? (values.quick ? 500_000 : 10_000_000))
const perSecond = 20_000
const folder = mkdtempSync(join(tmpdir(), 'dayfly-bench-activity-'))
process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => process.exit(130))
const path = join(folder, 'activity.sqlite')

/** A second of the world, as the daemon's pieces: whole environments, about a thousand entries each. */
function* pieces(entries: readonly Activity[]): Generator<Activity[]> {
  let piece: Activity[] = []
  for (const own of Map.groupBy(entries, ({ environment }) => environment).values()) {
    piece.push(...own)
    if (piece.length < 1000) continue
    yield piece
    piece = []
  }
  if (piece.length > 0) yield piece
}

interface Ingest {
  readonly events: number
  /** ms in the store, wall and processor; of the slowest call. */
  readonly wall: number
  readonly processor: number
  readonly calls: readonly number[]
}

/** Everything that comes of the world is made before the clock runs. */
const ingest = (world: World, store: ReturnType<typeof openActivityStore>, count: number): Ingest => {
  let [wall, processor, events] = [0, 0, 0]
  const calls: number[] = []
  while (events < count) {
    const { introduced, entries } = world.batch(Math.min(perSecond, count - events))
    const cut = [...pieces(entries)]
    const cpu = process.cpuUsage()
    const begin = performance.now()
    for (const origin of introduced) store.introduce(origin)
    for (const piece of cut) {
      const before = performance.now()
      store.append(piece)
      calls.push(performance.now() - before)
    }
    wall += performance.now() - begin
    const used = process.cpuUsage(cpu)
    processor += (used.user + used.system) / 1000
    events += entries.length
  }
  return { events, wall, processor, calls }
}

const begin = Date.UTC(2026, 10, 1)
const world = createWorld(7, begin, perSecond)
const store = openActivityStore({ path, budget: Number.MAX_SAFE_INTEGER })
const first = ingest(world, store, Math.min(total, 60 * perSecond))
const rest = total > first.events ? ingest(world, store, total - first.events) : undefined
const size = store.size()
const reader = openActivityReader({ path, onProblem: problem => console.error('problem', problem) })

const middle = world.origins[Math.floor(world.origins.length / 2)]
const now = world.now
const filters: readonly (readonly [string, ActivityFilter])[] = [
  ['nothing said: the newest 1000', {}],
  ['nothing said: the oldest 1000', { oldestFirst: true }],
  ['one minute in the middle', { since: begin + (now - begin) / 2, until: begin + (now - begin) / 2 + 60_000 }],
  ['before all of it', { until: begin - 1 }],
  ['environment', { environment: middle?.environment ?? '' }],
  ['environment that is not there', { environment: 'enothere0000' }],
  ['instance', { instance: middle?.instance ?? '' }],
  ['workload', { workload: 'web' }],
  ['image, by digest', { image: middle?.image ?? '' }],
  ['image, by name', { image: middle?.imageName ?? '' }],
  ['owner', { owner: 'alice' }],
  ['owner that is not there', { owner: 'mallory' }],
  ['type: exec', { types: ['exec'] }],
  ['types: all but samples', { types: ['exec', 'fork', 'exit', 'open', 'connect', 'dns', 'unlink'] }],
  ['process: curl', { process: 'curl' }],
  ['address', { address: '203.0.17.5' }],
  ['name that was asked for', { address: 'pypi.org' }],
  ['address that is not there', { address: '198.51.100.1' }],
  ['port 5432', { port: 5432 }],
  ['path: /etc/shadow, rare', { path: '/etc/shadow' }],
  ['path below /var/lib/', { path: '/var/lib/' }],
  ['text: needle, once in 250,000', { text: 'needle' }],
  ['text: two words, frequent each', { text: 'run 4711' }],
  ['text: four words, frequent each, never together', { text: 'run shadow tmp pypi.org' }],
  ['owner + type + process', { owner: 'alice', types: ['exec'], process: 'curl' }],
  ['owner + port + time', { owner: 'bob', port: 443, since: begin + (now - begin) * 0.3, until: begin + (now - begin) * 0.31 }],
  ['process + path, never together', { process: 'curl', types: ['exit'], path: '/tmp/' }],
  ['frequent ones that never meet', { types: ['fork'], port: 443 }],
  [
    'all facets of one',
    {
      ...(middle === undefined ? {} : { environment: middle.environment, owner: middle.owner, workload: middle.workload }),
      types: ['open'],
      path: '/tmp/',
    },
  ],
  ['a page far down', { types: ['open'], after: Math.floor(total / 2) }],
]

const rows = filters.map(([name, filter]) => {
  let found = 0
  const times: number[] = []
  for (let round = -1; round < 7; round++) {
    const start = performance.now()
    found = reader.search(filter).length
    if (round >= 0) times.push(performance.now() - start)
  }
  return { name, found, median: median(times), worst: Math.max(...times) }
})

/** Paging through all there is of a type: each page goes on where the last one ended. */
const pages: number[] = []
for (let after: number | undefined, page = 0; page < 50; page++) {
  const start = performance.now()
  const found = reader.search({ types: ['dns'], ...(after === undefined ? {} : { after }) })
  pages.push(performance.now() - start)
  after = found.at(-1)?.position
  if (after === undefined) break
}

reader[Symbol.dispose]()
store[Symbol.dispose]()
const facts = readFacts()
const number = (value: number): string => value.toLocaleString('en', { maximumFractionDigits: 0 })
const rate = ({ events, wall }: Ingest): string => number((events * 1000) / wall)
const described = (name: string, taken: Ingest): string =>
  `| ${name} | ${number(taken.events)} | ${rate(taken)} | ${((taken.processor * 1000) / taken.events).toFixed(1)} | ${quantile(taken.calls, 0.5).toFixed(1)} | ${quantile(taken.calls, 0.99).toFixed(1)} | ${Math.max(...taken.calls).toFixed(0)} |`
const text = `${[
  `# What instances do, kept and found: ${number(total)} entries`,
  '',
  `${facts.date} · ${facts.system}, Linux ${facts.kernel}, ${facts.cores} × ${facts.processor} · Node ${facts.versions['node']} · one thread writes, one connection reads`,
  '',
  '| taken in, one thread | entries | a second | µs of processor an entry | ms a call of about 1,000, median | 99 % | slowest |',
  '|---|---|---|---|---|---|---|',
  described(`as many as come in a minute at ${number(perSecond)}/s`, first),
  ...(rest === undefined ? [] : [described('the rest', rest)]),
  '',
  `The file has ${(size.file / 1e6).toFixed(0)} MB: ${(size.file / size.entries).toFixed(1)} bytes an entry, index included, of ${number(size.environments)} environments.`,
  '',
  '| search | found, at most 1000 | ms, median | worst of 7 |',
  '|---|---|---|---|',
  ...rows.map(row => `| ${row.name} | ${row.found} | ${row.median.toFixed(1)} | ${row.worst.toFixed(1)} |`),
  `| paging: ${pages.length} pages of 1000, each | | ${median(pages).toFixed(1)} | ${Math.max(...pages).toFixed(1)} |`,
].join('\n')}\n`
console.log(text)
const results = join(import.meta.dirname, 'results')
if (!values.quick && existsSync(results)) writeFileSync(join(results, 'activity.md'), text)
