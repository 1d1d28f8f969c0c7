import assert from 'node:assert/strict'
import { test } from 'node:test'
import { systemClock } from '../../base/clock.ts'
import { exampleEnvironment, exampleInstance } from '../../engine/store.suite.ts'
import type { Testimony, Witness } from '../../engine/witness.ts'
import { noWitness } from '../../engine/witness.ts'
import type { EndCause } from '../../model/environment.ts'
import { dayfly } from '../../model/event.ts'
import { openStore } from '../../store/sqlite.ts'
import { recordWitness } from './record-witness.ts'

const GiB = 1024 ** 3
const data = {
  ...{ cpuSeconds: 1, memoryGiBSeconds: 20, peak: 1, sent: 0, received: 0, lifetime: 10_000, samples: 11, idle: 0, idleGiBSeconds: 0 },
}

/** What the record is told of an instance that ended at `endedAt`, in an environment that ended by `cause` and began to end at 50,000. */
const told = async (cause: EndCause, endedAt: number): Promise<{ said: readonly Testimony[]; sealed: number }> => {
  using store = openStore({ path: ':memory:', clock: { ...systemClock(), wall: () => 50_000 } })
  const environment = exampleEnvironment('shop', { state: 'ending', cause, createdAt: 10_000, createdBoot: 1000, lastActivity: 6000 })
  store.putEnvironment(environment)
  const exit = { code: 0, oom: false, cause: 'exit' as const, endedAt, droppedBytes: 0, droppedLines: 0 }
  const instance = exampleInstance(environment.id, { state: 'removed', exit })
  store.putInstance(instance)
  store.append({ environment: environment.id, type: 'environment.ending', actor: dayfly, reason: '', data: { cause } })
  const used: Testimony = { instance: instance.id, type: 'instance.used', reason: '', data }
  const other: Testimony = { instance: undefined, type: 'activity.kept', reason: '', data: {} }
  const inner: Witness = { ...noWitness, settle: async () => [used, other] }
  let sealed = 0
  const witness = recordWitness(inner, { store, onSealed: () => void sealed++ })
  const said = await witness.settle(environment.id)
  witness.sealed(environment.id)
  return { said, sealed }
}

test('of instances that ran until the lease ended them, the record says what they held, and since when nobody used them', async () => {
  for (const cause of ['ttl', 'idle'] as const) {
    const { said, sealed } = await told(cause, 50_001)
    assert.deepEqual(said[0]?.data, { ...data, held: 2 * GiB, lastActivity: 15_000 })
    assert.deepEqual(said[1]?.data, {})
    assert.equal(sealed, 1)
  }
})

test('of those that had ended before, or by something else, it says nothing of a lease', async () => {
  for (const [cause, endedAt] of [
    ['ttl', 49_999],
    ['completed', 50_001],
    ['requested', 50_001],
  ] as const) {
    assert.deepEqual((await told(cause, endedAt)).said[0]?.data, data)
  }
})
