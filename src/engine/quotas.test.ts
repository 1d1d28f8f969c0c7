import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { never, noSecrets, openWorld, user } from '../../test/engine/world.ts'
import { settle } from '../backends/fake/clock.ts'
import { fakeWorkload } from '../backends/fake/workload.ts'
import { DayflyError } from '../base/errors.ts'
import { noRestart } from '../model/deployment.ts'
import type { WorkloadSpec } from '../model/workload.ts'
import type { Script } from './backend.suite.ts'
import type { Quota, Quotas } from './quotas.ts'
import { createQuotas } from './quotas.ts'

const forever: Script = [{ on: 'SIGTERM', exit: 0 }, { sleep: 1e9 }]
const gigabyte = 1024 ** 3

const worldWith = async (each: Quota, more: { reserve?: number; available?: () => number } = {}) => {
  let quotas: Quotas | undefined
  const proxy: Quotas = {
    admitEnvironment: spec => quotas?.admitEnvironment(spec),
    refuseInstance: (owner, workload) => quotas?.refuseInstance(owner, workload),
  }
  const world = await openWorld({ engine: { quotas: proxy } })
  const { reserve = 0, available = () => 100 * gigabyte } = more
  quotas = createQuotas({ each, owners: { rich: {} }, reserve, available }, world.store, world.clock)
  return world
}
const exhausted = (message: RegExp) => (error: unknown) => error instanceof DayflyError && error.code === 'exhausted' && message.test(error.message)

describe('quotas', () => {
  it('refuse what is over, naming what and how much, and leave nothing', async () => {
    for (const [quota, message] of [
      [{ environments: 1 }, /tester has 1 environments and may have 1 environments; this takes 1 environments more/],
      [{ instances: 1 }, /has 1 instances and may have 1/],
      [{ cpus: 1.5 }, /has 1 CPUs and may have 1.5 CPUs; this takes 1 CPUs more/],
      [{ memory: 600 * 1024 * 1024 }, /has 512 ?MiB of memory/],
      [{ startsPerMinute: 1 }, /1 starts a minute/],
    ] as const) {
      await using world = await worldWith(quota)
      const { id } = await world.run(forever)
      await assert.rejects(world.run(forever), exhausted(message))
      assert.equal(world.store.environments().length, 1)
      await world.run(forever, { owner: 'rich' })
      await world.engine.end(id, 'requested', 'enough', user, true, never())
      await world.advance(60_000)
      await world.run(forever)
    }
  })

  it('keep memory for the host', async () => {
    let available = 2 * gigabyte
    await using world = await worldWith({}, { reserve: gigabyte, available: () => available })
    await world.run(forever)
    available = gigabyte
    await assert.rejects(world.run(forever), exhausted(/keeps 1 ?GiB for itself/))
  })

  it('make instances wait that there is no room for, and say so', async () => {
    await using world = await worldWith({ instances: 3 })
    const { id } = await world.run(forever)
    const deployment: WorkloadSpec['deployment'] = {
      ...{ scale: { min: 1, max: 5, target: { concurrency: 1 }, window: 0 }, restart: noRestart, dependsOn: {}, networks: {}, expose: [] },
      update: { order: 'start-first', parallelism: 1 },
    }
    const workloads = { web: fakeWorkload(forever, { kind: 'service', deployment }) }
    const lease = { ttl: 1e8, idle: 1e8, retention: 1e8 }
    const { environment } = await world.engine.up(
      { name: 'shop', owner: 'tester', labels: {}, lease, workloads },
      noSecrets,
      new Map(),
      user,
      never(),
    )
    world.engine.scale(environment.id, 'web', 4)
    await settle()
    const status = () => world.engine.workloads(environment.id)[0]
    assert.equal(status()?.ready, 2)
    assert.match(status()?.reason ?? '', /tester has 3 instances and may have 3/)
    await world.engine.end(id, 'requested', 'enough', user, true, never())
    await world.advance(1000)
    assert.equal(status()?.ready, 3)
  })
})
