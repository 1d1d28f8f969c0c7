import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Actor } from '../model/event.ts'
import { createDenialBudget, mostDenials } from './denial-budget.ts'

const ann: Actor = { kind: 'user', name: 'ann' }
const bob: Actor = { kind: 'user', name: 'bob' }

test('each user has so many a minute, and the first of the next minute says how many were not written', () => {
  let now = 5
  const { take } = createDenialBudget(() => now)
  const times = (count: number, actor: Actor): (number | undefined)[] => Array.from({ length: count }, () => take(actor))
  assert.deepEqual(times(mostDenials, ann), Array(mostDenials).fill(0))
  assert.deepEqual(times(3, ann), [undefined, undefined, undefined])
  assert.equal(take(bob), 0)
  now += 59_999
  assert.equal(take(ann), undefined)
  now += 1
  assert.deepEqual(times(2, ann), [4, 0])
  now += 600_000
  assert.deepEqual(times(1, bob), [0])
})
