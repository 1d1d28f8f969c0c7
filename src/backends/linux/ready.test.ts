import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { createStock } from './ready.ts'

const counting = (wanted: () => number, failAt = Number.POSITIVE_INFINITY, spoils = new Map<number, PromiseWithResolvers<void>>()) => {
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
    spoiled: item => spoils.get(item)?.promise ?? new Promise(() => {}),
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

test('what spoils while it waits is disposed of and made again; what was taken is its taker’s', async () => {
  const spoils = new Map([0, 1, 2].map(item => [item, Promise.withResolvers<void>()]))
  const { stock, disposed } = counting(() => 2, undefined, spoils)
  stock.adjust()
  await stock.settled()
  assert.equal(stock.take(), 0)
  spoils.get(0)?.resolve()
  spoils.get(1)?.resolve()
  await until(() => disposed.length === 1 && stock.size === 2)
  assert.deepEqual(disposed, [1])
  assert.deepEqual([stock.take(), stock.take()], [2, 3])
  await stock.close()
})

test('its close waits for what is being disposed of', async () => {
  const spoil = Promise.withResolvers<void>()
  const gone = Promise.withResolvers<void>()
  let over = false
  const stock = createStock<number>({
    make: async () => 1,
    dispose: () => gone.promise,
    spoiled: () => spoil.promise,
    wanted: () => 1,
    quiet: 10_000,
    failed: error => assert.fail(String(error)),
  })
  stock.adjust()
  await stock.settled()
  spoil.resolve()
  await until(() => stock.size === 0)
  const closing = stock.close().then(() => {
    over = true
  })
  await sleep(5)
  assert.equal(over, false)
  gone.resolve()
  await closing
})
