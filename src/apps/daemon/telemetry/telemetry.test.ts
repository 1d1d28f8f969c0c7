/** A daemon on the fake backend, its API, and a collector on the loopback that reads with OpenTelemetry's own definitions. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, request } from 'node:http'
import { join } from 'node:path'
import { test } from 'node:test'
import { z } from 'zod'
import { openSite, until } from '../../../../test/cli/fake.ts'
import { readOfficially } from '../../../telemetry/otlp/official.suite.ts'

const Attribute = z.object({ key: z.string(), value: z.object({ stringValue: z.string().optional() }) })
const Span = z.object({
  traceId: z.string(),
  spanId: z.string(),
  parentSpanId: z.string().optional(),
  name: z.string(),
  startTimeUnixNano: z.string().transform(BigInt),
  endTimeUnixNano: z.string().transform(BigInt),
  attributes: z.array(Attribute).default([]),
  status: z.object({ message: z.string() }).optional(),
})
type Span = z.infer<typeof Span>
const Traces = z.object({ resourceSpans: z.array(z.object({ scopeSpans: z.array(z.object({ spans: z.array(Span) })) })) })
const Metrics = z.object({
  resourceMetrics: z.array(z.object({ scopeMetrics: z.array(z.object({ metrics: z.array(z.object({ name: z.string() })) })) })),
})
const Logs = z.object({
  resourceLogs: z.array(
    z.object({ scopeLogs: z.array(z.object({ logRecords: z.array(z.object({ body: z.object({ stringValue: z.string() }) })) })) }),
  ),
})

const collector = async () => {
  const spans: Span[] = []
  const metrics = new Set<string>()
  const logs: string[] = []
  const faults: unknown[] = []
  const server = createServer((incoming, response) => {
    const pieces: Buffer[] = []
    incoming.on('data', (piece: Buffer) => pieces.push(piece))
    incoming.on('end', () => {
      try {
        const body = Buffer.concat(pieces)
        assert.equal(incoming.headers['content-type'], 'application/x-protobuf')
        assert.equal(incoming.headers['authorization'], 'Bearer one two')
        if (incoming.url === '/v1/traces') {
          for (const { scopeSpans } of Traces.parse(readOfficially('traces', body)).resourceSpans)
            spans.push(...scopeSpans.flatMap(scope => scope.spans))
        } else if (incoming.url === '/v1/metrics') {
          for (const { scopeMetrics } of Metrics.parse(readOfficially('metrics', body)).resourceMetrics)
            for (const { name } of scopeMetrics.flatMap(scope => scope.metrics)) metrics.add(name)
        } else {
          assert.equal(incoming.url, '/v1/logs')
          for (const { scopeLogs } of Logs.parse(readOfficially('logs', body)).resourceLogs)
            logs.push(...scopeLogs.flatMap(scope => scope.logRecords.map(record => record.body.stringValue)))
        }
      } catch (error) {
        faults.push(error)
      }
      response.end()
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  assert.ok(typeof address === 'object' && address !== null)
  return {
    ...{ spans, metrics, logs, faults, url: `http://127.0.0.1:${address.port}` },
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections()
      await new Promise(done => server.close(done))
    },
  }
}

const ask = async (
  socketPath: string,
  method: string,
  path: string,
  body?: object,
  headers: Record<string, string> = {},
): Promise<{ status: number; text: string }> => {
  const outgoing = request({ socketPath, method, path, headers: { 'content-type': 'application/json', ...headers } })
  outgoing.end(body === undefined ? '' : JSON.stringify(body))
  const [response] = await once(outgoing, 'response')
  let text = ''
  for await (const piece of response) text += String(piece)
  return { status: response.statusCode, text }
}

/** A daemon that tells the collector; ended by whoever asks. */
const telling = async (url: string, more: Record<string, string> = {}) => {
  await using unless = new AsyncDisposableStack()
  const site = unless.use(openSite())
  const env = {
    OTEL_EXPORTER_OTLP_ENDPOINT: url,
    OTEL_EXPORTER_OTLP_HEADERS: 'authorization=Bearer%20one%20two',
    OTEL_BSP_SCHEDULE_DELAY: '10',
    ...more,
  }
  const daemon = site.start(['serve', '--backend', 'fake'], env)
  daemon.stderr.resume()
  await until(() => {
    assert.equal(daemon.exitCode, null)
    return site.client.version().then(
      () => true,
      () => false,
    )
  })
  unless.move()
  const stop = async (): Promise<void> => {
    if (daemon.exitCode === null && daemon.signalCode === null) {
      daemon.kill('SIGTERM')
      await once(daemon, 'exit')
    }
  }
  return {
    socket: join(site.runDir, 'dayfly.sock'),
    stop,
    [Symbol.asyncDispose]: async () => {
      await stop()
      await site[Symbol.asyncDispose]()
    },
  }
}

const traceId = '0af7651916cd43dd8448eb211c80319c'
const parent = 'b7ad6b7169203331'

test('a start is a span in the trace of its request, with its steps below it', async () => {
  await using receiver = await collector()
  await using daemon = await telling(receiver.url)
  const headers = { traceparent: `00-${traceId}-${parent}-01` }
  const { status } = await ask(daemon.socket, 'POST', '/v1/environments', { image: 'fake' }, headers)
  assert.equal(status, 201)
  await daemon.stop()
  assert.deepEqual(receiver.faults, [])
  const [start] = receiver.spans.filter(({ name }) => name === 'start')
  assert.ok(start)
  assert.equal(start.traceId, traceId)
  assert.equal(start.parentSpanId, parent)
  const named = Object.fromEntries(start.attributes.map(({ key, value }) => [key, value.stringValue]))
  assert.match(named['dayfly.environment.id'] ?? '', /^e/)
  assert.match(named['container.id'] ?? '', /^i/)
  assert.equal(named['dayfly.workload'], 'main')
  assert.equal(named['dayfly.runtime'], 'crun')
  assert.equal(named['dayfly.start'], 'cold')
  const below = receiver.spans.filter(({ parentSpanId }) => parentSpanId === start.spanId)
  assert.deepEqual(
    below.toSorted((a, b) => Number(a.startTimeUnixNano - b.startTimeUnixNano)).map(({ name }) => name),
    ['image', 'admit', 'run', 'ready'],
  )
  for (const span of below) {
    assert.equal(span.traceId, traceId)
    assert.ok(span.startTimeUnixNano >= start.startTimeUnixNano && span.endTimeUnixNano <= start.endTimeUnixNano, span.name)
  }
  // The last of everything is sent at the end.
  assert.ok(receiver.metrics.has('dayfly_starts_total') && receiver.metrics.has('dayfly_start_duration_seconds'))
  assert.ok(receiver.logs.includes('listening'))
})

test('a start that is refused is a span that says why, and one that is not sampled is none', async () => {
  await using receiver = await collector()
  await using daemon = await telling(receiver.url)
  const unsampled = { traceparent: `00-${traceId}-${parent}-00` }
  assert.equal((await ask(daemon.socket, 'POST', '/v1/environments', { image: 'fake' }, unsampled)).status, 201)
  const refused = await ask(daemon.socket, 'POST', '/v1/environments', {
    image: 'fake',
    command: ['fake', '[{"fail":"create"}]'],
    name: 'x',
    runtime: 'nonsense',
  })
  assert.equal(refused.status, 400)
  await daemon.stop()
  assert.deepEqual(receiver.faults, [])
  assert.deepEqual(receiver.spans, [])
})

test('a collector that is not there costs nobody anything', async () => {
  await using daemon = await telling('http://127.0.0.1:1')
  const { status, text } = await ask(daemon.socket, 'POST', '/v1/environments', { image: 'fake' })
  assert.equal(status, 201, text)
  const metrics = await ask(daemon.socket, 'GET', '/metrics')
  assert.match(metrics.text, /^dayfly_starts_total\{start="cold",outcome="ok"\} 1$/m)
  assert.match(metrics.text, /^dayfly_admissions_total\{verdict="allowed",cached="false"\} 1$/m)
  assert.match(metrics.text, /^dayfly_api_requests_total\{method="POST",route="\/v1\/environments",code="201"\} 1$/m)
  assert.match(metrics.text, /^dayfly_build_info\{version="[^"]+",node="v26[^"]*",backend="fake"\} 1$/m)
})

test('a variable that is wrong is named', async () => {
  await using site = openSite()
  const { status, stderr } = await site.cli(['serve', '--backend', 'fake'], { env: { OTEL_EXPORTER_OTLP_ENDPOINT: 'collector' } })
  assert.notEqual(status, 0)
  assert.match(stderr, /OTEL_EXPORTER_OTLP_ENDPOINT/)
})
