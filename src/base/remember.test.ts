import assert from 'node:assert/strict'
import { test } from 'node:test'
import { remember } from './remember.ts'

test('never holds more than it may, and forgets the oldest first', () => {
  const known = new Map<string, number>()
  for (const [value, key] of [...'abcd'].entries()) remember(known, key, value, 3)
  assert.deepEqual([...known.keys()], ['b', 'c', 'd'])
  remember(known, 'b', 7, 3)
  assert.deepEqual(
    [...known],
    [
      ['c', 2],
      ['d', 3],
      ['b', 7],
    ],
  )
  remember(known, 'e', 8, 3)
  assert.deepEqual([...known.keys()], ['d', 'b', 'e'])
})
