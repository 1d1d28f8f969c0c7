/**
 * How long examples/shop takes from `dayfly up` until all of it is healthy: images are there, volumes and everything else are new.
 *
 *     node bench/shop.ts [--quick]     as root
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { dayflyProgram, makeFolder, startDaemon } from '../test/daemon.ts'
import { readFacts } from './facts.ts'
import { median } from './measure.ts'
import { must } from './peers/bundle.ts'

const root = resolve(import.meta.dirname, '..')
const { values } = parseArgs({ options: { quick: { type: 'boolean', default: false } } })
const runs = values.quick ? 2 : 5
/** ms between the runs, in which what the one before has left in the kernel goes. */
const pause = 3_000
/** In the order of the chain of dependencies that is the longest. */
const chain = ['db', 'redis', 'migrate', 'api', 'worker', 'web']

interface Sample {
  /** ms from the start of the command until it has ended, and until the daemon knew that all is healthy. */
  readonly command: number
  readonly healthy: number
  /** By workload, ms since the environment was asked for: created, running, well (healthy, or exited with 0). */
  readonly steps: ReadonlyMap<string, readonly [number, number, number]>
}

const folder = makeFolder('/tmp/dayfly-bench-shop-')
await using stack = new AsyncDisposableStack()
stack.defer(() => rmSync(folder, { recursive: true, force: true }))
const daemon = stack.use(startDaemon({ folder, env: { ...process.env, DAYFLY_GATEWAY: '127.0.0.1:0' } }))
await daemon.ready
const { client } = daemon
for (const line of must(join(root, 'examples/shop/build-images'), []).trim().split('\n')) {
  const [name = '', path = ''] = line.split(' ')
  await client.importImage({ path, name }, () => {})
}

const env = { ...process.env, DAYFLY_RUN_DIR: daemon.runDir, DAYFLY_STATE_DIR: daemon.stateDir, DB_PASSWORD: 'bench' }
const up = async (): Promise<number> => {
  const begin = performance.now()
  const child = spawn(dayflyProgram, ['up', join(root, 'examples/shop/compose.yaml')], { stdio: ['ignore', 'ignore', 'pipe'], env })
  let told = ''
  child.stderr.on('data', (text: Buffer) => {
    told += text.toString()
  })
  const [code] = await once(child, 'close')
  if (code !== 0) throw new Error(`dayfly up exited with ${code}: ${told}`)
  return performance.now() - begin
}

const measure = async (): Promise<Sample> => {
  const command = await up()
  const [environment] = await client.environments()
  if (environment === undefined) throw new Error('there is no environment')
  const workloadOf = new Map(environment.instances.map(({ id, workload }) => [id, workload]))
  const times = new Map<string, number>()
  for (const { type, instance, time } of await client.events({ environment: environment.id })) {
    if (instance !== undefined) times.set(`${workloadOf.get(instance)} ${type}`, time - environment.createdAt)
  }
  const at = (workload: string, ...types: readonly string[]): number =>
    types.map(type => times.get(`${workload} instance.${type}`)).find(time => time !== undefined) ?? Number.NaN
  const steps = new Map(
    chain.map(workload => [workload, [at(workload, 'created'), at(workload, 'running'), at(workload, 'healthy', 'exited')] as const]),
  )
  must(dayflyProgram, ['down', '--run-dir', daemon.runDir, environment.id])
  return { command, healthy: Math.max(...[...steps.values()].map(([, , well]) => well)), steps }
}

await measure() // So that the files of images are read into memory, as they are where a shop was up before.
const samples: Sample[] = []
for (let run = 0; run < runs; run++) {
  await sleep(pause)
  samples.push(await measure())
}
const leaks = await client.leaks()
if (leaks.length > 0) throw new Error(`leaks: ${JSON.stringify(leaks)}`)

const facts = readFacts()
const middle = (pick: (sample: Sample) => number): string => median(samples.map(pick)).toFixed(0)
const rows = chain.map(workload => [workload, ...([0, 1, 2] as const).map(step => middle(({ steps }) => steps.get(workload)?.[step] ?? Number.NaN))])
const text = `# examples/shop, from \`dayfly up\` to all healthy

${facts.date.slice(0, 10)} · ${facts.system} · kernel ${facts.kernel} · ${facts.processor}, ${facts.cores} cores, cgroup ${facts.cgroup}

**${middle(({ healthy }) => healthy)} ms** until all six workloads are well, **${middle(({ command }) => command)} ms** until the command has said so and ended: medians of ${runs} runs
(${samples.map(({ healthy }) => healthy.toFixed(0)).join(', ')} ms; ${samples.map(({ command }) => command.toFixed(0)).join(', ')} ms). Images are there; the environment, its networks, its volume with the database in it, and its secret are new each time.
Load averages of the machine at the end (others used it too, when they are above 2): ${readFileSync('/proc/loadavg', 'utf8').split(' ').slice(0, 3).join(' ')}.

Each workload's way, ms since the environment was asked for; well is healthy, or exited with 0:

| workload | created | running | well |
|---|---:|---:|---:|
${rows.map(row => `| ${row.join(' | ')} |`).join('\n')}
`
console.log(text)
if (!values.quick) {
  const results = join(root, 'bench/results')
  mkdirSync(results, { recursive: true })
  writeFileSync(join(results, 'shop.md'), text)
}
