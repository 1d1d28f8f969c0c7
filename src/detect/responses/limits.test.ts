import assert from 'node:assert/strict'
import { test } from 'node:test'
import { once, rateLimit } from './limits.ts'

test('the first of a key within its window, counted from the first', () => {
  const memory = once(1000)
  assert.deepEqual(
    [memory.first('a', 0), memory.first('a', 999), memory.first('b', 999), memory.first('a', 1000), memory.first('a', 1999)],
    [true, false, true, true, false],
  )
  memory.forget('a')
  assert.equal(memory.first('a', 1999), true)
})

test('of more keys than are remembered, the oldest is the first again', () => {
  const memory = once(1000)
  for (let key = 0; key <= 100_001; key++) assert.equal(memory.first(String(key), 0), true)
  assert.equal(memory.first('100001', 0), false)
  assert.equal(memory.first('0', 0), true)
})

test('a bucket for each key, filled again with time', () => {
  const passes = rateLimit({ count: 2, per: 1000 })
  assert.deepEqual([passes('a', 0), passes('a', 0), passes('a', 0), passes('b', 0)], [true, true, false, true])
  assert.deepEqual([passes('a', 499), passes('a', 500), passes('a', 501)], [false, true, false])
  assert.deepEqual([passes('a', 10_000), passes('a', 10_000), passes('a', 10_000)], [true, true, false])
})
