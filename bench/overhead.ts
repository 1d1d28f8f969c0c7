/**
 * What sensing costs programs that work: redis, sqlite and nginx under load in instances, with the sensor and without any, in turns.
 *
 *     node bench/overhead.ts [--short]     as root; keeps bench/results/overhead.md, but not of a short run
 */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { loadavg } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { frameKind } from '../src/api/frames.ts'
import type { ExitFrame } from '../src/api/schemas/environments.ts'
import { sensorSupport } from '../src/host/sensor/support.ts'
import type { Daemon } from '../test/daemon.ts'
import { makeFolder, startDaemon } from '../test/daemon.ts'
import { sensorBinary } from '../test/system/sensor/cell.ts'
import { readFacts } from './facts.ts'
import { median } from './measure.ts'
import type { Workload } from './overhead/workloads.ts'
import { workloads } from './overhead/workloads.ts'
import { must } from './peers/bundle.ts'

const root = resolve(import.meta.dirname, '..')
const short = process.argv.includes('--short')
const { rounds, share } = short ? { rounds: 1, share: 0.1 } : { rounds: 7, share: 1 }
const image = 'overhead'
/** Ratio of the medians that is too much. */
const most = 1.05

const unusable = sensorSupport(sensorBinary).problems[0]
if (unusable !== undefined) {
  console.log(`bench/overhead: nothing to measure: ${unusable.problem}. ${unusable.remedy}`)
  process.exit(0)
}

const run = async ({ client }: Daemon, { name, script }: Workload): Promise<number> => {
  const stream = await client.run({ image, command: ['/bin/sh', '-ec', script(share)], user: '0' })
  let [output, told, code] = ['', '', -1]
  for await (const { kind, payload } of stream.frames) {
    if (kind === frameKind.stdout) output += payload.toString()
    if (kind === frameKind.stderr || kind === frameKind.error) told += payload.toString()
    if (kind === frameKind.exit) {
      const exit: ExitFrame = JSON.parse(payload.toString())
      code = exit.code ?? -1
      break
    }
  }
  stream.end()
  const value = Number(output.trim().split('\n').at(-1))
  if (code !== 0 || !(value > 0)) throw new Error(`${name}: exit ${code}, said ${JSON.stringify(output)}, ${JSON.stringify(told)}`)
  return value
}

const attached = async ({ client }: Daemon): Promise<void> => {
  while (!(await client.doctor()).some(({ name, found }) => name === 'sensor' && found.startsWith('attached'))) await sleep(100)
}

/** One daemon after the other on the same state: while one is measured without a sensor, there is none that costs its system calls. */
const measure = async (folder: string, runDir: string, sensed: boolean): Promise<number[]> => {
  const env = { ...process.env, DAYFLY_SENSOR: sensed ? 'require' : 'off' }
  await using daemon = startDaemon({ folder, runDir, env })
  await daemon.ready
  if (!(await daemon.client.images()).some(({ names }) => names.some(name => name.includes(image))))
    await daemon.client.importImage({ path: must(join(root, 'bench/overhead/make-image'), []).trim(), name: image }, () => {})
  if (sensed) await attached(daemon)
  const values: number[] = []
  for (const workload of workloads) values.push(await run(daemon, workload))
  return values
}

const folder = makeFolder('/var/tmp/dayfly-bench-overhead-')
const runDir = makeFolder('/dev/shm/dayfly-bench-overhead-')
const samples = { seen: workloads.map((): number[] => []), unseen: workloads.map((): number[] => []) }
try {
  // The first round is for the page cache, and the order changes from round to round.
  for (let round = short ? 0 : -1; round < rounds; round++) {
    for (const sensed of round % 2 === 0 ? [true, false] : [false, true]) {
      const values = await measure(folder, runDir, sensed)
      if (round < 0) continue
      for (const [index, value] of values.entries()) samples[sensed ? 'seen' : 'unseen'][index]?.push(value)
    }
  }
} finally {
  for (const used of [folder, runDir]) rmSync(used, { recursive: true, force: true })
}

const whole = (value: number): string => Math.round(value).toLocaleString('en')
const range = (values: readonly number[]): string => `${whole(Math.min(...values))} – ${whole(Math.max(...values))}`
const results = workloads.map(({ name, unit }, index) => {
  const [seen, unseen] = [samples.seen[index] ?? [], samples.unseen[index] ?? []]
  const ratio = median(unseen) / median(seen)
  return {
    ratio,
    row: `| ${name} | ${unit} | ${whole(median(unseen))} | ${range(unseen)} | ${whole(median(seen))} | ${range(seen)} | ${ratio.toFixed(3)} |`,
  }
})
const above = results.filter(({ ratio }) => ratio > most).length
const facts = readFacts()
const page = `# What sensing costs programs that work

${facts.date.slice(0, 10)} · ${facts.kernel} · ${facts.cores} × ${facts.processor}. Load average of the machine at the end: ${loadavg()[0]?.toFixed(1)}.

Each in an instance of its own with Dayfly's rules and default settings, its client beside it in the same instance, on the same cores as the daemon and the sensor; ${rounds} rounds with the
sensor and ${rounds} while there is none on this host, in turns. Medians, and least to most:

| | | without | | with | | × |
|---|---|---:|---:|---:|---:|---:|
${results.map(({ row }) => row).join('\n')}

×: how much longer the same work takes. The aim is at most ${most}: ${above === 0 ? 'all are within it' : `${above} of ${results.length} are above it`}.
`
console.log(page)
if (!short) {
  mkdirSync(join(root, 'bench/results'), { recursive: true })
  writeFileSync(join(root, 'bench/results/overhead.md'), page)
}
process.exitCode = short || above === 0 ? 0 : 1
