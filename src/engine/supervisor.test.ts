import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { after, forever, ill, inWorld, live, noSeeds, scale, service, spec, states, up, well } from '../../test/engine/supervised.ts'
import type { World } from '../../test/engine/world.ts'
import { hour, never, noSecrets, openWorld, user } from '../../test/engine/world.ts'
import { settle } from '../backends/fake/clock.ts'
import { DayflyError } from '../base/errors.ts'
import type { Deployment } from '../model/deployment.ts'
import type { EnvironmentSpec } from '../model/environment.ts'

describe('keeping workloads running', () => {
  it(
    'starts them in the order of their dependencies: healthy, completed, started',
    inWorld(async world => {
      const id = await up(
        world,
        spec({
          web: service(forever, { dependsOn: { api: after('started') } }),
          api: service(forever, { dependsOn: { db: after('healthy'), migrate: after('completed') } }),
          migrate: service([{ sleep: 5000 }, { exit: 0 }], { dependsOn: { db: after('healthy') } }),
          db: service(forever, { health: well }),
        }),
      )
      assert.deepEqual(states(world, id), { db: 'starting', migrate: 'waiting', api: 'waiting', web: 'waiting' })
      await world.advance(200)
      assert.deepEqual(states(world, id), { db: 'ready', migrate: 'ready', api: 'waiting', web: 'waiting' })
      await world.advance(5000)
      assert.deepEqual(states(world, id), { db: 'ready', migrate: 'completed', api: 'ready', web: 'ready' })
    }),
  )

  it(
    'says what a workload waits for, and that it waits in vain',
    inWorld(async world => {
      const id = await up(
        world,
        spec({ web: service(forever, { dependsOn: { db: after('healthy') } }), db: service([{ sleep: 100 }, { exit: 3 }], { health: ill }) }),
      )
      const reasonOf = (name: string) => world.engine.workloads(id).find(status => status.name === name)?.reason
      assert.match(reasonOf('web') ?? '', /waits for db to be healthy/)
      await world.advance(1000)
      assert.equal((await world.assertGone(id)).cause, 'completed')
      assert.deepEqual(
        world.store.instances(id).map(({ workload, exit }) => [workload, exit?.code]),
        [['db', 3]],
      )
    }),
  )

  it(
    'keeps an unhealthy instance out of the names, but running',
    inWorld(async world => {
      const id = await up(
        world,
        spec({ web: service(forever, { health: ill, scale: scale(1) }), db: service(forever, { dependsOn: { web: after('healthy') } }) }),
      )
      await world.advance(10_000)
      const db = world.engine.workloads(id).find(({ name }) => name === 'db')
      assert.deepEqual([db?.state, db?.reason], ['failed', 'it depends on web: instance 1 is unhealthy'])
      const [status] = world.engine.workloads(id)
      assert.equal(status?.state, 'starting')
      assert.equal(status?.instances[0]?.health, 'unhealthy')
      assert.equal(world.types(id).filter(type => type === 'instance.unhealthy').length, 1)
    }),
  )

  it(
    'restarts by the policy, later each time',
    inWorld(async world => {
      const restart = { condition: 'on-failure' as const, attempts: 3, delay: 1000, window: 10_000 }
      const id = await up(world, spec({ flaky: service([{ exit: 1 }], { restart }), other: service() }))
      const starts = () => world.store.instances(id).filter(({ workload }) => workload === 'flaky').length
      assert.equal(starts(), 1)
      await world.advance(999)
      assert.equal(starts(), 1)
      await world.advance(1)
      assert.equal(starts(), 2)
      await world.advance(2000)
      assert.equal(starts(), 3)
      await world.advance(60_000)
      assert.equal(starts(), 4)
      assert.equal(states(world, id)['flaky'], 'failed')
      assert.equal(states(world, id)['other'], 'ready')
    }),
  )

  it(
    'does not start again what somebody stopped',
    inWorld(async world => {
      const restart = { condition: 'always' as const, attempts: 0, delay: 10, window: 1000 }
      const id = await up(world, spec({ web: service(forever, { restart }), db: service() }))
      const [instance] = live(world, id, 'web')
      const stopping = world.engine.stop(instance?.id ?? '', undefined, user, never())
      await world.advance(1000)
      await stopping
      await world.advance(60_000)
      assert.equal(states(world, id)['web'], 'stopped')
      await world.restart()
      await world.advance(60_000)
      assert.equal(states(world, id)['web'], 'stopped')
    }),
  )

  it(
    'ends the environment when everything in it has ended for good',
    inWorld(async world => {
      const id = await up(world, spec({ a: service([{ sleep: 100 }, { exit: 0 }]), b: service([{ sleep: 200 }, { exit: 0 }]) }))
      const over = world.engine.exited(id, 'b', never())
      await world.advance(1000)
      assert.equal((await over).exit?.code, 0)
      assert.equal((await world.assertGone(id)).cause, 'completed')
    }),
  )

  it(
    'gives names to those that are well, and forgets the others',
    inWorld(async world => {
      const id = await up(
        world,
        spec(
          { web: service(forever, { scale: scale(2), health: well, networks: { front: { aliases: ['www'] } } }) },
          { networks: { front: { internal: false } } },
        ),
      )
      await world.advance(500)
      const both = live(world, id, 'web').map(instance => instance.id)
      assert.equal(both.length, 2)
      const named = (name: string) => world.kernel.names.get(id)?.find(known => known.name === name)
      assert.deepEqual(named('web')?.instances, both)
      assert.deepEqual(named('www'), { name: 'www', network: 'front', instances: both })
      world.kernel.machines.get(both[0] ?? '')?.killMonitor()
      await world.advance(10)
      assert.deepEqual(named('web')?.instances, [both[1]])
    }),
  )
})

describe('bringing up again', () => {
  it(
    'changes only what changed, the new one being well before the old one goes',
    inWorld(async world => {
      const base = { db: service(), web: service(forever, { scale: scale(2), health: well, dependsOn: { db: after('started') } }) }
      const id = await up(world, spec(base))
      await world.advance(1000)
      const before = live(world, id, 'web').map(instance => instance.id)
      const db = live(world, id, 'db').map(instance => instance.id)
      const changed = spec({ ...base, web: { ...base.web, env: { VERSION: '2' } } })
      assert.deepEqual(
        world.engine.diff(changed).map(({ name, kind, fields, effect }) => [name, kind, fields, effect]),
        [['web', 'changed', ['env.PATH', 'env.VERSION'], 'replaced']],
      )
      const { environment, changes } = await world.engine.up(changed, noSecrets, noSeeds, user, never())
      assert.equal(environment.id, id)
      assert.equal(changes.length, 1)
      let fewest = 2
      for (let step = 0; step < 200; step++) {
        await world.advance(20)
        const ready = live(world, id, 'web').filter(({ wish }) => wish === undefined)
        fewest = Math.min(fewest, ready.length)
      }
      assert.equal(fewest, 2, 'there were always two')
      const now = live(world, id, 'web').map(instance => instance.id)
      assert.equal(now.length, 2)
      assert.ok(!now.some(instance => before.includes(instance)))
      assert.deepEqual(
        live(world, id, 'db').map(instance => instance.id),
        db,
      )
      assert.equal(states(world, id)['web'], 'ready')
      assert.ok(world.types(id).includes('environment.updated'))
    }),
  )

  it(
    'lets the old one run when the new one does not get well',
    inWorld(async world => {
      const id = await up(world, spec({ web: service(), db: service() }))
      const [before] = live(world, id, 'web')
      await up(world, spec({ web: service([{ exit: 7 }]), db: service() }))
      await world.advance(60_000)
      assert.deepEqual(
        live(world, id, 'web').map(instance => instance.id),
        [before?.id],
      )
      const status = world.engine.workloads(id).find(({ name }) => name === 'web')
      assert.deepEqual([status?.state, status?.reason], ['failed', 'exit code 7'])
    }),
  )

  it(
    'stops first where two at once would be wrong',
    inWorld(async world => {
      const single = { update: { order: 'stop-first' as const, parallelism: 1 } }
      const id = await up(world, spec({ db: service(forever, single) }))
      await up(world, spec({ db: service(forever, single, { env: { V: '2' } }) }))
      let most = 0
      for (let step = 0; step < 50; step++) {
        most = Math.max(most, [...world.kernel.machines.values()].filter(({ state }) => state === 'running').length)
        await world.advance(10)
      }
      assert.equal(most, 1)
      assert.equal(states(world, id)['db'], 'ready')
      assert.equal(world.store.instances(id).length, 2)
    }),
  )

  it(
    'takes away what is not in it any more, and adds what is new; nothing changes where nothing did',
    inWorld(async world => {
      const id = await up(world, spec({ a: service(), b: service() }))
      const [a] = live(world, id, 'a')
      const { changes } = await world.engine.up(spec({ a: service(), c: service() }), noSecrets, noSeeds, user, never())
      assert.deepEqual(
        changes.map(({ name, kind, effect }) => [name, kind, effect]),
        [
          ['c', 'added', 'started'],
          ['b', 'removed', 'stopped'],
        ],
      )
      await world.advance(2000)
      assert.deepEqual(states(world, id), { a: 'ready', c: 'ready' })
      assert.equal(live(world, id, 'b').length, 0)
      assert.equal(live(world, id, 'a')[0]?.id, a?.id)
      const again = await world.engine.up(spec({ a: service(), c: service() }), noSecrets, noSeeds, user, never())
      assert.deepEqual(again.changes, [])
    }),
  )

  it(
    'tries again what has failed or was stopped, and leaves alone what has completed',
    inWorld(async world => {
      const wanted = spec({ web: service(), bad: service([{ exit: 1 }]), done: service([{ exit: 0 }]) })
      const id = await up(world, wanted)
      const stopping = world.engine.stop(live(world, id, 'web')[0]?.id ?? '', undefined, user, never())
      await world.advance(1000)
      await stopping
      assert.deepEqual(states(world, id), { web: 'stopped', bad: 'failed', done: 'completed' })
      const { changes } = await world.engine.up(wanted, noSecrets, noSeeds, user, never())
      assert.deepEqual(changes, [])
      await world.advance(1000)
      assert.deepEqual(states(world, id), { web: 'ready', bad: 'failed', done: 'completed' })
      const count = (workload: string) => world.store.instances(id).filter(instance => instance.workload === workload).length
      assert.deepEqual([count('web'), count('bad'), count('done')], [2, 2, 1])
    }),
  )

  it(
    'waits for the end of the one before it',
    inWorld(async world => {
      const slow = service([{ sleep: 1e9 }], {}, { grace: 5000 })
      const id = await up(world, spec({ web: slow }))
      const ending = world.engine.end(id, 'requested', 'enough', user, false, never())
      await settle()
      const again = world.engine.up(spec({ web: service() }), noSecrets, noSeeds, user, never())
      await world.advance(6000)
      await ending
      const { environment } = await again
      assert.notEqual(environment.id, id)
      await world.assertGone(id)
      await settle()
      assert.deepEqual(states(world, environment.id), { web: 'ready' })
    }),
  )

  it(
    'refuses what cannot be, and creates nothing',
    inWorld(async world => {
      const refused = (wanted: EnvironmentSpec, field: string) =>
        assert.rejects(
          world.engine.up(wanted, noSecrets, noSeeds, user, never()),
          (error: unknown) => error instanceof DayflyError && error.field === field && error.remedy !== undefined,
        )
      const circle = { a: service(forever, { dependsOn: { b: after('started') } }), b: service(forever, { dependsOn: { a: after('started') } }) }
      await refused(spec(circle), 'workloads.a.deployment.dependsOn')
      await refused(spec({ a: service(forever, { dependsOn: { b: after('started') } }) }), 'workloads.a.deployment.dependsOn.b')
      await refused(spec({ a: service(forever, { networks: { x: { aliases: [] } } }) }), 'workloads.a.deployment.networks.x')
      const mount = { type: 'volume' as const, volume: 'data', target: '/data', readOnly: false, copy: true }
      await refused(spec({ a: service(forever, {}, { mounts: [mount] }) }), 'workloads.a.mounts[0].volume')
      assert.deepEqual(world.store.environments(), [])
      await world.run(forever, { name: 'shop' })
      await refused(spec({ a: service() }), 'name')
    }),
  )
})

describe('scaling, pausing, waking', () => {
  const elastic = (change: Partial<Deployment> = {}) =>
    service(forever, { scale: { min: 0, max: 3, target: { concurrency: 5 }, window: 0 }, ...change })

  it(
    'wakes what is scaled to none, and goes down to none again without calling that a failure',
    inWorld(async world => {
      const id = await up(world, spec({ web: elastic(), db: service() }))
      assert.equal(states(world, id)['web'], 'idle')
      const waking = world.engine.wake(id, 'web', never())
      await world.advance(100)
      await waking
      world.engine.scale(id, 'web', 9)
      await world.advance(100)
      assert.equal(live(world, id, 'web').length, 3)
      world.engine.scale(id, 'web', 0)
      await world.advance(2000)
      assert.equal(live(world, id, 'web').length, 0)
      assert.equal(states(world, id)['web'], 'idle')
      await Promise.all([world.engine.wake(id, 'web', never()), world.advance(100)])
      assert.equal(states(world, id)['web'], 'ready')
    }),
  )

  it(
    'freezes on idleness where the lease says so, and wakes on a request',
    inWorld(async world => {
      const lease = { ttl: 10 * hour, idle: 60_000, retention: hour, onIdle: 'pause' as const }
      const id = await up(world, spec({ web: service() }, { lease }))
      await world.advance(60_000)
      assert.equal(world.kernel.paused.size, 1)
      assert.ok(world.types(id).includes('environment.expiring'))
      await world.restart()
      await world.advance(5 * 60_000)
      assert.equal(world.kernel.paused.size, 1, 'it is still there, and frozen')
      await world.engine.wake(id, 'web', never())
      assert.equal(world.kernel.paused.size, 0)
      await world.advance(10 * hour)
      assert.equal((await world.assertGone(id)).cause, 'ttl')
    }),
  )
})

describe('a daemon that is killed', () => {
  const parts = (version: string) => ({
    db: service(forever, { health: well }),
    migrate: service([{ sleep: 50 }, { exit: 0 }], { dependsOn: { db: after('healthy') } }, { env: { V: version } }),
    web: service(forever, { scale: scale(2), dependsOn: { migrate: after('completed') } }, { env: { V: version } }),
  })

  for (const operation of ['create', 'start', 'remove', 'setNames', 'prepareEnvironment'] as const) {
    for (const call of [1, 2, 3, 4]) {
      it(`in the middle of bringing up, at ${operation} ${call}: the next one goes on or undoes it`, async () => {
        let count = 0
        let world: World | undefined
        const onCall = (what: string): void => {
          if (what === operation && ++count === call) world?.crash()
        }
        await using opened = await openWorld({ fake: { onCall } })
        world = opened
        const first = world.engine.up(spec(parts('1')), noSecrets, noSeeds, user, never())
        first.catch(() => {})
        await world.advance(1000)
        await world.restart()
        await world.advance(2000)
        const [environment] = world.store.environments()
        if (!environment) return
        if (environment.state === 'ended') {
          await world.assertGone(environment.id)
          return
        }
        assert.deepEqual(states(world, environment.id), { db: 'ready', migrate: 'completed', web: 'ready' })
        await world.engine.up(spec(parts('2')), noSecrets, noSeeds, user, never())
        await world.advance(5000)
        assert.deepEqual(states(world, environment.id), { db: 'ready', migrate: 'completed', web: 'ready' })
        assert.equal(live(world, environment.id, 'web').length, 2)
        assert.ok(
          [...world.kernel.starts.values()].every(starts => starts === 1),
          'nothing was started twice',
        )
        await world.engine.end(environment.id, 'requested', 'enough', user, true, never())
        await world.assertGone(environment.id)
      })
    }
  }

  it('in the middle of an update: it is finished', async () => {
    for (let at = 1; at <= 12; at++) {
      await using world = await openWorld()
      const id = await up(world, spec(parts('1')))
      await world.advance(1000)
      let count = 0
      await world.restart({
        fake: {
          onCall: what => {
            if (['create', 'start', 'remove', 'signal', 'setNames'].includes(what) && ++count === at) world.crash()
          },
        },
      })
      world.engine.up(spec(parts('2')), noSecrets, noSeeds, user, never()).catch(() => {})
      await world.advance(2000)
      await world.restart()
      await world.advance(3000)
      assert.deepEqual(states(world, id), { db: 'ready', migrate: 'completed', web: 'ready' }, `killed at ${at}`)
      assert.deepEqual(
        live(world, id, 'web')
          .map(({ replica }) => replica)
          .toSorted(),
        [1, 2],
        `killed at ${at}`,
      )
      await world.engine.end(id, 'requested', 'enough', user, true, never())
      await world.assertGone(id)
    }
  })
})
