import assert from 'node:assert/strict'
import { it } from 'node:test'
import { createQuestionFlow } from './question-flow.ts'

it('tells so many questions of an instance, counts the others, and leaves other instances alone', () => {
  let now = 0
  const flow = createQuestionFlow(() => now)
  const admitted = (instance: string, count: number): number => Array.from({ length: count }, () => flow.admit(instance)).filter(Boolean).length
  assert.equal(admitted('a', 5_000), 1_000)
  assert.equal(admitted('b', 10), 10)
  now += 1_000
  assert.equal(admitted('a', 5_000), 100)
  now += 3_600_000
  assert.equal(admitted('a', 5_000), 1_000)
  assert.deepEqual([flow.forget('a'), flow.forget('b'), flow.forget('a')], [12_900, 0, 0])
  assert.equal(admitted('a', 1), 1)
})
