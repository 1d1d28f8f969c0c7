import assert from 'node:assert/strict'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer } from 'node:http'
import { test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { silentLog } from '../../base/log.ts'
import type { ExporterOptions } from './exporter.ts'
import { createExporter } from './exporter.ts'

const listening = async (handle: (body: Buffer, request: IncomingMessage, response: ServerResponse) => void) => {
  const server = createServer((request, response) => {
    const pieces: Buffer[] = []
    request.on('data', (piece: Buffer) => pieces.push(piece)).on('end', () => handle(Buffer.concat(pieces), request, response))
  })
  const { promise, resolve } = Promise.withResolvers<void>()
  server.listen(0, '127.0.0.1', resolve)
  await promise
  const address = server.address()
  assert.ok(typeof address === 'object' && address !== null)
  return {
    url: `http://127.0.0.1:${address.port}/v1/logs`,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections()
      await new Promise(done => server.close(done))
    },
  }
}

const exporterTo = (url: string, more: Partial<ExporterOptions> = {}) =>
  createExporter({
    ...{ signal: 'logs', protocol: 'http/json', log: silentLog(), requestOf: items => ({ items }), delay: 1, pause: 1 },
    destination: { url, headers: { 'x-key': 'k' }, compression: 'none', timeout: 2000, caFile: undefined },
    ...more,
  })

test('what is offered is sent together, with the headers that were asked for', async () => {
  const bodies: unknown[] = []
  await using server = await listening((body, request, response) => {
    bodies.push([request.headers['x-key'], request.headers['content-type'], JSON.parse(body.toString())])
    response.end()
  })
  await using exporter = exporterTo(server.url, { delay: 60_000 })
  for (const item of ['a', 'b']) exporter.offer(item)
  await exporter.flush()
  assert.deepEqual(bodies, [['k', 'application/json', { items: ['a', 'b'] }]])
  assert.deepEqual(exporter.state(), { waiting: 0, sent: 2, dropped: 0, failure: undefined })
})

test('gzip is what was asked for', async () => {
  const { promise, resolve } = Promise.withResolvers<string>()
  await using server = await listening((body, request, response) => {
    assert.equal(request.headers['content-encoding'], 'gzip')
    resolve(gunzipSync(body).toString())
    response.end()
  })
  const destination = { url: server.url, headers: {}, compression: 'gzip', timeout: 2000, caFile: undefined } as const
  await using exporter = exporterTo(server.url, { destination })
  exporter.offer('a')
  assert.equal(await promise, '{"items":["a"]}')
})

test('what may arrive later is sent again, what is refused is dropped and counted', async () => {
  const answers = [503, 200, 400]
  await using server = await listening((_body, _request, response) => response.writeHead(answers.shift() ?? 500).end())
  await using exporter = exporterTo(server.url)
  exporter.offer('late')
  await exporter.flush()
  assert.deepEqual(exporter.state(), { waiting: 0, sent: 1, dropped: 0, failure: undefined })
  exporter.offer('refused')
  await exporter.flush()
  assert.equal(exporter.state().dropped, 1)
  assert.match(exporter.state().failure ?? '', /400/)
})

test('a collector that does not answer costs a bounded memory, and no waiting', async () => {
  await using server = await listening(() => {})
  await using exporter = exporterTo(server.url, { capacity: 10, batch: 5 })
  for (let n = 0; n < 1000; n++) exporter.offer(n)
  const { waiting, dropped } = exporter.state()
  assert.ok(waiting <= 10)
  assert.ok(dropped >= 985)
})

test('one that is not there drops what it was given in the end', async () => {
  const exporter = exporterTo('http://127.0.0.1:1/v1/logs')
  exporter.offer('x')
  await exporter.flush()
  assert.equal(exporter.state().dropped, 1)
  await exporter[Symbol.asyncDispose]()
})
