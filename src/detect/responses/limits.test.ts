import assert from 'node:assert/strict'
import { test } from 'node:test'
import { once, rateLimit, sharedLimit } from './limits.ts'

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

const rates = {
  ...{ own: { count: 2, per: 1000 }, environment: { count: 3, per: 1000 }, all: { count: 4, per: 1000 } },
  reserve: { environment: { count: 1, per: 1000 }, all: { count: 2, per: 1000 } },
}
const asker = (instance: string, environment: string, critical = false) => ({ instance, environment, critical })

test('what is refused of one takes nothing from the others', () => {
  const passes = sharedLimit(rates)
  const noisy = Array.from({ length: 100 }, () => passes(asker('a1', 'a'), 0))
  assert.equal(noisy.filter(Boolean).length, 2, 'its own share')
  assert.deepEqual([passes(asker('a2', 'a'), 0), passes(asker('a2', 'a'), 0)], [true, false], 'that of its environment')
  assert.deepEqual([passes(asker('b1', 'b'), 0), passes(asker('b1', 'b'), 0)], [true, false], 'that of all')
})

test('what is critical has a reserve, of which one environment cannot take all', () => {
  const passes = sharedLimit(rates)
  for (let one = 0; one < 100; one++) passes(asker(`a${one}`, one % 2 === 0 ? 'a' : 'b'), 0)
  assert.deepEqual([passes(asker('c1', 'c'), 0), passes(asker('c1', 'c', true), 0)], [false, true])
  assert.deepEqual([passes(asker('c2', 'c', true), 0), passes(asker('d1', 'd', true), 0), passes(asker('e1', 'e', true), 0)], [false, true, false])
  assert.equal(passes(asker('c1', 'c'), 1000), true)
})
