import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Subject } from '../../../detect/detector.ts'
import type { SensedEvent } from '../../../model/kernel-event.ts'
import type { Attributed } from './attribution.ts'
import { createAttribution } from './attribution.ts'

const subject = (instance: string): Subject => ({
  ...{ environment: `e-${instance}`, environmentName: 'shop', instance, workload: 'web', kind: 'service', image: 'sha256:0', imageName: 'web' },
  ...{ owner: 'me', labels: {}, startedAt: 0, privileged: false, egress: [] },
})
const event = (cookie: number, boot: number, more: Partial<SensedEvent> = {}): SensedEvent => ({
  ...{ type: 'exec', boot, cookie, pid: 2, tid: 2, vpid: 1, start: 1, parentPid: 1, parentStart: 0, uid: 0, euid: 0, gid: 0 },
  ...{ name: 'sh', parentName: 'init', result: 0 },
  ...more,
})
const ids = { first: 100_000, count: 65_536 }
const world = () => {
  const seen: Attributed[] = []
  return {
    seen,
    attribution: createAttribution(
      boot => 1000 + boot / 1000,
      attributed => seen.push(attributed),
    ),
  }
}

describe('an event', () => {
  it('is given to the instance that its cookie is bound to, with the wall time and without the cookie', () => {
    const { seen, attribution } = world()
    attribution.register(7)
    attribution.introduce(subject('a'), [])
    attribution.bind(7, 'a', ids)
    attribution.take(event(7, 500, { uid: 100_000, euid: 100_033, gid: 165_536 }))
    assert.equal(seen.length, 1)
    const [first] = seen
    assert.deepEqual([first?.event.instance, first?.event.environment, first?.event.time], ['a', 'e-a', 1000.5])
    // Its own root, one of its users, and somebody's who is none of them.
    assert.deepEqual([first?.event.uid, first?.event.euid, first?.event.gid], [0, 33, 165_536])
    assert.ok(first !== undefined && !('cookie' in first.event) && !('boot' in first.event))
  })

  it('waits until both are known, in whichever order they come, and keeps its place', () => {
    const { seen, attribution } = world()
    attribution.register(7)
    attribution.take(event(7, 1))
    attribution.bind(7, 'a', ids)
    attribution.take(event(7, 2))
    assert.equal(seen.length, 0)
    attribution.introduce(subject('a'), [])
    attribution.take(event(7, 3))
    assert.deepEqual(
      seen.map(({ event }) => event.time),
      [1000.001, 1000.002, 1000.003],
    )
  })

  it('that waits too long, or with too many, is let go and counted', () => {
    const { seen, attribution } = world()
    attribution.register(7)
    attribution.bind(7, 'a', ids)
    attribution.take(event(7, 1, { type: 'exec', count: 3 }))
    attribution.take(event(7, 40_000_000))
    attribution.expire(40_000_000)
    assert.deepEqual(attribution.lostOf('a'), { exec: 3 })
    for (let more = 0; more < 2_500; more++) attribution.take(event(7, 40_000_001, { type: 'open' }))
    assert.equal(attribution.lostOf('a').open, 501)
    attribution.introduce(subject('a'), [])
    assert.equal(seen.length, 2_000)
  })

  it('of nobody is counted, and one of a container that was never given away is not', () => {
    const { attribution } = world()
    attribution.take(event(9, 1))
    assert.equal(attribution.lost, 1)
    attribution.register(7)
    attribution.take(event(7, 1, { type: 'exit' }))
    attribution.release(7)
    assert.equal(attribution.lost, 1)
    attribution.register(8)
    attribution.bind(8, 'b', ids)
    attribution.take(event(8, 1, { type: 'exit' }))
    attribution.release(8)
    assert.equal(attribution.lost, 2)
    assert.deepEqual(attribution.lostOf('b'), { exit: 1 })
  })

  it('of an instance that was forgotten goes nowhere, although its cookie is not released yet', () => {
    const { seen, attribution } = world()
    attribution.register(7)
    attribution.introduce(subject('a'), [])
    attribution.bind(7, 'a', ids)
    attribution.take(event(7, 1))
    attribution.forget('a')
    attribution.take(event(7, 2))
    assert.deepEqual([seen.length, attribution.lost, attribution.lostOf('a')], [1, 1, {}])
  })

  it('that waits is weighed: a few with much in them are as many as many with little', () => {
    const { seen, attribution } = world()
    attribution.register(7)
    attribution.bind(7, 'a', ids)
    for (let boot = 1; boot <= 10; boot++) attribution.take(event(7, boot, { args: ['x'.repeat(2 ** 19)] }))
    attribution.introduce(subject('a'), [])
    assert.deepEqual([seen.length, attribution.lostOf('a')], [3, { exec: 7 }])
    attribution.take(event(7, 11))
    assert.equal(seen.length, 4)
  })

  it('that is done to another instance names it', () => {
    const { seen, attribution } = world()
    for (const [cookie, instance] of [
      [7, 'a'],
      [8, 'b'],
    ] as const) {
      attribution.introduce(subject(instance), [])
      attribution.bind(cookie, instance, ids)
    }
    attribution.take(event(7, 1, { type: 'kill', targetCookie: 8 }))
    attribution.take(event(7, 1, { type: 'kill', targetCookie: 7 }))
    assert.deepEqual(
      seen.map(({ event }) => event.targetInstance),
      ['b', undefined],
    )
  })
})
