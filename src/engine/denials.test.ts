import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { openWorld } from '../../test/engine/world.ts'
import { createLog } from '../base/log.ts'
import type { Denied } from './backend.ts'
import { createDenials } from './denials.ts'
import { createLifecycle } from './lifecycle.ts'
import { createNotices } from './notices.ts'

const log = createLog({ write: () => {}, level: 'debug', json: true })

describe('what egress is denied', () => {
  const stage = async (body: (look: (...found: Denied[]) => Promise<unknown[]>) => Promise<void>): Promise<void> => {
    await using world = await openWorld()
    const { id } = await world.run([{ sleep: 1e9 }])
    let now: readonly Denied[] = []
    const backend = { ...world.backend, denied: async () => now }
    const denials = createDenials(backend, createLifecycle(world.store, world.clock, createNotices(), log), log)
    await body(async (...found) => {
      const before = world.store.events({ environment: id }).length
      now = found
      await denials.look(id)
      return world.store
        .events({ environment: id })
        .slice(before)
        .map(({ type, data }) => ({ type, ...data }))
    })
  }
  const try_ = (count: number, port = 443): Denied => ({ instance: undefined, destination: '192.0.2.1', port, protocol: 'tcp', count })
  const event = (count: number) => ({ type: 'egress.denied', destination: '192.0.2.1', port: 443, protocol: 'tcp', count })

  it('is told once, and again when there is more of it', () =>
    stage(async look => {
      assert.deepEqual(await look(), [])
      assert.deepEqual(await look(try_(3)), [event(3)])
      assert.deepEqual(await look(try_(3)), [])
      assert.deepEqual(await look(try_(10)), [event(7)])
      assert.deepEqual(await look(try_(2)), [event(2)], 'a count that began anew')
    }))

  it('is summed up when somebody tries everything', () =>
    stage(async look => {
      const events = await look(...Array.from({ length: 1000 }, (_, index) => try_(2, index + 1)))
      assert.equal(events.length, 21)
      assert.deepEqual(events.at(-1), { type: 'egress.denied', destinations: 980, count: 1960 })
    }))
})
