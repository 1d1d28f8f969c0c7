import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { createStock } from './ready.ts'

const counting = (wanted: () => number, failAt = Number.POSITIVE_INFINITY) => {
  const made: number[] = []
  const disposed: number[] = []
  const failures: unknown[] = []
  const stock = createStock<number>({
    make: async () => {
      if (made.length + failures.length + 1 === failAt) throw new Error('no')
      made.push(made.length)
      return made.length - 1
    },
    dispose: async item => {
      disposed.push(item)
    },
    wanted,
    quiet: 1,
    failed: error => failures.push(error),
  })
  return { stock, made, disposed, failures }
}

/** Waits, boundedly, for what happens after a quiet time. */
const until = async (condition: () => boolean): Promise<void> => {
  for (let tries = 0; !condition(); tries++) {
    assert.ok(tries < 2000, 'it never came true')
    await sleep(1)
  }
}

test('it makes what is wanted, hands out the oldest first, and fills up again', async () => {
  const { stock, made } = counting(() => 3)
  assert.equal(stock.take(), undefined)
  await until(() => stock.size === 3)
  assert.equal(stock.take(), 0)
  assert.equal(stock.take(), 1)
  await until(() => stock.size === 3)
  assert.equal(made.length, 5)
  await stock.close()
})

test('it disposes of what is too many, and of everything at its close', async () => {
  let wanted = 4
  const { stock, disposed, made } = counting(() => wanted)
  stock.adjust()
  await stock.settled()
  wanted = 1
  stock.adjust()
  await stock.settled()
  assert.deepEqual(disposed, [0, 1, 2])
  await stock.close()
  assert.deepEqual(disposed, [0, 1, 2, 3])
  stock.adjust()
  assert.equal(stock.take(), undefined)
  await stock.settled()
  assert.equal(made.length, 4)
})

test('a failed making is told, and the next take tries again', async () => {
  const { stock, failures } = counting(() => 2, 2)
  stock.adjust()
  await stock.settled()
  assert.equal(stock.size, 1)
  assert.equal(failures.length, 1)
  stock.take()
  await until(() => stock.size === 2)
  await stock.close()
})
