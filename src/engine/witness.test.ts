import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { never, noSecrets, openWorld, user } from '../../test/engine/world.ts'
import { dayfly } from '../model/event.ts'
import type { Testimony, Witness } from './witness.ts'

const forever = [{ on: 'SIGTERM', exit: 0 }, { sleep: 1e9 }] as const

/** One that writes down what it is asked. */
const listening = (testimonies: readonly Testimony[] = []): { witness: Witness; asked: string[] } => {
  const asked: string[] = []
  return {
    asked,
    witness: {
      introduce: ({ id }, instance, secrets) => void asked.push(`introduce ${id} ${instance.id} ${[...secrets.keys()].join()}`.trim()),
      settle: async environment => {
        asked.push(`settle ${environment}`)
        return testimonies
      },
      sealed: environment => void asked.push(`sealed ${environment}`),
      purge: environment => void asked.push(`purge ${environment}`),
    },
  }
}
const kept: Testimony = { instance: undefined, type: 'activity.kept', reason: 'kept', data: { blocks: 1, entries: 2, hash: 'x' } }

describe('a witness', () => {
  it('knows an instance before that is created, with its secrets, and what it says at the end is before the seal', async () => {
    const { witness, asked } = listening([kept])
    let known: boolean | undefined
    await using world = await openWorld({
      engine: { witness },
      fake: {
        fault: operation => {
          if (operation === 'create') known = asked.length === 1
          return undefined
        },
      },
    })
    const spec = world.spec(forever, {}, { secrets: ['password'] })
    const secrets = new Map([['main', new Map([['password', Buffer.from('tiger')]])]])
    const { environment, instances } = await world.engine.run(spec, secrets, user, never())
    assert.equal(known, true)
    assert.deepEqual(asked, [`introduce ${environment.id} ${instances[0]?.id} password`])
    await world.engine.end(environment.id, 'requested', 'enough', user, false, never())
    assert.deepEqual(asked.slice(1), [`settle ${environment.id}`, `sealed ${environment.id}`])
    const types = world.types(environment.id)
    assert.ok(types.indexOf('instance.removed') < types.indexOf('activity.kept'))
    assert.deepEqual(types.slice(-3), ['activity.kept', 'environment.ended', 'record.sealed'])
    await world.assertGone(environment.id)
  })

  it('is asked again while the record cannot be closed, and what it says is written once', async () => {
    const { witness, asked } = listening([kept])
    await using world = await openWorld({ engine: { witness } })
    const { id } = await world.run(forever)
    const settle = witness.settle
    Object.assign(witness, {
      settle: async (environment: string) => {
        world.full(asked.every(word => !word.startsWith('settle')))
        return await settle(environment)
      },
    })
    const ending = world.engine.end(id, 'requested', 'enough', user, true, never())
    await assert.rejects(ending, /full/)
    world.full(false)
    await world.advance(120_000)
    await world.engine.ended(id, never())
    assert.ok(asked.filter(word => word.startsWith('settle')).length >= 2)
    assert.equal(world.types(id).filter(type => type === 'activity.kept').length, 1)
    await world.assertGone(id)
  })

  it('is told again of what lives when the daemon was restarted, secrets included', async () => {
    await using world = await openWorld({ engine: { witness: listening().witness } })
    const { id, instance } = await world.run(forever)
    const { witness, asked } = listening()
    await world.restart({ engine: { witness } })
    assert.deepEqual(asked, [`introduce ${id} ${instance}`])
    await world.engine.end(id, 'requested', 'enough', user, true, never())
    assert.deepEqual(asked.slice(1), [`settle ${id}`, `sealed ${id}`])
  })

  it('may say something while an environment lives, and not after its seal', async () => {
    await using world = await openWorld()
    const { environment } = await world.engine.run(world.spec(forever), noSecrets, user, never())
    world.engine.testify(environment.id, { instance: undefined, type: 'sensor.absent', reason: 'no reason', data: {} })
    const said = world.store.events({ environment: environment.id }).at(-1)
    assert.deepEqual([said?.type, said?.reason, said?.actor], ['sensor.absent', 'no reason', dayfly])
    await world.engine.end(environment.id, 'requested', 'enough', user, true, never())
    world.engine.testify(environment.id, { instance: undefined, type: 'sensor.absent', reason: 'too late', data: {} })
    await world.assertGone(environment.id)
  })
})
