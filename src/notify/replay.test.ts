/** What was sent can be had again: signed anew, with the id that it had. */
import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { silentLog } from '../base/log.ts'
import { openHistory } from './history.ts'
import type { Notice } from './notice.ts'
import { createNotifier } from './notifier.ts'
import type { Target } from './targets.ts'

const old = 1_700_000_000_000
const notice = (id: string, change: Partial<Notice> = {}): Notice => ({
  ...{ id, kind: 'lifecycle', time: old, priority: 'informational', text: `notice ${id}`, tags: [], fields: {} },
  ...{ measures: [], audit: false, host: 'node-1', left: 0 },
  ...change,
})
const until = async (condition: () => boolean): Promise<void> => {
  while (!condition()) await sleep(5)
}

const openPlace = async (status: (id: string) => number = () => 204) => {
  const folder = mkdtempSync(join(tmpdir(), 'replay-'))
  const received: { id: string; delivery: string; valid: boolean }[] = []
  const server = createServer((request, response) => {
    let body = ''
    request.on('data', piece => {
      body += String(piece)
    })
    request.on('end', () => {
      const { id } = JSON.parse(body)
      const [, t = '', v1 = ''] = /^t=(\d+),v1=([0-9a-f]{64})$/.exec(String(request.headers['dayfly-signature'])) ?? []
      const valid = createHmac('sha256', 'key').update(`${t}.${body}`).digest('hex') === v1
      received.push({ id, delivery: String(request.headers['dayfly-delivery']), valid })
      response.writeHead(status(id)).end()
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  assert.ok(typeof address === 'object' && address !== null)
  writeFileSync(join(folder, 'key'), 'key', { mode: 0o600 })
  const common = { url: `http://127.0.0.1:${address.port}/`, secretFile: join(folder, 'key'), headersFrom: {}, minimumPriority: 'debug' } as const
  const targets: readonly Target[] = [
    { type: 'webhook', name: 'hook', ...common },
    { type: 'webhook', name: 'other', ...common, minimumPriority: 'emergency' },
  ]
  let now = old
  return {
    folder,
    received,
    targets: () => targets,
    at: (wall: number) => {
      now = wall
    },
    context: { now: () => now, version: '1', process: 1, sendDatagram: undefined },
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections()
      await new Promise(done => server.close(done))
      rmSync(folder, { recursive: true })
    },
  }
}

test('one is sent again by its id, and all since a time, also by the next daemon and when they are old', async () => {
  await using place = await openPlace(id => (id === 'refused' ? 400 : 204))
  const options = { folder: join(place.folder, 'queue'), targets: place.targets, context: place.context, log: silentLog() }
  {
    await using notifier = createNotifier(options)
    for (const id of ['e/1', 'refused']) notifier.tell(notice(id), 'all')
    await until(() => notifier.state().some(({ delivered, lost }) => delivered === 1 && lost === 1))
  }
  const aWeek = 7 * 86_400_000
  place.at(old + aWeek)
  await using notifier = createNotifier(options)
  const kept = await notifier.deliveries('hook')
  assert.deepEqual(
    kept.map(({ target, outcome, notice: { id } }) => [target, id, outcome]),
    [
      ['hook', 'e/1', 'delivered'],
      ['hook', 'refused', 'refused'],
    ],
  )
  assert.match(kept[1]?.failure ?? '', /400/)
  assert.equal(await notifier.replay({ id: 'e/1' }), 1)
  await until(() => place.received.length === 3)
  assert.deepEqual(place.received[2], { id: 'e/1', delivery: 'e/1', valid: true })
  await until(() => notifier.state().every(({ waiting }) => waiting === 0))
  // What was sent twice is sent once more, not twice.
  assert.equal(await notifier.replay({ since: old }), 2)
  await until(() => place.received.length === 5)
  assert.equal(await notifier.replay({ since: old + 2 * aWeek }), 0)
  assert.equal(await notifier.replay({ target: 'other', since: 0 }), 0)
  await assert.rejects(notifier.replay({ id: 'nothing' }), { code: 'not_found', field: 'id' })
  await assert.rejects(notifier.replay({ target: 'nobody', since: 0 }), { code: 'not_found', field: 'target' })
  await assert.rejects(notifier.deliveries('nobody'), { code: 'not_found' })
})

test('what is kept is bounded: the oldest goes', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'history-'))
  try {
    const history = openHistory(folder, { deliveries: 3, bytes: 1_000_000 })
    for (let n = 1; n <= 5; n++) await history.add({ at: n, outcome: 'delivered', notice: notice(`e/${n}`) })
    const again = openHistory(folder, { deliveries: 3, bytes: 1_000_000 })
    for (const each of [history, again])
      assert.deepEqual(
        (await each.list()).map(({ at }) => at),
        [3, 4, 5],
      )
    await openHistory(folder, { deliveries: 3, bytes: 10 }).add({ at: 6, outcome: 'delivered', notice: notice('e/6') })
    assert.deepEqual(readdirSync(folder), [])
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test('what becomes of environments takes no room from detections', async () => {
  await using place = await openPlace()
  await using notifier = createNotifier({ folder: join(place.folder, 'queue'), targets: place.targets, context: place.context, log: silentLog() })
  for (let n = 0; n < 200; n++) notifier.tell(notice(`e/${n}`), ['hook'])
  notifier.tell(notice('detection', { kind: 'detection', priority: 'critical' }), ['hook'])
  await until(() => place.received.some(({ id }) => id === 'detection'))
  assert.ok(place.received.length <= 61)
})
