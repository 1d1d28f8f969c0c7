/** The encoder against OpenTelemetry's own definitions. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Counter, Gauge, Histogram, Registry } from 'prom-client'
import { logsRequest, logTree } from '../logs.ts'
import { metricsRequest, metricTrees } from '../pushed-metrics.ts'
import { childContext, spanTree, tracesRequest } from '../spans.ts'
import type { Signal } from './messages.ts'
import { requests } from './messages.ts'
import { readOfficially } from './official.suite.ts'
import { encodeProtobuf } from './protobuf.ts'
import type { Tree } from './tree.ts'

const sender = { resource: { 'service.name': 'dayfly', 'host.name': 'höst' }, version: '1.2.3' }

/** Without what is undefined, and without empty lists, which nobody can tell from none. */
const plain = (tree: Tree): unknown =>
  JSON.parse(JSON.stringify(tree, (_name, value: unknown) => (Array.isArray(value) && value.length === 0 ? undefined : value)))
const survives = (signal: Signal, tree: Tree): void => assert.deepEqual(readOfficially(signal, encodeProtobuf(requests[signal], tree)), plain(tree))

test('spans are what the official definitions read', () => {
  const parent = { ...childContext(undefined), state: 'vendor=value' }
  const context = childContext(parent)
  const attributes = { text: 'ä', yes: true, no: false, whole: -7, part: 0.5, list: ['a', 'b'], nothing: undefined }
  const span = { context, parent, name: 'start', kind: 'server', began: 1.25, ended: 2.5, attributes, failure: 'it broke' } as const
  survives('traces', tracesRequest(sender)([spanTree(span), spanTree({ ...span, parent: undefined, failure: undefined, attributes: {} })]))
})

test('metrics are what the official definitions read, and the numbers of the registry', async () => {
  const registry = new Registry()
  const registers = [registry]
  new Counter({ name: 'c_total', help: 'counted', labelNames: ['cause'], registers }).inc({ cause: 'ttl' }, 3)
  new Gauge({ name: 'g_bytes', help: 'gauged', registers }).set(-1.5)
  const histogram = new Histogram({ name: 'h_seconds', help: 'observed', labelNames: ['start'], buckets: [0.1, 1], registers })
  for (const value of [0.05, 0.5, 0.6, 7]) histogram.observe({ start: 'cold' }, value)
  const trees = await metricTrees(registry, 1000, 2000)
  survives('metrics', metricsRequest(sender)(trees))
  const [c, g, h] = JSON.parse(JSON.stringify(trees))
  assert.equal(c.sum.dataPoints[0].asDouble, 3)
  assert.equal(c.sum.isMonotonic, true)
  assert.equal(g.gauge.dataPoints[0].asDouble, -1.5)
  assert.equal(g.unit, 'By')
  const [point] = h.histogram.dataPoints
  assert.deepEqual(point.bucketCounts, ['1', '2', '1'])
  assert.deepEqual(point.explicitBounds, [0.1, 1])
  assert.equal(point.count, '4')
  assert.equal(h.unit, 's')
})

test('log records are what the official definitions read', () => {
  const fields = { error: new Error('no room'), count: 3, nested: { a: [1n] }, missing: undefined }
  survives(
    'logs',
    logsRequest(sender)([logTree('warn', 'a text', fields, 1_700_000_000_123, childContext(undefined)), logTree('error', '', {}, 0, undefined)]),
  )
})

test('a field that OTLP does not have is refused', () => {
  assert.throws(() => encodeProtobuf(requests.traces, { resourceSpan: [] }), { code: 'internal' })
})

test('lengths of any size are written as they are read', () => {
  for (const size of [0, 1, 100, 126, 127, 128, 129, 4000, 4090, 4096, 8192, 16_383, 16_384, 100_000, 3_000_000]) {
    const fields = { text: 'x'.repeat(Math.min(size, 4000)) }
    const many = Array.from({ length: Math.ceil(size / 4000) }, (_, n) => logTree('info', `${n}`, fields, n, undefined))
    survives('logs', logsRequest(sender)([logTree('info', 'y'.repeat(Math.min(size, 4000)), fields, size, undefined), ...many]))
  }
})
