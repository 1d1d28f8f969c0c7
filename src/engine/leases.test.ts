import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { describe, it } from 'node:test'
import { hour, never, openWorld, user } from '../../test/engine/world.ts'
import { settle } from '../backends/fake/clock.ts'
import { commandOf } from '../backends/fake/process.ts'
import type { ErrorCode } from '../base/errors.ts'
import { DayflyError } from '../base/errors.ts'
import type { ExecRequest } from '../model/session.ts'

const code = (expected: ErrorCode, field?: string) => (error: unknown) =>
  error instanceof DayflyError && error.code === expected && (field === undefined || error.field === field)
const forever = [{ on: 'SIGTERM', exit: 0 }, { sleep: 1e12 }] as const
const day = 24 * hour
const lease = { ttl: 2 * hour, idle: 10 * 60_000, retention: day }
const exec = (script: Parameters<typeof commandOf>[0]): ExecRequest => ({
  ...{ command: commandOf(script), env: { SECRET: 'x' }, user: undefined, workdir: undefined, tty: false, rows: 1, columns: 1 },
})

describe('a lease', () => {
  it('ends an environment at its ttl, whatever it is busy with', async () => {
    await using world = await openWorld()
    const { id } = await world.run(forever, { lease })
    await world.advance(2 * hour - 1)
    assert.equal(world.engine.environment(id).state, 'running')
    await world.advance(1)
    const environment = await world.assertGone(id)
    assert.equal(environment.cause, 'ttl')
    assert.match(environment.reason, /ttl is over \(2h\)/)
  })

  it('is kept by the backend while nobody else can', async () => {
    await using world = await openWorld()
    const { id, instance } = await world.run(forever, { lease })
    world.crash()
    await world.advance(3 * hour)
    assert.equal(world.kernel.machines.get(instance)?.state, 'exited')
    await world.restart()
    await settle()
    assert.equal((await world.assertGone(id)).cause, 'ttl')
    assert.equal(world.engine.instance(id).exit?.cause, 'deadline')
  })

  it('ends an idle sandbox; looking at it is no activity', async () => {
    await using world = await openWorld()
    const { id } = await world.run(forever, { lease }, { kind: 'sandbox' })
    for (let minute = 0; minute < 9; minute++) {
      await world.advance(60_000)
      world.engine.environment(id)
      world.engine.instances(id)
      world.engine.events({ environment: id })
      await world.engine.sweep(never())
    }
    assert.equal(world.engine.environment(id).state, 'running')
    await world.advance(60_000)
    assert.equal((await world.assertGone(id)).cause, 'idle')
  })

  it('counts an exec as activity, as long as it lasts', async () => {
    await using world = await openWorld()
    const { id } = await world.run(forever, { lease }, { kind: 'sandbox' })
    await world.advance(9 * 60_000)
    const session = await world.engine.exec(id, exec([{ sleep: 30 * 60_000 }, { exit: 2 }]), user, never())
    await world.advance(30 * 60_000)
    assert.equal(await session.exit, 2)
    await world.advance(9 * 60_000)
    assert.equal(world.engine.environment(id).state, 'running')
    await world.advance(60_000)
    assert.equal((await world.assertGone(id)).cause, 'idle')
  })

  it('counts what is typed into an attached process, not the attachment', async () => {
    await using world = await openWorld()
    const { id } = await world.run([{ on: 'SIGTERM', exit: 0 }, { echo: true }], { lease }, { kind: 'sandbox' })
    const session = await world.engine.attach(id, user, never())
    await world.advance(9 * 60_000)
    session.write(Buffer.from('ls\n'))
    await world.advance(9 * 60_000)
    assert.equal(world.engine.environment(id).state, 'running')
    await world.advance(60_000)
    assert.equal((await world.assertGone(id)).cause, 'idle')
  })

  it('counts a running job as activity, and its end', async () => {
    await using world = await openWorld()
    const { id } = await world.run([{ sleep: hour }], { lease })
    await world.advance(hour - 1)
    assert.equal(world.engine.environment(id).state, 'running')
    await world.advance(1)
    assert.equal((await world.assertGone(id)).cause, 'completed')
  })

  it('keeps activity over a crash', async () => {
    await using world = await openWorld()
    const { id } = await world.run(forever, { lease }, { kind: 'sandbox' })
    await world.advance(9 * 60_000)
    await (await world.engine.exec(id, exec([]), user, never())).exit
    await world.restart()
    await world.advance(9 * 60_000)
    assert.equal(world.engine.environment(id).state, 'running')
    await world.advance(2 * 60_000)
    assert.equal((await world.assertGone(id)).cause, 'idle')
  })

  it('does not care about the wall clock', async () => {
    for (const step of [400 * day, -400 * day]) {
      await using world = await openWorld()
      const { id } = await world.run(forever, { lease })
      world.clock.step(step)
      await world.engine.sweep(never())
      await world.advance(2 * hour - 1)
      assert.equal(world.engine.environment(id).state, 'running')
      world.clock.step(-2 * step)
      await world.advance(1)
      assert.equal((await world.assertGone(id)).cause, 'ttl')
    }
  })

  it('is enforced by the sweep when every timer is late', async () => {
    await using world = await openWorld()
    const { id } = await world.run(forever, { lease, name: 'x' }, { kind: 'sandbox' })
    // A suspended machine: the boot clock goes on, no timer does.
    const boot = world.clock.boot() + 20 * 60_000
    Object.assign(world.clock, { boot: () => boot })
    await world.engine.sweep(never())
    await world.engine.ended(id, AbortSignal.timeout(10_000))
    assert.equal((await world.assertGone(id)).cause, 'idle')
  })
})

describe('an extension', () => {
  it('moves the end, in the backend too', async () => {
    await using world = await openWorld()
    const { id } = await world.run(forever, { lease })
    await world.advance(hour)
    const environment = await world.engine.extend(id, 3 * hour, user)
    assert.equal(environment.ttlDeadline, world.clock.boot() + 3 * hour)
    await world.advance(3 * hour - 1)
    assert.equal(world.engine.environment(id).state, 'running')
    await world.advance(1)
    assert.equal((await world.assertGone(id)).cause, 'ttl')
    assert.ok(world.types(id).includes('environment.extended'))
  })

  it('can bring the end nearer', async () => {
    await using world = await openWorld()
    const { id } = await world.run(forever, { lease })
    await world.engine.extend(id, 5_000, user)
    await world.advance(5_000)
    assert.equal((await world.assertGone(id)).cause, 'ttl')
  })

  it('is bounded by the greatest age, and says by how much', async () => {
    await using world = await openWorld()
    const { id } = await world.run(forever, { lease: { ...lease, ttl: 7 * day } })
    await assert.rejects(world.engine.extend(id, 7 * day + 1000, user), code('invalid', '--ttl'))
    await world.advance(6 * day)
    await assert.rejects(
      world.engine.extend(id, 2 * day, user),
      (error: unknown) => code('invalid', '--ttl')(error) && error instanceof DayflyError && error.remedy === 'Ask for at most 1d.',
    )
    await world.engine.extend(id, day, user)
    for (const ttl of [0, -5, 999, 1.5, Number.NaN]) await assert.rejects(world.engine.extend(id, ttl, user), code('invalid', '--ttl'))
  })

  it('that the backend refuses changes nothing', async () => {
    let broken = false
    await using world = await openWorld({ fake: { fault: operation => (broken && operation === 'setDeadline' ? 'fail' : undefined) } })
    const { id, environment } = await world.run(forever, { lease })
    broken = true
    await assert.rejects(world.engine.extend(id, 3 * hour, user), code('host'))
    assert.equal(world.engine.environment(id).ttlDeadline, environment.ttlDeadline)
  })

  it('that a crash cuts off is settled by adopt, as the store says', async () => {
    await using world = await openWorld()
    const { id, instance } = await world.run(forever, { lease }, { grace: 0 })
    world.kernel.machines.get(instance)?.setDeadline(world.clock.boot() + 30 * hour)
    await world.restart()
    world.crash()
    await world.advance(2 * hour)
    assert.equal(world.kernel.machines.get(instance)?.state, 'exited')
    await world.restart()
    await settle()
    await world.assertGone(id)
  })

  it('of what has ended is refused', async () => {
    await using world = await openWorld()
    const { id } = await world.run([])
    await settle()
    await assert.rejects(world.engine.extend(id, hour, user), code('wrong_state'))
  })
})

describe('retention', () => {
  it('throws the record and the log away when it is over, and nothing else', async () => {
    await using world = await openWorld()
    const first = await world.run([{ print: 'x\n' }], { lease })
    await settle()
    await world.advance(hour)
    const second = await world.run([{ print: 'y\n' }], { lease })
    await settle()
    const [firstLog, secondLog] = [first, second].map(({ instances }) => world.engine.logPath(instances[0] ?? assert.fail()))
    await world.advance(day - hour - 1)
    await world.engine.sweep(never())
    assert.ok(world.store.environment(first.id))
    await world.advance(60_000)
    await world.engine.sweep(never())
    assert.equal(world.store.environment(first.id), undefined)
    assert.deepEqual(world.store.events({ environment: first.id }), [])
    assert.ok(world.store.environment(second.id))
    assert.deepEqual([existsSync(firstLog ?? ''), existsSync(secondLog ?? '')], [false, true])
  })

  it('is not over because the wall clock jumps', async () => {
    await using world = await openWorld()
    const { id } = await world.run([], { lease })
    await settle()
    await world.advance(hour)
    await world.engine.sweep(never())
    world.clock.step(40 * day)
    for (let hours = 0; hours < 12; hours++) {
      await world.advance(hour)
      await world.engine.sweep(never())
    }
    assert.ok(world.store.environment(id), 'kept while the clock is in doubt')
    world.clock.step(-40 * day)
    await world.engine.sweep(never())
    await world.advance(11 * hour - 1)
    await world.engine.sweep(never())
    assert.ok(world.store.environment(id), 'and its own time goes on as if nothing had been')
    await world.advance(15 * hour)
    await world.engine.sweep(never())
    assert.equal(world.store.environment(id), undefined)
  })

  it('is not over because the host boots with a wrong clock', async () => {
    await using world = await openWorld()
    const { id } = await world.run([], { lease })
    await settle()
    await world.advance(hour)
    await world.engine.sweep(never())
    world.reboot()
    world.clock.step(4000 * day)
    await world.restart()
    await world.advance(hour)
    await world.engine.sweep(never())
    assert.ok(world.store.environment(id))
  })
})
