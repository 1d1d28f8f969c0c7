/** Changes of one name come one after another; what is given up, denied or ended in the middle leaves what was there. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { admission, decision } from '../../test/engine/admission.ts'
import { deaf, forever, inWorld, live, noSeeds, service, spec, up } from '../../test/engine/supervised.ts'
import { hour, never, noSecrets, openWorld, user } from '../../test/engine/world.ts'
import { settle } from '../backends/fake/clock.ts'
import { DayflyError } from '../base/errors.ts'
import type { Environment } from '../model/environment.ts'
import type { Audience } from './audience.ts'
import type { Secrets } from './engine.ts'
import type { Place, Waiting } from './line.ts'
import type { Quotas } from './quotas.ts'
import { noQuotas } from './quotas.ts'
import { forgetfulKeeper } from './secrets.ts'

const web = (version: string) => spec({ web: service(forever, {}, { env: { V: version } }) })
const coded = (code: string) => (error: unknown) => error instanceof DayflyError && error.code === code

/** Holds up whoever waits, an audience's `prepare` among them, until they are let go. */
const holdingUp = () => {
  const held: (() => void)[] = []
  let holds = false
  const wait = async (): Promise<void> => {
    if (!holds) return
    const { promise, resolve } = Promise.withResolvers<void>()
    held.push(resolve)
    await promise
  }
  const audience: Audience = { statuses: () => {}, drain: async () => {}, ending: () => {}, ended: () => {}, prepare: wait }
  const go = (): void => {
    for (const resolve of held.splice(0)) resolve()
  }
  const hold = (value: boolean): void => {
    holds = value
  }
  return { audience, wait, held, go, hold }
}

describe('changes of one name', () => {
  it('are left by who gives up at once, and by nobody else: they never overlap', async () => {
    const { audience, held, go, hold } = holdingUp()
    await inWorld(
      async world => {
        const id = await up(world, web('1'))
        hold(true)
        const first = world.engine.up(web('2'), noSecrets, noSeeds, user, never())
        await settle()
        const gone = new AbortController()
        const second = world.engine.up(web('3'), noSecrets, noSeeds, user, gone.signal)
        const third = world.engine.up(web('4'), noSecrets, noSeeds, user, never())
        second.catch(() => {})
        gone.abort()
        await assert.rejects(second, coded('aborted'))
        await settle()
        assert.equal(held.length, 1, 'the third has not begun: the first is under way')
        hold(false)
        go()
        await Promise.all([first, third])
        assert.deepEqual(world.store.environment(id)?.spec.workloads['web']?.env, { V: '4' })
      },
      { engine: { audience } },
    )()
  })

  it('say whom they wait for, and what that one waits for in line', async () => {
    let full = true
    const excess = () => (full ? { of: 'owner' as const, reason: 'tester has enough', never: false } : undefined)
    const quotas: Quotas = { ...noQuotas, excessOf: excess }
    await inWorld(
      async world => {
        const told: Place[][] = [[], [], []]
        const waiting = (index: number, patience: number | undefined): Waiting => ({ patience, onPlace: place => void told[index]?.push(place) })
        const ups = [hour, undefined, hour].map((patience, index) =>
          world.engine.up(web(`${index}`), noSecrets, noSeeds, user, never(), false, waiting(index, patience)),
        )
        await settle()
        assert.deepEqual(told[0], [{ place: 1, reason: 'tester has enough' }])
        assert.deepEqual(
          told[1]?.map(({ place }) => place),
          [2],
        )
        assert.deepEqual(
          told[2]?.map(({ place }) => place),
          [3],
        )
        assert.match(told[2]?.[0]?.reason ?? '', /another up of shop comes first/)
        const late: Place[] = []
        const fourth = world.engine.up(web('3'), noSecrets, noSeeds, user, never(), false, {
          patience: undefined,
          onPlace: place => void late.push(place),
        })
        await settle()
        assert.deepEqual(late, [{ place: 4, reason: 'another up of shop comes first, which waits in line itself: tester has enough' }])
        full = false
        await world.advance(1000)
        const made = await Promise.all([...ups, fourth])
        assert.equal(new Set(made.map(({ environment }) => environment.id)).size, 1)
      },
      { engine: { quotas } },
    )()
  })

  it('are asked for as long as they are not answered', async () => {
    const quotas: Quotas = { ...noQuotas, excessOf: () => ({ of: 'owner', reason: 'enough', never: false }) }
    await using world = await openWorld({ engine: { quotas } })
    const gone = new AbortController()
    const queue: Waiting = { patience: hour, onPlace: () => {} }
    const both = [
      world.engine.run(world.spec(forever), noSecrets, user, gone.signal, queue),
      world.engine.up(web('1'), noSecrets, noSeeds, user, gone.signal, false, queue),
    ]
    for (const one of both) one.catch(() => {})
    await settle()
    assert.equal(world.engine.asked().length, 2)
    gone.abort()
    await Promise.allSettled(both)
    await settle()
    assert.deepEqual(world.engine.asked(), [])
  })
})

describe('an end in the middle of a change', () => {
  for (const where of ['its admission', 'the opening of its ports'] as const) {
    it(`breaks the change off at ${where}, and nothing is made again that was removed`, async () => {
      const { audience, held, go, hold } = holdingUp()
      const gate = holdingUp()
      const admitting = admission(async () => {
        await gate.wait()
        return decision()
      })
      await using world = await openWorld({ engine: { audience, admission: admitting } })
      const id = await up(world, web('1'))
      await settle()
      if (where === 'its admission') gate.hold(true)
      else hold(true)
      const change = world.engine.up(web('2'), noSecrets, noSeeds, user, never())
      change.catch(() => {})
      await settle()
      assert.equal((where === 'its admission' ? gate.held : held).length, 1)
      const end = world.engine.end(id, 'requested', 'enough', user, false, never())
      await settle()
      for (const one of [gate, { go, hold }]) {
        one.hold(false)
        one.go()
      }
      await world.advance(1000)
      await end
      await assert.rejects(change, coded('aborted'))
      await world.assertGone(id)
      assert.deepEqual(await world.engine.leaks(), [])
      assert.equal(world.store.events({ environment: id, types: ['environment.updated'] }).length, 0)
    })
  }

  it('is not held up by a change that does not notice', async t => {
    t.mock.timers.enable({ apis: ['setTimeout'] })
    const { audience, hold, go } = holdingUp()
    await using world = await openWorld({ engine: { audience } })
    const id = await up(world, web('1'))
    hold(true)
    const change = world.engine.up(web('2'), noSecrets, noSeeds, user, never())
    change.catch(() => {})
    await settle()
    const end = world.engine.end(id, 'requested', 'enough', user, true, never())
    await settle()
    t.mock.timers.tick(10_000)
    await end
    assert.equal(world.store.environment(id)?.state, 'ended')
    go()
    await assert.rejects(change, coded('aborted'))
    await world.assertGone(id)
  })
})

describe('a change that fails', () => {
  it('closes again what was opened for it', async () => {
    const open = new Set<number>()
    const portsOf = ({ spec: { workloads } }: Environment): number[] => workloads['web']?.deployment?.expose.map(({ port }) => port) ?? []
    const audience: Audience = {
      ...{ drain: async () => {}, ending: () => {}, ended: () => {} },
      prepare: async environment => {
        for (const port of portsOf(environment)) open.add(port)
      },
      statuses: environment => {
        const wanted = new Set(portsOf(environment))
        for (const port of open) if (!wanted.has(port)) open.delete(port)
      },
    }
    let fails = false
    await inWorld(
      async world => {
        const exposing = (...ports: number[]) => spec({ web: service(forever, { expose: ports.map(port => ({ port, protocol: 'tcp' as const })) }) })
        await up(world, exposing(80))
        fails = true
        await assert.rejects(world.engine.up(exposing(80, 81), noSecrets, noSeeds, user, never()), coded('host'))
        assert.deepEqual([...open], [80])
        fails = false
        await up(world, exposing(80, 81))
        assert.deepEqual([...open], [80, 81])
      },
      { engine: { audience }, fake: { fault: operation => (fails && operation === 'prepareEnvironment' ? 'fail' : undefined) } },
    )()
  })
})

describe('a change that cannot be written', () => {
  const secret = (text: string): Secrets => new Map([['web', new Map([['token', Buffer.from(text)]])]])
  const withSecret = spec({ web: service(forever, {}, { secrets: ['token'] }) })

  it('leaves the secrets as they were', async () => {
    const keeper = forgetfulKeeper()
    await inWorld(
      async world => {
        const id = await up(world, withSecret, secret('the first one'))
        await settle()
        world.full(true)
        await assert.rejects(world.engine.up(withSecret, secret('the second one'), noSeeds, user, never()), coded('host'))
        world.full(false)
        assert.equal(Buffer.from(keeper.find(id).get('web')?.get('token') ?? []).toString(), 'the first one')
      },
      { engine: { keeper } },
    )()
  })
})

describe('stopping an instance of a paused environment', () => {
  for (const full of [false, true]) {
    it(
      `lets it hear its stop signal at once, and it alone${full ? ', also while nothing can be written' : ''}`,
      inWorld(async world => {
        // It takes its grace: a fake process hears what it is told also when it is frozen.
        const id = await up(world, spec({ web: service(deaf), other: service() }))
        await world.engine.pause(id, user)
        assert.equal(world.kernel.paused.size, 2)
        const [instance] = live(world, id, 'web')
        assert.ok(instance)
        world.full(full)
        const stopped = world.engine.stop(instance.id, 10_000, user, never())
        await settle()
        assert.deepEqual(
          [...world.kernel.paused],
          live(world, id, 'other').map(other => other.id),
        )
        world.full(false)
        await world.advance(10_000)
        assert.equal((await stopped).exit?.code, 137)
      }),
    )
  }
})
