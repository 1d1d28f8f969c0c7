import assert from 'node:assert/strict'
import { test } from 'node:test'
import { trackDemand } from './demand.ts'

test('the peak is the busiest burst, not the sum', () => {
  const demand = trackDemand(1000, 60_000)
  for (const at of [0, 10, 20, 5000, 5001]) demand.took(at)
  assert.equal(demand.peak(6000), 3)
  assert.equal(demand.recent(6000), 5)
})

test('bursts are forgotten when they are older than the memory', () => {
  const demand = trackDemand(1000, 60_000)
  for (const at of [0, 1, 2, 30_000]) demand.took(at)
  assert.equal(demand.peak(61_000), 1)
  assert.equal(demand.recent(61_000), 1)
  assert.equal(demand.peak(200_000), 0)
})
