import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { z } from 'zod'
import type { Clock } from '../base/clock.ts'
import { DayflyError } from '../base/errors.ts'
import { openStore } from '../store/sqlite.ts'
import { handleOnce } from './idempotency.ts'
import type { RawCall, Reply, Route } from './route.ts'
import { defineRoute, nothing } from './route.ts'

const folder = mkdtempSync('/tmp/dayfly-idempotency-')
after(() => rmSync(folder, { recursive: true, force: true }))

let wall = 1_000_000
const clock: Clock = { wall: () => wall, boot: () => wall, bootId: 'boot' }

const opened = () => openStore({ path: join(folder, `${Math.random()}.sqlite`), clock })

const routeOf = (handle: (body: unknown) => Promise<Reply>, more: Partial<Route> = {}): Route => ({
  ...defineRoute({
    method: 'POST',
    path: '/v1/things',
    summary: '',
    params: nothing,
    query: nothing,
    body: nothing,
    answers: [{ status: 201, description: '', mediaType: 'application/json', schema: z.object({}) }],
    handle: async ({ body }) => await handle(body),
  }),
  ...more,
})

const call = (key: string | undefined, body: unknown = {}): RawCall => ({
  ...{ params: {}, query: {}, body, signal: new AbortController().signal, upgrade: false, webSocket: false, address: '', accepts: () => false },
  actor: { kind: 'user', name: 'root' },
  principal: { kind: 'owner', name: 'root', role: 'owner', teams: 'all' },
  header: name => (name === 'idempotency-key' ? key : undefined),
})

const code = (wanted: string) => (error: unknown) => error instanceof DayflyError && error.code === wanted && error.field === 'idempotency-key'

test('what is asked twice with one key is done once, and answered twice', async () => {
  using store = opened()
  let done = 0
  const route = routeOf(async () => ({ kind: 'json', status: 201, body: { done: ++done } }))
  const first = await handleOnce(route, call('k1', { a: 1, b: 2 }), 'me', store.replies)
  assert.deepEqual(first, { kind: 'json', status: 201, body: { done: 1 } })
  assert.deepEqual(await handleOnce(route, call('"k1"', { b: 2, a: 1 }), 'me', store.replies), first, 'the order of members is no difference')
  assert.equal(done, 1)
  await assert.rejects(handleOnce(route, call('k1', { a: 2 }), 'me', store.replies), code('invalid'))
  await handleOnce(route, call('k1', { a: 2 }), 'somebody else', store.replies)
  await handleOnce(route, call(undefined), 'me', store.replies)
  assert.equal(done, 3)
})

test('while the first is under way the second is told so; what failed may be tried again', async () => {
  using store = opened()
  const { promise, resolve } = Promise.withResolvers<void>()
  let attempts = 0
  const route = routeOf(async () => {
    attempts++
    if (attempts === 1) {
      await promise
      throw new DayflyError('host', 'the disk is full')
    }
    return { kind: 'json', status: 201, body: { attempts } }
  })
  const first = handleOnce(route, call('k'), 'me', store.replies)
  await assert.rejects(handleOnce(route, call('k'), 'me', store.replies), code('conflict'))
  resolve()
  await assert.rejects(first, /the disk is full/)
  assert.deepEqual(await handleOnce(route, call('k'), 'me', store.replies), { kind: 'json', status: 201, body: { attempts: 2 } })
})

test('of an answer in lines the last one is given again; one that broke off is not', async () => {
  using store = opened()
  let broken = true
  async function* lines(): AsyncGenerator<object> {
    yield { progress: 1 }
    if (broken) throw new DayflyError('upstream', 'no registry')
    yield { result: 'made' }
  }
  const answers = [{ status: 200, description: '', mediaType: 'application/x-ndjson' }] as const
  const route = routeOf(async () => ({ kind: 'lines', lines: lines() }), { answers })
  const read = async (): Promise<object[]> => {
    const reply = await handleOnce(route, call('k'), 'me', store.replies)
    return reply.kind === 'lines' ? await Array.fromAsync(reply.lines) : assert.fail(reply.kind)
  }
  await assert.rejects(read(), /no registry/)
  broken = false
  assert.deepEqual(await read(), [{ progress: 1 }, { result: 'made' }])
  broken = true
  assert.deepEqual(await read(), [{ result: 'made' }])
})

test('a restart forgets no answer, and says of what it cut off that nobody knows', async () => {
  const path = join(folder, 'again.sqlite')
  const route = routeOf(async body => (body === 'hang' ? await new Promise<never>(() => {}) : { kind: 'json', status: 201, body: { made: 1 } }))
  {
    using store = openStore({ path, clock })
    await handleOnce(route, call('whole'), 'me', store.replies)
    void handleOnce(route, call('cut', 'hang'), 'me', store.replies)
    await new Promise(setImmediate)
  }
  using store = openStore({ path, clock })
  assert.deepEqual(await handleOnce(route, call('whole'), 'me', store.replies), { kind: 'json', status: 201, body: { made: 1 } })
  await assert.rejects(handleOnce(route, call('cut', 'hang'), 'me', store.replies), /not known how far/)
  wall += 24 * 3600 * 1000 + 1
  assert.equal(store.replies.take('me', 'cut', 'x').kind, 'new', 'a day later it is free')
})

test('secrets are kept nowhere, conversations are not repeated, and a key is a key', async () => {
  using store = opened()
  const route = routeOf(async () => ({ kind: 'json', status: 201, body: {} }))
  await assert.rejects(handleOnce({ ...route, once: true }, call('k'), 'me', store.replies), code('invalid'))
  await assert.rejects(handleOnce(route, { ...call('k'), upgrade: true }, 'me', store.replies), code('invalid'))
  for (const key of ['', 'a b', 'ä', 'x'.repeat(256)]) await assert.rejects(handleOnce(route, call(key), 'me', store.replies), code('invalid'), key)
})

test('one caller keeps so many keys, and pushes out none of another', () => {
  using store = opened()
  store.replies.take('other', 'k', 'r')
  store.replies.answered('other', 'k', { status: 201, body: '{}' })
  for (let index = 0; index < 1100; index++) {
    wall++
    store.replies.take('me', `k${index}`, 'r')
    store.replies.answered('me', `k${index}`, { status: 201, body: '{}' })
  }
  assert.equal(store.replies.take('other', 'k', 'r').kind, 'answered')
  assert.equal(store.replies.take('me', 'k1099', 'r').kind, 'answered')
  assert.equal(store.replies.take('me', 'k0', 'r').kind, 'new')
})
