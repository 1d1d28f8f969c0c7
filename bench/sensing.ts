/**
 * What sensing costs and how soon it tells: from an exec in a container until its detection is in the record; starts with the sensor and without it, in
 * turns; and the processor time that idle instances take.
 *
 *     node bench/sensing.ts [instances]     as root; keeps bench/results/sensing.md
 */
import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { frameKind } from '../src/api/frames.ts'
import type { RunInput } from '../src/api/schemas/environments.ts'
import type { Daemon } from '../test/daemon.ts'
import { makeFolder, startDaemon } from '../test/daemon.ts'
import { readFacts } from './facts.ts'
import { median, quantile } from './measure.ts'

const root = resolve(import.meta.dirname, '..')
const idleInstances = Number(process.argv[2] ?? 100)
const [rules, instances, rounds] = [50, 6, 60]

const attached = async ({ client }: Daemon): Promise<void> => {
  while (!(await client.doctor()).some(({ name, found }) => name === 'sensor' && found.startsWith('attached'))) await sleep(100)
}

/** ms until the first output, and until the exit. */
const run = async ({ client }: Daemon, input: RunInput): Promise<number> => {
  const begin = performance.now()
  const stream = await client.run(input)
  let first = 0
  for await (const { kind, payload } of stream.frames) {
    if (kind === frameKind.stdout && first === 0) first = performance.now() - begin
    if (kind === frameKind.error) throw new Error(payload.toString())
    if (kind === frameKind.exit) break
  }
  stream.end()
  return first
}

/** ms of each detection: from the kernel's stamp of the exec until its entry of the record was written. */
const latencies = async (daemon: Daemon): Promise<number[]> => {
  const { client } = daemon
  const script = `i=0; while [ $i -lt ${rules} ]; do /bin/true mark-$i-end; usleep 50000; i=$((i+1)); done`
  const environments: string[] = []
  for (let index = 0; index < instances; index++) {
    const { id } = await client.create({ image: 'busybox', command: ['/bin/sh', '-c', script] })
    environments.push(id)
    await client.wait(id)
  }
  const found: number[] = []
  for (const environment of environments) {
    for (const { type, time, data } of await client.events({ environment, limit: 10_000 })) {
      if (type === 'detection.raised' && String(data['rule']).startsWith('Mark ')) found.push(time - Number(data['at']))
    }
  }
  if (found.length < rules * instances) throw new Error(`only ${found.length} of ${rules * instances} were detected`)
  return found
}

let shapes = 0
const starts = async (daemons: readonly Daemon[], prepared: boolean): Promise<number[][]> => {
  const all: number[][] = daemons.map(() => [])
  const command = ['/bin/echo', 'hello']
  for (let round = -5; round < rounds; round++) {
    for (const [index, daemon] of daemons.entries()) {
      const took = await run(daemon, { image: 'busybox', command, env: prepared ? {} : { SHAPE: String(shapes++) } })
      if (round >= 0) all[index]?.push(took)
      await sleep(120)
    }
  }
  return all
}

/** Ticks of processor time of the process's threads of that name, and of a program that it has started. */
const ticks = (stat: string): number => {
  const fields = readFileSync(stat, 'latin1').split(') ')[1]?.split(' ') ?? []
  return Number(fields[11]) + Number(fields[12])
}
const ticksOf = (pid: number, thread: string): number =>
  readdirSync(`/proc/${pid}/task`)
    .filter(task => readFileSync(`/proc/${pid}/task/${task}/comm`, 'latin1').trim() === thread)
    .reduce((sum, task) => sum + ticks(`/proc/${pid}/task/${task}/stat`), 0)

/** Milliseconds of processor time that the thread takes in a second. */
const costOfIdle = async (daemon: Daemon, count: number): Promise<number> => {
  const started: string[] = []
  for (let index = 0; index < count; index++) {
    started.push((await daemon.client.create({ image: 'busybox', command: ['/bin/sleep', '3600'], grace: 0 })).id)
  }
  await sleep(3_000)
  const [seconds, before] = [10, ticksOf(daemon.pid, 'dayfly-sensing')]
  await sleep(seconds * 1000)
  const cost = ((ticksOf(daemon.pid, 'dayfly-sensing') - before) * 10) / seconds
  for (const id of started) await daemon.client.end(id, { force: true })
  return cost
}

const ruleFile = Array.from(
  { length: rules },
  (_, index) =>
    `- rule: Mark ${index}\n  desc: of the benchmark\n  condition: evt.type = execve and proc.args contains "mark-${index}-end"\n  output: "%proc.cmdline"\n  priority: NOTICE\n`,
).join('')

const folders = ['seen', 'unseen'].map(name => makeFolder(`/var/tmp/dayfly-bench-${name}-`))
const runDirs = folders.map(() => makeFolder('/dev/shm/dayfly-bench-sensing-'))
try {
  const [seenFolder = '', unseenFolder = ''] = folders
  mkdirSync(join(seenFolder, 'state/rules'), { recursive: true, mode: 0o711 })
  writeFileSync(join(seenFolder, 'state/rules/bench.yaml'), ruleFile)
  await using seen = startDaemon({ folder: seenFolder, runDir: runDirs[0] ?? '' })
  await using unseen = startDaemon({ folder: unseenFolder, runDir: runDirs[1] ?? '', env: { ...process.env, DAYFLY_SENSOR: 'off' } })
  const tar = execFileSync(join(root, 'scripts/make-image'), [], { encoding: 'utf8' }).trim()
  for (const daemon of [seen, unseen]) {
    await daemon.ready
    await daemon.client.importImage({ path: tar, name: 'busybox' }, () => {})
  }
  await attached(seen)
  const told = await latencies(seen)
  const prepared = await starts([seen, unseen], true)
  const cold = await starts([seen, unseen], false)
  const idle = await costOfIdle(seen, idleInstances)
  const { date, processor, kernel, cores } = readFacts()
  const row = (name: string, [on = [], off = []]: number[][]): string => {
    const [a, b] = [median(on), median(off)]
    return `| ${name} | ${a.toFixed(2)} | ${quantile(on, 0.9).toFixed(2)} | ${b.toFixed(2)} | ${quantile(off, 0.9).toFixed(2)} | ${(a / b).toFixed(2)} |`
  }
  const text = `${date.slice(0, 10)} · ${processor}, ${cores} cores, Linux ${kernel}; both daemons on the same host, so that the sensor of the one also costs the system calls of the other

| from an exec until its detection is written, ms | p50 | p90 | p99 | most |
|---|---:|---:|---:|---:|
| ${told.length} execs, 20 a second, Dayfly's rules and ${rules} more | ${median(told).toFixed(2)} | ${quantile(told, 0.9).toFixed(2)} | ${quantile(told, 0.99).toFixed(2)} | ${Math.max(...told).toFixed(2)} |

| start until first output, ms | seen: median | p90 | --sensor off: median | p90 | ratio |
|---|---:|---:|---:|---:|---:|
${row('prepared', prepared)}
${row('cold', cold)}

${idleInstances} idle instances, sampled each second: ${idle.toFixed(0)} ms of processor time a second in the thread of sensing, ${((idle * 1000) / idleInstances).toFixed(0)} µs for each.
`
  const results = join(root, 'bench/results')
  mkdirSync(results, { recursive: true })
  writeFileSync(join(results, 'sensing.md'), text)
  console.log(text)
} finally {
  for (const used of [...folders, ...runDirs]) rmSync(used, { recursive: true, force: true })
}
