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
  using meter = createDiskMeter({ backend, store, clock, log, counts: owner => owner !== 'free' })
  assert.equal(meter.of('one'), 0)
  await Promise.all([meter.look(), meter.look()])
  assert.equal(asked.length, 1, 'one at a time')
  assert.deepEqual([meter.of('one'), meter.of('other'), meter.of('free')], [320, 1, 0])

  takes = 100
  sizes = { [b]: 30, [c]: 2 }
  await meter.look()
  assert.deepEqual(asked.at(-1), [c, b, a])
  assert.deepEqual([meter.of('one'), meter.of('other')], [Number.POSITIVE_INFINITY, 2], 'what was not counted in time is too much')
  await meter.look()
  assert.equal(asked.length, 2, 'it has taken its share of the time')
  await clock.advance(2000)
  const ended = store.environment(a)
  assert.ok(ended)
  store.putEnvironment({ ...ended, state: 'ended', endedAt: 1 })
  await meter.look()
  assert.equal(meter.of('one'), 30)

  meter.forget(b)
  assert.equal(meter.of('one'), 0)
  await clock.advance(2000)
  await meter.look()

  backend.disk = async () => {
    throw new Error('du is not there')
  }
  await clock.advance(2000)
  await meter.look()
  assert.equal(meter.of('one'), 30, 'what was known stays')
  assert.match(lines.join(), /du is not there/)
})
