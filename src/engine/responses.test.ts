import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { deaf, live, service, spec, up } from '../../test/engine/supervised.ts'
import type { World } from '../../test/engine/world.ts'
import { hour, never, openWorld, user } from '../../test/engine/world.ts'
import { settle } from '../backends/fake/clock.ts'
import { DayflyError } from '../base/errors.ts'
import type { Detection } from '../detect/detector.ts'
import type { Plan } from '../detect/responses/plan.ts'
import type { ActivityFilter, Found } from '../model/activity.ts'
import type { Event } from '../model/event.ts'

const forever = [{ sleep: 1e9 }]
const stoppable = [{ on: 'SIGTERM', exit: 0 }, { sleep: 1e9 }] as const

const detection = (world: World, environment: string, instance: string, change: Partial<Detection> = {}, pid?: number): Detection => ({
  ...{ rule: 'shell in a workload', priority: 'warning', output: 'a shell', fields: { 'proc.name': 'sh' }, tags: ['T1059'], source: 'syscall' },
  event: {
    ...{ type: 'exec', time: world.clock.wall(), environment, instance, pid: pid ?? world.store.instance(instance)?.pid ?? 1, tid: 1, vpid: 7 },
    ...{ start: 5_000_000, parentPid: 1, parentStart: 1, uid: 0, euid: 0, gid: 0, name: 'sh', parentName: 'init', result: 0, exe: '/bin/sh' },
  },
  ...change,
})

const plan = (...measures: Plan['measures'][number][]): Plan => ({ alert: 'all', measures, forensics: false, audit: false, exemption: undefined })

const of = (world: World, environment: string, ...types: string[]): Event[] => world.store.events({ environment, types })
const reasons = (events: readonly Event[]): string[] => events.map(({ reason }) => reason)
const denied = (error: unknown): boolean => error instanceof DayflyError && error.code === 'denied'

describe('what follows from a detection', () => {
  it('is written with what was detected, once in a minute; the rest is counted before the seal', async () => {
    await using world = await openWorld()
    const { id, instance } = await world.run(forever)
    assert.equal(world.engine.respond(detection(world, id, instance), plan())?.type, 'detection.raised')
    for (let more = 0; more < 4; more++) assert.equal(world.engine.respond(detection(world, id, instance), plan()), undefined)
    assert.equal(world.engine.respond(detection(world, id, instance, { rule: 'another' }), plan())?.data['rule'], 'another')
    await world.advance(60_000)
    assert.deepEqual(
      of(world, id, 'detection.repeated').map(({ data }) => data),
      [{ rule: 'shell in a workload', count: 4 }],
    )
    world.engine.respond(detection(world, id, instance), plan())
    world.engine.respond(detection(world, id, instance), plan())
    await world.engine.end(id, 'requested', 'asked for', user, true, never())
    assert.equal(of(world, id, 'detection.raised').length, 3)
    assert.equal(of(world, id, 'detection.repeated').length, 2)
    await world.assertGone(id)
    assert.equal(world.engine.respond(detection(world, id, instance), plan('end-environment')), undefined, 'its record is sealed')
  })

  it('only alerts when there is nothing else to be done, and touches nobody', async () => {
    const calls: string[] = []
    await using world = await openWorld({ fake: { onCall: operation => void calls.push(operation) } })
    const { id, instance } = await world.run(forever)
    calls.length = 0
    world.engine.respond(detection(world, id, instance), { ...plan(), exemption: 'known' })
    await settle()
    assert.deepEqual(calls, [])
    assert.equal(of(world, id, 'detection.raised')[0]?.data['exemption'], 'known')
  })

  it('is only written where policy audits', async () => {
    await using world = await openWorld()
    const { id, instance } = await world.run(forever)
    world.engine.respond(detection(world, id, instance), { ...plan('kill-process', 'isolate'), audit: true })
    await settle()
    assert.equal(world.store.instance(instance)?.state, 'running')
    assert.equal(world.engine.isIsolated(id), false)
    assert.deepEqual(of(world, id, 'response.withheld')[0]?.data, {
      rule: 'shell in a workload',
      because: 'audit',
      measures: ['kill-process', 'isolate'],
    })
    assert.deepEqual(of(world, id, 'response.decided', 'response.taken'), [])
  })

  it('kills each process that did it, and never one that is not there', async () => {
    await using world = await openWorld()
    const { id, instance } = await world.run(forever)
    world.engine.respond(detection(world, id, instance, {}, 999_999), plan('kill-process'))
    await settle()
    assert.match(reasons(of(world, id, 'response.taken')).join(), /999999 \(sh\) had ended already/)
    assert.equal(world.store.instance(instance)?.state, 'running')
    // Another process, in the same minute: the same rule is not the same deed.
    assert.equal(world.engine.respond(detection(world, id, instance), plan('kill-process')), undefined)
    await settle()
    assert.equal(of(world, id, 'response.taken').length, 2)
    assert.equal((await world.engine.ended(id, never())).cause, 'completed')
  })

  it('ends an environment without giving it time, and says why', async () => {
    await using world = await openWorld()
    const { id, instance } = await world.run([...stoppable])
    world.engine.respond(detection(world, id, instance), plan('end-environment'))
    await world.engine.ended(id, never())
    const environment = await world.assertGone(id)
    assert.equal(environment.cause, 'detection')
    assert.match(environment.reason, /ended because of shell in a workload/)
    assert.equal(world.store.instance(instance)?.exit?.signal, 9)
    assert.equal(of(world, id, 'response.taken').length, 1)
  })

  it('kills an instance; its restart policy brings another one, unless the image is blocked', async () => {
    await using world = await openWorld()
    const restart = { condition: 'always', attempts: 0, delay: 1000, window: 0 } as const
    const id = await up(world, spec({ web: service(deaf, { restart }) }))
    const [first] = live(world, id, 'web')
    assert.ok(first)
    world.engine.respond(detection(world, id, first.id), plan('end-instance'))
    await world.advance(2000)
    const [second] = live(world, id, 'web')
    assert.ok(second && second.id !== first.id)
    world.engine.respond(detection(world, id, second.id), plan('block-image', 'end-instance'))
    await world.advance(5000)
    assert.deepEqual(live(world, id, 'web'), [])
    assert.match(of(world, id, 'admission.denied')[0]?.reason ?? '', /blocked-images/)
    await world.engine.end(id, 'requested', 'asked for', user, true, never())
    await world.assertGone(id)
  })

  it('isolates the environment once, and is told so', async () => {
    await using world = await openWorld()
    const { id, instance } = await world.run(forever)
    world.engine.respond(detection(world, id, instance), plan('isolate'))
    await settle()
    assert.equal(world.engine.isIsolated(id), true)
    world.engine.respond(detection(world, id, instance, { rule: 'another' }), plan('isolate'))
    await settle()
    assert.equal(of(world, id, 'response.decided').length, 1)
  })

  it('blocks the image for all who come, over a restart, until somebody unblocks it', async () => {
    await using world = await openWorld()
    const { id, instance } = await world.run(forever)
    const digest = world.store.instance(instance)?.origin?.image ?? ''
    world.engine.respond(detection(world, id, instance), plan('block-image'))
    await settle()
    assert.equal(world.engine.blockedImages.list()[0]?.rule, 'shell in a workload')
    await world.restart()
    await assert.rejects(world.run(forever), denied)
    const refused = world.store.environments({ ended: true })[0]
    assert.equal(refused?.cause, 'denied')
    assert.match(refused.reason, /blocked-images/)
    assert.equal(world.engine.blockedImages.unblock(digest, user), true)
    assert.equal(world.engine.blockedImages.unblock(digest, user), false)
    await world.run(forever)
    await world.restart()
    assert.deepEqual(world.engine.blockedImages.list(), [])
  })
})

describe('an instance that is frozen because of what it did', () => {
  const frozen = async (world: World): Promise<{ id: string; instance: string }> => {
    const { id, instance } = await world.run([...stoppable])
    world.engine.respond(detection(world, id, instance), plan('freeze'))
    await settle()
    assert.equal(world.kernel.paused.has(instance), true)
    return { id, instance }
  }

  it('hears no exec, and goes on only when a person says so', async () => {
    await using world = await openWorld()
    const { id, instance } = await frozen(world)
    const exec = { command: ['true'], env: {}, user: undefined, workdir: undefined, tty: false, rows: 0, columns: 0 }
    await assert.rejects(world.engine.exec(instance, exec, user, never()), /frozen because of shell in a workload/)
    assert.equal(world.kernel.paused.has(instance), true)
    await world.engine.resume(id, user)
    assert.equal(world.kernel.paused.has(instance), false)
    assert.equal(world.kernel.abrupt.has(instance), false)
    assert.deepEqual(of(world, id, 'instance.thawed')[0]?.actor, user)
    await assert.rejects(world.engine.resume(id, user), /runs once/)
  })

  it('stays frozen under the next daemon, and is killed where it stands at its deadline', async () => {
    await using world = await openWorld()
    const { id, instance } = await frozen(world)
    world.kernel.paused.clear()
    await world.restart()
    await settle()
    assert.equal(world.kernel.paused.has(instance), true)
    assert.equal(world.kernel.abrupt.has(instance), true)
    await world.engine.end(id, 'requested', 'asked for', user, false, never())
    assert.equal(world.store.instance(instance)?.exit?.signal, 9, 'it got no stop signal')
    await world.assertGone(id)
  })

  it('gets no requests, is not thawed by one, nor by the end of a pause, and is no more when it is stopped', async () => {
    await using world = await openWorld()
    const id = await up(world, spec({ web: service(deaf, { scale: { min: 2, max: 2, window: 0 } }) }))
    const [one, other] = live(world, id, 'web')
    assert.ok(one && other)
    world.engine.respond(detection(world, id, one.id), plan('freeze'))
    await settle()
    const [status] = world.engine.workloads(id)
    assert.equal(status?.ready, 1)
    assert.match(status.reason, /frozen because of shell in a workload/)
    assert.deepEqual(world.kernel.names.get(id)?.find(({ name }) => name === 'web')?.instances, [other.id])
    await world.engine.pause(id, user)
    assert.equal(world.kernel.paused.has(other.id), true)
    await world.engine.wake(id, 'web', never())
    assert.deepEqual([...world.kernel.paused], [one.id])
    await world.engine.stop(one.id, undefined, user, never())
    assert.equal(world.store.instance(one.id)?.exit?.signal, 9)
    await world.engine.end(id, 'requested', 'asked for', user, true, never())
    await world.assertGone(id)
  })

  it('is frozen although the first attempts fail', async () => {
    let fails = 2
    await using world = await openWorld({ fake: { fault: operation => (operation === 'pause' && fails-- > 0 ? 'fail' : undefined) } })
    const { id, instance } = await world.run(forever)
    world.engine.respond(detection(world, id, instance), plan('freeze'))
    await world.advance(10_000)
    assert.equal(world.kernel.paused.has(instance), true)
    assert.deepEqual(of(world, id, 'response.failed'), [])
    assert.equal(of(world, id, 'response.taken').length, 1)
  })

  it('is said to run on when nothing helps', async () => {
    await using world = await openWorld({ fake: { fault: operation => (operation === 'pause' ? 'fail' : undefined) } })
    const { id, instance } = await world.run(forever)
    world.engine.respond(detection(world, id, instance), plan('freeze'))
    await world.advance(30_000)
    assert.match(reasons(of(world, id, 'response.failed')).join(), /freeze failed/)
    assert.deepEqual(of(world, id, 'instance.frozen'), [])
  })
})

describe('evidence', () => {
  const withEvidence = (...measures: Plan['measures'][number][]): Plan => ({ ...plan(...measures), forensics: true })

  it('is taken while the instance stands still, and bound by the record; then it goes on', async () => {
    const calls: string[] = []
    await using world = await openWorld({ fake: { onCall: operation => void calls.push(operation) } })
    const { id, instance } = await world.run(forever)
    calls.length = 0
    world.engine.respond(detection(world, id, instance), withEvidence())
    await world.advance(100)
    for (let turn = 0; turn < 50 && of(world, id, 'response.taken').length === 0; turn++) await new Promise(resolve => setTimeout(resolve, 10))
    const [taken] = world.engine.evidence(id)
    assert.deepEqual(
      taken?.files.map(({ name }) => name),
      ['processes.json'],
    )
    assert.match(taken.gaps.join(), /nothing is watched/)
    const path = world.engine.evidencePath(id, taken.take, 'processes.json')
    assert.equal(JSON.parse(readFileSync(path, 'utf8')).frozen, true)
    assert.throws(() => world.engine.evidencePath(id, taken.take, '../../dayfly.sqlite'), /no evidence/)
    assert.deepEqual(
      calls.filter(call => call !== 'wait'),
      ['pause', 'takeEvidence', 'resume'],
    )
  })

  describe('with what it did before', () => {
    const found = (world: World, id: string, instance: string, from: number, count: number, path: string): Found[] =>
      Array.from({ length: count }, (_, index) => {
        const { event } = detection(world, id, instance)
        return { position: from - index, activity: { ...event, time: from - index, path } }
      })
    const taken = async (
      search: (page: number, world: World, id: string, instance: string) => Found[],
    ): Promise<{ lines: string[]; gaps: string }> => {
      let pages = 0
      let ask: (filter: ActivityFilter) => Found[] = () => []
      await using world = await openWorld({ engine: { search: async filter => ask(filter) } })
      const { id, instance } = await world.run(forever)
      ask = () => search(pages++, world, id, instance)
      world.engine.respond(detection(world, id, instance), withEvidence())
      for (let turn = 0; turn < 300 && world.engine.evidence(id).length === 0; turn++) {
        await world.advance(100)
        await new Promise(resolve => setTimeout(resolve, 10))
      }
      const [evidence] = world.engine.evidence(id)
      assert.ok(evidence)
      const text = readFileSync(world.engine.evidencePath(id, evidence.take, 'events.jsonl'), 'utf8')
      return { lines: text.trimEnd().split('\n'), gaps: evidence.gaps.join() }
    }

    it('keeps what was found when the rest cannot be, oldest first', async () => {
      const { lines, gaps } = await taken((page, world, id, instance) => {
        if (page === 1) throw new DayflyError('timeout', 'the search took too long')
        return found(world, id, instance, 10_000, 2000, '/a')
      })
      assert.deepEqual([lines.length, JSON.parse(lines[0] ?? '').time, JSON.parse(lines.at(-1) ?? '').time], [2000, 8001, 10_000])
      assert.match(gaps, /the last 2000: the search took too long/)
    })

    it('is the last of it, in so many bytes', async () => {
      const { lines, gaps } = await taken((page, world, id, instance) => found(world, id, instance, 1e6 - page * 2000, 2000, 'x'.repeat(4096)))
      const bytes = lines.reduce((sum, line) => sum + line.length + 1, 0)
      assert.ok(bytes <= 32 * 1024 * 1024 && bytes > 31 * 1024 * 1024, String(bytes))
      assert.equal(JSON.parse(lines.at(-1) ?? '').time, 1e6)
      assert.match(gaps, /there was no room for more/)
    })
  })

  it('comes before the end, and what cannot be taken does not stop that', async () => {
    const calls: string[] = []
    const fake = {
      onCall: (operation: string) => void calls.push(operation),
      fault: (operation: string) => (operation === 'takeEvidence' ? ('fail' as const) : undefined),
    }
    await using world = await openWorld({ fake })
    const { id, instance } = await world.run([...stoppable])
    calls.length = 0
    world.engine.respond(detection(world, id, instance), withEvidence('end-environment'))
    await world.engine.ended(id, never())
    assert.ok(calls.indexOf('takeEvidence') < calls.indexOf('signal'))
    assert.match(reasons(of(world, id, 'response.failed')).join(), /forensics failed/)
    assert.equal((await world.assertGone(id)).cause, 'detection')
  })

  it('goes with the record', async () => {
    await using world = await openWorld()
    const { id, instance } = await world.run(forever, { lease: { ttl: hour, idle: hour, retention: hour } })
    world.engine.respond(detection(world, id, instance), withEvidence('end-environment'))
    await world.engine.ended(id, never())
    const [taken] = world.engine.evidence(id)
    assert.ok(taken)
    const path = world.engine.evidencePath(id, taken.take, 'processes.json')
    assert.equal(existsSync(path), true)
    await world.advance(2 * hour)
    await world.engine.sweep(never())
    assert.equal(world.store.environment(id), undefined)
    assert.equal(existsSync(path), false)
  })
})

describe('a daemon that is killed over evidence', () => {
  const withEvidence = (...measures: Plan['measures'][number][]): Plan => ({ ...plan(...measures), forensics: true })
  const folderOf = (world: World, id: string): string => join(world.folder, `${id}.forensics`)
  const taken = async (world: World, id: string): Promise<void> => {
    for (let turn = 0; turn < 100 && of(world, id, 'forensics.taken').length === 0; turn++) {
      await world.advance(100)
      await new Promise(resolve => setTimeout(resolve, 10))
    }
  }

  it('before the next step is followed by one that does that step, and lets the instance go on', async () => {
    await using world = await openWorld({ fake: { fault: called => (called === 'killProcess' ? 'freeze' : undefined) } })
    const { id, instance } = await world.run(forever)
    const pid = 800_000
    world.engine.respond(detection(world, id, instance, {}, pid), withEvidence('kill-process'))
    await taken(world, id)
    await settle()
    assert.equal(world.kernel.paused.has(instance), true)
    const [before] = world.engine.evidence(id)
    await world.restart()
    for (let turn = 0; turn < 50 && of(world, id, 'response.taken').length < 2; turn++) await world.advance(100)
    await settle()
    assert.deepEqual(
      of(world, id, 'response.taken').map(({ data }) => data['action']),
      ['forensics', 'kill-process'],
    )
    assert.equal(world.kernel.paused.has(instance), false)
    assert.deepEqual(world.engine.evidence(id), [before], 'evidence is not taken twice')
  })

  it('after the last step, and before it was let go, is followed by one that lets it go', async () => {
    await using world = await openWorld({ fake: { fault: called => (called === 'resume' ? 'freeze' : undefined) } })
    const { id, instance } = await world.run(forever)
    world.engine.respond(detection(world, id, instance), withEvidence())
    await taken(world, id)
    await settle()
    assert.equal(world.kernel.paused.has(instance), true)
    await world.restart()
    for (let turn = 0; turn < 50 && world.kernel.paused.has(instance); turn++) await world.advance(100)
    assert.equal(world.kernel.paused.has(instance), false)
  })

  it('before the record had it is followed by one that keeps what was taken', async () => {
    await using world = await openWorld({ fake: { fault: called => (called === 'takeEvidence' ? 'freeze' : undefined) } })
    const { id, instance } = await world.run(forever)
    world.engine.respond(detection(world, id, instance), withEvidence())
    await settle()
    const [{ sequence } = { sequence: 0 }] = of(world, id, 'response.decided')
    // As a daemon leaves it that has renamed it and is killed.
    mkdirSync(join(folderOf(world, id), String(sequence)), { recursive: true })
    writeFileSync(join(folderOf(world, id), String(sequence), 'processes.json'), 'of before')
    await world.restart()
    await taken(world, id)
    const [found] = world.engine.evidence(id)
    assert.deepEqual(
      found?.files.map(({ name }) => name),
      ['processes.json'],
    )
    assert.match(found.gaps.join(), /killed while it was taken/)
    assert.equal(readFileSync(world.engine.evidencePath(id, sequence, 'processes.json'), 'utf8'), 'of before')
  })

  it('in the middle of it, and whose successor can take nothing, leaves what there was', async () => {
    await using world = await openWorld({ fake: { fault: called => (called === 'takeEvidence' ? 'freeze' : undefined) } })
    const { id, instance } = await world.run(forever)
    world.engine.respond(detection(world, id, instance), withEvidence())
    await settle()
    const [{ sequence } = { sequence: 0 }] = of(world, id, 'response.decided')
    world.crash()
    // What is killed tidies nothing up: here it does, so it is put back.
    await new Promise(resolve => setTimeout(resolve, 50))
    mkdirSync(join(folderOf(world, id), `${sequence}.new`), { recursive: true })
    writeFileSync(join(folderOf(world, id), `${sequence}.new`, 'maps.txt'), 'half of it')
    await world.restart({ fake: { fault: called => (called === 'takeEvidence' ? 'fail' : undefined) } })
    await taken(world, id)
    const [found] = world.engine.evidence(id)
    assert.deepEqual(
      found?.files.map(({ name, bytes }) => [name, bytes]),
      [['maps.txt', 10]],
    )
  })
})

describe('the budget for evidence', () => {
  it('is kept by throwing away the oldest, which the record tells and a mark vouches for', async () => {
    const room = 256 * 1024 * 1024
    await using world = await openWorld({ engine: { evidenceBudget: room + 100, headKey: Buffer.alloc(32, 1) } })
    const { id, instance } = await world.run(forever)
    const take = async (rule: string): Promise<void> => {
      const before = of(world, id, 'forensics.taken').length
      world.engine.respond(detection(world, id, instance, { rule }), { ...plan(), forensics: true })
      for (let turn = 0; turn < 100 && of(world, id, 'forensics.taken').length === before; turn++) {
        await world.advance(100)
        await new Promise(resolve => setTimeout(resolve, 10))
      }
      await world.advance(60_000)
    }
    await take('one')
    const [first] = world.engine.evidence(id)
    assert.ok(first)
    const path = world.engine.evidencePath(id, first.take, 'processes.json')
    writeFileSync(path, 'x'.repeat(1_000))
    await take('two')
    assert.equal(existsSync(path), false)
    assert.deepEqual(
      of(world, id, 'forensics.pruned').map(({ data }) => data['decision']),
      [first.take],
    )
    const [, second] = world.engine.evidence(id)
    assert.deepEqual([await world.engine.prunedEvidence(id, first.take), await world.engine.prunedEvidence(id, second?.take ?? 0)], [true, false])
    assert.throws(() => world.engine.evidencePath(id, first.take, 'processes.json'), /not there any more/)
    writeFileSync(join(world.folder, `${id}.forensics`, `${second?.take}.pruned`), 'made up')
    assert.equal(await world.engine.prunedEvidence(id, second?.take ?? 0), false)
  })
})

describe('a daemon that is killed in the middle', () => {
  for (const measure of ['freeze', 'end-instance', 'end-environment', 'isolate', 'kill-process', 'block-image'] as const) {
    it(`of ${measure} is followed by one that does it`, async () => {
      const operation = { freeze: 'pause', 'kill-process': 'killProcess', isolate: 'isolate' }[measure as string] ?? 'signal'
      await using world = await openWorld({ fake: { fault: called => (called === operation ? 'freeze' : undefined) } })
      const { id, instance } = await world.run(forever)
      const digest = world.store.instance(instance)?.origin?.image ?? ''
      world.engine.respond(detection(world, id, instance), plan(measure))
      if (measure !== 'block-image') await settle()
      await world.restart()
      await world.advance(1000)
      const done = {
        freeze: () => world.kernel.paused.has(instance),
        'end-instance': () => world.store.instance(instance)?.exit?.signal === 9,
        'end-environment': () => world.store.environment(id)?.cause === 'detection',
        isolate: () => world.engine.isIsolated(id),
        'kill-process': () => world.store.instance(instance)?.exit?.signal === 9,
        'block-image': () => world.engine.blockedImages.find(digest) !== undefined,
      }[measure]
      assert.equal(done(), true)
    })
  }

  it('does nothing again that was done', async () => {
    await using world = await openWorld()
    const { id, instance } = await world.run(forever)
    world.engine.respond(detection(world, id, instance), plan('freeze'))
    await settle()
    await world.engine.resume(id, user)
    await world.restart()
    await settle()
    assert.equal(world.kernel.paused.has(instance), false)
    assert.equal(of(world, id, 'response.taken').length, 1)
  })
})

describe('too much at once', () => {
  it('is written up to a limit and counted beyond; processes are killed up to theirs', async () => {
    await using world = await openWorld()
    const { id, instance } = await world.run(forever)
    for (let one = 0; one < 300; one++) {
      world.engine.respond(detection(world, id, instance, { rule: `rule ${one}` }, 500_000 + one), plan('kill-process'))
    }
    await settle()
    assert.equal(of(world, id, 'detection.raised').length, 60)
    assert.equal(of(world, id, 'response.decided').length, 100)
    assert.ok(of(world, id, 'response.withheld').every(({ data }) => data['because'] === 'limit'))
    await world.advance(60_000)
    assert.equal(of(world, id, 'detection.repeated').length, 240)
  })

  it('of one environment takes nothing from another, and what is critical has a reserve', async () => {
    await using world = await openWorld()
    const noisy = await Promise.all(Array.from({ length: 3 }, () => world.run(forever)))
    const [first] = noisy
    assert.ok(first)
    // As many environments and instances as one could want to end, all of one environment's making.
    for (let one = 0; one < 400; one++) {
      world.engine.respond(detection(world, first.id, first.instance, { rule: `rule ${one}` }, 600_000 + one), plan('kill-process'))
    }
    const other = await world.run(forever)
    assert.equal(world.engine.respond(detection(world, other.id, other.instance), plan('isolate'))?.type, 'detection.raised')
    await settle()
    assert.equal(world.engine.isIsolated(other.id), true)
    assert.equal(world.engine.respond(detection(world, first.id, first.instance, { rule: 'not urgent' }), plan()), undefined)
    const urgent = detection(world, first.id, first.instance, { rule: 'urgent', priority: 'critical' })
    assert.equal(world.engine.respond(urgent, plan())?.type, 'detection.raised', 'its own share is used up')
  })

  it('what was withheld is done when it is detected again and there is room', async () => {
    await using world = await openWorld()
    const { id, instance } = await world.run(forever)
    for (let one = 0; one < 101; one++) {
      world.engine.respond(detection(world, id, instance, { rule: `rule ${one}` }, 700_000 + one), plan('kill-process'))
    }
    const decided = (): unknown[] => of(world, id, 'response.decided').map(({ data }) => data['process'])
    await settle()
    assert.equal(decided().length, 100)
    await world.advance(1_000)
    world.engine.respond(detection(world, id, instance, { rule: 'again' }, 700_100), plan('kill-process'))
    await settle()
    assert.deepEqual(decided().at(-1), { pid: 700_100, start: 5_000_000, name: 'sh' })
  })

  it('one rule that says many things is told of each', async () => {
    await using world = await openWorld()
    const { id, instance } = await world.run(forever)
    const say = (key: string) =>
      world.engine.respond(detection(world, id, instance, { rule: 'Outside of profile web', source: 'profile', key }), plan())
    assert.deepEqual(
      [say('programs /bin/a'), say('programs /bin/b'), say('programs /bin/a')].map(event => event?.type),
      ['detection.raised', 'detection.raised', undefined],
    )
  })

  it('nothing is forgotten over a full disk: the same comes through once it can be written', async () => {
    await using world = await openWorld()
    const { id, instance } = await world.run(forever)
    world.full(true)
    assert.throws(() => world.engine.respond(detection(world, id, instance), plan('isolate')), /the disk is full/)
    world.full(false)
    assert.equal(world.engine.respond(detection(world, id, instance), plan('isolate'))?.type, 'detection.raised')
    await settle()
    assert.equal(world.engine.isIsolated(id), true)
  })
})
