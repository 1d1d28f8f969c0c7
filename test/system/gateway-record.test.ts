/** What outlives a daemon of the ways into an environment, on the real kernel: its URLs, and the record of who used them. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readFileSync, rmSync } from 'node:fs'
import { get as httpGet } from 'node:http'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { UpInput } from '../../src/api/schemas/workloads.ts'
import { checkAccessLog } from '../../src/seal/access-log.ts'
import type { Daemon } from '../daemon.ts'
import { makeFolder, root, startDaemon } from '../daemon.ts'

const patience = 60_000

const draft: UpInput['draft'] = {
  name: 'shop',
  workloads: {
    web: {
      image: 'busybox',
      command: ['/bin/sh', '-c', "echo here > /tmp/index.html; trap 'kill $!; exit 0' TERM; httpd -f -p 8080 -h /tmp & wait"],
      limits: { memory: 16 * 1024 * 1024, cpus: 0.5, pids: 32 },
      deployment: {
        expose: [
          { port: 8080, protocol: 'http' },
          { port: 8080, protocol: 'tcp' },
        ],
        restart: { condition: 'no', attempts: 0, delay: 100, window: 10_000 },
      },
    },
  },
}

const get = (url: URL, path = '/'): Promise<{ status: number; text: string }> =>
  new Promise((resolve, reject) => {
    const asked = httpGet({ host: '127.0.0.1', port: url.port, path, headers: { host: url.host }, agent: false }, answer => {
      let text = ''
      answer.on('data', (piece: Buffer) => {
        text += piece.toString()
      })
      answer.on('error', reject)
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, text }))
    })
    asked.on('error', reject)
  })
const until = async (what: () => Promise<boolean>): Promise<void> => {
  for (const limit = AbortSignal.timeout(patience); !(await what().catch(() => false)); limit.throwIfAborted()) await sleep(20)
}

test('URLs are the same after the daemon was killed, answer 410 once their environment has ended, and the record vouches for all who came', {
  timeout: 120_000,
}, async () => {
  const folder = makeFolder('/tmp/dayfly-gateway-record-')
  let daemon: Daemon = startDaemon({ folder })
  const urls = async (): Promise<(string | null)[]> => (await daemon.client.workloads('shop'))[0]?.exposed.map(({ url }) => url) ?? []
  const restart = async (): Promise<void> => {
    await daemon.kill()
    daemon = startDaemon({ folder })
    await daemon.ready
  }
  try {
    await daemon.ready
    const tar = execFileSync(join(root, 'scripts/make-image'), [], { encoding: 'utf8' }).trim()
    await daemon.client.importImage({ path: tar, name: 'busybox' }, () => {})
    const { environment } = await daemon.client.up({ draft }, () => {})
    await until(async () => (await urls()).every(url => url !== null) && (await urls()).length === 2)
    const before = await urls()
    const url = new URL(before[0] ?? '')
    await until(async () => (await get(url)).text === 'here\n')
    const paths = Array.from({ length: 20 }, (_, index) => `/before-${index}`)
    await Promise.all(paths.map(path => get(url, path)))
    await restart()
    await until(async () => (await get(url)).status === 200)
    assert.deepEqual(await urls(), before)
    assert.equal((await get(new URL(`http://${before[1]}`))).text, 'here\n')
    await get(url, '/after')

    await daemon.client.end(environment.id, { force: true })
    await restart()
    await until(async () => (await get(url)).status === 410)
    assert.match((await get(url)).text, /The environment shop has ended/)

    const events = await daemon.client.events({ environment: environment.id })
    assert.equal(events.at(-1)?.type, 'record.sealed')
    const content = readFileSync(join(folder, 'state', 'records', `${environment.id}.access`))
    const verdict = await checkAccessLog(events, [content])
    assert.deepEqual([verdict.fault, verdict.rest], [undefined, 0])
    const entries = await Array.fromAsync(daemon.client.access(environment.id, {}))
    assert.equal(entries.length, verdict.lines)
    for (const path of ['/after', ''])
      assert.ok(
        entries.some(entry => entry.path === path),
        path,
      )
    // One line less is found out.
    const shorter = content.subarray(content.indexOf(10) + 1)
    assert.ok((await checkAccessLog(events, [shorter])).fault)
    assert.deepEqual(await daemon.client.leaks(), [])
  } finally {
    await daemon.stop()
    rmSync(folder, { recursive: true, force: true })
  }
})
