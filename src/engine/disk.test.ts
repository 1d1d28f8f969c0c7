import assert from 'node:assert/strict'
import { test } from 'node:test'
import { manualClock } from '../backends/fake/clock.ts'
import { createLog } from '../base/log.ts'
import { openStore } from '../store/sqlite.ts'
import { createDiskMeter } from './disk.ts'
import { exampleEnvironment } from './store.suite.ts'
import type { Store } from './store.ts'

const put = (store: Store, name: string, owner: string): string => {
  const made = exampleEnvironment(name)
  store.putEnvironment({ ...made, spec: { ...made.spec, owner } })
  return made.id
}

test('what owners occupy is counted now and then, the small first, and only for those to whom it matters', async () => {
  const clock = manualClock()
  using store = openStore({ path: ':memory:', clock })
  const lines: string[] = []
  const log = createLog({ write: line => lines.push(line), level: 'debug', json: true })
  const [a, b, c] = [put(store, 'a', 'one'), put(store, 'b', 'one'), put(store, 'c', 'other')]
  put(store, 'd', 'free')
  let sizes: Record<string, number> = { [a]: 300, [b]: 20, [c]: 1 }
  const asked: (readonly string[])[] = []
  let takes = 0
  const backend = {
    disk: async (environments: readonly string[]) => {
      asked.push(environments)
      await clock.advance(takes)
      return new Map(Object.entries(sizes))
    },
  }
  using meter = createDiskMeter({ backend, store, clock, log, counts: holder => holder !== 'free' && !holder.startsWith('team:') })
  assert.equal(meter.of('one'), 0)
  await Promise.all([meter.look(), meter.look()])
  assert.equal(asked.length, 1, 'one at a time')
  assert.deepEqual([meter.of('one'), meter.of('other'), meter.of('free')], [320, 1, 0])

  takes = 100
  sizes = { [b]: 30, [c]: 2 }
  await meter.look()
  assert.deepEqual(asked.slice(1), [[c, b, a], [a]], 'what was not counted has the whole time for itself')
  assert.deepEqual([meter.of('one'), meter.of('other')], [Number.POSITIVE_INFINITY, 2], 'what was not counted in time is too much')
  await meter.look()
  assert.equal(asked.length, 3, 'it has taken its share of the time')
  await clock.advance(4000)
  const ended = store.environment(a)
  assert.ok(ended)
  store.putEnvironment({ ...ended, state: 'ended', endedAt: 1 })
  await meter.look()
  assert.equal(meter.of('one'), 30)

  meter.forget(b)
  assert.equal(meter.of('one'), 0)
  await clock.advance(4000)
  await meter.look()

  backend.disk = async () => {
    throw new Error('du is not there')
  }
  await clock.advance(4000)
  await meter.look()
  assert.equal(meter.of('one'), 30, 'what was known stays')
  assert.match(lines.join(), /du is not there/)
})

test('what takes too long to count is too much for its owner, and takes nothing from anybody else', async () => {
  const clock = manualClock()
  using store = openStore({ path: ':memory:', clock })
  const log = createLog({ write: () => {}, level: 'debug', json: true })
  const [big, ...small] = ['big', 'one', 'two', 'three'].map(name => put(store, name, name))
  const order: (readonly string[])[] = []
  let grown = false
  // As `du` does it: one after another, until the time is over, and never done with the big one.
  const backend = {
    disk: async (environments: readonly string[], signal: AbortSignal) => {
      order.push(environments)
      const counted = new Map<string, number>()
      for (const id of environments) {
        if (id === big && grown) {
          await new Promise(resolve => signal.addEventListener('abort', resolve, { once: true }))
          break
        }
        counted.set(id, id === big ? 1 : 10)
      }
      return counted
    },
  }
  using meter = createDiskMeter({ backend, store, clock, log, counts: () => true, patience: 20 })
  await meter.look()
  assert.deepEqual(['big', 'one', 'two', 'three'].map(meter.of), [1, 10, 10, 10])
  grown = true
  await clock.advance(10_000)
  await meter.look()
  assert.equal(order.at(1)?.[0], big, 'it was the smallest')
  assert.deepEqual(['big', 'one', 'two', 'three'].map(meter.of), [Number.POSITIVE_INFINITY, 10, 10, 10])
  order.length = 0
  await clock.advance(10_000)
  await meter.look()
  assert.deepEqual(order[0]?.toSorted(), [big ?? '', ...small].toSorted())
  assert.equal(order[0]?.at(-1), big, 'and last by now')
})

test('what ends while it is counted occupies nothing', async () => {
  const clock = manualClock()
  using store = openStore({ path: ':memory:', clock })
  const log = createLog({ write: () => {}, level: 'debug', json: true })
  const id = put(store, 'a', 'one')
  const backend = {
    disk: async () => {
      meter.forget(id)
      return new Map([[id, 10]])
    },
  }
  using meter = createDiskMeter({ backend, store, clock, log, counts: () => true })
  await meter.look()
  assert.equal(meter.of('one'), 0)
})
