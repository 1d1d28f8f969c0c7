import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { describe, it } from 'node:test'
import { never, noSecrets, openWorld, user } from '../../test/engine/world.ts'
import { settle } from '../backends/fake/clock.ts'
import { fakeWorkload } from '../backends/fake/workload.ts'
import type { ErrorCode } from '../base/errors.ts'
import { DayflyError } from '../base/errors.ts'

const code =
  (expected: ErrorCode, field?: string, message = /./) =>
  (error: unknown) =>
    error instanceof DayflyError && error.code === expected && (field === undefined || error.field === field) && message.test(error.message)

describe('a run', () => {
  it('goes up, ends by itself, and leaves its record and log', async () => {
    await using world = await openWorld()
    const { id, instance, environment, instances } = await world.run([{ print: 'hello\n' }, { sleep: 1000 }, { exit: 3 }])
    assert.equal(environment.state, 'running')
    assert.equal(instances[0]?.state, 'running')
    assert.ok((instances[0]?.pid ?? 0) > 0)
    const [waiting, ended] = [world.engine.wait(id, never()), world.engine.ended(id, never())]
    await world.advance(1000)
    const after = await waiting
    assert.deepEqual({ code: after.exit?.code, id: after.id }, { code: 3, id: instance })
    assert.equal((await ended).cause, 'completed')
    assert.match((await ended).reason, /main: exit code 3/)
    await world.assertGone(id)
    assert.deepEqual(world.types(id), [
      'environment.creating',
      'instance.pending',
      'admission.allowed',
      'instance.created',
      'instance.running',
      'environment.running',
      'instance.exited',
      'environment.ending',
      'instance.removed',
      'environment.ended',
      'record.sealed',
    ])
    assert.match(await readFile(world.engine.logPath(after), 'utf8'), /stdout F hello\n/)
    const exited = world.store.events({ environment: id }).find(({ type }) => type === 'instance.exited')
    assert.deepEqual(exited?.actor, { kind: 'instance', name: instance })
    assert.equal(exited.data['code'], 3)
  })

  it('keeps what only its owner may know out of the record', async () => {
    await using world = await openWorld()
    const spec = world.spec([{ secret: 'token' }], {}, { secrets: ['token'], env: { PASSWORD: 'in-the-environment' } })
    const { environment } = await world.engine.run(spec, new Map([['main', new Map([['token', Buffer.from('very-secret')]])]]), user, never())
    await world.engine.ended(environment.id, never())
    const record = JSON.stringify(world.store.events({}))
    assert.ok(!record.includes('very-secret'))
    assert.ok(!record.includes('in-the-environment'))
    assert.ok(!JSON.stringify(world.store.environments()).includes('very-secret'))
    assert.ok(!world.lines.join('').includes('very-secret'))
  })

  it('shows no secret in an error, whoever put it there', async () => {
    await using world = await openWorld()
    const spec = world.spec([], {}, { secrets: ['token'], command: ['leaks-very-secret'] })
    const secrets = new Map([['main', new Map([['token', Buffer.from('very-secret\n')]])]])
    const failed = world.engine.run(spec, secrets, user, never())
    await assert.rejects(failed, code('command_not_found', 'command', /^leaks-\[secret\]: no such file/))
    assert.ok(!JSON.stringify(world.store.events({})).includes('very-secret'))
  })

  it('of several workloads runs when all do, and ends when its jobs have ended', async () => {
    await using world = await openWorld()
    const forever = [{ on: 'SIGTERM', exit: 0 }, { sleep: 1e9 }]
    const workloads = {
      db: fakeWorkload(forever, { kind: 'service' }),
      one: fakeWorkload([{ exit: 1 }]),
      two: fakeWorkload([{ sleep: 5000 }, { exit: 2 }]),
    }
    const { id, instances } = await world.run([], { workloads })
    assert.deepEqual(
      instances.map(({ workload, state }) => [workload, state]),
      [
        ['db', 'running'],
        ['one', 'running'],
        ['two', 'running'],
      ],
    )
    await settle()
    assert.equal(world.engine.environment(id).state, 'running')
    assert.throws(() => world.engine.instance(id), code('not_found', 'ref', /3 instances/))
    await world.advance(5000)
    const environment = await world.assertGone(id)
    assert.equal(environment.cause, 'completed')
    assert.equal(environment.reason, 'one: exit code 1, two: exit code 2')
    assert.equal(world.engine.instances(id).find(({ workload }) => workload === 'db')?.exit?.code, 0)
  })

  it('of services alone ends when the last has ended', async () => {
    await using world = await openWorld()
    const { id } = await world.run([{ sleep: 10 }], {}, { kind: 'service' })
    await world.advance(10)
    assert.equal((await world.assertGone(id)).cause, 'completed')
  })

  it('that fails in one workload undoes the others, and says what failed', async () => {
    await using world = await openWorld()
    const workloads = { good: fakeWorkload([{ sleep: 1e9 }]), bad: fakeWorkload([], { command: ['nonsense'] }) }
    await assert.rejects(world.engine.run(world.spec([], { workloads }), noSecrets, user, never()), code('command_not_found', 'command', /nonsense/))
    const [environment] = world.store.environments()
    assert.ok(environment)
    assert.equal((await world.assertGone(environment.id)).cause, 'failed')
    assert.match(environment.reason, /nonsense/)
    assert.deepEqual(world.store.events({ environment: environment.id }).filter(({ type }) => type === 'instance.failed').length, 2)
  })

  it('that is cancelled leaves nothing', async () => {
    await using world = await openWorld({ fake: { fault: operation => (operation === 'start' ? 'hang' : undefined) } })
    const controller = new AbortController()
    const running = world.engine.run(world.spec([]), noSecrets, user, controller.signal)
    await settle()
    controller.abort()
    await assert.rejects(running, code('aborted'))
    const [environment] = world.store.environments()
    assert.equal((await world.assertGone(environment?.id ?? '')).cause, 'requested')
    await assert.rejects(world.engine.run(world.spec([]), noSecrets, user, AbortSignal.abort()), code('aborted'))
    assert.equal(world.store.environments().length, 1)
  })

  it('that does not start in time is given up', async () => {
    await using world = await openWorld({ fake: { fault: operation => (operation === 'create' ? 'hang' : undefined) } })
    const running = world.engine.run(world.spec([]), noSecrets, user, never())
    const rejected = assert.rejects(running, code('timeout'))
    await settle()
    await world.advance(60_000)
    await rejected
    await world.assertGone(world.store.environments()[0]?.id ?? '')
  })

  it('is refused, and nothing is created, when its input is wrong', async () => {
    await using world = await openWorld()
    const refused = async (
      change: Parameters<typeof world.spec>[1],
      workload: Parameters<typeof world.spec>[2],
      expected: ReturnType<typeof code>,
    ) => {
      await assert.rejects(world.engine.run(world.spec([], change, workload), noSecrets, user, never()), expected)
    }
    await refused({ name: 'Not a name' }, {}, code('invalid', 'name'))
    await refused({ lease: { ttl: 0, idle: 1000, retention: 0 } }, {}, code('invalid', 'lease.ttl'))
    await refused({ lease: { ttl: 365 * 86_400_000, idle: 1000, retention: 0 } }, {}, code('invalid', 'lease.ttl'))
    await refused({ workloads: {} }, {}, code('invalid', 'workloads'))
    await refused({}, { command: [] }, code('invalid', 'workloads.main.command'))
    await refused({}, { stopSignal: 'TERM' }, code('invalid', 'workloads.main.stopSignal'))
    await refused({}, { egress: [{ cidr: '10.0.0.1/8' }] }, code('invalid', 'workloads.main.egress[0].cidr'))
    await refused({}, { secrets: ['../x'] }, code('invalid', 'workloads.main.secrets[0]'))
    await refused({}, { secrets: ['absent'] }, code('invalid', '--secret', /absent/))
    const stray = new Map([['main', new Map([['token', Buffer.from('x')]])]])
    await assert.rejects(world.engine.run(world.spec([]), stray, user, never()), code('invalid', '--secret', /token/))
    assert.deepEqual(world.store.environments(), [])
    assert.equal(world.kernel.machines.size, 0)
  })

  it('is refused when its name is taken, until that has ended', async () => {
    await using world = await openWorld()
    const first = await world.run([{ sleep: 1e9 }], { name: 'web' })
    await assert.rejects(world.run([], { name: 'web' }), code('conflict', '--name', /web/))
    assert.equal(world.engine.environment('web').id, first.id)
    await world.engine.end('web', 'requested', 'enough', user, true, never())
    const second = await world.run([], { name: 'web' })
    assert.notEqual(second.id, first.id)
  })

  it('is refused when there are as many as the host may have', async () => {
    await using world = await openWorld({ engine: { slots: 2 } })
    const first = await world.run([{ sleep: 1e9 }])
    await world.run([{ sleep: 1e9 }])
    await assert.rejects(
      world.run([]),
      (error: unknown) => code('exhausted')(error) && error instanceof DayflyError && /dayfly down/.test(error.remedy ?? ''),
    )
    await world.engine.end(first.id, 'requested', 'room', user, true, never())
    await world.run([])
  })

  it('is refused before adopt, and after the engine was closed', async () => {
    await using world = await openWorld()
    await world.engine[Symbol.asyncDispose]()
    await assert.rejects(world.run([]), code('unreachable'))
  })

  it('goes on when the engine is closed: the daemon may be started again', async () => {
    await using world = await openWorld()
    const { id } = await world.run([{ sleep: 1000 }, { exit: 5 }])
    await world.engine[Symbol.asyncDispose]()
    assert.equal(world.kernel.machines.size, 1)
    const adoption = await world.restart()
    assert.equal(adoption.adopted.length, 1)
    await world.advance(1000)
    await world.assertGone(id)
  })
})
