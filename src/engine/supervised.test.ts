/** What goes wrong between two statements: updates that must not take everything down, pauses that are cut off, ends that come in the middle. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { after, deaf, forever, ids, inWorld, live, scale, service, spec, states, stopFirst, up, well } from '../../test/engine/supervised.ts'
import type { World } from '../../test/engine/world.ts'
import { hour, never, noSecrets, openWorld, user } from '../../test/engine/world.ts'
import { settle } from '../backends/fake/clock.ts'
import { commandOf } from '../backends/fake/process.ts'
import { DayflyError } from '../base/errors.ts'
import { noRestart } from '../model/deployment.ts'
import type { EnvironmentSpec } from '../model/environment.ts'
import type { Script } from './backend.suite.ts'
import { presentPerPlace } from './store.ts'

describe('an update', () => {
  it(
    'that stops first gives up no further place before the one before is well again',
    inWorld(async world => {
      const web = (version: string) => service(forever, { scale: scale(3), health: well, ...stopFirst }, { env: { V: version } })
      const id = await up(world, spec({ web: web('1') }))
      await world.advance(1000)
      const before = ids(live(world, id, 'web'))
      await up(world, spec({ web: web('2') }))
      let fewest = 3
      for (let step = 0; step < 200; step++) {
        await world.advance(20)
        const instances = world.engine.workloads(id)[0]?.instances ?? []
        fewest = Math.min(fewest, instances.filter(({ instance, health }) => instance.state === 'running' && health === 'healthy').length)
      }
      assert.equal(fewest, 2)
      const now = ids(live(world, id, 'web'))
      assert.equal(now.length, 3)
      assert.ok(!now.some(instance => before.includes(instance)))
    }),
  )

  for (const condition of ['no', 'always'] as const) {
    it(
      `that does not work takes one place, not all of them (restart: ${condition})`,
      inWorld(async world => {
        const restart = { ...noRestart, condition, delay: 1000 }
        const id = await up(world, spec({ web: service(forever, { scale: scale(3), restart, ...stopFirst }) }))
        await world.advance(2000)
        await up(world, spec({ web: service([{ exit: 7 }], { scale: scale(3), restart, ...stopFirst }) }))
        await world.advance(60_000)
        assert.equal(live(world, id, 'web').length, 2)
        assert.ok(condition === 'no' || world.store.instances(id).length > 6, 'it is tried again')
        await up(world, spec({ web: service(forever, { scale: scale(3), restart, ...stopFirst }, { env: { V: '3' } }) }))
        await world.advance(60_000)
        assert.equal(live(world, id, 'web').length, 3, 'the next one is not held up by it')
        assert.equal(world.engine.workloads(id)[0]?.state, 'ready')
      }),
    )
  }

  it('is told to whoever sends requests, also when everything runs on as it did', async () => {
    const told: (readonly number[])[] = []
    const audience = {
      ...{ prepare: async () => {}, drain: async () => {}, ending: () => {}, ended: () => {} },
      statuses: ({ spec: { workloads } }: { readonly spec: EnvironmentSpec }) =>
        void told.push(workloads['web']?.deployment?.expose.map(({ port }) => port) ?? []),
    }
    await inWorld(
      async world => {
        const web = (...ports: number[]) => service(forever, { expose: ports.map(port => ({ port, protocol: 'http' as const })) })
        await up(world, spec({ web: web(80) }))
        await world.advance(100)
        await up(world, spec({ web: web(80, 81) }))
        await settle()
        assert.deepEqual(told.at(-1), [80, 81])
      },
      { engine: { audience } },
    )()
  })

  it(
    'takes an instance out of the names before it is stopped',
    inWorld(async world => {
      const id = await up(world, spec({ web: service(deaf, {}, { grace: 5000 }) }))
      await world.advance(100)
      const [before] = live(world, id, 'web')
      await up(world, spec({ web: service(forever, {}, { env: { V: '2' }, grace: 5000 }) }))
      await world.advance(2000)
      assert.equal(live(world, id, 'web').length, 2, 'the old one is in its grace')
      const named = world.kernel.names.get(id)?.find(({ name }) => name === 'web')?.instances
      assert.deepEqual(named, ids(live(world, id, 'web').filter(instance => instance.id !== before?.id)))
      await world.advance(10_000)
    }),
  )

  it(
    'that is taken back while the old one goes, by a daemon that is killed in between, comes to an end',
    inWorld(async world => {
      const one = spec({ web: service(deaf, {}, { grace: 5000 }) })
      const id = await up(world, one)
      await world.advance(100)
      await up(world, spec({ web: service(forever, {}, { env: { V: '2' }, grace: 5000 }) }))
      await world.advance(2000)
      world.crash()
      await world.restart()
      await up(world, one)
      await world.advance(60_000)
      assert.equal(live(world, id, 'web').length, 1)
      assert.equal(world.engine.workloads(id)[0]?.state, 'ready')
    }),
  )
})

describe('a pause', () => {
  const two = () => spec({ a: service(), b: service() })

  it('that is cut off by kill -9 is finished by the next daemon, and so is a resume', async () => {
    for (const operation of ['pause', 'resume'] as const) {
      let world: World | undefined
      const onCall = (what: string): void => {
        if (what === operation) world?.crash()
      }
      await using opened = await openWorld({ fake: { onCall } })
      world = opened
      const id = await up(world, two())
      await world.advance(100)
      const pausing = world.engine.pause(id, user)
      pausing.catch(() => {})
      await settle()
      if (operation === 'resume') world.engine.resume(id, user).catch(() => {})
      await settle()
      await world.restart()
      await settle()
      assert.equal(world.kernel.paused.size, operation === 'pause' ? 2 : 0, operation)
      await world.engine.wake(id, 'a', never())
      assert.equal(world.kernel.paused.size, 0)
      await world.engine.end(id, 'requested', 'enough', user, true, never())
      await world.assertGone(id)
    }
  })

  it('freezes what was starting when it came, and is tried again where it failed', async () => {
    let world: World | undefined
    let failures = 1
    await using opened = await openWorld({
      fake: {
        fault: operation => (operation === 'pause' && failures-- > 0 ? 'fail' : undefined),
        onCall: (operation, subject) => {
          if (operation !== 'start' || !world) return
          const environment = world.store.instance(subject)?.environment ?? ''
          world.engine.pause(environment, user).catch(() => {})
        },
      },
    })
    world = opened
    const id = await up(world, two())
    await world.advance(5000)
    assert.equal(live(world, id, 'a').length + live(world, id, 'b').length, 2)
    assert.equal(world.kernel.paused.size, 2)
    await world.engine.end(id, 'requested', 'enough', user, true, never())
    await world.assertGone(id)
  })

  it(
    'is over when the environment is brought up again',
    inWorld(async world => {
      const id = await up(world, spec({ db: service(forever, stopFirst) }))
      await world.advance(100)
      await world.engine.pause(id, user)
      await up(world, spec({ db: service(forever, stopFirst, { env: { V: '2' } }) }))
      await world.advance(1000)
      assert.equal(world.kernel.paused.size, 0)
      assert.equal(world.engine.workloads(id)[0]?.state, 'ready')
    }),
  )
})

describe('what comes in the middle', () => {
  it('an extension counts for an instance that was just starting', async () => {
    let world: World | undefined
    let extending: Promise<unknown> | undefined
    await using opened = await openWorld({
      fake: {
        onCall: (operation, subject) => {
          if (operation === 'start' && world) extending = world.engine.extend(world.store.instance(subject)?.environment ?? '', 5 * hour, user)
        },
      },
    })
    world = opened
    const id = await up(world, spec({ web: service() }, { lease: { ttl: hour, idle: 10 * hour, retention: hour } }))
    await world.advance(100)
    await extending
    await world.advance(2 * hour)
    assert.equal(live(world, id, 'web').length, 1)
    await world.engine.end(id, 'requested', 'enough', user, true, never())
    await world.assertGone(id)
  })

  it(
    'an end right after the start leaves nothing and keeps nothing',
    inWorld(async world => {
      const stop = new AbortController()
      const ending = (async () => {
        for await (const { type, environment } of world.engine.follow({}, stop.signal)) {
          if (type === 'environment.running') return world.engine.end(environment, 'requested', 'at once', user, false, never())
        }
        return undefined
      })()
      await world.engine.up(spec({ web: service() }), noSecrets, new Map(), user, never()).catch(() => {})
      await world.advance(20_000)
      const ended = await ending
      stop.abort()
      assert.equal(ended?.state, 'ended')
    }),
  )

  it(
    'the environment goes on while one place of a workload has failed for good and another is to be tried again',
    inWorld(async world => {
      const restart = { condition: 'on-failure' as const, attempts: 1, delay: 1000, window: 10_000 }
      const id = await up(world, spec({ web: service(forever, { scale: scale(2), restart }) }))
      const kill = async (replica: number) => {
        await world.engine.kill(live(world, id, 'web').find(instance => instance.replica === replica)?.id ?? '', 'SIGKILL', user)
        await settle()
      }
      await kill(1)
      await world.advance(1500)
      await kill(1)
      await kill(2)
      await world.advance(1500)
      assert.equal(world.store.environment(id)?.state, 'running')
      assert.deepEqual(
        live(world, id, 'web').map(({ replica }) => replica),
        [2],
      )
    }),
  )

  it(
    'a health check that prints a secret writes it into neither the record nor the status',
    inWorld(async world => {
      const health = { ...well, retries: 1, command: commandOf([{ print: 'cannot connect with hunter2-hunter2' }, { exit: 1 }]) }
      const secrets = new Map([['web', new Map([['password', Buffer.from('hunter2-hunter2\n')]])]])
      const id = await up(world, spec({ web: service(forever, { health }, { secrets: ['password'] }) }), secrets)
      await world.advance(5000)
      const text = JSON.stringify([world.store.events({ environment: id }), world.engine.workloads(id), world.lines])
      assert.match(text, /cannot connect with \[secret\]/)
      assert.ok(!text.includes('hunter2'))
    }),
  )
})

describe('a workload that crashes for days', () => {
  const restart = { condition: 'always' as const, attempts: 0, delay: 1000, window: 10_000 }

  it(
    'is looked after by its last few instances, and counts all its restarts',
    inWorld(async world => {
      const id = await up(world, spec({ flaky: service([{ exit: 1 }], { restart }), web: service() }))
      for (let hours = 0; hours < 2; hours++) await world.advance(hour)
      const made = world.store.instances(id).filter(({ workload }) => workload === 'flaky').length
      assert.ok(made > 100, `${made}`)
      assert.ok(world.store.presentInstances(id).length <= presentPerPlace + 2)
      const status = () => world.engine.workloads(id).find(({ name }) => name === 'flaky')
      assert.equal(status()?.restarts, made - 1)
      world.crash()
      await world.restart()
      await world.advance(60_000)
      assert.equal(status()?.restarts, made, 'it waits as long as it did, and no history is read anew')
    }),
  )

  it(
    'is given up after as many attempts as it may have, more than are present',
    inWorld(async world => {
      const attempts = presentPerPlace * 3
      const id = await up(world, spec({ flaky: service([{ exit: 1 }], { restart: { ...restart, attempts } }), web: service() }))
      await world.advance(hour)
      assert.equal(world.store.instances(id).filter(({ workload }) => workload === 'flaky').length, attempts + 1)
      const status = world.engine.workloads(id).find(({ name }) => name === 'flaky')
      assert.deepEqual([status?.state, status?.reason], ['failed', `exit code 1, ${attempts + 1} times in a row`])
    }),
  )
})

describe('what an instance was made from', () => {
  const slow: Script = [{ on: 'SIGUSR1', exit: 0 }, { on: 'SIGTERM', exit: 99 }, { sleep: 100 * hour }]
  const before = () => service(slow, {}, { stopSignal: 'SIGUSR1', grace: 5000 })
  const afterwards = () => service(forever, {}, { stopSignal: 'SIGTERM', grace: 0 })

  it(
    'says how it is stopped when its successor is made from something else',
    inWorld(async world => {
      const id = await up(world, spec({ web: before() }))
      await world.advance(100)
      const [old] = live(world, id, 'web')
      await up(world, spec({ web: afterwards() }))
      await world.advance(5000)
      assert.equal(world.store.instance(old?.id ?? '')?.exit?.code, 0, 'by its own signal, and in its own grace')
      const stopping = world.store.events({ environment: id, types: ['instance.stopping'] }).find(({ instance }) => instance === old?.id)
      assert.equal(stopping?.data['grace'], 5000)
    }),
  )

  it(
    'says it also when its workload was taken out, when it is stopped by hand, and at the end in the middle of an update',
    inWorld(async world => {
      const id = await up(world, spec({ a: before(), b: before(), c: before(), other: service() }))
      await world.advance(100)
      const old = ['a', 'b', 'c'].map(name => live(world, id, name)[0]?.id ?? '')
      // A successor that never gets well leaves the old ones where they are.
      const stuck = service([{ exit: 1 }], {}, { stopSignal: 'SIGTERM', grace: 0 })
      await up(world, spec({ b: stuck, c: stuck, other: service() }))
      await world.advance(2000)
      const stopping = world.engine.stop(old[1] ?? '', undefined, user, never())
      await world.advance(100)
      await stopping
      const ending = world.engine.end(id, 'requested', 'enough', user, false, never())
      await world.advance(20_000)
      await ending
      assert.deepEqual(
        old.map(instance => world.store.instance(instance)?.exit?.code),
        [0, 0, 0],
      )
    }),
  )
})

describe('the end', () => {
  it('does not wait for requests of an instance that an update is taking away', async () => {
    const audience = { prepare: async () => {}, statuses: () => {}, drain: () => new Promise<void>(() => {}), ending: () => {}, ended: () => {} }
    await inWorld(
      async world => {
        const id = await up(world, spec({ web: service() }))
        await world.advance(100)
        await up(world, spec({ web: service(forever, {}, { env: { V: '2' } }) }))
        await world.advance(2000)
        assert.ok(live(world, id, 'web').some(({ wish }) => wish === 'retired'))
        await world.engine.end(id, 'requested', 'enough', user, false, never())
        await world.assertGone(id)
      },
      { engine: { audience } },
    )()
  })
})

describe('a dependency that is to complete', () => {
  const migrate = () => service([{ exit: 0 }], { scale: scale(0) })

  it(
    'is not scaled to none',
    inWorld(async world => {
      const wanted = spec({ web: service(forever, { dependsOn: { migrate: after('completed') } }), migrate: migrate() })
      await assert.rejects(up(world, wanted), (error: unknown) => {
        assert.ok(error instanceof DayflyError)
        assert.equal(error.field, 'workloads.web.deployment.dependsOn.migrate')
        assert.match(error.message, /scaled to none/)
        return error.remedy !== undefined
      })
      assert.deepEqual(world.store.environments(), [])
    }),
  )

  it(
    'holds nobody up where it is not required',
    inWorld(async world => {
      const id = await up(world, spec({ web: service(forever, { dependsOn: { migrate: after('completed', false) } }), migrate: migrate() }))
      assert.deepEqual(states(world, id), { migrate: 'idle', web: 'ready' })
    }),
  )
})
