import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { never, openWorld, user } from '../../test/engine/world.ts'
import { settle } from '../backends/fake/clock.ts'
import { commandOf } from '../backends/fake/process.ts'
import { DayflyError } from '../base/errors.ts'

const forever = [{ on: 'SIGTERM', exit: 12 }, { sleep: 1e9 }] as const
const host = (error: unknown): boolean => error instanceof DayflyError && error.code === 'host'
const exec = (script: Parameters<typeof commandOf>[0]) => ({
  ...{ command: commandOf(script), env: {}, user: undefined, workdir: undefined, tty: false, rows: 1, columns: 1 },
})

describe('while the disk of the store is full', () => {
  it('new runs and execs are refused, and nothing is created', async () => {
    await using world = await openWorld()
    const { id } = await world.run(forever)
    const before = world.kernel.machines.size
    world.full(true)
    await assert.rejects(world.run([]), host)
    await assert.rejects(world.engine.exec(id, exec([]), user, never()), host)
    assert.equal(world.kernel.machines.size, before)
    world.full(false)
    await world.run([])
  })

  it('exits are kept and written when there is room, and nothing is removed before', async () => {
    await using world = await openWorld()
    const { id, instance } = await world.run([{ sleep: 1_000 }, { exit: 9 }])
    world.full(true)
    await world.advance(600_000)
    assert.equal(world.kernel.machines.get(instance)?.exit?.code, 9)
    assert.equal(world.store.instance(instance)?.state, 'running')
    assert.equal(world.lines.filter(line => line.includes('the end of an instance cannot be written')).length, 1)
    world.full(false)
    await world.advance(120_000)
    await world.assertGone(id)
    assert.equal(world.store.instance(instance)?.exit?.code, 9)
  })

  it('the status of what is ending already is not lost either, whenever the daemon dies', async () => {
    await using world = await openWorld()
    const { id, instance } = await world.run([{ sleep: 1e9 }], {}, { grace: 5_000 })
    const ending = world.engine.end(id, 'requested', 'enough', user, false, never()).catch((error: unknown) => error)
    await settle()
    world.full(true)
    await world.advance(30_000)
    assert.ok(host(await ending))
    assert.equal(world.kernel.machines.get(instance)?.exit?.signal, 9, 'it has ended and is not removed')
    await world.restart()
    world.full(false)
    await world.advance(120_000)
    await world.assertGone(id)
    assert.equal(world.store.instance(instance)?.exit?.signal, 9)
  })

  it('leases end in the kernel all the same', async () => {
    await using world = await openWorld()
    const lease = { ttl: 60_000, idle: 10_000, retention: 1_000 }
    const idle = await world.run(forever, { lease }, { kind: 'sandbox' })
    const old = await world.run(forever, { lease })
    world.full(true)
    await world.advance(11_000)
    assert.equal(world.kernel.machines.get(idle.instance)?.state, 'exited')
    assert.equal(world.kernel.machines.get(old.instance)?.state, 'running')
    await world.advance(50_000)
    assert.equal(world.kernel.machines.get(old.instance)?.state, 'exited')
    world.full(false)
    await world.advance(120_000)
    assert.equal((await world.assertGone(idle.id)).cause, 'idle')
    assert.equal((await world.assertGone(old.id)).cause, 'ttl')
  })

  it('an end that is asked for stops the processes, is refused, and is finished when there is room', async () => {
    await using world = await openWorld()
    const { id, instance } = await world.run(forever)
    world.full(true)
    await assert.rejects(world.engine.end(id, 'requested', 'enough', user, false, never()), host)
    await settle()
    assert.equal(world.kernel.machines.get(instance)?.exit?.code, 12)
    world.full(false)
    await world.advance(60_000)
    assert.equal((await world.assertGone(id)).cause, 'requested')
  })

  it('a stop and a kill reach the process, and are written later', async () => {
    await using world = await openWorld()
    const { id, instance } = await world.run([{ on: 'SIGUSR1', exit: 5 }, ...forever])
    world.full(true)
    await world.engine.kill(instance, 'SIGUSR1', user)
    await settle()
    assert.equal(world.kernel.machines.get(instance)?.exit?.code, 5)
    const happened = world.clock.wall()
    await world.advance(60_000)
    world.full(false)
    await world.advance(60_000)
    await world.assertGone(id)
    const signalled = world.store.events({ environment: id }).find(({ type }) => type === 'instance.signalled')
    assert.deepEqual(signalled?.data, { signal: 'SIGUSR1', happenedAt: happened })
  })

  it('the end of an exec is written later', async () => {
    await using world = await openWorld()
    const { id } = await world.run(forever)
    const session = await world.engine.exec(id, exec([{ sleep: 100 }, { exit: 8 }]), user, never())
    world.full(true)
    await world.advance(100)
    assert.equal(await session.exit, 8)
    world.full(false)
    await world.engine.end(id, 'requested', 'enough', user, false, never())
    await world.assertGone(id)
    const ended = world.store.events({ environment: id }).find(({ type }) => type === 'exec.ended')
    assert.equal(ended?.data['code'], 8)
  })

  it('an extension is refused and the backend keeps the old deadline', async () => {
    await using world = await openWorld()
    const { id } = await world.run(forever)
    world.full(true)
    await assert.rejects(world.engine.extend(id, 5 * 3_600_000, user), host)
    world.full(false)
    await world.advance(3_600_000)
    assert.equal((await world.assertGone(id)).cause, 'ttl')
  })
})
