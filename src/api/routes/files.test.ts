/** Bad input to the routes of files, and a body that breaks off, against a daemon on the fake backend. */
import assert from 'node:assert/strict'
import { request as httpRequest } from 'node:http'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { doing, startFake, until } from '../../../test/cli/fake.ts'
import type { HttpRequest } from '../client/http.ts'
import { request, textOf } from '../client/http.ts'

describe('files by the API', () => {
  let site: Awaited<ReturnType<typeof startFake>>
  let socketPath = ''
  let instance = ''
  let environment = ''
  before(async () => {
    site = await startFake()
    socketPath = join(site.runDir, 'dayfly.sock')
    const made = await site.client.create({ image: 'fake', command: doing({ on: 'SIGTERM', exit: 0 }, { sleep: 3_600_000 }), kind: 'sandbox' })
    environment = made.id
    instance = made.instances[0]?.id ?? ''
  })
  after(async () => await site[Symbol.asyncDispose]())

  const ask = async (method: HttpRequest['method'], tail: string, more: Partial<HttpRequest> = {}): Promise<{ status: number; text: string }> => {
    const response = await request({ socketPath, method, path: `/v1/instances/${instance}/files${tail}`, ...more })
    return { status: response.status, text: await textOf(response) }
  }
  const problem = async (...asked: Parameters<typeof ask>): Promise<[number, string, string]> => {
    const { status, text } = await ask(...asked)
    const { code, field }: { code: string; field: string } = JSON.parse(text)
    return [status, code, field]
  }
  const bytes = Buffer.from('content')

  test('each fault names its field', async () => {
    assert.deepEqual(await problem('GET', ''), [400, 'invalid', 'path'])
    assert.deepEqual(await problem('GET', '?path=tmp'), [400, 'invalid', 'path'])
    assert.deepEqual(await problem('GET', '?path=/a%00b'), [400, 'invalid', 'path'])
    assert.deepEqual(await problem('GET', `?path=/${'x'.repeat(5000)}`), [400, 'invalid', 'path'])
    assert.deepEqual(await problem('GET', '?path=/tmp/x&offset=-1'), [400, 'invalid', 'offset'])
    assert.deepEqual(await problem('GET', '?path=/tmp/x&limit=99999999999'), [400, 'invalid', 'limit'])
    assert.deepEqual(await problem('GET', '?path=/tmp/x&user=-x'), [400, 'invalid', 'user'])
    assert.deepEqual(await problem('POST', '?path=/tmp/x&mode=999', { bytes }), [400, 'invalid', 'mode'])
    assert.deepEqual(await problem('POST', '?path=/tmp/x&owner=a%20b', { bytes }), [400, 'invalid', 'owner'])
    assert.deepEqual(await problem('POST', '?path=/tmp/x', { body: {} }), [400, 'invalid', 'body'])
    assert.deepEqual(await problem('GET', '/list?path=/&depth=65'), [400, 'invalid', 'depth'])
    assert.deepEqual(await problem('GET', '/list?path=/&limit=10001'), [400, 'invalid', 'limit'])
    assert.deepEqual(await problem('POST', '/folder', { body: { path: '/tmp/x', mode: '8' } }), [400, 'invalid', 'mode'])
    assert.deepEqual(await problem('POST', '/rename', { body: { path: '/tmp/x' } }), [400, 'invalid', 'to'])
    assert.deepEqual(await problem('GET', '/watch?path=/none'), [404, 'not_found', 'path'])
    assert.deepEqual(await problem('POST', '?path=/tmp/x', { bytes, headers: { 'idempotency-key': 'k1' } }), [400, 'invalid', 'idempotency-key'])
  })

  test('what is larger than other bodies may be, and what is refused while it is sent', async () => {
    const large = Buffer.alloc(20 * 1024 * 1024, 'x')
    const { bytes: written }: { bytes: number } = JSON.parse((await ask('POST', '?path=/tmp/large', { bytes: large })).text)
    assert.equal(written, large.length)
    assert.deepEqual(await problem('POST', '?path=/tmp/large/below', { bytes: large }), [400, 'invalid', 'path'])
  })

  test('a body that breaks off has changed nothing', async () => {
    await ask('POST', '?path=/tmp/kept', { bytes: Buffer.from('before') })
    const sending = httpRequest({
      ...{ socketPath, method: 'POST', path: `/v1/instances/${instance}/files?path=/tmp/kept` },
      headers: { 'content-type': 'application/octet-stream', 'content-length': 1000 },
    })
    sending.on('error', () => {})
    sending.write('half')
    await new Promise(resolve => setTimeout(resolve, 50))
    sending.destroy()
    const failed = async (): Promise<boolean> =>
      (await site.client.events({ environment })).some(({ type, data }) => type === 'file.failed' && data['path'] === '/tmp/kept')
    await until(failed)
    assert.equal((await ask('GET', '?path=/tmp/kept')).text, 'before')
    assert.ok(!site.log().includes('"level":"error"'), site.log())
  })

  test('a watch that nobody reads any more is over', async () => {
    for (let round = 0; round < 40; round++) {
      const enough = new AbortController()
      const response = await request({ socketPath, method: 'GET', path: `/v1/instances/${instance}/files/watch?path=/tmp`, signal: enough.signal })
      assert.equal(response.status, 200, `round ${round}`)
      for await (const piece of response.body) {
        if (piece.includes('watching')) break
      }
      enough.abort()
    }
  })
})
