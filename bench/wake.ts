/**
 * How long a request waits that wakes a workload from nothing, beside the application's own boot: the same program started on the host and asked until
 * it answers.
 *
 *     node bench/wake.ts [rounds]     as root; keeps bench/results/wake.md
 */
import { execFileSync, spawn } from 'node:child_process'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { get } from 'node:http'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { makeFolder, startDaemon } from '../test/daemon.ts'
import { readFacts } from './facts.ts'
import { median, quantile } from './measure.ts'

const root = resolve(import.meta.dirname, '..')
const rounds = Number(process.argv[2] ?? 20)
const ask = (port: number | string, host: string): Promise<number> =>
  new Promise((answer, reject) => {
    get({ host: '127.0.0.1', port, headers: { host, connection: 'close' } }, response => {
      response.resume().on('end', () => answer(response.statusCode ?? 0))
    }).on('error', reject)
  })

/** ms from the spawn of the program until it has answered. */
const bootOnHost = async (folder: string): Promise<number> => {
  const port = 20_000 + Math.floor(Math.random() * 10_000)
  const begin = performance.now()
  const child = spawn('busybox', ['httpd', '-f', '-p', `127.0.0.1:${port}`, '-h', folder], { stdio: 'ignore' })
  try {
    for (;;) {
      const status = await ask(port, 'localhost').catch(() => undefined)
      if (status !== undefined) return performance.now() - begin
      await sleep(1)
    }
  } finally {
    child.kill('SIGKILL')
  }
}

const folder = makeFolder('/var/tmp/dayfly-bench-wake-')
const runDir = makeFolder('/dev/shm/dayfly-bench-wake-')
const boots: number[] = []
const wakes: Record<'cold' | 'prepared', number[]> = { cold: [], prepared: [] }
try {
  const site = join(folder, 'site')
  mkdirSync(site)
  writeFileSync(join(site, 'index.html'), 'hello\n')
  for (let round = 0; round < rounds; round++) {
    boots.push(await bootOnHost(site))
    await sleep(100)
  }
  await using daemon = startDaemon({ folder, runDir })
  await daemon.ready
  const tar = execFileSync(join(root, 'scripts/make-image'), [], { encoding: 'utf8' }).trim()
  await daemon.client.importImage({ path: tar, name: 'busybox' }, () => {})
  const workload = {
    image: 'busybox',
    command: ['/bin/sh', '-c', 'echo hello > /tmp/index.html; trap "kill $!; exit 0" TERM; httpd -f -p 8080 -h /tmp & wait'],
    deployment: {
      scale: { min: 0, max: 1, target: { concurrency: 100 }, window: 100 },
      expose: [{ port: 8080, protocol: 'http' as const }],
      restart: { condition: 'no' as const, attempts: 0, delay: 100, window: 10_000 },
    },
  }
  await daemon.client.up({ draft: { name: 'wake', workloads: { web: workload } } }, () => {})
  const state = async () => (await daemon.client.workloads('wake'))[0]
  const idle = async (): Promise<void> => {
    for (let found = await state(); found?.state !== 'idle' || found.instances.some(instance => instance.state !== 'removed'); found = await state())
      await sleep(20)
    await sleep(300)
  }
  await idle()
  const url = new URL((await state())?.exposed[0]?.url ?? '')
  for (let round = 0; round < rounds + 2; round++) {
    const begin = performance.now()
    const status = await ask(url.port, url.host)
    const took = performance.now() - begin
    if (status !== 200) throw new Error(`the request was answered with ${status}`)
    const start = (await state())?.instances.findLast(instance => instance.start !== null)?.start
    wakes[start ?? 'cold'].push(took)
    await idle()
  }
  await daemon.client.end('wake', { force: true })
} finally {
  for (const used of [folder, runDir]) rmSync(used, { recursive: true, force: true })
}

const facts = readFacts()
const row = (name: string, times: readonly number[]): string => {
  if (times.length === 0) return `| ${name} | 0 | | | |`
  const above = median(times) - median(boots)
  return `| ${name} | ${times.length} | ${median(times).toFixed(1)} | ${quantile(times, 0.9).toFixed(1)} | ${above.toFixed(1)} |`
}
const text = [
  `${facts.date.slice(0, 10)} · busybox httpd, asked through the gateway while no instance of it is there; beside it the same program on the host`,
  '',
  '|  | rounds | until answered, ms | p90 | above its own boot, ms |',
  '|---|---:|---:|---:|---:|',
  row('on the host: its own boot', boots),
  row('woken, from the prepared pool', wakes.prepared),
  row('woken, cold', wakes.cold),
  '',
].join('\n')
console.log(text)
mkdirSync(join(root, 'bench/results'), { recursive: true })
writeFileSync(join(root, 'bench/results/wake.md'), text)
