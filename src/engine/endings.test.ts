import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { never, noSecrets, openWorld, user } from '../../test/engine/world.ts'
import { settle } from '../backends/fake/clock.ts'
import type { Fault, Operation } from '../backends/fake/fake.ts'
import type { ErrorCode } from '../base/errors.ts'
import { DayflyError } from '../base/errors.ts'

const code = (expected: ErrorCode) => (error: unknown) => error instanceof DayflyError && error.code === expected
const forever = [{ on: 'SIGTERM', exit: 12 }, { sleep: 1e9 }] as const
const stubborn = [{ sleep: 1e9 }] as const

/** Faults that tests switch on and off. */
const switchable = () => {
  const state: { operation?: Operation; fault: Fault } = { fault: 'fail' }
  const signals: string[] = []
  return { state, signals, fake: { fault: (operation: Operation) => (operation === state.operation ? state.fault : undefined) } }
}

describe('an end', () => {
  it('sends the stop signal, keeps the exit status, and removes everything', async () => {
    await using world = await openWorld()
    const { id } = await world.run(forever)
    const environment = await world.engine.end(id, 'requested', 'enough', user, false, never())
    assert.deepEqual(
      { state: environment.state, cause: environment.cause, reason: environment.reason },
      { state: 'ended', cause: 'requested', reason: 'enough' },
    )
    assert.equal(world.engine.instance(id).exit?.code, 12)
    await world.assertGone(id)
    const ending = world.store.events({ environment: id }).find(({ type }) => type === 'environment.ending')
    assert.deepEqual(ending?.actor, user)
  })

  it('sends SIGKILL when the grace is over, and at once with force', async () => {
    await using world = await openWorld()
    const slow = await world.run(stubborn, {}, { grace: 5_000 })
    const ending = world.engine.end(slow.id, 'requested', 'enough', user, false, never())
    await world.advance(4_999)
    assert.equal(world.engine.environment(slow.id).state, 'ending')
    await world.advance(1)
    assert.equal((await ending).state, 'ended')
    assert.equal(world.engine.instance(slow.id).exit?.signal, 9)
    const fast = await world.run(forever, {}, { grace: 5_000 })
    await world.engine.end(fast.id, 'requested', 'now', user, true, never())
    assert.equal(world.engine.instance(fast.id).exit?.signal, 9)
  })

  it('joins: many ends, stops, kills and an exit are one', async () => {
    await using world = await openWorld()
    const { id, instance } = await world.run(stubborn, {}, { grace: 1_000 })
    const all = [
      ...Array.from({ length: 5 }, (_, index) => world.engine.end(id, 'requested', `reason ${index}`, user, false, never())),
      world.engine.stop(instance, 500, user, never()),
      world.engine.stop(instance, undefined, user, never()),
      world.engine.wait(id, never()),
      world.engine.ended(id, never()),
    ]
    await settle()
    await world.advance(500)
    await Promise.all(all)
    const environment = await world.assertGone(id)
    assert.equal(environment.reason, 'reason 0')
    for (const type of ['environment.ending', 'instance.exited', 'instance.removed', 'environment.ended']) {
      assert.equal(world.types(id).filter(other => other === type).length, 1, type)
    }
  })

  it('with force brings a gentle one forward', async () => {
    await using world = await openWorld()
    const { id } = await world.run(stubborn, {}, { grace: 600_000 })
    const gentle = world.engine.end(id, 'requested', 'gently', user, false, never())
    await settle()
    await world.engine.end(id, 'requested', 'now', user, true, never())
    assert.equal((await gentle).reason, 'gently')
    await world.assertGone(id)
  })

  it('is the same again and again, from every state', async () => {
    await using world = await openWorld()
    const { id } = await world.run(forever)
    const once = await world.engine.end(id, 'requested', 'first', user, false, never())
    const twice = await world.engine.end(id, 'requested', 'second', user, true, never())
    assert.deepEqual(twice, once)
    await assert.rejects(world.engine.end('nothing-like-it', 'requested', '', user, false, never()), code('not_found'))
  })

  it('while it is created breaks that off', async () => {
    for (const operation of ['create', 'start'] as const) {
      const faults = switchable()
      faults.state.operation = operation
      faults.state.fault = 'hang'
      await using world = await openWorld({ fake: faults.fake })
      const running = world.engine.run(world.spec(forever), noSecrets, user, never())
      const rejected = assert.rejects(running, code('aborted'))
      await settle()
      const id = world.store.environments()[0]?.id ?? ''
      assert.equal(world.store.environment(id)?.state, 'creating')
      const environment = await world.engine.end(id, 'requested', 'changed my mind', user, false, never())
      await rejected
      assert.equal(environment.cause, 'requested')
      await world.assertGone(id)
    }
  })

  it('while a creation does not notice that it is broken off waits for it, and removes what it made', async () => {
    await using world = await openWorld()
    const { promise: gate, resolve } = Promise.withResolvers<void>()
    const create = world.backend.create
    world.backend.create = async (request, secrets) => {
      await gate
      return create(request, secrets, never())
    }
    const rejected = assert.rejects(world.engine.run(world.spec(forever), noSecrets, user, never()), code('aborted'))
    await settle()
    const id = world.store.environments()[0]?.id ?? ''
    const ending = world.engine.end(id, 'requested', 'changed my mind', user, true, never())
    await settle()
    resolve()
    await Promise.all([rejected, ending])
    await world.assertGone(id)
    assert.equal(world.kernel.machines.size, 0)
  })

  it('closes an exec that does not notice it, and writes that', async () => {
    await using world = await openWorld()
    const { id } = await world.run(forever)
    const { promise: exit, resolve } = Promise.withResolvers<number>()
    world.backend.exec = async () => ({
      ...{ write: () => {}, drained: async () => {}, resize: () => {}, signal: () => {}, exit },
      output: (async function* () {})(),
      [Symbol.asyncDispose]: async () => resolve(129),
    })
    const request = { command: ['x'], env: {}, user: undefined, workdir: undefined, tty: false, rows: 1, columns: 1 }
    await world.engine.exec(id, request, user, never())
    await world.engine.end(id, 'requested', 'enough', user, true, never())
    await world.assertGone(id)
    const types = world.types(id)
    assert.ok(types.indexOf('exec.ended') > 0 && types.indexOf('exec.ended') < types.indexOf('environment.ended'))
  })

  it('goes on when the one who asked for it does not wait', async () => {
    await using world = await openWorld()
    const { id } = await world.run(stubborn, {}, { grace: 1_000 })
    const controller = new AbortController()
    const waiting = world.engine.end(id, 'requested', 'enough', user, false, controller.signal)
    await settle()
    controller.abort()
    await assert.rejects(waiting, code('aborted'))
    await world.advance(1_000)
    await world.assertGone(id)
  })

  for (const operation of ['remove', 'removeEnvironment'] as const) {
    for (const fault of ['fail', 'late', 'hang'] as const) {
      it(`is tried again, with pauses and for ever, when ${operation} ${fault}s; the record says so once`, async () => {
        const faults = switchable()
        await using world = await openWorld({ fake: faults.fake, engine: { attemptPatience: 1_000, killPatience: 1_000 } })
        const { id } = await world.run([{ exit: 4 }])
        const calls = { count: 0 }
        faults.state.operation = operation
        faults.state.fault = fault
        await settle()
        await world.advance(3_600_000)
        calls.count = world.lines.filter(line => line.includes('it is tried again')).length
        assert.equal(world.engine.environment(id).state, 'ending')
        assert.equal(world.types(id).filter(type => type === 'environment.removal_failed').length, 1)
        assert.ok(calls.count > 10 && calls.count < 200, `${calls.count} attempts in an hour`)
        assert.equal(world.engine.instance(id).exit?.code, 4)
        if (fault !== 'hang') await assert.rejects(world.engine.end(id, 'requested', 'again', user, false, never()), code('host'))
        delete faults.state.operation
        await world.advance(60_000)
        await world.assertGone(id)
      })
    }
  }

  it('that somebody asks for again is tried at once', async () => {
    const faults = switchable()
    await using world = await openWorld({ fake: faults.fake })
    const { id } = await world.run(forever)
    faults.state.operation = 'remove'
    await assert.rejects(world.engine.end(id, 'requested', 'x', user, true, never()), code('host'))
    await world.advance(600_000)
    delete faults.state.operation
    assert.equal((await world.engine.end(id, 'requested', 'x', user, true, never())).state, 'ended')
  })

  it('gives an instance up that SIGKILL does not end, and says so', async () => {
    const faults = switchable()
    await using world = await openWorld({ fake: faults.fake, engine: { killPatience: 10_000 } })
    const { id } = await world.run(forever)
    faults.state.operation = 'signal'
    const ending = world.engine.end(id, 'requested', 'x', user, true, never())
    await settle()
    await world.advance(10_000)
    await ending
    await world.assertGone(id)
    assert.match(world.engine.instance(id).reason, /did not end within 10 s of SIGKILL/)
    assert.ok(world.types(id).includes('instance.lost'))
  })

  it('is lost when nobody can know how', async () => {
    await using world = await openWorld()
    const { id, instance } = await world.run(forever)
    world.kernel.machines.get(instance)?.killMonitor()
    await settle()
    assert.equal((await world.assertGone(id)).cause, 'lost')
    assert.ok(world.types(id).includes('instance.lost'))
  })
})

describe('a stop', () => {
  it('ends the instance, and with it what it was for', async () => {
    await using world = await openWorld()
    const { id, instance } = await world.run(forever)
    const after = await world.engine.stop(instance, undefined, user, never())
    assert.equal(after.exit?.code, 12)
    await world.engine.ended(id, never())
    await world.assertGone(id)
    assert.deepEqual(await world.engine.stop(instance, undefined, user, never()), world.engine.instance(instance))
  })

  it('takes a shorter grace than before, not a longer one', async () => {
    await using world = await openWorld()
    const { instance } = await world.run(stubborn, {}, { grace: 100_000 })
    const stopping = Promise.all([undefined, 2_000, 50_000].map(grace => world.engine.stop(instance, grace, user, never())))
    await settle()
    await world.advance(1_999)
    assert.equal(world.engine.instance(instance).state, 'running')
    await world.advance(1)
    await stopping
    assert.equal(world.types(world.engine.instance(instance).environment).filter(type => type === 'instance.stopping').length, 1)
  })

  it('refuses a grace that is none', async () => {
    await using world = await openWorld()
    const { instance } = await world.run(forever)
    for (const grace of [-1, 0.5, Number.NaN, 1e9]) await assert.rejects(world.engine.stop(instance, grace, user, never()), code('invalid'))
  })
})

describe('a kill', () => {
  it('sends any signal, and is written down', async () => {
    await using world = await openWorld()
    const { id, instance } = await world.run([{ on: 'SIGHUP', exit: 1 }, ...stubborn])
    await world.engine.kill(id, 'SIGUSR2', user)
    await settle()
    assert.equal(world.engine.instance(instance).state, 'running')
    await world.engine.kill(id, 'SIGHUP', user)
    assert.equal((await world.engine.wait(instance, never())).exit?.code, 1)
    const sent = world.store.events({ environment: id }).filter(({ type }) => type === 'instance.signalled')
    assert.deepEqual(
      sent.map(({ data }) => data),
      [{ signal: 'SIGUSR2' }, { signal: 'SIGHUP' }],
    )
    await assert.rejects(world.engine.kill(id, 'SIGHUP', user), code('wrong_state'))
    await assert.rejects(world.engine.kill(id, 'HUP', user), code('invalid'))
  })
})
