import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { childContext, parseTraceparent } from './spans.ts'

const traceId = '0af7651916cd43dd8448eb211c80319c'
const spanId = 'b7ad6b7169203331'

test('a traceparent of the standard is taken up', () => {
  assert.deepEqual(parseTraceparent(`00-${traceId}-${spanId}-01`, 'a=b'), { traceId, spanId, sampled: true, state: 'a=b' })
  assert.equal(parseTraceparent(`00-${traceId}-${spanId}-00`)?.sampled, false)
  assert.equal(parseTraceparent(`cc-${traceId}-${spanId}-01-what-comes-later`)?.traceId, traceId)
})

test('what is none begins a trace of its own', () => {
  const wrong = [
    ...[undefined, '', 'x', `00-${traceId}-${spanId}`, `ff-${traceId}-${spanId}-01`, `00-${traceId}-${spanId}-01-more`],
    ...[`00-${'0'.repeat(32)}-${spanId}-01`, `00-${traceId}-${'0'.repeat(16)}-01`, `00-${traceId.toUpperCase()}-${spanId}-01`],
  ]
  for (const header of wrong) assert.equal(parseTraceparent(header), undefined, String(header))
})

test('any text is taken or refused, never worse', () => {
  fc.assert(fc.property(fc.string(), fc.string(), (header, state) => void parseTraceparent(header, state)))
})

test('a child is in the trace of its parent, and of nobody else', () => {
  const root = childContext(undefined)
  const child = childContext(root)
  assert.match(root.traceId, /^[0-9a-f]{32}$/)
  assert.match(child.spanId, /^[0-9a-f]{16}$/)
  assert.equal(child.traceId, root.traceId)
  assert.notEqual(child.spanId, root.spanId)
  assert.equal(childContext({ ...root, sampled: false }).sampled, false)
  assert.equal(new Set(Array.from({ length: 1000 }, () => childContext(undefined).traceId)).size, 1000)
})
