import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { createAgenda } from './agenda.ts'
import type { Clock } from './clock.ts'
import { systemClock } from './clock.ts'
import { deadline } from './deadline.ts'
import { DayflyError } from './errors.ts'

const still = (): Clock & { now: number } => {
  const clock = { now: 1000, wall: () => 0, boot: () => clock.now, bootId: 'x' }
  return clock
}

describe('an agenda', () => {
  it('does nothing before its time, and everything due, in order', () => {
    const clock = still()
    using agenda = createAgenda(clock)
    const done: number[] = []
    for (const at of [1005, 1001, 1003, 900]) agenda.at(at, () => void done.push(at))
    assert.deepEqual(done, [], 'never within the call')
    assert.equal(agenda.run(), 1)
    clock.now = 1003
    assert.equal(agenda.run(), 2)
    assert.deepEqual(done, [900, 1001, 1003])
    assert.equal(agenda.next, 1005)
    clock.now = 2000
    agenda.run()
    assert.equal(agenda.run(), 0)
    assert.deepEqual(done, [900, 1001, 1003, 1005])
  })

  it('forgets what is cancelled, also by an entry of the same moment', () => {
    const clock = still()
    using agenda = createAgenda(clock)
    const done: string[] = []
    const entries: Record<string, Disposable> = {}
    entries['first'] = agenda.at(1001, () => {
      done.push('first')
      entries['second']?.[Symbol.dispose]()
      entries['first']?.[Symbol.dispose]()
    })
    entries['second'] = agenda.at(1002, () => done.push('second'))
    agenda.at(1003, () => done.push('third'))[Symbol.dispose]()
    clock.now = 3000
    assert.equal(agenda.run(), 1)
    assert.deepEqual(done, ['first'])
  })

  it('leaves what an entry adds for the next time', () => {
    const clock = still()
    using agenda = createAgenda(clock)
    let count = 0
    const again = (): void => {
      count++
      agenda.at(clock.now, again)
    }
    agenda.at(1000, again)
    agenda.run()
    assert.equal(count, 1)
    agenda.run()
    assert.equal(count, 2)
  })

  it('does the others when one throws, and throws then', () => {
    const clock = still()
    using agenda = createAgenda(clock)
    let done = false
    agenda.at(1, () => {
      throw new Error('bad')
    })
    agenda.at(2, () => {
      done = true
    })
    assert.throws(() => agenda.run(), /bad/)
    assert.ok(done)
  })

  it('keeps order and loses nothing, whatever is added and cancelled', () => {
    fc.assert(
      fc.property(fc.array(fc.record({ at: fc.nat(1000), cancelled: fc.boolean() }), { maxLength: 400 }), entries => {
        const clock = still()
        using agenda = createAgenda(clock)
        const done: number[] = []
        const added = entries.map(({ at }) => agenda.at(2000 + at, () => done.push(at)))
        for (const [index, { cancelled }] of entries.entries()) if (cancelled) added[index]?.[Symbol.dispose]()
        clock.now = 5000
        agenda.run()
        const expected = entries.filter(({ cancelled }) => !cancelled).map(({ at }) => at)
        assert.deepEqual(
          done,
          expected.toSorted((left, right) => left - right),
        )
      }),
    )
  })

  it('wakes up by itself, and not after it was disposed', async () => {
    const clock = systemClock()
    const agenda = createAgenda(clock)
    using _keepAlive = {
      [Symbol.dispose]: clearInterval.bind(
        undefined,
        setInterval(() => {}, 1000),
      ),
    }
    const at = clock.boot() + 20
    await new Promise<void>(resolve => void agenda.at(at, resolve))
    assert.ok(clock.boot() >= at)
    let late = false
    agenda.at(clock.boot(), () => {
      late = true
    })
    agenda[Symbol.dispose]()
    agenda.at(0, () => {
      late = true
    })
    await new Promise(resolve => setTimeout(resolve, 30))
    assert.equal(agenda.run(), 0)
    assert.equal(late, false)
  })
})

describe('a deadline', () => {
  it('aborts with a timeout, or with the reason of a parent', () => {
    const clock = still()
    using agenda = createAgenda(clock)
    const parent = new AbortController()
    using first = deadline(clock, agenda, 50, 'too slow', parent.signal)
    using second = deadline(clock, agenda, 500, 'too slow', new AbortController().signal, parent.signal)
    clock.now += 50
    agenda.run()
    assert.ok(first.signal.aborted && !second.signal.aborted)
    assert.ok(first.signal.reason instanceof DayflyError && first.signal.reason.code === 'timeout' && first.signal.reason.message === 'too slow')
    parent.abort('enough')
    assert.equal(second.signal.reason, 'enough')
    using third = deadline(clock, agenda, 500, 'too slow', parent.signal)
    assert.ok(third.signal.aborted)
  })

  it('does nothing once it is disposed', () => {
    const clock = still()
    using agenda = createAgenda(clock)
    const parent = new AbortController()
    const made = deadline(clock, agenda, 50, 'too slow', parent.signal)
    made[Symbol.dispose]()
    clock.now += 100
    agenda.run()
    parent.abort()
    assert.equal(made.signal.aborted, false)
  })
})
