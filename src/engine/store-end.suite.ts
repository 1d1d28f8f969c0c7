/** What every store passes of what is kept below a record: signatures, and sums of what was used. Part of store.suite.ts. */
import assert from 'node:assert/strict'
import { describe } from 'node:test'
import { DayflyError } from '../base/errors.ts'
import { given } from '../base/given.ts'
import type { Environment } from '../model/environment.ts'
import { dayfly } from '../model/event.ts'
import type { Instance } from '../model/instance.ts'
import type { Signature } from '../model/seal.ts'
import type { InstanceUsage } from '../model/usage.ts'
import type { Store } from './store.ts'

type Check = (what: string, body: (store: Store, reopen: () => Store) => void) => void

const signature = (environment: string): Signature => ({ environment, keyId: 'k', envelope: '{"payload":"ü"}', signedAt: 7 })

const used = (cpuSeconds: number, memoryGiBSeconds: number, more: Partial<InstanceUsage> = {}): InstanceUsage => ({
  ...{ cpuSeconds, memoryGiBSeconds, peak: 1, sent: 10, received: 20, lifetime: 1000, samples: 2, idle: 500, idleGiBSeconds: memoryGiBSeconds / 2 },
  ...more,
})

export interface Examples {
  environment(name: string, change?: Partial<Environment>): Environment
  instance(environment: string, change?: Partial<Instance>): Instance
}

export const recordEndSuite = (check: Check, example: Examples): void => {
  const ended = (store: Store, name: string, change: Partial<Environment> = {}, labels: Environment['spec']['labels'] = {}): Environment => {
    const made = example.environment(name, change)
    const environment = { ...made, spec: { ...made.spec, labels, owner: change.reason ?? 'somebody' } }
    store.putEnvironment(environment)
    return environment
  }

  /** An instance that has ended at `endedAt` (wall ms), and what its record says that it used. */
  const spend = (store: Store, environment: Environment, endedAt: number, data: InstanceUsage): string => {
    const exit = { ...{ code: 0, oom: false, cause: 'exit' as const }, endedAt, droppedBytes: 0, droppedLines: 0 }
    const instance = example.instance(environment.id, { state: 'removed', exit })
    store.putInstance(instance)
    store.append({
      environment: environment.id,
      instance: instance.id,
      type: 'instance.used',
      actor: dayfly,
      reason: 'it has ended',
      data: given(data),
    })
    return instance.id
  }

  describe('signatures', () => {
    check('are of sealed records, once, and those without one are found', (store, reopen) => {
      const [one, two, three] = ['one', 'two', 'three'].map(name => ended(store, name))
      assert.ok(one && two && three)
      for (const { id } of [one, two, three]) store.append({ environment: id, type: 'x', actor: dayfly, reason: '', data: {} })
      assert.throws(
        () => store.signatures.sign(signature(one.id)),
        (error: unknown) => error instanceof DayflyError && error.code === 'wrong_state',
      )
      for (const { id } of [one, two]) store.seal(id, dayfly)
      assert.deepEqual(store.signatures.unsigned(10), [one.id, two.id].sort())
      assert.equal(store.signatures.unsigned(1).length, 1)
      store.signatures.sign(signature(one.id))
      store.signatures.sign({ ...signature(one.id), envelope: 'another' })
      const again = reopen()
      assert.deepEqual(again.signatures.unsigned(10), [two.id])
      assert.deepEqual(again.signatures.of(one.id), signature(one.id))
      assert.equal(again.signatures.of(two.id), undefined)
      again.putEnvironment({ ...one, state: 'ended', endedAt: 1 })
      again.purge(one.id)
      assert.equal(again.signatures.of(one.id), undefined, 'it goes with the record')
    })

    check('have keys that are never forgotten, the newest first', (store, reopen) => {
      store.signatures.putKey({ id: 'a', publicKey: 'A', madeAt: 1 })
      store.signatures.putKey({ id: 'b', publicKey: 'B', madeAt: 2 })
      store.signatures.putKey({ id: 'a', publicKey: 'other', madeAt: 3 })
      assert.deepEqual(reopen().signatures.keys(), [
        { id: 'b', publicKey: 'B', madeAt: 2 },
        { id: 'a', publicKey: 'A', madeAt: 1 },
      ])
    })
  })

  describe('what was used', () => {
    const day = 86_400_000
    const question = { forgottenFor: day, limit: 10 }

    check('is summed up by owner, environment, image, label and day', store => {
      const shop = ended(store, 'shop', { reason: 'anna' }, { team: 'blue', 'a.b/c': 'x' })
      const job = ended(store, 'job', { reason: 'ben' })
      spend(store, shop, day, used(1, 2))
      spend(store, shop, 2 * day, used(3, 4))
      const last = spend(store, job, 2 * day + 1, used(5, 1))
      const keysBy = (by: 'owner' | 'environment' | 'image' | 'day') =>
        store.usage.sums({ by, ...question }).rows.map(({ key, name, memoryGiBSeconds, instances }) => [key, name, memoryGiBSeconds, instances])
      assert.deepEqual(keysBy('owner'), [
        ['anna', '', 6, 2],
        ['ben', '', 1, 1],
      ])
      assert.deepEqual(keysBy('environment'), [
        [shop.id, 'shop', 6, 2],
        [job.id, 'job', 1, 1],
      ])
      assert.deepEqual(keysBy('image'), [[`sha256:${'a'.repeat(64)}`, 'example', 7, 3]])
      assert.deepEqual(keysBy('day'), [
        ['1970-01-02', '', 2, 1],
        ['1970-01-03', '', 5, 2],
      ])
      const labelled = store.usage.sums({ by: 'label', label: 'a.b/c', ...question })
      assert.deepEqual(
        labelled.rows.map(({ key, cpuSeconds }) => [key, cpuSeconds]),
        [
          ['x', 4],
          ['', 5],
        ],
      )
      const { total } = store.usage.sums({ by: 'owner', ...question, limit: 1 })
      assert.deepEqual([total.cpuSeconds, total.memoryGiBSeconds, total.sent, total.received, total.environments], [9, 7, 30, 60, 2])
      assert.deepEqual([total.idle, total.idleGiBSeconds], [1500, 3.5])
      const late = store.usage.sums({ by: 'owner', ...question, since: 2 * day, until: 2 * day + 1 })
      assert.deepEqual(
        late.rows.map(({ key, cpuSeconds }) => [key, cpuSeconds]),
        [['anna', 3]],
      )
      assert.deepEqual([...store.usage.of(job.id)], [[last, used(5, 1)]])
    })

    check('is nothing where nothing was, and what an entry does not say right is left out', store => {
      assert.deepEqual(store.usage.sums({ by: 'owner', ...question }).rows, [])
      assert.equal(store.usage.sums({ by: 'owner', ...question }).total.cpuSeconds, 0)
      const shop = ended(store, 'shop')
      const instance = example.instance(shop.id)
      store.putInstance(instance)
      for (const data of [{}, { cpuSeconds: 'many' }]) {
        store.append({ environment: shop.id, instance: instance.id, type: 'instance.used', actor: dayfly, reason: '', data })
      }
      assert.equal(store.usage.of(shop.id).size, 0)
      assert.equal(store.verify(shop.id), undefined)
    })

    check('counts what a lease saved: what was held, until somebody would have noticed', store => {
      const shop = ended(store, 'shop')
      const GiB = 1024 ** 3
      // Active last at 10,000 and ended at 40,000: with 60 s until it is noticed, 30 s were saved.
      spend(store, shop, 40_000, used(1, 2, { held: 2 * GiB, lastActivity: 10_000 }))
      spend(store, shop, 90_000, used(1, 2, { held: GiB, lastActivity: 10_000 }))
      spend(store, shop, 40_000, used(1, 2))
      const { total } = store.usage.sums({ by: 'owner', ...question, forgottenFor: 60_000 })
      assert.equal(total.savedGiBSeconds, 60)
    })

    check('goes with the record', store => {
      const shop = ended(store, 'shop')
      spend(store, shop, 5, used(1, 2))
      store.seal(shop.id, dayfly)
      store.putEnvironment({ ...shop, state: 'ended', endedAt: 1 })
      store.purge(shop.id)
      assert.equal(store.usage.sums({ by: 'owner', ...question }).total.instances, 0)
    })
  })
}
