import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { DayflyError } from '../base/errors.ts'
import type { Step } from './steps.ts'
import { doSteps, together, undoSteps } from './steps.ts'

const never = (): AbortSignal => new AbortController().signal

/** Steps that leave things in a world: each makes two, so that it can be cut off in the middle. */
const names = ['a', 'b', 'c', 'd']
const stepsOn = (world: Set<string>, before: (name: string, moment: 'start' | 'middle' | 'end' | 'undo' | 'half undone') => void): Step<string>[] =>
  names.map((name, index) => ({
    name,
    do: async context => {
      before(name, 'start')
      if (index > 0) assert.ok(world.has(`${context} ${names[index - 1]} second`), 'what it builds on is there')
      world.add(`${context} ${name} first`)
      before(name, 'middle')
      world.add(`${context} ${name} second`)
      before(name, 'end')
    },
    undo: async context => {
      before(name, 'undo')
      const next = names[index + 1]
      assert.ok(!world.has(`${context} ${next} first`) && !world.has(`${context} ${next} second`), 'what was built on it is gone')
      world.delete(`${context} ${name} second`)
      before(name, 'half undone')
      world.delete(`${context} ${name} first`)
    },
  }))

describe('steps', () => {
  it('are done in order and undone in reverse', async () => {
    const calls: string[] = []
    const steps = stepsOn(new Set(), (name, moment) => void calls.push(`${name} ${moment}`))
    await doSteps(steps, 'x', never())
    await undoSteps(steps, 'x', never())
    assert.deepEqual(
      calls.filter(call => /start|undo$/.test(call)),
      ['a start', 'b start', 'c start', 'd start', 'd undo', 'c undo', 'b undo', 'a undo'],
    )
  })

  for (const name of names) {
    for (const moment of ['start', 'middle', 'end'] as const) {
      it(`leave nothing when ${name} fails at its ${moment}, and can be done again`, async () => {
        const world = new Set(['other'])
        let broken = true
        const steps = stepsOn(world, (at, when) => {
          if (broken && at === name && when === moment) throw new Error(`no ${name}`)
        })
        await assert.rejects(doSteps(steps, 'x', never()), new Error(`no ${name}`))
        broken = false
        await undoSteps(steps, 'x', never())
        assert.deepEqual([...world], ['other'])
        await undoSteps(steps, 'x', never())
        assert.deepEqual([...world], ['other'], 'undone twice is undone')
        await doSteps(steps, 'x', never())
        assert.equal(world.size, 1 + 2 * names.length)
      })

      it(`leave nothing when the program crashes at the ${moment} of ${name}: the next one undoes all of it`, async () => {
        const world = new Set(['other'])
        const crash = new Promise<void>(resolve => {
          const steps = stepsOn(world, (at, when) => {
            if (at !== name || when !== moment) return
            resolve()
            throw new Error('what comes after the crash never happens')
          })
          doSteps(steps, 'x', never()).catch(() => {})
        })
        await crash
        const again = stepsOn(world, () => {})
        await undoSteps(again, 'x', never())
        assert.deepEqual([...world], ['other'])
        await doSteps(again, 'x', never())
      })
    }

    for (const moment of ['undo', 'half undone'] as const) {
      it(`are undone in the end although the undo of ${name} fails (${moment})`, async () => {
        const world = new Set<string>()
        let failures = 2
        const steps = stepsOn(world, (at, when) => {
          if (at === name && when === moment && failures-- > 0) throw new Error('busy')
        })
        await doSteps(steps, 'x', never())
        await assert.rejects(undoSteps(steps, 'x', never()), /busy/)
        await assert.rejects(undoSteps(steps, 'x', never()), /busy/)
        await undoSteps(steps, 'x', never())
        assert.deepEqual([...world], [])
      })
    }
  }

  it('stop between two when the signal aborts', async () => {
    const controller = new AbortController()
    const world = new Set<string>()
    const steps = stepsOn(world, (name, moment) => {
      if (name === 'b' && moment === 'end') controller.abort()
    })
    await assert.rejects(doSteps(steps, 'x', controller.signal), (error: unknown) => error instanceof DayflyError && error.code === 'aborted')
    assert.ok(world.has('x b second') && !world.has('x c first'))
  })
})

describe('together', () => {
  it('waits for all, tells the others when one fails, and throws the first failure', async () => {
    const over: number[] = []
    const work = together([1, 2, 3], never(), async (item, signal) => {
      if (item === 2) throw new Error('second')
      await new Promise<void>(resolve => signal.addEventListener('abort', () => resolve()))
      over.push(item)
      throw new Error(`aborted ${item}`)
    })
    await assert.rejects(work, /second/)
    assert.deepEqual(over, [1, 3])
  })

  it('hands the abort of the caller on', async () => {
    const controller = new AbortController()
    const work = together([1, 2], controller.signal, (_, signal) => {
      return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
    })
    controller.abort(new Error('enough'))
    await assert.rejects(work, /enough/)
  })
})
