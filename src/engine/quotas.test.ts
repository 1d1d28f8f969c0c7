import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { admission, decision } from '../../test/engine/admission.ts'
import { forever, scale, service, spec, states, up } from '../../test/engine/supervised.ts'
import type { World } from '../../test/engine/world.ts'
import { hour, never, noSecrets, openWorld, user } from '../../test/engine/world.ts'
import { heapInUse } from '../../test/heap.ts'
import { manualClock, settle } from '../backends/fake/clock.ts'
import { fakeWorkload } from '../backends/fake/workload.ts'
import { DayflyError } from '../base/errors.ts'
import type { Place, Waiting } from './line.ts'
import type { HostRoom, Quota, Quotas } from './quotas.ts'
import { createQuotas, noQuotas } from './quotas.ts'

const mebibyte = 1024 ** 2
const gigabyte = 1024 ** 3

interface Limits {
  readonly each?: Quota
  readonly reserve?: { readonly memory: number; readonly disk: number }
  readonly host?: Partial<HostRoom>
  readonly diskOf?: (owner: string) => number
  readonly teams?: Readonly<Record<string, Quota>>
}

/** Quotas that stand on a world, which is opened with them. */
const worldWith = async ({ each = {}, reserve = { memory: 0, disk: 0 }, host = {}, diskOf = () => 0, teams = {} }: Limits): Promise<World> => {
  let world: World | undefined
  let quotas: Quotas | undefined
  const now = (): Quotas => {
    assert.ok(world)
    const room = { memory: () => 100 * gigabyte, size: 100 * gigabyte, disks: () => [], ...host }
    quotas ??= createQuotas({ each, owners: { rich: {} }, teams, reserve }, { store: world.store, clock: world.clock, host: room, diskOf })
    return quotas
  }
  const proxy: Quotas = {
    excessOf: wanted => now().excessOf(wanted),
    claim: wanted => now().claim(wanted),
    excessOfInstance: (of, workload) => now().excessOfInstance(of, workload),
    claimInstance: (of, workload) => now().claimInstance(of, workload),
  }
  world = await openWorld({ engine: { quotas: proxy } })
  return world
}
const exhausted = (message: RegExp) => (error: unknown) => {
  assert.ok(error instanceof DayflyError)
  assert.equal(error.code, 'exhausted')
  assert.match(error.message, message)
  return error.remedy !== undefined
}
const end = (world: World, id: string) => world.engine.end(id, 'requested', 'enough', user, true, never())

describe('quotas', () => {
  it('refuse what is over, naming what and how much, and leave nothing', async () => {
    for (const [quota, message] of [
      [{ environments: 1 }, /tester has 1 environments and may have 1 environments; this takes 1 environments more/],
      [{ instances: 1 }, /has 1 instances and may have 1/],
      [{ cpus: 1.5 }, /has 1 CPUs and may have 1.5 CPUs; this takes 1 CPUs more/],
      [{ memory: 600 * mebibyte }, /has 512 ?MiB of memory/],
      [{ startsPerMinute: 1 }, /1 starts a minute/],
    ] as const) {
      await using world = await worldWith({ each: quota })
      const { id } = await world.run(forever)
      await assert.rejects(world.run(forever), exhausted(message))
      assert.equal(world.store.environments().length, 1)
      await world.run(forever, { owner: 'rich' })
      await end(world, id)
      await world.advance(60_000)
      await world.run(forever)
    }
  })

  it('are of a team as a whole, whoever of it asks, and of no other', async () => {
    await using world = await worldWith({ teams: { blue: { environments: 2, memory: 4 * gigabyte } } })
    const { id } = await world.run(forever, { team: 'blue' })
    await world.run(forever, { team: 'blue', owner: 'rich' })
    await assert.rejects(
      world.run(forever, { team: 'blue', owner: 'another' }),
      exhausted(/the team blue has 2 environments and may have 2 environments/),
    )
    await world.run(forever, { team: 'green' })
    await world.run(forever)
    await end(world, id)
    await world.run(forever, { team: 'blue', owner: 'another' })
  })

  it('say that something alone is more than there may be', async () => {
    await using world = await worldWith({ each: { memory: 100 * mebibyte } })
    await assert.rejects(world.run(forever), exhausted(/tester may have 100 MiB of memory, and this alone takes 512 MiB/))
  })

  it('refuse more to who has filled their disk, and to all when that of the host is short', async () => {
    let [used, free] = [0, 50 * gigabyte]
    await using world = await worldWith({
      each: { disk: gigabyte },
      reserve: { memory: 0, disk: 10 * gigabyte },
      host: { disks: () => [{ name: '/state', free, size: 200 * gigabyte }] },
      diskOf: owner => (owner === 'tester' ? used : 0),
    })
    await world.run(forever)
    used = gigabyte
    await assert.rejects(world.run(forever), exhausted(/tester has 1 GiB on disk and may have 1 GiB on disk$/))
    await world.run(forever, { owner: 'rich' })
    used = Number.POSITIVE_INFINITY
    await assert.rejects(world.run(forever), exhausted(/more files on disk than can be counted/))
    used = 0
    free = 9 * gigabyte
    await assert.rejects(world.run(forever, { owner: 'rich' }), exhausted(/9 GiB of disk left on \/state and keeps 10 GiB for itself/))
  })

  it('let a small file system keep a tenth of itself', async () => {
    let free = 30 * mebibyte
    await using world = await worldWith({
      reserve: { memory: 0, disk: 10 * gigabyte },
      host: { disks: () => [{ name: '/run', free, size: 200 * mebibyte }] },
    })
    await world.run(forever)
    free = 19 * mebibyte
    await assert.rejects(world.run(forever), exhausted(/19 MiB of disk left on \/run and keeps 20 MiB/))
  })

  it('keep memory for the host, also from a burst of which nothing shows yet', async () => {
    let available = 3 * gigabyte
    await using world = await worldWith({ reserve: { memory: gigabyte, disk: 0 }, host: { memory: () => available } })
    const burst = await Promise.allSettled(Array.from({ length: 10 }, () => world.run(forever)))
    const begun = burst.filter(({ status }) => status === 'fulfilled').length
    assert.equal(begun, 4, 'of 512 MiB each, as many as 2 GiB hold')
    const refused = burst.find(({ status }) => status === 'rejected')
    assert.ok(refused?.status === 'rejected')
    exhausted(/3 GiB of memory left, of which 2 GiB are promised to what is starting, and keeps 1 GiB for itself/)(refused.reason)
    // They turn out to use little.
    await world.advance(6_000)
    await world.run(forever)
    await world.advance(6_000)
    available = gigabyte
    await assert.rejects(world.run(forever), exhausted(/keeps 1 ?GiB for itself/))
  })

  it('count what is being created, and forget what has failed', async () => {
    await using world = await worldWith({ each: { instances: 3 } })
    const two = (name: string) => spec({ web: service(forever, { scale: scale(2) }) }, { name })
    const both = await Promise.allSettled([up(world, two('one')), up(world, two('other'))])
    assert.deepEqual(both.map(({ status }) => status).toSorted(), ['fulfilled', 'rejected'])
    await assert.rejects(world.run([{ exit: 0 }], {}, { command: ['none', 'of this'] }))
    await world.run(forever)
  })

  it('make instances wait that there is no room for, and say so', async () => {
    await using world = await worldWith({ each: { instances: 3 } })
    const { id } = await world.run(forever)
    const elastic = service(forever, { scale: { min: 1, max: 5, target: { concurrency: 1 }, window: 0 } })
    const shop = await up(world, spec({ web: elastic }))
    world.engine.scale(shop, 'web', 4)
    await settle()
    const status = () => world.engine.workloads(shop)[0]
    assert.equal(status()?.ready, 2)
    assert.match(status()?.reason ?? '', /tester has 3 instances and may have 3/)
    await end(world, id)
    await world.advance(1000)
    assert.equal(status()?.ready, 3)
  })
})

describe('quotas, asked by themselves', () => {
  const limits = { cpus: 1, memory: mebibyte, pids: 10, io: 65_536 }
  const workload = fakeWorkload(forever, { limits })
  const host = { memory: () => gigabyte, size: gigabyte, disks: () => [] }
  const reserve = { memory: 0, disk: 0 }

  it('hold up no instance for a limit of which it takes nothing, though it was lowered below what is there', () => {
    const held = () => ({ environments: 2, instances: 3, cpus: 3, memory: 3 * mebibyte })
    const quotasOf = (each: Quota): Quotas =>
      createQuotas({ each, owners: {}, reserve }, { store: { held }, clock: manualClock(), host, diskOf: () => 0 })
    assert.equal(quotasOf({ environments: 1 }).excessOfInstance({ owner: 'tester' }, workload), undefined)
    assert.match(quotasOf({ instances: 1 }).excessOfInstance({ owner: 'tester' }, workload)?.reason ?? '', /has 3 instances and may have 1/)
    assert.match(quotasOf({ environments: 1 }).excessOf(spec({ web: service() }))?.reason ?? '', /has 2 environments and may have 1/)
  })

  it('remember no start for ever, also where no memory is kept for the host', () => {
    let now = 0
    const clock = { ...manualClock(), boot: () => now }
    const held = () => ({ environments: 0, instances: 0, cpus: 0, memory: 0 })
    const quotas = createQuotas({ each: { instances: 10 }, owners: {}, reserve }, { store: { held }, clock, host, diskOf: () => 0 })
    const begin = (times: number): number => {
      for (let count = 0; count < times; count++) {
        now += 6_000
        using claim = quotas.claimInstance({ owner: 'tester' }, workload)
        claim.written()
        claim.ran()
      }
      return heapInUse()
    }
    const before = begin(1_000)
    assert.ok(begin(50_000) - before < 4 * mebibyte)
  })
})

interface Queued {
  readonly places: Place[]
  readonly gone: AbortController
  readonly work: Promise<string>
}

describe('the line', () => {
  const queued = (world: World, change: { owner?: string; patience?: number; memory?: number } = {}): Queued => {
    const { owner = 'tester', patience = hour, memory = 512 * mebibyte } = change
    const places: Place[] = []
    const gone = new AbortController()
    const waiting: Waiting = { patience, onPlace: place => places.push(place) }
    const limits = { cpus: 1, memory, pids: 10, io: 65_536 }
    const wanted = world.spec(forever, { owner }, { limits })
    const work = world.engine.run(wanted, noSecrets, user, gone.signal, waiting).then(({ environment }) => environment.id)
    work.catch(() => {})
    return { places, gone, work }
  }
  const last = ({ places }: Queued) => places.at(-1)?.place

  it('lets them in in the order in which they came, and tells each its place', async () => {
    await using world = await worldWith({ each: { environments: 1 } })
    const { id } = await world.run(forever)
    const [a, b, c] = [queued(world), queued(world), queued(world)]
    await settle()
    assert.deepEqual([last(a), last(b), last(c)], [1, 2, 3])
    assert.match(a.places[0]?.reason ?? '', /tester has 1 environments and may have 1/)
    await world.run(forever, { owner: 'rich' })
    await end(world, id)
    const first = await a.work
    await settle()
    assert.deepEqual([last(b), last(c)], [1, 2])
    assert.equal(world.store.environments({ ended: false }).length, 2)
    await end(world, first)
    await end(world, await b.work)
    await c.work
    assert.deepEqual(
      c.places.map(({ place }) => place),
      [3, 2, 1],
    )
  })

  it('is left by who gives up, or whose patience is over, and nothing is left of them', async () => {
    await using world = await worldWith({ each: { environments: 1 } })
    const { id } = await world.run(forever)
    const [a, b, c] = [queued(world), queued(world, { patience: 5000 }), queued(world)]
    a.gone.abort()
    await assert.rejects(a.work, (error: unknown) => error instanceof DayflyError && error.code === 'aborted')
    assert.deepEqual([last(b), last(c)], [1, 2])
    await world.advance(5000)
    await assert.rejects(b.work, exhausted(/tester has 1 environments.*it waited in line for 5s/))
    assert.equal(last(c), 1)
    assert.equal(world.store.environments().length, 1)
    await end(world, id)
    await c.work
  })

  it('is passed by nobody of the same owner, and does not hold up another one', async () => {
    await using world = await worldWith({ each: { memory: 1024 * mebibyte } })
    const { id } = await world.run(forever)
    const large = queued(world, { memory: 1024 * mebibyte })
    await assert.rejects(world.run(forever), exhausted(/tester has 512 MiB.*1 waits in line before it/))
    const small = queued(world, { memory: 16 * mebibyte })
    await world.run(forever, { owner: 'somebody' })
    await world.advance(10_000)
    assert.deepEqual([last(large), last(small)], [1, 2])
    await end(world, id)
    await end(world, await large.work)
    await small.work
  })

  it('waits for the host as for an owner, and for both one after another', async () => {
    let available = gigabyte
    await using world = await worldWith({ each: { environments: 1 }, reserve: { memory: gigabyte, disk: 0 }, host: { memory: () => available } })
    const [a, b] = [queued(world, { owner: 'a' }), queued(world, { owner: 'b' })]
    await assert.rejects(world.run(forever, { owner: 'c' }), exhausted(/this host has 1 GiB.*2 wait in line before it/))
    const more = queued(world, { owner: 'a' })
    await world.advance(0)
    assert.deepEqual([last(a), last(b), last(more)], [1, 2, 2])
    available = 1.6 * gigabyte
    await world.advance(1000)
    const first = await a.work
    assert.deepEqual([last(b), last(more)], [1, 1])
    assert.match(more.places.at(-1)?.reason ?? '', /a has 1 environments/)
    await world.advance(10_000)
    await b.work
    await end(world, first)
    await world.advance(10_000)
    await more.work
  })

  it('refuses at once what there will never be room for, and all when the daemon ends', async () => {
    await using world = await worldWith({ each: { memory: 600 * mebibyte } })
    await assert.rejects(queued(world, { memory: gigabyte }).work, exhausted(/this alone takes 1 GiB/))
    await world.run(forever)
    const waiting = queued(world)
    await settle()
    await world.engine[Symbol.asyncDispose]()
    await assert.rejects(waiting.work, (error: unknown) => error instanceof DayflyError && error.code === 'unreachable')
    assert.equal(world.store.environments().length, 1)
  })

  it('is not held up by what the host is too small for', async () => {
    await using world = await worldWith({ reserve: { memory: gigabyte, disk: 0 }, host: { memory: () => 3 * gigabyte, size: 4 * gigabyte } })
    await assert.rejects(
      queued(world, { memory: 3.5 * gigabyte }).work,
      exhausted(/this host has 4 GiB of memory and keeps 1 GiB for itself; this takes 3.5 GiB/),
    )
    const [a, b] = [queued(world, { owner: 'a', memory: 2.5 * gigabyte }), queued(world, { owner: 'b' })]
    await settle()
    assert.deepEqual([last(a), last(b)], [1, 2], 'what it could have room for waits')
  })

  it('counts all whom one waits for, not its own owner only', async () => {
    let available = gigabyte
    await using world = await worldWith({ reserve: { memory: gigabyte, disk: 0 }, host: { memory: () => available } })
    const all = ['a', 'b', 'c', 'c'].map(owner => queued(world, { owner }))
    await settle()
    assert.deepEqual(all.map(last), [1, 2, 3, 4])
    available = 10 * gigabyte
    await world.advance(1000)
    await Promise.all(all.map(({ work }) => work))
  })

  it('lets in what the policies allow by then, not what they allowed when it came', async () => {
    let allowed = true
    const denials = [{ policy: 'site', rule: 'closed', message: 'nothing runs now' }]
    const gate = admission(() => (allowed ? decision() : decision({ verdict: 'denied', denials })))
    let full = false
    const quotas: Quotas = { ...noQuotas, excessOf: () => (full ? { of: 'owner', reason: 'enough', never: false } : undefined) }
    await using world = await openWorld({ engine: { quotas, admission: gate } })
    full = true
    const [late, lucky] = [queued(world), queued(world)]
    await settle()
    assert.deepEqual([last(late), last(lucky)], [1, 2])
    allowed = false
    full = false
    await world.advance(1000)
    await assert.rejects(late.work, (error: unknown) => error instanceof DayflyError && error.code === 'denied')
    const [refused] = world.store.environments()
    assert.equal(refused?.cause, 'denied')
    assert.ok(world.types(refused?.id ?? '').includes('admission.denied'))
    assert.equal(world.kernel.machines.size, 0)
    await assert.rejects(lucky.work)
    allowed = true
    await world.run(forever)
  })

  it('is there for what is brought up, too', async () => {
    await using world = await worldWith({ each: { environments: 1 } })
    const { id } = await world.run(forever)
    const places: number[] = []
    const wanted = spec({ web: service() })
    const waiting: Waiting = { patience: hour, onPlace: ({ place }) => places.push(place) }
    const work = world.engine.up(wanted, noSecrets, new Map(), user, never(), false, waiting)
    await settle()
    assert.deepEqual(places, [1])
    await end(world, id)
    const { environment } = await work
    await settle()
    assert.deepEqual(states(world, environment.id), { web: 'ready' })
  })
})
