/** A volume that a change brings is filled exactly once, or again from clean. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { forever, noSeeds, service, spec, up } from '../../test/engine/supervised.ts'
import type { World } from '../../test/engine/world.ts'
import { never, noSecrets, openWorld, user } from '../../test/engine/world.ts'
import type { Operation } from '../backends/fake/fake.ts'
import type { EnvironmentSpec } from '../model/environment.ts'
import type { Seeds } from './engine.ts'

const seeds = (of: Readonly<Record<string, string>>): Seeds =>
  new Map(
    Object.entries(of).map(([volume, text]) => {
      const stream = async function* (): AsyncGenerator<Uint8Array> {
        yield Buffer.from(text)
      }
      return [volume, stream()]
    }),
  )
const withVolumes = (...volumes: string[]): EnvironmentSpec =>
  spec(
    {
      web: service(forever, {}, { mounts: volumes.map(volume => ({ type: 'volume', volume, target: `/${volume}`, readOnly: false, copy: true })) }),
    },
    { volumes },
  )
const content = (world: World, id: string, volume: string): string | undefined =>
  world.kernel.volumes.get(id)?.get(volume)?.toString().replaceAll('\0', '')

/** An update with a seed is cut off in the middle of a call of the backend, or right after it. */
const cutOff = async (world: World, at: { crash: boolean }, change: EnvironmentSpec, filled: Seeds): Promise<void> => {
  const work = world.engine.up(change, noSecrets, filled, user, never())
  if (at.crash) work.catch(() => {})
  else await assert.rejects(work)
  await world.advance(100)
  if (at.crash) await world.restart()
}

const worldWith = async (when: (operation: Operation) => 'crash' | 'fail' | undefined): Promise<World> => {
  let world: World | undefined
  const opened = await openWorld({
    fake: {
      fault: operation => {
        const what = world && when(operation)
        if (what !== 'crash') return what
        world?.crash()
        return undefined
      },
    },
  })
  world = opened
  return opened
}

const end = async (world: World, id: string): Promise<void> => {
  await world.engine.end(id, 'requested', 'enough', user, true, never())
  await world.assertGone(id)
}

describe('a volume of a change that never came about', () => {
  for (const how of ['after it was filled, by kill -9', 'while another one was filled, by an error'] as const) {
    it(`(${how}) is filled again from clean, or empty`, async () => {
      const crash = how.endsWith('kill -9')
      for (const again of ['the same seed', 'another seed', 'no seed', 'no volume, then without a seed'] as const) {
        let armed = false
        let seeded = 0
        await using world = await worldWith(operation => {
          if (!armed || operation !== 'seedVolume') return undefined
          // The second call: one volume has been filled, and nothing of that is in the specification.
          return ++seeded === 2 ? (crash ? 'crash' : 'fail') : undefined
        })
        const id = await up(world, withVolumes('old'))
        await world.advance(1000)
        armed = true
        await cutOff(world, { crash }, withVolumes('old', 'new', 'more'), seeds({ new: 'first', more: 'first' }))
        armed = false
        assert.equal(content(world, id, 'new'), 'first', 'the test has cut it off where it meant to')
        assert.deepEqual(world.store.environment(id)?.spec.volumes, ['old'])
        if (again === 'no volume, then without a seed')
          await up(world, spec({ web: service(forever, {}, { env: { V: '2' } }) }, { volumes: ['old'] }))
        const given = again === 'the same seed' ? 'first' : again === 'another seed' ? 'second' : ''
        await up(world, withVolumes('old', 'new', 'more'), noSecrets, given === '' ? noSeeds : seeds({ new: given, more: given }))
        assert.deepEqual([content(world, id, 'new'), content(world, id, 'more')], [given, given], again)
        await world.advance(2000)
        await end(world, id)
      }
    })
  }

  it('is told from one that was in use before, which keeps what it has', async () => {
    await using world = await openWorld()
    const id = await up(world, withVolumes('data'), noSecrets, seeds({ data: 'first' }))
    await up(world, withVolumes('data', 'more'), noSecrets, seeds({ more: 'second' }))
    await up(world, withVolumes())
    await up(world, withVolumes('data', 'more'))
    assert.deepEqual([content(world, id, 'data'), content(world, id, 'more')], ['first', 'second'])
    await end(world, id)
  })
})
