import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { never, openWorld, user } from '../../test/engine/world.ts'
import { settle } from '../backends/fake/clock.ts'
import { commandOf } from '../backends/fake/process.ts'
import { DayflyError } from '../base/errors.ts'

const forever = [{ on: 'SIGTERM', exit: 12 }, { sleep: 1e9 }] as const
const aborted = (error: unknown): boolean => error instanceof DayflyError && error.code === 'aborted'

describe('following the record', () => {
  it('gives what is there, then what comes, each once and in order', async () => {
    await using world = await openWorld()
    const first = await world.run(forever)
    const controller = new AbortController()
    const mine: string[] = []
    const all: number[] = []
    const followers = [
      (async () => {
        for await (const { type } of world.engine.follow({ environment: first.id }, controller.signal)) mine.push(type)
      })(),
      (async () => {
        for await (const { cursor } of world.engine.follow({}, controller.signal)) all.push(cursor)
      })(),
    ]
    await settle()
    assert.deepEqual(mine, world.types(first.id))
    await world.run([])
    await world.engine.end(first.id, 'requested', 'enough', user, false, never())
    await settle()
    assert.deepEqual(mine, world.types(first.id))
    assert.deepEqual(
      all,
      world.store.events({}).map(({ cursor }) => cursor),
    )
    controller.abort()
    await Promise.all(followers)
  })

  it('resumes after a cursor, also with another engine', async () => {
    await using world = await openWorld()
    const { id } = await world.run(forever)
    const after = world.store.events({ environment: id })[3]?.cursor ?? 0
    await world.restart()
    const controller = new AbortController()
    const types: string[] = []
    for await (const { type } of world.engine.follow({ environment: id, after, limit: 3 }, controller.signal)) types.push(type)
    assert.deepEqual(types, ['instance.running', 'environment.running', 'environment.adopted'])
  })

  it('reads a record longer than a page', async () => {
    await using world = await openWorld()
    const { id } = await world.run(forever)
    for (let n = 0; n < 600; n++) await world.engine.kill(id, 'SIGURG', user)
    const controller = new AbortController()
    let seen = 0
    for await (const { sequence } of world.engine.follow({ environment: id }, controller.signal)) {
      assert.equal(sequence, ++seen)
      if (seen === 605) controller.abort()
    }
    assert.equal(seen, 605)
  })

  it('ends when the signal aborts, while it waits and before it begins', async () => {
    await using world = await openWorld()
    const controller = new AbortController()
    const following = Array.fromAsync(world.engine.follow({}, controller.signal))
    await settle()
    controller.abort()
    assert.deepEqual(await following, [])
    assert.deepEqual(await Array.fromAsync(world.engine.follow({}, controller.signal)), [])
  })
})

describe('waiting', () => {
  it('answers at the end, after the end, and when nobody waits any more', async () => {
    await using world = await openWorld()
    const { id, instance } = await world.run([{ sleep: 100 }, { exit: 2 }])
    const controller = new AbortController()
    const [one, two, given] = [world.engine.wait(id, never()), world.engine.wait(instance, never()), world.engine.wait(instance, controller.signal)]
    controller.abort()
    await assert.rejects(given, aborted)
    await world.advance(100)
    assert.deepEqual([(await one).exit?.code, (await two).exit?.code, (await world.engine.wait(instance, never())).exit?.code], [2, 2, 2])
  })
})

describe('an exec in the record', () => {
  it('says who ran what, and how it ended, and no value of its environment', async () => {
    await using world = await openWorld()
    const { id } = await world.run(forever)
    const command = commandOf([{ exit: 4 }])
    const request = { command, env: { TOKEN: 'hidden' }, user: 'nobody', workdir: undefined, tty: false, rows: 1, columns: 1 }
    await (await world.engine.exec(id, request, user, never())).exit
    await settle()
    const [started, ended] = world.store.events({ environment: id }).filter(({ type }) => type.startsWith('exec.'))
    assert.deepEqual({ ...started?.data, exec: '' }, { exec: '', command, user: 'nobody', tty: false })
    assert.deepEqual(ended?.data, { exec: started?.data['exec'], tty: false, code: 4 })
    assert.deepEqual(started?.actor, user)
    assert.ok(!JSON.stringify(world.store.events({})).includes('hidden'))
  })

  it('that does not start is written, too', async () => {
    await using world = await openWorld()
    const { id } = await world.run(forever)
    const request = { command: ['nonsense'], env: {}, user: undefined, workdir: undefined, tty: false, rows: 1, columns: 1 }
    await assert.rejects(world.engine.exec(id, request, user, never()), /nonsense/)
    await assert.rejects(
      world.engine.exec(id, { ...request, command: [] }, user, never()),
      (error: unknown) => error instanceof DayflyError && error.field === 'command',
    )
    assert.deepEqual(
      world.types(id).filter(type => type.startsWith('exec.')),
      ['exec.started', 'exec.ended'],
    )
  })

  it('is closed before the record is sealed', async () => {
    await using world = await openWorld()
    const { id } = await world.run(forever)
    const request = { command: commandOf([{ sleep: 1e9 }]), env: {}, user: undefined, workdir: undefined, tty: false, rows: 1, columns: 1 }
    const session = await world.engine.exec(id, request, user, never())
    await world.engine.end(id, 'requested', 'enough', user, false, never())
    assert.equal(await session.exit, 137)
    await world.assertGone(id)
    assert.ok(world.types(id).includes('exec.ended'))
    await assert.rejects(
      world.engine.exec(id, request, user, never()),
      (error: unknown) => error instanceof DayflyError && error.code === 'wrong_state',
    )
  })
})
