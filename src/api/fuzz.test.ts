/** Every operation of the OpenAPI document with input that is right, nearly right and hostile: each answer is one that the document knows, and nothing is left. */
import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { Agent, request } from 'node:http'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { doing, startFake, until } from '../../test/cli/fake.ts'
import { problemMediaType } from './problems.ts'
import { Problem } from './schemas/system.ts'

/** Another one each day would be flaky; another one by hand finds more. */
const seed = Number(process.env['DAYFLY_FUZZ_SEED'] ?? 20261123)
const rounds = Number(process.env['DAYFLY_FUZZ_ROUNDS'] ?? 12)

/** mulberry32 */
const randomFrom = (state: number) => (): number => {
  state = (state + 0x6d2b79f5) | 0
  let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
  mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
  return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
}
const random = randomFrom(seed)
const chance = (share: number): boolean => random() < share
const oneOf = <T>(values: readonly [T, ...T[]] | readonly T[]): T => values[Math.floor(random() * values.length)] as T

type Json = Readonly<Record<string, unknown>>
const isObject = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value)
const nested = (depth: number): unknown => (depth === 0 ? [] : [nested(depth - 1)])

const hostile: readonly unknown[] = [
  ...[
    null,
    true,
    -1,
    0,
    1.5,
    1e308,
    2 ** 53,
    '',
    ' ',
    '\u0000',
    '\ud800',
    '%00',
    '../../../../etc/passwd',
    '/etc/shadow',
    '/dev/zero',
    '/proc/self/environ',
  ],
  ...[
    '<script>alert(1)</script>',
    "'; DROP TABLE event; --",
    '$(id)',
    '{{7*7}}',
    '__proto__',
    'constructor',
    '\u202egnp.exe',
    '💣'.repeat(50),
    'x'.repeat(5000),
  ],
  ...[
    [],
    {},
    [[]],
    nested(200),
    { __proto__: null, toString: 1 },
    ['a', 'a'],
    { '': '' },
    '9'.repeat(40),
    '-0',
    'NaN',
    '1e999',
    'http://127.0.0.1:1/',
    'file:///etc/passwd',
  ],
]

/** What is right often enough to get past the first check. */
const plausible = [
  'fake',
  'job',
  'main',
  'fuzz',
  'default',
  '1',
  '0',
  '5m',
  'true',
  'TERM',
  '1970-01-01',
  'a=b',
  `sha256:${'a'.repeat(64)}`,
  '/tmp/x',
  'openssl@3.0.11',
  'CVE-2024-1',
  '/',
]

const drawn = (schema: unknown, schemas: Json, depth = 0): unknown => {
  if (chance(0.06)) return oneOf(hostile)
  if (!isObject(schema) || depth > 8) return oneOf(plausible)
  const { $ref, anyOf, oneOf: some, allOf, enum: options, const: constant, type, properties, required, items, additionalProperties } = schema
  if (typeof $ref === 'string') return drawn(schemas[$ref.split('/').at(-1) ?? ''], schemas, depth + 1)
  if (constant !== undefined) return constant
  if (Array.isArray(options)) return oneOf(options)
  for (const several of [anyOf, some, allOf]) if (Array.isArray(several)) return drawn(oneOf(several), schemas, depth + 1)
  if (type === 'object') {
    const needed = new Set(Array.isArray(required) ? required : [])
    const members = Object.entries(isObject(properties) ? properties : {})
      .filter(([name]) => chance(needed.has(name) ? 0.97 : 0.4))
      .map(([name, member]) => [name, drawn(member, schemas, depth + 1)])
    const more = isObject(additionalProperties) && chance(0.7) ? [[oneOf(plausible), drawn(additionalProperties, schemas, depth + 1)]] : []
    return Object.fromEntries([...members, ...more, ...(chance(0.04) ? [[JSON.stringify(oneOf(hostile)), oneOf(hostile)]] : [])])
  }
  if (type === 'array') return Array.from({ length: Math.floor(random() * 4) }, () => drawn(items, schemas, depth + 1))
  if (type === 'integer' || type === 'number') return oneOf([0, 1, 2, 100, 60_000, 1e9])
  if (type === 'boolean') return chance(0.5)
  if (type === 'null') return null
  return oneOf(plausible)
}

interface Sent {
  readonly method: string
  readonly path: string
  readonly headers: Record<string, string>
  readonly body: string | undefined
}

interface Answered {
  readonly status: number
  readonly mediaType: string
  readonly text: string
}

/** ms: what has not been answered by then goes on, as a follower does. */
const patience = 300

/** undefined: it was left while it went on. */
const send = (socketPath: string, agent: Agent | false, { method, path, headers, body }: Sent, most = patience): Promise<Answered | undefined> =>
  new Promise((resolve, reject) => {
    let left = false
    const asked = request({ socketPath, agent, method, path, headers }, response => {
      const chunks: Buffer[] = []
      response.on('data', (data: Buffer) => chunks.push(data))
      response.on('error', () => {}) // It is left: see `leave`.
      response.on('end', () => {
        clearTimeout(leave)
        const [mediaType = ''] = String(response.headers['content-type'] ?? '').split(';')
        resolve({ status: response.statusCode ?? 0, mediaType, text: Buffer.concat(chunks).toString() })
      })
    })
    const leave = setTimeout(() => {
      left = true
      resolve(undefined)
      asked.destroy()
    }, most)
    asked.on('upgrade', (_response, socket) => {
      clearTimeout(leave)
      resolve(undefined)
      socket.destroy()
    })
    asked.on('error', error => {
      clearTimeout(leave)
      if (left) return // Its end is not the daemon's.
      // It ended the connection that was kept, just when this was sent.
      if (asked.reusedSocket && agent !== false) resolve(send(socketPath, false, { method, path, headers, body }, most))
      else reject(new Error(`${error.message}: ${method} ${path.slice(0, 300)} ${JSON.stringify(headers)} ${body?.slice(0, 800)}`))
    })
    asked.end(body)
  })

test('no route fails by itself, whatever it is asked, and nothing is left', { timeout: 170_000 }, async () => {
  await using site = await startFake()
  const socketPath = join(site.runDir, 'dayfly.sock')
  using agent = Object.assign(new Agent({ keepAlive: true, maxSockets: 8 }), { [Symbol.dispose]: () => agent.destroy() })
  const plain = async (path: string): Promise<unknown> =>
    JSON.parse((await send(socketPath, agent, { method: 'GET', path, headers: {}, body: undefined }, 60_000))?.text ?? 'null')
  const document = await plain('/v1/openapi.json')
  assert.ok(isObject(document) && isObject(document['paths']) && isObject(document['components']))
  const schemas = document['components']['schemas']
  assert.ok(isObject(schemas))
  const openFiles = (): number => readdirSync(`/proc/${site.daemon.pid}/fd`).length
  const long = { image: 'fake', command: doing({ print: 'up\n' }, { sleep: 600_000 }) }
  const environment = await site.client.create({ ...long, name: 'fuzz' })
  const refs = [environment.id, 'fuzz', environment.id.slice(0, 6), environment.instances[0]?.id ?? '', 'nobody', `sha256:${'a'.repeat(64)}`]

  const encoded = (value: unknown): string => {
    const text = typeof value === 'string' ? value : JSON.stringify(value)
    return chance(0.03) ? '%zz' : encodeURIComponent(text.toWellFormed())
  }
  const made = (method: string, path: string, operation: Json): Sent => {
    const parameters = Array.isArray(operation['parameters']) ? operation['parameters'].filter(isObject) : []
    const filled = path.replaceAll(/\{\w+\}/g, () => (chance(0.75) ? encoded(oneOf(refs)) : encoded(oneOf([...hostile, ...plausible])) || 'x'))
    const query = parameters
      .filter(parameter => parameter['in'] === 'query' && chance(parameter['required'] === true ? 0.95 : 0.3))
      .map(parameter => {
        const value = parameter['name'] === 'environment' && chance(0.6) ? oneOf(refs) : drawn(parameter['schema'], schemas)
        return `${encodeURIComponent(String(parameter['name']))}=${encoded(value)}`
      })
    const content = isObject(operation['requestBody']) ? operation['requestBody']['content'] : undefined
    const schema = isObject(content) && isObject(content['application/json']) ? content['application/json']['schema'] : undefined
    const whole = schema === undefined ? undefined : JSON.stringify(drawn(schema, schemas))
    const body = whole !== undefined && chance(0.04) ? oneOf(['', '{', 'null', '[]', whole.slice(0, -1), '\u0000']) : whole
    const type = oneOf([...Array.from({ length: 20 }, () => 'application/json'), 'text/plain', 'application/x-www-form-urlencoded', 'x'])
    const headers = {
      ...(body === undefined ? {} : { 'content-type': type, 'content-length': String(Buffer.byteLength(body)) }),
      ...(chance(0.05) ? { 'idempotency-key': oneOf(['k', '"k"', 'x'.repeat(300)]) } : {}),
      ...(chance(0.05) ? { 'last-event-id': oneOf(['1', '-1', 'x', '9'.repeat(30)]) } : {}),
      ...(chance(0.05) ? { connection: 'Upgrade', upgrade: oneOf(['dayfly-frames', 'websocket']) } : {}),
    }
    return { method, path: query.length === 0 ? filled : `${filled}?${query.join('&')}`, headers, body }
  }

  const operations = Object.entries(document['paths']).flatMap(([path, item]) =>
    Object.entries(isObject(item) ? item : {}).map(([method, operation]) => ({
      method: method.toUpperCase(),
      path,
      operation: isObject(operation) ? operation : {},
    })),
  )
  const queue = Array.from({ length: rounds }, () => operations)
    .flat()
    .map(({ method, path, operation }) => made(method, path, operation))
  const statuses = new Map<number, number>()
  const ask = async (some: readonly Sent[]): Promise<void> => {
    const next = some.values()
    await Promise.all(Array.from({ length: 8 }, () => worker(next))).catch((error: unknown) => {
      throw new Error(`${error instanceof Error ? error.message : error}; the daemon (${site.daemon.exitCode ?? 'alive'}) says: ${site.log()}`, {
        cause: error,
      })
    })
  }
  const worker = async (next: Iterable<Sent>): Promise<void> => {
    for (const sent of next) {
      const answered = await send(socketPath, agent, sent)
      if (answered === undefined) continue
      const { status, mediaType, text } = answered
      const said = `${sent.method} ${sent.path.slice(0, 300)} ${sent.body?.slice(0, 1500) ?? ''} (seed ${seed}): ${status} ${text.slice(0, 500)}`
      statuses.set(status, (statuses.get(status) ?? 0) + 1)
      assert.notEqual(status, 500, said)
      assert.ok(!/"code":"internal"/.test(text), said)
      assert.ok(!/\bat [\w.<>]+ \(?(file:|node:|\/)/.test(text), `a stack: ${said}`)
      if (status < 400) continue
      assert.equal(mediaType, problemMediaType, said)
      const parsed = Problem.safeParse(JSON.parse(text))
      assert.ok(parsed.success, `${parsed.error?.message ?? ''} ${said}`)
      const problem = parsed.data
      assert.equal(problem.status, status, said)
      if (problem.code === 'invalid') assert.ok(problem.field !== null || problem.remedy !== null, `no field and no remedy: ${said}`)
    }
  }
  // The first round starts threads that stay.
  await ask(queue.slice(0, operations.length))
  const before = openFiles()
  await ask(queue.slice(operations.length))

  // Otherwise nothing but the first check was tried.
  assert.ok((statuses.get(200) ?? 0) + (statuses.get(201) ?? 0) > queue.length / 20, JSON.stringify([...statuses]))
  assert.equal(site.daemon.exitCode, null)
  assert.doesNotMatch(site.log(), /a request failed|unhandled/i)
  for (const { id } of await site.client.environments()) await site.client.end(id, { force: true })
  assert.deepEqual(await site.client.leaks(), [])
  agent.destroy()
  await until(async () => {
    await sleep(50)
    return openFiles() <= before + 4
  })
})
