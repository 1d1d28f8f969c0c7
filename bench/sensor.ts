/**
 * What the sensor takes, what it loses, and what it costs whoever is watched and whoever is not.
 *
 *     node bench/sensor.ts [--short]     as root; keeps bench/results/sensor.md, but not of a short run
 */
import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { loadavg } from 'node:os'
import { join, resolve } from 'node:path'
import type { Sensor } from '../src/host/sensor/sensor.ts'
import { openSensor } from '../src/host/sensor/sensor.ts'
import { sensorSupport } from '../src/host/sensor/support.ts'
import type { KernelEventType, SensorCounts } from '../src/model/kernel-event.ts'
import { compilePrograms, makeCell, sensorBinary } from '../test/system/sensor/cell.ts'
import { readFacts } from './facts.ts'
import { median } from './measure.ts'

const short = process.argv.includes('--short')
const seconds = short ? { execs: 3, opens: 2, frozen: 1 } : { execs: 60, opens: 10, frozen: 6 }
const loops = short ? { execs: 500, opens: 50_000, rounds: 3 } : { execs: 4000, opens: 500_000, rounds: 7 }

const unusable = sensorSupport(sensorBinary).problems[0]
if (unusable !== undefined) {
  console.log(`bench/sensor: nothing to measure: ${unusable.problem}. ${unusable.remedy}`)
  process.exit(0)
}

/** CPU seconds of a process so far. */
const cpuOf = (pid: number): number => {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
  return (Number(fields[11]) + Number(fields[12])) / 100
}
const residentOf = (pid: number): number => Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024

const told = new Map<number, Map<KernelEventType, number>>()
let lines = 0
const start = (): Promise<Sensor> =>
  openSensor(
    { binary: sensorBinary },
    {
      onEvents: events => {
        lines += events.length
        for (const { cookie, type, count = 1 } of events) {
          const of = told.get(cookie) ?? new Map<KernelEventType, number>()
          told.set(cookie, of.set(type, (of.get(type) ?? 0) + count))
        }
      },
    },
  )

using programs = compilePrograms()
const load = join(programs.folder, 'load')
execFileSync('gcc', ['-O2', '-static', '-o', load, resolve(import.meta.dirname, 'sensor/load.c')])
const file = join(programs.folder, 'file')
writeFileSync(file, '')
let lastCookie = 0

interface Run {
  readonly count: number
  /** Of the load and its children. */
  readonly wallNs: number
  readonly cpuNs: number
  readonly counts: SensorCounts
  readonly told: ReadonlyMap<KernelEventType, number>
}

/** The load in a container; `sensor`: whoever watches it. `meanwhile` runs beside it, on this thread. */
const run = async (sensor: Sensor | undefined, words: readonly string[], meanwhile: () => void = () => undefined): Promise<Run> => {
  const cookie = ++lastCookie
  const cell = await makeCell(programs, { command: [load, ...words] })
  await sensor?.registerNamespace({ inode: cell.inode, cookie, root: '/' })
  const running = cell.run()
  meanwhile()
  const { status, output } = await running
  if (status !== 0) throw new Error(`load ${words.join(' ')} ended with ${status}`)
  const counts = (await sensor?.unregister(cookie)) ?? { emitted: {}, dropped: {}, filtered: {} }
  const [count = 0, wallNs = 0, cpuNs = 0] = output.split(' ').map(Number)
  return { count, wallNs, cpuNs, counts, told: told.get(cookie) ?? new Map() }
}

const table: string[] = ['| | done | a second | told | dropped | lines | loader CPU | reader CPU |', '|---|---:|---:|---:|---:|---:|---:|---:|']
const problems: string[] = []

const sustained = async (
  name: string,
  sensor: Sensor,
  type: KernelEventType,
  words: readonly string[],
  truth: (count: number) => number,
  meanwhile?: () => void,
) => {
  const [cpu, own, before] = [cpuOf(sensor.pid), process.cpuUsage(), lines]
  const ran = await run(sensor, words, meanwhile)
  const wall = ran.wallNs / 1e9
  const loader = (cpuOf(sensor.pid) - cpu) / wall
  const spent = process.cpuUsage(own)
  const reader = (spent.user + spent.system) / 1e6 / wall
  const [emitted, dropped, seen] = [ran.counts.emitted[type] ?? 0, ran.counts.dropped[type] ?? 0, ran.told.get(type) ?? 0]
  const whole = (value: number): string => value.toLocaleString('en')
  table.push(
    `| ${name} | ${whole(ran.count)} | ${whole(Math.round(ran.count / wall))} | ${whole(seen)} | ${whole(dropped)} | ${whole(lines - before)} | ${(loader * 100).toFixed(0)}% | ${(reader * 100).toFixed(0)}% |`,
  )
  if (seen !== emitted || emitted + dropped !== truth(ran.count))
    problems.push(`${name}: ${seen} told, ${emitted} emitted, ${dropped} dropped, ${truth(ran.count)} true`)
  for (const vital of ['exec', 'fork', 'exit'] as const)
    if ((ran.counts.dropped[vital] ?? 0) > 0) problems.push(`${name}: ${ran.counts.dropped[vital]} ${vital} lost`)
  return ran
}

const began = performance.now()
const sensor = await start()
const ready = performance.now() - began
await sensor.addPath('sensitive', file)
// The load's own exec is one more.
await sustained('2,000 exec/s', sensor, 'exec', ['execs', '2000', String(seconds.execs)], count => count + 1)
await sustained('100,000 sensitive opens/s', sensor, 'open', ['opens', '100000', String(seconds.opens), file], count => count)
const frozen = (): void => {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, seconds.frozen * 1000)
}
const flood = String(short ? 200_000 : 1_200_000)
await sustained(`a reader that stops for ${seconds.frozen} s`, sensor, 'chown', ['chowns', flood, file], count => count, frozen)
const resident = residentOf(sensor.pid)
await sensor.removePath('sensitive', file)
await sensor[Symbol.asyncDispose]()

/** Interleaved, so that what else the machine does falls on all alike. */
const costs = {
  none: { exec: [] as number[], open: [] as number[] },
  beside: { exec: [] as number[], open: [] as number[] },
  watched: { exec: [] as number[], open: [] as number[] },
}
const per = (ran: Run): number => ran.cpuNs / ran.count
for (let round = 0; round < loops.rounds; round++) {
  costs.none.exec.push(per(await run(undefined, ['exec-loop', String(loops.execs)])))
  costs.none.open.push(per(await run(undefined, ['open-loop', String(loops.opens), '/etc/hostname'])))
  await using watching = await start()
  for (const path of ['/etc/shadow', '/root/.ssh', '/proc/*/environ', '/var/run/docker.sock']) await watching.addPath('sensitive', path)
  costs.watched.exec.push(per(await run(watching, ['exec-loop', String(loops.execs)])))
  costs.watched.open.push(per(await run(watching, ['open-loop', String(loops.opens), '/etc/hostname'])))
  const unregistered = async (...words: string[]): Promise<number> => {
    const cell = await makeCell(programs, { command: [load, ...words] })
    const [count = 1, , cpuNs = 0] = (await cell.run()).output.split(' ').map(Number)
    return cpuNs / count
  }
  costs.beside.exec.push(await unregistered('exec-loop', String(loops.execs)))
  costs.beside.open.push(await unregistered('open-loop', String(loops.opens), '/etc/hostname'))
}
const cost = (name: string, of: { exec: number[]; open: number[] }): string => {
  const [exec, open] = [median(of.exec), median(of.open)]
  return `| ${name} | ${(exec / 1000).toFixed(0)} | ${(exec / median(costs.none.exec)).toFixed(2)} | ${(open / 1000).toFixed(2)} | ${(open / median(costs.none.open)).toFixed(2)} |`
}

const facts = readFacts()
const page = `# The sensor

${facts.date.slice(0, 10)} · ${facts.kernel} · ${facts.cores} × ${facts.processor}. Start to ready ${ready.toFixed(0)} ms; ${resident.toFixed(0)} MB resident afterwards. Load average of the machine at the end: ${loadavg()[0]?.toFixed(1)}.

${table.join('\n')}

Told: the events that the lines stand for. Told and dropped together are what was done, exactly${problems.length === 0 ? '' : ` — NOT: ${problems.join('; ')}`}.

CPU of a bare loop of \`vfork\`, \`exec\`, \`exit\`, \`wait\` and of \`open\`, \`close\` of a file that is not watched, median of ${loops.rounds}, without that of the sensor's own process:

| | µs an exec | × | µs an open | × |
|---|---:|---:|---:|---:|
${cost('no sensor', costs.none)}
${cost('a sensor, another container', costs.beside)}
${cost('a sensor, this container', costs.watched)}
`
console.log(page)
if (!short) writeFileSync(resolve(import.meta.dirname, 'results/sensor.md'), page)
process.exitCode = problems.length === 0 ? 0 : 1
