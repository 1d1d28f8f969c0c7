import assert from 'node:assert/strict'
import { statSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { WebSocket } from 'ws'
import type { Door } from '../../../../test/access.ts'
import { openDoor, owner } from '../../../../test/access.ts'
import { doing } from '../../../../test/cli/fake.ts'
import { createClient } from '../../../api/client/client.ts'
import { placeIn } from '../../../api/client/secure.ts'
import { encodeFrame, frameKind } from '../../../api/frames.ts'
import type { Clock } from '../../../base/clock.ts'
import { systemClock } from '../../../base/clock.ts'

let door: Door
let later = 0
const real = systemClock()
const clock: Clock = { wall: () => real.wall() + later, boot: () => real.boot() + later, bootId: real.bootId }
const minute = 60_000

before(async () => {
  door = await openDoor(clock)
})
after(async () => await door[Symbol.asyncDispose]())

const whoami = async (token: string): Promise<number> => (await door.ask('GET', '/v1/whoami', { token })).status
/** Past whatever a test before has made wait. */
const calm = (): void => {
  later += 2 * 60 * minute
}

test('a rotated token overlaps with the one before, a revoked one is good no more', async () => {
  const made = door.services.callers.createToken({ name: 'rotated', role: 'viewer', teams: ['blue'], expires: 24 * 60 * minute }, 'root')
  const next = door.services.callers.rotateToken('rotated', { overlap: 10 * minute, expires: undefined })
  assert.notEqual(made.token, next.token)
  assert.deepEqual([await whoami(made.token), await whoami(next.token)], [200, 200])
  later += 11 * minute
  assert.deepEqual([await whoami(made.token), await whoami(next.token)], [401, 200])
  assert.equal(door.services.callers.revokeToken(made.id).state, 'revoked')
  assert.equal(await whoami(next.token), 401)
  assert.throws(() => door.services.callers.rotateToken(made.id, { overlap: 0 }), { code: 'wrong_state' })
  calm()
})

test('a token ends by itself, and what is kept of it is not it', async () => {
  const { token, id } = door.services.callers.createToken({ name: 'short', role: 'admin', teams: [], expires: 5 * minute }, 'root')
  const answered = await door.ask('GET', '/v1/tokens', { token })
  assert.equal(answered.status, 200)
  const secret = token.split('_')[2] ?? ''
  assert.ok(secret.length > 50 && !answered.body.includes(secret))
  later += 6 * minute
  assert.equal(await whoami(token), 401)
  assert.equal(door.services.callers.tokens().find(found => found.id === id)?.state, 'expired')
  calm()
})

test('what is nearly a token is none', async () => {
  const token = door.token('admin')
  const end = token.at(-1) === '0' ? '1' : '0'
  for (const wrong of [token.slice(0, -1), `${token.slice(0, -1)}${end}`, token.toUpperCase(), `${token}0`]) {
    assert.equal(await whoami(wrong), 401, wrong)
    calm()
  }
})

test('an address that guesses has to wait, also for its good token, and is told how long', async () => {
  const token = door.token('viewer', 'blue')
  const statuses: number[] = []
  for (let guess = 0; guess < 7; guess++) statuses.push(await whoami(`dft_guess${guess}`))
  assert.deepEqual(statuses, [401, 401, 401, 401, 401, 401, 429])
  const { status, headers } = await door.ask('GET', '/v1/whoami', { token })
  assert.deepEqual([status, headers['retry-after']], [429, '1'])
  const code = await door.ask('POST', '/v1/session', { body: { code: 'x' } })
  assert.equal(code.status, 429)
  later += 2_000
  assert.equal(await whoami(token), 200)
  // The next mistake costs twice as much.
  assert.equal(await whoami('dft_guess'), 401)
  later += 1_500
  assert.equal((await door.ask('GET', '/v1/whoami', { token })).headers['retry-after'], '1')
  calm()
  assert.equal(await whoami(door.token('viewer', 'blue')), 200)
})

test('a session: by a code that is good once, with a cookie, for pages of this origin', async () => {
  const token = door.token('developer', 'blue')
  const made = await door.ask('POST', '/v1/session/code', { token, body: {} })
  const { code, url, fingerprint }: { code: string; url: string; fingerprint: string } = JSON.parse(made.body)
  assert.deepEqual([url, fingerprint], [`${door.origin}/#code=${code}`, door.fingerprint])
  const opened = await door.ask('POST', '/v1/session', { body: { code } })
  assert.equal(opened.status, 201)
  const [set = ''] = opened.headers['set-cookie'] ?? []
  assert.match(set, /^__Host-dayfly=[0-9a-z]{52}; Path=\/; Max-Age=43200; HttpOnly; Secure; SameSite=Strict$/)
  assert.equal((await door.ask('POST', '/v1/session', { body: { code } })).status, 401)
  calm()
  const renewed = door.token('developer', 'blue')
  const again = await door.ask('POST', '/v1/session', { body: { token: renewed } })
  const cookie = again.headers['set-cookie']?.[0]?.split(';')[0] ?? ''
  const asked = async (headers: Record<string, string>): Promise<number> =>
    (await door.ask('POST', '/v1/environments', { body: { nothing: true }, headers: { cookie, ...headers } })).status
  assert.equal((await door.ask('GET', '/v1/environments', { headers: { cookie } })).status, 200)
  assert.equal(await asked({}), 403)
  assert.equal(await asked({ origin: door.origin }), 403)
  assert.equal(await asked({ origin: 'https://evil.example', 'x-dayfly-csrf': '1' }), 403)
  assert.equal(await asked({ origin: door.origin, 'x-dayfly-csrf': '1' }), 400)
  const cannot = await door.ask('POST', '/v1/session/code', { body: {}, headers: { cookie, origin: door.origin, 'x-dayfly-csrf': '1' } })
  assert.equal(cannot.status, 403)
  const closed = await door.ask('DELETE', '/v1/session', { headers: { cookie, origin: door.origin, 'x-dayfly-csrf': '1' } })
  assert.match(closed.headers['set-cookie']?.[0] ?? '', /^__Host-dayfly=; Path=\/; Max-Age=0;/)
  assert.equal((await door.ask('GET', '/v1/environments', { headers: { cookie } })).status, 401)
  calm()
})

test('a session ends with the token that it was opened by, and after twelve hours', async () => {
  const made = door.services.callers.createToken({ name: 'opener', role: 'viewer', teams: ['blue'], expires: 48 * 60 * minute }, 'root')
  const open = async (): Promise<Record<string, string>> => {
    const { headers } = await door.ask('POST', '/v1/session', { body: { token: made.token } })
    return { cookie: headers['set-cookie']?.[0]?.split(';')[0] ?? '' }
  }
  const first = await open()
  later += 12 * 60 * minute + 1
  assert.equal((await door.ask('GET', '/v1/whoami', { headers: first })).status, 401)
  const second = await open()
  assert.equal((await door.ask('GET', '/v1/whoami', { headers: second })).status, 200)
  door.services.callers.revokeToken('opener')
  assert.equal((await door.ask('GET', '/v1/whoami', { headers: second })).status, 401)
  calm()
})

test("the owner's session is an admin's, and no owner's", async () => {
  const { code } = await door.services.callers.sessionCode(owner)
  const { body } = await door.ask('POST', '/v1/session', { body: { code } })
  assert.deepEqual(JSON.parse(body), { kind: 'session', name: 'root', role: 'admin', teams: 'all' })
})

test('a terminal over a WebSocket, for pages of this origin only', async () => {
  const token = door.token('developer', 'blue')
  const made = await door.ask('POST', '/v1/environments', { token, body: { image: 'fake', name: 'terminal', command: doing({ sleep: 600_000 }) } })
  assert.equal(made.status, 201)
  const { headers } = await door.ask('POST', '/v1/session', { body: { token } })
  const cookie = headers['set-cookie']?.[0]?.split(';')[0] ?? ''
  const script = doing({ print: 'from inside\n' }, { exit: 3 })
  const query = new URLSearchParams([...script.map(word => ['command', word]), ['tty', 'false']])
  const at = `${door.origin.replace('https', 'wss')}/v1/instances/terminal/terminal?${query}`
  const dial = (origin: string) =>
    new Promise<{ status: number } | { frames: { kind: number; text: string }[] }>((resolve, reject) => {
      const webSocket = new WebSocket(at, ['dayfly-frames'], { rejectUnauthorized: false, headers: { cookie, origin } })
      const frames: { kind: number; text: string }[] = []
      webSocket.on('open', () => webSocket.send(encodeFrame(frameKind.stdin, Buffer.alloc(0)).subarray(4)))
      webSocket.on('message', (data: Buffer) => frames.push({ kind: data[0] ?? -1, text: data.subarray(1).toString() }))
      webSocket.on('unexpected-response', (_request, response) => {
        resolve({ status: response.statusCode ?? 0 })
        response.destroy()
      })
      webSocket.on('close', () => resolve({ frames }))
      webSocket.on('error', reject)
    })
  assert.deepEqual(await dial('https://evil.example'), { status: 403 })
  const told = await dial(door.origin)
  assert.ok('frames' in told)
  assert.deepEqual(told.frames, [
    { kind: frameKind.stdout, text: 'from inside\n' },
    { kind: frameKind.exit, text: '{"code":3,"instance":null}' },
  ])
})

test('the command line reaches it by a pinned certificate, its own PEM, and by no other', async () => {
  const token = door.token('developer', 'blue')
  const clientOf = (env: Record<string, string>) => createClient(placeIn({ DAYFLY_HOST: door.origin, DAYFLY_TOKEN: token, ...env }) ?? '')
  assert.equal((await clientOf({ DAYFLY_CA: `sha256:${door.fingerprint}` }).whoami()).role, 'developer')
  assert.equal((await clientOf({ DAYFLY_CA: join(door.folder, 'tls', 'cert.pem') }).whoami()).role, 'developer')
  await assert.rejects(clientOf({}).whoami(), { code: 'unreachable', field: 'DAYFLY_CA', message: /is not believed/ })
  await assert.rejects(clientOf({ DAYFLY_CA: `sha256:${'0'.repeat(64)}` }).whoami(), {
    code: 'unreachable',
    field: 'DAYFLY_CA',
    message: /is pinned/,
  })
  await assert.rejects(clientOf({ DAYFLY_CA: `sha256:${door.fingerprint}`, DAYFLY_TOKEN: 'wrong' }).whoami(), { code: 'unauthenticated' })
  const stream = await clientOf({ DAYFLY_CA: `sha256:${door.fingerprint}` }).exec('terminal', { command: doing({ print: 'frames\n' }) })
  const kinds: number[] = []
  for await (const { kind } of stream.frames) kinds.push(kind)
  assert.deepEqual(kinds, [frameKind.stdout, frameKind.exit])
  calm()
})

test('a revoked token loses what it has under way', async () => {
  const made = door.services.callers.createToken({ name: 'following', role: 'developer', teams: ['blue'], expires: 60 * minute }, 'root')
  const place = placeIn({ DAYFLY_HOST: door.origin, DAYFLY_TOKEN: made.token, DAYFLY_CA: door.fingerprint })
  assert.ok(place)
  const events = createClient(place).follow({})[Symbol.asyncIterator]()
  assert.equal((await events.next()).done, false)
  const stream = await createClient(place).exec('terminal', { command: doing({ sleep: 600_000 }) })
  door.services.callers.revokeToken('following')
  for (let next = await events.next(); next.done !== true; next = await events.next());
  for await (const { kind } of stream.frames) assert.notEqual(kind, frameKind.stdout)
})

test('what names no host, or no token, is said by its variable', () => {
  assert.equal(placeIn({}), undefined)
  for (const [env, field] of [
    [{ DAYFLY_HOST: 'http://host:7443', DAYFLY_TOKEN: 'x' }, 'DAYFLY_HOST'],
    [{ DAYFLY_HOST: 'https://host:7443/path', DAYFLY_TOKEN: 'x' }, 'DAYFLY_HOST'],
    [{ DAYFLY_HOST: 'https://host:7443' }, 'DAYFLY_TOKEN'],
    [{ DAYFLY_HOST: 'https://host:7443', DAYFLY_TOKEN: 'x\r\nx: y' }, 'DAYFLY_TOKEN'],
    [{ DAYFLY_HOST: 'https://host:7443', DAYFLY_TOKEN: 'x', DAYFLY_CA: '/nowhere.pem' }, 'DAYFLY_CA'],
  ] as const) {
    assert.throws(() => placeIn(env), { code: 'invalid', field }, JSON.stringify(env))
  }
})

test('nothing is served in the clear, and the key is for its owner only', async () => {
  assert.equal(statSync(join(door.folder, 'tls', 'key.pem')).mode & 0o777, 0o600)
  const port = Number(new URL(door.origin).port)
  const said = await new Promise<string>(resolve => {
    const socket = connect({ host: '127.0.0.1', port })
    let text = ''
    socket.on('data', piece => {
      text += piece.toString('latin1')
    })
    socket.on('error', () => {})
    socket.on('close', () => resolve(text))
    socket.write('GET /v1/version HTTP/1.1\r\nhost: x\r\n\r\n')
  })
  assert.ok(!said.includes('HTTP/1.1 200') && !said.includes('version'))
})

test('answers are guarded, and say nothing of a body that a stranger sends', async () => {
  const { status, headers } = await door.ask('POST', '/v1/environments', { body: { image: 'x'.repeat(100_000) } })
  assert.equal(status, 401)
  assert.equal(headers['x-content-type-options'], 'nosniff')
  assert.equal(headers['content-security-policy'], "default-src 'none'; frame-ancestors 'none'")
  assert.equal(headers['cache-control'], 'no-store')
})

test('the audit log has who did what, refusals too; reads are counted', async () => {
  const token = door.token('developer', 'audited')
  const { name } = JSON.parse((await door.ask('GET', '/v1/whoami', { token })).body)
  for (let poll = 0; poll < 5; poll++) await door.ask('GET', '/v1/environments', { token })
  for (let poll = 0; poll < 3; poll++) await door.ask('GET', '/v1/tokens', { token })
  await door.ask('POST', '/v1/environments/nowhere/pause', { token, body: {} })
  const admin = door.token('admin')
  const { body } = await door.ask('GET', `/v1/audit?verify=true&name=${encodeURIComponent(name)}`, { token: admin })
  const told: { entries: { route: string; ref: string; status: number; code?: string; count: number }[]; broken: number | null } = JSON.parse(body)
  const short = told.entries.map(({ route, ref, status, count }) => `${route} ${ref} ${status} ${count}`).toSorted()
  assert.deepEqual(short, [
    'GET /v1/environments  200 5',
    'GET /v1/tokens  403 3',
    'GET /v1/whoami  200 1',
    'POST /v1/environments/:ref/pause nowhere 404 1',
  ])
  assert.equal(told.broken, null)
  const failed: typeof told = JSON.parse((await door.ask('GET', '/v1/audit?failed=true&limit=1000', { token: admin })).body)
  assert.ok(failed.entries.length > 0 && failed.entries.every(({ status }) => status >= 400))
})
