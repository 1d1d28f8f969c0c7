import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createScaling } from './scaling.ts'

const idle = { requests: 0, cpu: 0 }

describe('scaling', () => {
  it('goes up at once and down when demand was low for a whole window', () => {
    const { observe } = createScaling({ min: 0, max: 20, target: { concurrency: 10 }, window: 1000 })
    assert.equal(observe(idle, 0), 0)
    assert.equal(observe({ requests: 1, cpu: 0 }, 100), 1)
    assert.equal(observe({ requests: 95, cpu: 0 }, 200), 10)
    assert.equal(observe({ requests: 1000, cpu: 0 }, 300), 20)
    assert.equal(observe({ requests: 30, cpu: 0 }, 400), 20)
    assert.equal(observe(idle, 1299), 20)
    assert.equal(observe(idle, 1300), 3, 'the highest within the window')
    assert.equal(observe(idle, 1400), 0)
  })

  it('keeps within its bounds, and to the number without a target', () => {
    assert.equal(createScaling({ min: 2, max: 5, target: { concurrency: 1 }, window: 0 }).observe(idle, 0), 2)
    assert.equal(createScaling({ min: 3, max: 3, window: 0 }).observe({ requests: 99, cpu: 900 }, 0), 3)
  })

  it('goes by the processor where the target says so', () => {
    const { observe } = createScaling({ min: 1, max: 8, target: { cpu: 50 }, window: 100 })
    assert.equal(observe({ requests: 500, cpu: 40 }, 0), 1)
    assert.equal(observe({ requests: 0, cpu: 180 }, 10), 4)
  })

  it('remembers no more than it needs', () => {
    const { observe } = createScaling({ min: 0, max: 9, target: { concurrency: 1 }, window: 1_000_000 })
    for (let now = 0; now < 1000; now++) observe({ requests: now % 10, cpu: 0 }, now)
    assert.equal(observe(idle, 1001), 9)
  })
})
