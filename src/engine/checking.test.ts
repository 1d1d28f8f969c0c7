/** Health checks that change under instances that go on. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { forever, ids, ill, inWorld, live, noSeeds, scale, service, spec, up, well } from '../../test/engine/supervised.ts'
import type { World } from '../../test/engine/world.ts'
import { never, noSecrets, user } from '../../test/engine/world.ts'
import { commandOf } from '../backends/fake/process.ts'
import type { HealthCheck } from '../model/deployment.ts'

/** Still well, but another check; it takes its time. */
const slower: HealthCheck = { ...well, command: commandOf([{ sleep: 100 }, { exit: 0 }]), retries: 2 }
const three = (health?: HealthCheck, change: { env?: Record<string, string> } = {}) =>
  spec({ web: service(forever, { scale: scale(3), ...(health ? { health } : {}) }, change) })

const named = (world: World, id: string): readonly string[] => world.kernel.names.get(id)?.find(({ name }) => name === 'web')?.instances ?? []
const healths = (world: World, id: string): string[] => (world.engine.workloads(id)[0]?.instances ?? []).map(({ health }) => health)

/** Runs the clock and tells the fewest instances that were to be found meanwhile. */
const fewest = async (world: World, id: string, ms: number): Promise<number> => {
  let least = Number.POSITIVE_INFINITY
  for (let passed = 0; passed < ms; passed += 20) {
    least = Math.min(least, named(world, id).length)
    await world.advance(20)
  }
  return least
}

describe('a health check that is changed', () => {
  for (const [what, first] of [
    ['another one', well],
    ['one where there was none', undefined],
  ] as const) {
    it(
      `(${what}) takes nobody out of the names who is well by it, and no instance is replaced`,
      inWorld(async world => {
        const id = await up(world, three(first))
        await world.advance(2000)
        const before = ids(live(world, id, 'web'))
        const { changes } = await world.engine.up(three(slower), noSecrets, noSeeds, user, never())
        assert.equal(changes[0]?.effect, 'kept')
        assert.equal(await fewest(world, id, 10_000), 3)
        assert.deepEqual(ids(live(world, id, 'web')), before)
        assert.deepEqual(healths(world, id), ['healthy', 'healthy', 'healthy'])
      }),
    )

    it(
      `(${what}) that is wrong takes one of them, not all; a right one brings it back`,
      inWorld(async world => {
        const id = await up(world, three(first))
        await world.advance(2000)
        await up(world, three(ill))
        assert.equal(await fewest(world, id, 30_000), 2)
        assert.equal(healths(world, id).filter(health => health === 'unhealthy').length, 1)
        assert.equal(world.engine.workloads(id)[0]?.state, 'starting')
        await up(world, three(slower))
        assert.equal(await fewest(world, id, 10_000), 2)
        assert.deepEqual(healths(world, id), ['healthy', 'healthy', 'healthy'])
      }),
    )
  }

  it(
    'to what works is asked at once of all who are not well',
    inWorld(async world => {
      const id = await up(world, three(ill))
      await world.advance(10_000)
      assert.deepEqual(healths(world, id), ['unhealthy', 'unhealthy', 'unhealthy'])
      await up(world, three(well))
      await world.advance(1500)
      assert.deepEqual(healths(world, id), ['healthy', 'healthy', 'healthy'])
    }),
  )

  it(
    'together with what is checked is not asked of those that have a successor',
    inWorld(async world => {
      const id = await up(world, three(well))
      await world.advance(2000)
      // The successor never gets well by it: whoever is there stays, and stays well.
      await up(world, three(ill, { env: { V: '2' } }))
      assert.equal(await fewest(world, id, 30_000), 3)
    }),
  )

  it(
    'that is taken away leaves them where they are',
    inWorld(async world => {
      const id = await up(world, three(well))
      await world.advance(2000)
      await up(world, three())
      assert.equal(await fewest(world, id, 3000), 3)
      assert.deepEqual(healths(world, id), ['none', 'none', 'none'])
    }),
  )
})
