import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { doing } from '../../test/cli/fake.ts'
import { defaultBounds } from '../apps/daemon/builds.ts'
import type { Parts } from '../apps/daemon/parts.ts'
import { openParts } from '../apps/daemon/parts.ts'
import { createServices } from '../apps/daemon/services.ts'
import { systemClock } from '../base/clock.ts'
import { DayflyError } from '../base/errors.ts'
import { silentLog } from '../base/log.ts'
import { authorization } from './authorization.ts'
import type { Client } from './client/client.ts'
import { createClient } from './client/client.ts'
import { linesOf, request, textOf } from './client/http.ts'
import { encodeFrame, frameKind, framesMediaType } from './frames.ts'
import type { Route } from './route.ts'
import { routeKey } from './route.ts'
import { apiRoutes } from './routes/all.ts'
import { LogEntry } from './schemas/environments.ts'
import { Problem } from './schemas/system.ts'
import { createApi } from './server.ts'
import type { Services } from './services.ts'

const folder = mkdtempSync('/tmp/dayfly-api-test-')
const socketPath = join(folder, 'dayfly.sock')
const stopping = new AbortController()
let parts: Parts
let services: Services
let routes: readonly Route[]
let client: Client
let app: ReturnType<typeof createApi>

before(async () => {
  const gateway = { listen: undefined, domains: ['localhost'] }
  const options = {
    stateDir: folder,
    runDir: folder,
    backend: 'fake',
    group: undefined,
    logLevel: 'error',
    check: undefined,
    sensor: 'off',
    quotas: undefined,
    prices: undefined,
    policies: undefined,
    preset: undefined,
    gateway,
    builds: defaultBounds(),
  } as const
  const clock = systemClock()
  parts = await openParts(options, clock, silentLog())
  await parts.engine.adopt(new AbortController().signal)
  services = createServices(options, parts, clock)
  routes = apiRoutes(services, services.about.version)
  app = createApi({ services, replies: parts.store.replies, log: silentLog(), stopping: stopping.signal })
  await app.listen({ path: socketPath })
  client = createClient(socketPath)
})
after(async () => {
  stopping.abort()
  await app.close()
  await parts[Symbol.asyncDispose]()
  rmSync(folder, { recursive: true, force: true })
})

/** The answer of a JSON route, held against the schema that the route promises. */
const checked = async (method: Route['method'], path: string, route: string, body?: object): Promise<unknown> => {
  const response = await request({ socketPath, method, path, ...(body === undefined ? {} : { body }) })
  const document: unknown = JSON.parse(await textOf(response))
  const answer = routes.find(known => routeKey(known) === route)?.answers.find(({ status }) => status === response.status)
  assert.ok(answer?.schema, `${route} answered ${response.status}: ${JSON.stringify(document)}`)
  const parsed: unknown = answer.schema.parse(document)
  assert.deepEqual(parsed, document, `${route} answers more than its schema knows`)
  return document
}

const failure = async (
  method: Route['method'],
  path: string,
  body?: object,
  headers: Record<string, string> = {},
): Promise<{ status: number; error: Problem }> => {
  const response = await request({ socketPath, method, path, headers, ...(body === undefined ? {} : { body }) })
  return { status: response.status, error: Problem.parse(JSON.parse(await textOf(response))) }
}

const sleeper = { image: 'fake', command: doing({ print: 'up\n' }, { sleep: 600_000 }) }

describe('the matrix', () => {
  test('knows every route, and no other', () => {
    assert.deepEqual(routes.map(routeKey).sort(), Object.keys(authorization).sort())
  })
  test('an admin may call every route but one: the archive of the keys that records are signed with', () => {
    const kept = Object.entries(authorization).flatMap(([route, { roles }]) => (roles.includes('admin') ? [] : [route]))
    assert.deepEqual(kept, ['POST /v1/backup'])
  })
})

test('who ran what is asked with a question', async () => {
  const { status, error } = await failure('GET', '/v1/who?running=true')
  assert.deepEqual([status, error.code, error.field], [400, 'invalid', 'package'])
  for (const query of ['package=x&limit=0', 'package=', 'cve=x&since=soon', 'image=x&running=perhaps'])
    assert.equal((await failure('GET', `/v1/who?${query}`)).error.code, 'invalid', query)
})

test('an image is scanned, as findings and as documents', async () => {
  const scan = await client.scan({ image: 'fake' }, () => {})
  assert.deepEqual([scan.packages, scan.problems, scan.dataFrom], [[], [], null])
  assert.equal((await client.document({ image: 'fake' }, 'spdx', () => {}))['spdxVersion'], 'SPDX-2.3')
  await assert.rejects(
    client.scan({ image: 'nothing' }, () => {}),
    error => error instanceof DayflyError && error.code === 'not_found' && error.field === 'image',
  )
})

test('every JSON route answers as its schema says', async () => {
  const created = await checked('POST', '/v1/environments', 'POST /v1/environments', {
    ...sleeper,
    name: 'all-routes',
    labels: { a: 'b' },
    lease: { ttl: 60_000 },
  })
  assert.ok(typeof created === 'object' && created !== null && 'id' in created && 'expiresBy' in created)
  const id = String(created.id)
  assert.equal(created.expiresBy, 'ttl')
  await checked('GET', '/v1/environments', 'GET /v1/environments')
  await checked('GET', '/v1/environments?all=true&label=a%3Db', 'GET /v1/environments')
  await checked('GET', `/v1/environments/${id}`, 'GET /v1/environments/:ref')
  await checked('POST', '/v1/environments/all-routes/extend', 'POST /v1/environments/:ref/extend', { ttl: 120_000 })
  await checked('GET', `/v1/instances?environment=${id}`, 'GET /v1/instances')
  await checked('GET', '/v1/instances/all-routes', 'GET /v1/instances/:ref')
  await checked('GET', '/v1/events?limit=3', 'GET /v1/events')
  await checked('GET', `/v1/activity?environment=${id}&type=exec&type=open&port=443&limit=3`, 'GET /v1/activity')
  await checked('GET', '/v1/images', 'GET /v1/images')
  await checked('GET', '/v1/images/docker.io%2Flibrary%2Ffake%3Alatest', 'GET /v1/images/:name')
  await checked('POST', '/v1/images/gc', 'POST /v1/images/gc', {})
  await checked('GET', '/v1/vulnerabilities', 'GET /v1/vulnerabilities')
  await checked('GET', '/v1/who?image=fake&running=true', 'GET /v1/who')
  const digest = `sha256:${'0'.repeat(64)}`
  await checked('POST', '/v1/blocked-images', 'POST /v1/blocked-images', { image: digest, reason: 'a test' })
  await checked('GET', '/v1/blocked-images', 'GET /v1/blocked-images')
  await checked('DELETE', `/v1/blocked-images/${digest}`, 'DELETE /v1/blocked-images/:digest')
  await checked('GET', `/v1/environments/${id}/evidence`, 'GET /v1/environments/:ref/evidence')
  await checked('GET', '/v1/notify', 'GET /v1/notify')
  await checked('GET', '/v1/version', 'GET /v1/version')
  await checked('GET', '/v1/doctor', 'GET /v1/doctor')
  await checked('GET', '/v1/doctor/leaks', 'GET /v1/doctor/leaks')
  await checked('POST', '/v1/instances/all-routes/kill', 'POST /v1/instances/:ref/kill', { signal: 'SIGCONT' })
  const instance = (await client.instances(id))[0]?.id
  const waiting = checked('GET', `/v1/instances/${instance}/wait`, 'GET /v1/instances/:ref/wait')
  await checked('POST', `/v1/instances/${instance}/stop`, 'POST /v1/instances/:ref/stop', { grace: 0 })
  await waiting
  await checked('DELETE', `/v1/environments/${id}?force=true`, 'DELETE /v1/environments/:ref')
  const lines = await Array.fromAsync(linesOf(await request({ socketPath, method: 'GET', path: `/v1/instances/${instance}/logs` })))
  assert.deepEqual(
    lines.filter(line => line !== '').map(line => LogEntry.parse(JSON.parse(line)).data),
    ['up\n'],
  )
  const openapi = JSON.parse(await textOf(await request({ socketPath, method: 'GET', path: '/v1/openapi.json' })))
  assert.equal(openapi.openapi, '3.1.0')
})

describe('what is refused', () => {
  test('a field at fault is named by its path', async () => {
    const cases = [
      [{ image: '' }, 'image'],
      [{}, 'image'],
      [{ image: 'fake', limits: { cpus: 0 } }, 'limits.cpus'],
      [{ image: 'fake', limits: { cpu: 1 } }, 'limits.cpu'],
      [{ image: 'fake', lease: { ttl: 999 } }, 'lease.ttl'],
      [{ image: 'fake', lease: { ttl: 1.5 } }, 'lease.ttl'],
      [{ image: 'fake', egress: [{ cidr: '10.0.0.0/8' }, { cidr: 'x' }] }, 'egress[1].cidr'],
      [{ image: 'fake', secrets: { token: '§' } }, 'secrets.token'],
      [{ image: 'fake', env: { 'A=B': 'c' } }, 'env.A=B'],
      [{ image: 'fake', surprise: true }, 'surprise'],
      [{ image: 'fake', name: 'Nope' }, 'name'],
    ] as const
    for (const [body, field] of cases) {
      const { status, error } = await failure('POST', '/v1/environments', body)
      assert.deepEqual([status, error.code, error.field], [400, 'invalid', field], JSON.stringify(error))
      assert.ok(error.detail.startsWith(`${field}: `), error.detail)
    }
    assert.doesNotMatch(
      JSON.stringify((await failure('POST', '/v1/environments', { image: 'fake', secrets: { token: 'hunter2!' } })).error),
      /hunter2/,
    )
  })

  test('status follows the code', async () => {
    assert.equal((await failure('GET', '/v1/environments/nothing')).status, 404)
    assert.equal((await failure('GET', '/v1/nowhere')).error.code, 'not_found')
    assert.equal((await failure('POST', '/v1/environments', { image: 'nowhere' })).status, 404)
    assert.equal((await failure('GET', '/v1/events?after=minus')).error.field, 'after')
    assert.equal((await failure('POST', '/v1/instances/x/exec', { command: ['true'] })).error.field, 'upgrade')
  })

  test('a body that is no JSON, or too large', async () => {
    const raw = await new Promise<string>(resolve => {
      const socket = connect(socketPath, () =>
        socket.end('POST /v1/environments HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length: 1\r\n\r\n{'),
      )
      let text = ''
      socket.on('data', data => {
        text += String(data)
      })
      socket.on('close', () => resolve(text))
    })
    assert.match(raw, /^HTTP\/1\.1 400 /)
    assert.match(raw, /"code":"invalid"/)
    const { status, error } = await failure('POST', '/v1/environments', { image: 'fake', env: { BIG: 'x'.repeat(9 * 1024 * 1024) } })
    assert.deepEqual([status, error.code], [400, 'invalid'])
  })
})

describe('streams', () => {
  test('a client that goes away before the start leaves nothing', async () => {
    const socket = connect(socketPath)
    const body = JSON.stringify({ ...sleeper, name: 'given-up' })
    socket.write(
      `POST /v1/environments HTTP/1.1\r\nhost: x\r\nconnection: Upgrade\r\nupgrade: dayfly-frames\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
    )
    socket.destroy()
    // It was given up before, while or just after it was started: in the last case its lease has it, as the route says.
    const environment = await client.environments({ all: true }).then(all => all.find(({ name }) => name === 'given-up'))
    if (environment !== undefined) await client.end(environment.id, { force: true })
    assert.deepEqual(await client.leaks(), [])
  })

  test('a client that goes away later leaves it to its lease', async () => {
    const stream = await client.run({ ...sleeper, name: 'left-alone' })
    for await (const { kind } of stream.frames) if (kind === frameKind.stdout) break
    stream.end()
    assert.equal((await client.environment('left-alone')).state, 'running')
    await client.end('left-alone', { force: true })
  })

  test('frames of an exec: input, output apart, exit', async () => {
    await client.create({ ...sleeper, name: 'host' })
    const stream = await client.exec('host', { command: doing({ print: 'o' }, { print: 'e', to: 'stderr' }, { echo: true }, { exit: 3 }) })
    await stream.send(encodeFrame(frameKind.stdin, Buffer.from('in')), encodeFrame(frameKind.stdin, Buffer.alloc(0)))
    const frames = (await Array.fromAsync(stream.frames)).map(({ kind, payload }) => [kind, payload.toString()])
    assert.deepEqual(frames, [
      [frameKind.stdout, 'o'],
      [frameKind.stderr, 'e'],
      [frameKind.stdout, 'in'],
      [frameKind.exit, '{"code":3,"instance":null}'],
    ])
    await client.end('host', { force: true })
  })

  test('an exec whose client goes away is hung up', async () => {
    await client.create({ ...sleeper, name: 'host' })
    const stream = await client.exec('host', { command: doing({ print: 'up' }, { sleep: 600_000 }) })
    for await (const { kind } of stream.frames) if (kind === frameKind.stdout) break
    stream.end()
    for (;;) {
      const events = await client.events({ environment: 'host' })
      if (events.some(({ type }) => type === 'exec.ended')) break
    }
    await client.end('host', { force: true })
  })

  test('a command that does not exist is an error frame', async () => {
    await client.create({ ...sleeper, name: 'host' })
    const stream = await client.exec('host', { command: ['/no/such'] })
    const [frame] = await Array.fromAsync(stream.frames)
    assert.equal(frame?.kind, frameKind.error)
    assert.equal(JSON.parse(String(frame?.payload)).code, 'command_not_found')
    await client.end('host', { force: true })
  })

  test('what is no frame ends the stream with an error', async () => {
    const stream = await client.run({ ...sleeper, name: 'abused' })
    const kinds: number[] = []
    for await (const { kind } of stream.frames) {
      kinds.push(kind)
      if (kind === frameKind.stdout) await stream.send(Buffer.from([0xff, 0xff, 0xff, 0x7f, 0]))
    }
    assert.deepEqual(kinds, [frameKind.started, frameKind.stdout, frameKind.error])
    assert.equal((await client.environment('abused')).state, 'running')
    await client.end('abused', { force: true })
  })

  test('followed events miss nothing and resume after a cursor', async () => {
    const last = (await client.events({})).at(-1)?.cursor ?? 0
    const seen: string[] = []
    const watching = (async () => {
      for await (const event of client.follow({ after: last })) {
        seen.push(event.type)
        if (event.type === 'record.sealed') return event.cursor
      }
      return 0
    })()
    const stream = await client.run({ image: 'fake' })
    await Array.fromAsync(stream.frames)
    const cursor = await watching
    assert.deepEqual(
      (await client.events({ after: last })).map(({ type }) => type),
      seen,
    )
    const response = await request({ socketPath, method: 'GET', path: '/v1/events?follow=true', headers: { 'last-event-id': String(cursor - 1) } })
    for await (const line of linesOf(response)) {
      if (!line.startsWith('data: ')) continue
      assert.equal(JSON.parse(line.slice(6)).cursor, cursor)
      break
    }
  })

  test('logs as frames, byte for byte', async () => {
    const stream = await client.run({ image: 'fake', command: doing({ print: 'a\nb' }, { print: '!', to: 'stderr' }), name: 'logged' })
    await Array.fromAsync(stream.frames)
    const ended = (await client.environments({ all: true })).find(({ name }) => name === 'logged')
    const instance = ended?.instances[0]?.id ?? ''
    const frames = await Array.fromAsync(client.logs(instance, {}))
    const text = (kind: number): string => Buffer.concat(frames.filter(frame => frame.kind === kind).map(({ payload }) => payload)).toString()
    assert.deepEqual([text(frameKind.stdout), text(frameKind.stderr)], ['a\nb', '!'])
    const response = await request({ socketPath, method: 'GET', path: `/v1/instances/${instance}/logs`, headers: { accept: framesMediaType } })
    assert.equal(response.headers.get('content-type'), framesMediaType)
    await textOf(response)
  })

  test('logs by what lines have and by their times, and refusals that name the parameter', async () => {
    const stream = await client.run({
      image: 'fake',
      command: doing({ print: 'one error\ntwo\nthree Error\n' }, { print: 'error\n', to: 'stderr' }),
      name: 'searched',
    })
    await Array.fromAsync(stream.frames)
    const instance = (await client.environments({ all: true })).find(({ name }) => name === 'searched')?.instances[0]?.id ?? ''
    const found = async (parameters: Parameters<Client['logEntries']>[1]): Promise<string> =>
      (await Array.fromAsync(client.logEntries(instance, parameters))).map(({ data }) => data).join('')
    assert.equal(await found({ grep: '(?i)error$', stderr: false }), 'one error\nthree Error\n')
    assert.equal(await found({ grep: '^error' }), 'error\n')
    const [first] = await Array.fromAsync(client.logEntries(instance, {}))
    assert.ok(first)
    assert.equal(await found({ until: Math.floor(first.time) - 1 }), '')
    assert.match(await found({ since: Math.floor(first.time), until: Date.now() + 1000, grep: 'two' }), /^two\n$/)
    const refused = (field: string) => (error: unknown) =>
      error instanceof DayflyError && error.code === 'invalid' && error.field?.endsWith(field) === true
    await assert.rejects(found({ grep: '(' }), refused('grep'))
    await assert.rejects(found({ grep: 'a'.repeat(2000) }), refused('grep'))
    await assert.rejects(found({ follow: true, until: 5 }), refused('until'))
  })
})
