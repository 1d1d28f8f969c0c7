/**
 * What tracing costs a start: two daemons on the fake backend, one of which sends spans, logs and metrics to a collector on the loopback that throws them away.
 *
 *     node bench/telemetry.ts [--quick]
 *
 * Starts alternate between the two, so that whatever else the machine does is shared. Compared are the daemons' processor time for each start and the latencies. The fake backend does no
 * work of its own: a start of a real container takes several times as long, and so the share is smaller there.
 */
import type { ChildProcess } from 'node:child_process'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import type { Client } from '../src/api/client/client.ts'
import { createClient } from '../src/api/client/client.ts'
import { median } from './measure.ts'

const { values } = parseArgs({ options: { quick: { type: 'boolean', default: false } } })
const rounds = values.quick ? 100 : 1_000

const sink = createServer((incoming, response) => {
  incoming.resume()
  incoming.on('end', () => response.end())
}).listen(0, '127.0.0.1')
await once(sink, 'listening')
const address = sink.address()
if (typeof address !== 'object' || address === null) throw new Error('the collector listens nowhere')

const folder = mkdtempSync(join(tmpdir(), 'dayfly-bench-telemetry-'))
const daemons: ChildProcess[] = []
process.once('exit', () => {
  for (const daemon of daemons) daemon.kill('SIGKILL')
  rmSync(folder, { recursive: true, force: true })
})
for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => process.exit(130))

const open = async (name: string, env: Readonly<Record<string, string>>): Promise<{ client: Client; processor: () => Promise<number> }> => {
  const [state, run] = [join(folder, name, 'state'), join(folder, name, 'run')]
  const main = resolve(import.meta.dirname, '../src/apps/daemon/main.ts')
  const daemon = spawn(process.execPath, ['--', main, '--backend', 'fake', '--log-level', 'warn', '--state-dir', state, '--run-dir', run], {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { PATH: process.env['PATH'], ...env },
  })
  daemons.push(daemon)
  const socketPath = join(run, 'dayfly.sock')
  const client = createClient(socketPath)
  for (;;) {
    const answers = await client.version().then(
      () => true,
      () => false,
    )
    if (answers) break
    if (daemon.exitCode !== null) throw new Error(`the daemon ${name} ended`)
    await sleep(50)
  }
  const processor = async (): Promise<number> => {
    const { get } = await import('node:http')
    const [response] = await once(get({ socketPath, path: '/metrics' }), 'response')
    let text = ''
    for await (const piece of response) text += String(piece)
    return Number(/^process_cpu_seconds_total ([\d.]+)/m.exec(text)?.[1])
  }
  return { client, processor }
}

const off = await open('off', {})
const on = await open('on', { OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${address.port}` })
const start = async ({ client }: { client: Client }): Promise<number> => {
  const begin = performance.now()
  await client.create({ image: 'fake', command: ['fake', '[]'] })
  return performance.now() - begin
}
for (let n = 0; n < rounds / 5; n++) for (const one of [off, on]) await start(one)
const before = [await off.processor(), await on.processor()] as const
const took: { off: number[]; on: number[] } = { off: [], on: [] }
for (let n = 0; n < rounds; n++) {
  for (const [name, one] of n % 2 === 0
    ? ([
        ['off', off],
        ['on', on],
      ] as const)
    : ([
        ['on', on],
        ['off', off],
      ] as const))
    took[name].push(await start(one))
}
const used = [((await off.processor()) - before[0]) / rounds, ((await on.processor()) - before[1]) / rounds] as const
const share = (a: number, b: number): string => `${(((b - a) / a) * 100).toFixed(1)} %`
process.stdout.write(
  [
    `${rounds} starts of each, alternating`,
    `processor time of the daemon for each start: ${(used[0] * 1000).toFixed(3)} ms without, ${(used[1] * 1000).toFixed(3)} ms with telemetry: ${share(...used)}`,
    `latency, median: ${median(took.off).toFixed(3)} ms without, ${median(took.on).toFixed(3)} ms with: ${share(median(took.off), median(took.on))}`,
    '',
  ].join('\n'),
)
process.exit(0)
