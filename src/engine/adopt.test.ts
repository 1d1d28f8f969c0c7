import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { World } from '../../test/engine/world.ts'
import { assertRecord, never, noSecrets, openWorld, user } from '../../test/engine/world.ts'
import { settle } from '../backends/fake/clock.ts'
import type { Operation } from '../backends/fake/fake.ts'
import { fakeWorkload } from '../backends/fake/workload.ts'
import type { Observed } from './backend.ts'
import { verdictOf } from './reconcile.ts'

const forever = [{ on: 'SIGTERM', exit: 12 }, { sleep: 1e9 }] as const
const empty = { adopted: [], finished: [], undone: [], lost: [] }

/** Starts a run whose daemon is killed just before or just after a call of the backend. */
const killedAt = async (operation: Operation, moment: 'before' | 'after', script: Parameters<World['spec']>[0]): Promise<World> => {
  const holder: { world?: World } = {}
  const crash = (): void => holder.world?.crash()
  const world = await openWorld({
    fake: {
      onCall: called => {
        if (called !== operation) return
        if (moment === 'before') crash()
        else queueMicrotask(() => queueMicrotask(crash))
      },
    },
  })
  holder.world = world
  world.engine.run(world.spec(script), noSecrets, user, never()).catch(() => {})
  await settle()
  return world
}

describe('adopting', () => {
  it('nothing is nothing', async () => {
    await using world = await openWorld()
    assert.deepEqual(await world.restart(), empty)
  })

  it('takes up what runs, and sees its end', async () => {
    await using world = await openWorld()
    const { id, instance } = await world.run([{ sleep: 5_000 }, { exit: 6 }])
    assert.deepEqual(await world.restart(), { ...empty, adopted: [instance] })
    assert.equal(world.engine.environment(id).state, 'running')
    await world.advance(5_000)
    assert.equal((await world.assertGone(id)).cause, 'completed')
    assert.equal(world.engine.instance(id).exit?.code, 6)
    assert.equal(world.kernel.starts.get(instance), 1)
    const adopted = world.store.events({ environment: id }).find(({ type }) => type === 'environment.adopted')
    assert.equal(adopted?.actor.kind, 'dayfly')
  })

  it('finishes what exited meanwhile, with its exit status', async () => {
    await using world = await openWorld()
    const { id, instance } = await world.run([{ sleep: 5_000 }, { exit: 6 }])
    world.crash()
    await world.advance(6_000)
    assert.deepEqual(await world.restart(), { ...empty, finished: [instance] })
    await settle()
    assert.equal((await world.assertGone(id)).cause, 'completed')
    assert.equal(world.engine.instance(id).exit?.code, 6)
  })

  it('undoes what was not created or not started', async () => {
    for (const operation of ['create', 'start'] as const) {
      await using world = await killedAt(operation, 'before', forever)
      const [environment] = world.store.environments()
      assert.ok(environment)
      assert.equal(environment.state, 'creating')
      const adoption = await world.restart()
      assert.equal(adoption.undone.length, 1)
      await settle()
      assert.equal((await world.assertGone(environment.id)).cause, 'failed')
    }
  })

  it('takes up what was started although nobody wrote that down', async () => {
    await using world = await killedAt('start', 'after', [{ sleep: 5_000 }, { exit: 9 }])
    const [environment] = world.store.environments()
    assert.ok(environment)
    assert.equal(world.kernel.starts.size, 1, 'it was started')
    assert.equal(environment.state, 'creating')
    const adoption = await world.restart()
    assert.equal(adoption.adopted.length, 1)
    assert.equal(world.engine.environment(environment.id).state, 'running')
    await world.advance(5_000)
    assert.equal((await world.assertGone(environment.id)).cause, 'completed')
    assert.equal(world.engine.instance(environment.id).exit?.code, 9)
  })

  it('undoes an environment of which only a part was started, and keeps the exit status of that', async () => {
    let starts = 0
    await using world = await openWorld({ fake: { fault: operation => (operation === 'start' && starts++ > 0 ? 'hang' : undefined) } })
    const workloads = { one: fakeWorkload(forever), two: fakeWorkload(forever) }
    world.engine.run(world.spec([], { workloads }), noSecrets, user, never()).catch(() => {})
    await settle()
    assert.equal(world.kernel.starts.size, 1)
    const id = world.store.environments()[0]?.id ?? ''
    await world.restart()
    await settle()
    assert.equal((await world.assertGone(id)).cause, 'failed')
    assert.deepEqual(
      world.engine.instances(id).map(({ exit }) => exit?.code),
      [12, undefined],
    )
  })

  it('records what was lost', async () => {
    await using world = await openWorld()
    const { id, instance } = await world.run(forever)
    world.crash()
    world.kernel.machines.get(instance)?.killMonitor()
    assert.deepEqual(await world.restart(), { ...empty, lost: [instance] })
    await settle()
    assert.equal((await world.assertGone(id)).cause, 'lost')
  })

  it('after a restart of the host records that everything is lost', async () => {
    await using world = await openWorld()
    const { id, instance } = await world.run(forever)
    world.reboot()
    assert.deepEqual(await world.restart(), { ...empty, lost: [instance] })
    await settle()
    const environment = await world.assertGone(id)
    assert.deepEqual({ cause: environment.cause, reason: environment.reason }, { cause: 'lost', reason: 'the host was restarted' })
  })

  it('resumes what was ending', async () => {
    await using world = await openWorld()
    const { id } = await world.run([{ sleep: 1e9 }], {}, { grace: 60_000 })
    world.engine.end(id, 'requested', 'enough', user, false, never()).catch(() => {})
    await settle()
    await world.restart()
    await world.advance(60_000)
    const environment = await world.assertGone(id)
    assert.deepEqual({ cause: environment.cause, reason: environment.reason }, { cause: 'requested', reason: 'enough' })
    assert.equal(world.engine.instance(id).exit?.signal, 9)
  })

  it('removes what the store does not know', async () => {
    await using world = await openWorld()
    const request = {
      id: 'istranger',
      environment: 'estranger',
      hostname: 'x',
      workload: fakeWorkload(forever),
      deadline: 1e12,
      logPath: `${world.folder}/stranger`,
      networks: [],
    }
    await world.backend.create(request, new Map(), never())
    await world.backend.start('istranger', never())
    assert.deepEqual((await world.engine.leaks()).map(({ owner }) => owner).toSorted(), ['estranger', 'istranger', 'istranger'])
    await world.restart()
    assert.equal(world.kernel.machines.size, 0)
    assert.equal(world.kernel.networks.size, 0)
    assert.deepEqual(await world.engine.leaks(), [])
  })

  it('explains what lives, and nothing else', async () => {
    await using world = await openWorld()
    await world.run(forever)
    assert.ok((await world.backend.owned()).length > 0)
    assert.deepEqual(await world.engine.leaks(), [])
  })

  it('waits for room on the disk and settles then', async () => {
    await using world = await openWorld()
    const { id, instance } = await world.run([{ sleep: 5_000 }, { exit: 6 }])
    world.crash()
    await world.advance(6_000)
    world.full(true)
    assert.deepEqual(await world.restart(), empty)
    await world.engine.sweep(never())
    assert.equal(world.engine.instance(instance).state, 'running')
    assert.equal(world.kernel.machines.get(instance)?.exit?.code, 6, 'not removed before its status is written')
    world.full(false)
    await world.engine.sweep(never())
    await settle()
    await world.assertGone(id)
    assert.equal(world.engine.instance(instance).exit?.code, 6)
  })

  it('waits for room on the disk also with what was half created and half ended', async () => {
    let starts = 0
    await using world = await openWorld({ fake: { fault: operation => (operation === 'start' && starts++ > 0 ? 'hang' : undefined) } })
    const ending = await world.run([{ sleep: 1e9 }], {}, { grace: 60_000 })
    world.engine.end(ending.id, 'requested', 'enough', user, false, never()).catch(() => {})
    world.run(forever).catch(() => {})
    await settle()
    world.crash()
    world.full(true)
    assert.deepEqual(await world.restart(), empty)
    await world.advance(300_000)
    assert.deepEqual(
      world.store.environments().map(({ state }) => state),
      ['creating', 'ending'],
    )
    world.full(false)
    await world.advance(180_000)
    const [created, ended] = world.store.environments()
    assert.equal((await world.assertGone(created?.id ?? '')).cause, 'failed')
    assert.equal((await world.assertGone(ended?.id ?? '')).cause, 'requested')
  })
})

describe('an end that is asked for before its environment could be adopted', () => {
  const started = async (): Promise<{ world: World; id: string }> => {
    const world = await killedAt('start', 'after', forever)
    assert.equal(world.kernel.starts.size, 1, 'it was started')
    return { world, id: world.store.environments()[0]?.id ?? '' }
  }

  it('asks what became of it: it was running', async () => {
    const { world: opened, id } = await started()
    await using world = opened
    world.full(true)
    assert.deepEqual(await world.restart(), empty)
    world.full(false)
    await world.engine.end(id, 'requested', 'enough', user, false, never())
    await world.assertGone(id)
    assert.equal(world.engine.instance(id).exit?.code, 12)
  })

  it('stops it also while nothing can be written', async () => {
    const { world: opened, id } = await started()
    await using world = opened
    world.full(true)
    await world.restart()
    await assert.rejects(world.engine.end(id, 'requested', 'enough', user, false, never()))
    await settle()
    assert.deepEqual(
      [...world.kernel.machines.values()].map(({ exit }) => exit?.code),
      [12],
    )
    world.full(false)
    await world.engine.end(id, 'requested', 'enough', user, false, never())
    await world.assertGone(id)
    assert.equal(world.engine.instance(id).exit?.code, 12)
  })

  it('does not say that it never ran when the host was restarted since', async () => {
    const { world: opened, id } = await started()
    await using world = opened
    world.reboot()
    world.full(true)
    assert.deepEqual(await world.restart(), empty)
    world.full(false)
    await world.engine.end(id, 'requested', 'enough', user, false, never())
    await world.assertGone(id)
    assert.ok(world.types(id).includes('instance.lost'))
  })
})

describe('the verdict about an instance', () => {
  const exit = { code: 0, oom: false, cause: 'exit' as const, endedAt: 1, droppedBytes: 0, droppedLines: 0 }
  const seen = (state: Observed['state'] | undefined): Observed | undefined =>
    state && { id: 'i', environment: 'e', state, pid: undefined, exit: state === 'exited' ? exit : undefined }
  for (const [written, ...verdicts] of [
    //          nothing   created   running    exited    gone
    ['pending', 'failed', 'failed', 'running', 'exited', 'failed'],
    ['created', 'failed', 'failed', 'running', 'exited', 'lost'],
    ['running', 'lost', 'lost', 'running', 'exited', 'lost'],
  ] as const) {
    it(`that was written as ${written}`, () => {
      const states = [undefined, 'created', 'running', 'exited', 'gone'] as const
      assert.deepEqual(
        states.map(state => verdictOf(written, seen(state), false)),
        verdicts,
      )
      assert.equal(verdictOf(written, undefined, true), written === 'pending' ? 'failed' : 'lost')
    })
  }
})

describe('a crash or a failure at every call', () => {
  const scenario = async (world: World): Promise<void> => {
    const { id } = await world.run([{ print: 'x\n' }, { sleep: 1_000 }, { exit: 7 }], {
      workloads: {
        a: fakeWorkload([{ sleep: 1_000 }, { exit: 7 }]),
        b: fakeWorkload([{ on: 'SIGTERM', exit: 3 }, { sleep: 1e9 }], { kind: 'service' }),
      },
    })
    await world.advance(1_000)
    await world.engine.ended(id, never())
  }
  /** Plays it for a while; true when it came to its end. */
  const play = async (world: World): Promise<boolean> => {
    let whole = false
    scenario(world).then(
      () => {
        whole = true
      },
      () => {},
    )
    for (let turn = 0; turn < 5; turn++) await world.advance(1_000)
    return whole
  }
  /** Whatever happened: everything ended, every record whole, every status there, nothing left, nothing started twice. */
  const assertSettled = async (world: World): Promise<void> => {
    await world.advance(4 * 3_600_000)
    for (const { id } of world.store.environments()) {
      await world.assertGone(id)
      for (const instance of world.store.instances(id)) {
        const starts = world.kernel.starts.get(instance.id) ?? 0
        assert.ok(starts <= 1, 'nothing is started twice')
        const types = world.store.events({ environment: id }).filter(event => event.instance === instance.id)
        if (types.some(({ type }) => type === 'instance.failed')) assert.equal(starts, 0, 'what is said never to have run did not run')
        if (world.types(id).includes('environment.running')) assert.ok(instance.exit, `${instance.workload} was started: its exit status is known`)
      }
    }
    assert.deepEqual(await world.backend.owned(), [])
  }

  it('of the backend: crash', async () => {
    for (let at = 1; ; at++) {
      const holder: { world?: World } = {}
      let calls = 0
      await using world = await openWorld({
        fake: {
          onCall: () => {
            if (++calls === at) holder.world?.crash()
          },
        },
      })
      holder.world = world
      const whole = await play(world)
      if (calls < at) {
        assert.ok(whole)
        assert.ok(at > 10, `${at} calls`)
        break
      }
      await world.restart()
      await assertSettled(world)
    }
  })

  for (const fault of ['fail', 'late'] as const) {
    it(`of the backend: ${fault}`, async () => {
      for (let at = 1; ; at++) {
        let calls = 0
        await using world = await openWorld({ fake: { fault: () => (++calls === at ? fault : undefined) } }).catch(() => openWorld())
        const whole = await play(world)
        if (calls < at) {
          assert.ok(whole)
          assert.ok(at > 10, `${at} calls`)
          break
        }
        await assertSettled(world)
      }
    })
  }

  for (const moment of ['crash', 'full'] as const) {
    it(`of the store: ${moment}`, async () => {
      for (let at = 1; ; at++) {
        const holder: { world?: World } = {}
        let writes = 0
        await using world = await openWorld({
          onTransaction: () => {
            if (++writes !== at) return
            if (moment === 'crash') holder.world?.crash()
            else holder.world?.full(true)
          },
        })
        holder.world = world
        const whole = await play(world)
        if (writes < at) {
          assert.ok(whole)
          assert.ok(at > 5, `${at} transactions`)
          break
        }
        for (const { id } of world.store.environments()) assertRecord(world.store, id)
        if (moment === 'crash') await world.restart()
        else world.full(false)
        await assertSettled(world)
      }
    })
  }
})
