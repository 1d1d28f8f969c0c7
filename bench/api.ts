/**
 * The API under load, on the fake backend: latencies of a mix of requests with many live instances, memory with many recorded environments, and what a client costs
 * that asks to be told of events and then reads nothing.
 *
 *     node bench/api.ts [--quick]
 *
 * Requests are sent at a fixed rate, whatever becomes of those before, and timed from when they were to be sent: a daemon that stops for a moment is not spared.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { Agent, get, request } from 'node:http'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { createClient } from '../src/api/client/client.ts'
import { readFacts } from './facts.ts'
import { quantile } from './measure.ts'

const { values } = parseArgs({ options: { quick: { type: 'boolean', default: false } } })
const [live, recorded, rate, seconds] = values.quick ? [100, 500, 200, 5] : [1_000, 10_000, 500, 30]

const folder = mkdtempSync(join(tmpdir(), 'dayfly-bench-api-'))
const socketPath = join(folder, 'run', 'dayfly.sock')
const daemon = spawn(
  process.execPath,
  [
    '--disable-sigusr1',
    '--',
    resolve(import.meta.dirname, '../src/apps/daemon/main.ts'),
    '--backend',
    'fake',
    '--state-dir',
    join(folder, 'state'),
    '--run-dir',
    join(folder, 'run'),
  ],
  { stdio: ['ignore', 'ignore', 'inherit'] },
)
process.once('exit', () => {
  daemon.kill('SIGKILL')
  rmSync(folder, { recursive: true, force: true })
})
for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => process.exit(130))

const client = createClient(socketPath)
const agent = new Agent({ keepAlive: true, maxSockets: 64 })

const ask = async (method: string, path: string, body?: object): Promise<string> => {
  const sent = request({ socketPath, agent, method, path, headers: body === undefined ? {} : { 'content-type': 'application/json' } })
  sent.end(body === undefined ? '' : JSON.stringify(body))
  const [response] = await once(sent, 'response')
  let text = ''
  for await (const piece of response) text += String(piece)
  if (response.statusCode >= 400) throw new Error(`${method} ${path}: ${response.statusCode} ${text.slice(0, 200)}`)
  return text
}

/** Bytes that the daemon has resident. */
const memory = async (): Promise<number> => Number(/^process_resident_memory_bytes (\d+)/m.exec(await ask('GET', '/metrics'))?.[1])

const make = async (count: number, script: readonly object[], ...name: readonly string[]): Promise<void> => {
  const queue = Array.from({ length: count }, (_, index) => index)
  const worker = async (): Promise<void> => {
    for (let index = queue.shift(); index !== undefined; index = queue.shift()) {
      await ask('POST', '/v1/environments', { image: 'fake', name: `${name.join('-')}-${index}`, command: ['fake', JSON.stringify(script)] })
    }
  }
  await Promise.all(Array.from({ length: 8 }, worker))
}

for (let tries = 0; ; tries++) {
  const answers = await client.version().then(
    () => true,
    () => false,
  )
  if (answers) break
  if (tries > 200) throw new Error('the daemon does not answer')
  await sleep(100)
}
const fresh = await memory()
process.stderr.write(`bench: ${recorded} environments that end\n`)
await make(recorded, [{ print: 'hello\n' }], 'over')
while (/^dayfly_environments\{/m.test(await ask('GET', '/metrics'))) await sleep(200)
await sleep(10_000)
const withRecords = await memory()
process.stderr.write(`bench: ${live} that live\n`)
await make(live, [{ print: 'hello\n' }, { sleep: 3_600_000 }], 'live')
const instances = (await client.instances()).filter(({ state }) => state === 'running')
const environments = await client.environments({ all: false })
if (instances.length !== live) throw new Error(`${instances.length} instances live, not ${live}`)

const pick = <T>(all: readonly T[]): T => {
  const one = all[Math.floor(Math.random() * all.length)]
  if (one === undefined) throw new Error('there is none')
  return one
}
const mix: Readonly<Record<string, () => string>> = {
  list: () => '/v1/environments?limit=50',
  get: () => `/v1/environments/${pick(environments).id}`,
  instance: () => `/v1/instances/${pick(instances).id}`,
  events: () => `/v1/events?environment=${pick(environments).id}`,
  logs: () => `/v1/instances/${pick(instances).id}/logs`,
}
const kinds = Object.keys(mix)
const times: Record<string, number[]> = Object.fromEntries(kinds.map(kind => [kind, []]))
let failures = 0

process.stderr.write(`bench: ${rate} requests a second for ${seconds} s\n`)
const begin = performance.now()
const pending = new Set<Promise<void>>()
for (let n = 0; n < rate * seconds; n++) {
  const due = begin + (n * 1000) / rate
  const left = due - performance.now()
  if (left > 1) await sleep(left)
  const kind = kinds[n % kinds.length] ?? 'get'
  const work: Promise<void> = ask('GET', mix[kind]?.() ?? '')
    .then(
      () => void times[kind]?.push(performance.now() - due),
      () => {
        failures++
      },
    )
    .finally(() => pending.delete(work))
  pending.add(work)
}
await Promise.all(pending)
const underLoad = await memory()

process.stderr.write('bench: a client that reads nothing\n')
const stalled = get({ socketPath, path: '/v1/events?follow=true' })
const [stream] = await once(stalled, 'response')
stream.pause()
const beforeStall = await memory()
for (let n = 0; n < 100; n++) await ask('DELETE', `/v1/environments/${environments[n]?.id ?? ''}`)
await make(values.quick ? 100 : 1_000, [{ print: 'x\n' }], 'stall')
const afterStall = await memory()
stalled.destroy()

const all = Object.values(times).flat()
const ms = (list: readonly number[], q: number): string =>
  quantile(
    [...list].toSorted((a, b) => a - b),
    q,
  ).toFixed(1)
const mib = (bytes: number): string => `${(bytes / 1024 / 1024).toFixed(0)} MiB`
const lines = [
  '# The API',
  '',
  `\`bench/api.ts\`, on the fake backend. ${JSON.stringify(readFacts())}`,
  '',
  `${rate} requests a second for ${seconds} s, ${live} instances live, ${recorded} environments recorded. ${failures} requests failed.`,
  '',
  '| request | median | p99 |',
  '|---|---|---|',
  ...Object.entries(times).map(([kind, list]) => `| ${kind} | ${ms(list, 0.5)} ms | ${ms(list, 0.99)} ms |`),
  `| all | ${ms(all, 0.5)} ms | ${ms(all, 0.99)} ms |`,
  '',
  '| memory of the daemon | |',
  '|---|---|',
  `| without anything | ${mib(fresh)} |`,
  `| with ${recorded} recorded environments | ${mib(withRecords)} |`,
  `| with ${live} live instances, after the load | ${mib(underLoad)} |`,
  `| more, while ${values.quick ? 100 : 1_000} environments came and went and a client did not read their events | ${mib(afterStall - beforeStall)} |`,
  '',
]
process.stdout.write(lines.join('\n'))
if (!values.quick) writeFileSync(resolve(import.meta.dirname, 'results/api.md'), lines.join('\n'))
daemon.kill('SIGTERM')
await once(daemon, 'exit')
process.exit(0)
