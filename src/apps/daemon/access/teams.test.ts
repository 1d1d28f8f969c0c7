import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Answer, Door } from '../../../../test/access.ts'
import { openDoor } from '../../../../test/access.ts'
import { doing } from '../../../../test/cli/fake.ts'
import { authorization } from '../../../api/authorization.ts'

let door: Door
let [blue, green, red] = ['', '', '']
let admin = ''
/** All that names something of blue, by what kind of thing it is. */
const refs: { readonly ref: string; readonly kind: 'environment' | 'instance' }[] = []

/** More calls than one caller has at once: whoever is told to come back later does. */
const ask: Door['ask'] = async (...asked) => {
  for (;;) {
    const answer = await door.ask(...asked)
    if (answer.status !== 429) return answer
    await sleep(Number(answer.headers['retry-after']) * 1000)
  }
}

const run = async (token: string, name: string, command: string[], more: object = {}): Promise<{ id: string; instances: { id: string }[] }> => {
  const { status, body } = await ask('POST', '/v1/environments', {
    token,
    body: { image: 'fake', name, command, labels: { of: name }, ...more },
  })
  assert.equal(status, 201, body)
  return JSON.parse(body)
}

before(async () => {
  door = await openDoor()
  blue = door.token('developer', 'blue')
  green = door.token('developer', 'green')
  red = door.token('developer', 'red')
  admin = door.token('admin')
  const living = await run(blue, 'shop', doing({ print: 'secret of blue\n' }, { sleep: 600_000 }))
  const ended = await run(blue, 'gone', doing({ print: 'x\n' }))
  for (const { id, instances } of [living, ended]) {
    refs.push({ ref: id, kind: 'environment' }, { ref: id.slice(0, 6), kind: 'environment' })
    for (const instance of instances) refs.push({ ref: instance.id, kind: 'instance' }, { ref: instance.id.slice(0, 6), kind: 'instance' })
  }
  refs.push({ ref: 'shop', kind: 'environment' }, { ref: 'shop/main', kind: 'instance' }, { ref: 'shop/main/1', kind: 'instance' })
})
after(async () => await door[Symbol.asyncDispose]())

/** The same form, and never there. */
const neverThere = (ref: string): string => (ref.startsWith('shop') ? ref.replace('shop', 'nope') : `${ref[0]}${'z'.repeat(ref.length - 1)}`)

/** What a caller can tell two answers apart by; what they asked for is known to them. */
const told = ({ status, headers, body }: Answer, ref: string): object => {
  const { date, ...rest } = headers
  return { status, headers: rest, body: body.replaceAll(ref, 'REF').replaceAll(ref.split('/')[0] ?? ref, 'REF') }
}

/** Bodies that their routes take, so that they get as far as the reference. */
const bodies: Readonly<Record<string, object>> = {
  'POST /v1/environments/:ref/extend': { ttl: 60_000 },
  'POST /v1/instances/:ref/exec': { command: ['true'] },
  'POST /v1/instances/:ref/kill': { signal: 'SIGTERM' },
}

test('a reference to what is of another team is answered as one to what never was, by every route', async () => {
  let compared = 0
  for (const [key, { reach, roles }] of Object.entries(authorization)) {
    if (reach !== 'team' || !roles.includes('developer') || !key.includes(':')) continue
    const [method = '', path = ''] = key.split(' ')
    for (const { ref } of refs) {
      const asking = { token: green, body: method === 'POST' ? (bodies[key] ?? {}) : undefined }
      const at = (name: string): string => path.replace(':ref', encodeURIComponent(name)).replaceAll(/:\w+/g, encodeURIComponent(name))
      const theirs = await ask(method, at(ref), asking)
      const nobodys = await ask(method, at(neverThere(ref)), asking)
      assert.ok(theirs.status >= 400 && theirs.status < 500, `${key} ${ref}: ${theirs.status} ${theirs.body}`)
      assert.deepEqual(told(theirs, ref), told(nobodys, neverThere(ref)), `${key} ${ref}`)
      compared++
    }
  }
  assert.ok(compared > 200)
})

test('also where the reference is part of the query, or of the body', async () => {
  for (const { ref } of refs) {
    const questions: (readonly [method: string, path: (ref: string) => string, body?: (ref: string) => object])[] = [
      ['GET', name => `/v1/instances?environment=${encodeURIComponent(name)}`],
      ['GET', name => `/v1/events?environment=${encodeURIComponent(name)}`],
      ['GET', name => `/v1/events?follow=true&environment=${encodeURIComponent(name)}`],
      ['GET', name => `/v1/activity?environment=${encodeURIComponent(name)}`],
      ['GET', name => `/v1/activity?instance=${encodeURIComponent(name)}`],
      ['GET', name => `/v1/detections?environment=${encodeURIComponent(name)}`],
      ['GET', name => `/v1/findings?environment=${encodeURIComponent(name)}`],
    ]
    for (const [method, path] of questions) {
      const theirs = await ask(method, path(ref), { token: green })
      const nobodys = await ask(method, path(neverThere(ref)), { token: green })
      assert.deepEqual(told(theirs, ref), told(nobodys, neverThere(ref)), path(ref))
    }
  }
})

test('lists, events, cost and who tell a team of its own only', async () => {
  const paths = [
    ...[
      '/v1/environments?all=true',
      '/v1/environments?all=true&label=of%3Dshop',
      '/v1/instances',
      '/v1/events',
      '/v1/activity',
      '/v1/cost',
      '/v1/cost?by=environment',
    ],
    ...['/v1/who?image=fake', '/v1/detections', '/v1/findings', '/v1/inventory'],
  ]
  for (const path of paths) {
    const [seen, whole] = [await ask('GET', path, { token: green }), await ask('GET', path, { token: admin })]
    assert.equal(seen.status, 200, `${path} ${seen.body}`)
    assert.equal(whole.status, 200, path)
    for (const text of ['shop', 'secret of blue', ...refs.map(({ ref }) => ref), 'blue'])
      assert.ok(!seen.body.includes(`"${text}`), `${path} tells green of ${text}`)
    assert.equal(seen.body, (await ask('GET', path, { token: red })).body, `${path} depends on what others have`)
  }
})

test('names are unique within a team only, and each sees its own by it', async () => {
  const mine = await run(green, 'shop', doing({ sleep: 600_000 }))
  const found: { id: string; team: string; owner: string } = JSON.parse((await ask('GET', '/v1/environments/shop', { token: green })).body)
  assert.deepEqual([found.id, found.team], [mine.id, 'green'])
  assert.notEqual(JSON.parse((await ask('GET', '/v1/environments/shop', { token: blue })).body).id, mine.id)
  const again = await ask('POST', '/v1/environments', { token: green, body: { image: 'fake', name: 'shop', command: doing({ sleep: 1 }) } })
  assert.equal(again.status, 409)
  const removed = await ask('DELETE', '/v1/environments/shop?force=true', { token: green })
  assert.equal(JSON.parse(removed.body).id, mine.id)
  assert.equal(JSON.parse((await ask('GET', '/v1/environments/shop', { token: blue })).body).state, 'running')
})

test('nothing is made for another team, nor under another name', async () => {
  const { status, body } = await ask('POST', '/v1/environments', {
    token: green,
    body: { image: 'fake', team: 'blue', command: doing({ sleep: 1 }) },
  })
  assert.deepEqual([status, JSON.parse(body).field], [403, 'team'])
  const nobody = await ask('POST', '/v1/environments', { token: green, body: { image: 'fake', team: 'nobody', command: doing({ sleep: 1 }) } })
  assert.deepEqual([nobody.status, nobody.body], [status, body.replaceAll('team blue', 'team nobody')])
})

test('what comes over the network names no file of this host', async () => {
  const draft = (mounts: object[]): object => ({
    ...{ name: 'files', labels: {}, lease: {}, networks: {}, volumes: ['data'] },
    workloads: { web: { image: 'fake', command: doing({ sleep: 1 }), mounts, deployment: { networks: {}, expose: [], dependsOn: {}, update: {} } } },
  })
  const bound = await ask('POST', '/v1/environments/up', {
    token: admin,
    body: { draft: draft([{ type: 'bind', source: '/etc', target: '/x', readOnly: true }]) },
  })
  assert.match(bound.body, /of the daemon's host is for its own users only/)
  const seeded = await ask('POST', '/v1/environments/up', {
    token: admin,
    body: { draft: draft([{ type: 'volume', volume: 'data', target: '/x', readOnly: false, copy: false }]), seeds: { data: '/etc' } },
  })
  assert.match(seeded.body, /of the daemon's host is for its own users only/)
  const imported = await ask('POST', '/v1/images/import', { token: admin, body: { name: 'x', path: '/etc' } })
  assert.match(imported.body, /of the daemon's host is for its own users only/)
})
