import assert from 'node:assert/strict'
import { test } from 'node:test'
import { manualClock, settle } from '../fake/clock.ts'
import { createCondemned } from './condemned.ts'

const open = () => {
  const clock = manualClock()
  const failures: [string, number][] = []
  const condemned = createCondemned({ clock, agenda: clock.agenda(), failed: (id, tries) => failures.push([id, tries]) })
  /** Resists until it is told not to. */
  const stubborn = () => {
    const state = { resists: true, tries: 0 }
    const work = async (): Promise<void> => {
      state.tries += 1
      if (state.resists) throw new Error('no')
    }
    return { state, work }
  }
  return { clock, condemned, failures, stubborn }
}

test('what goes is gone at once', async () => {
  const { clock, condemned, failures } = open()
  let done = 0
  await condemned.takeDown('a', async () => void done++)
  await clock.advance(600_000)
  assert.deepEqual({ done, failures }, { done: 1, failures: [] })
})

test('what resists is tried again with growing pauses until it goes, and nobody has to ask', async () => {
  const { clock, condemned, failures, stubborn } = open()
  const { state, work } = stubborn()
  await condemned.takeDown('a', work)
  assert.deepEqual([...failures], [['a', 1]])
  await clock.advance(3_600_000)
  assert.ok(state.tries > 60 && state.tries < 80, `${state.tries} tries in an hour`)
  state.resists = false
  await clock.advance(60_000)
  const { tries } = state
  await clock.advance(3_600_000)
  assert.equal(state.tries, tries)
  assert.equal(condemned.stubborn().size, 0)
})

test('somebody is told of what resists for long, and only of that', async () => {
  const { clock, condemned, stubborn } = open()
  const { state, work } = stubborn()
  await condemned.takeDown('a', work)
  await clock.advance(30_000)
  assert.equal(condemned.stubborn().size, 0)
  await clock.advance(60_000)
  assert.deepEqual([...condemned.stubborn()], ['a'])
  state.resists = false
  await clock.advance(60_000)
  assert.equal(condemned.stubborn().size, 0)
})

test('who needs an end now gets a try now, joins one under way, and hears of its failure', async () => {
  const { condemned, stubborn } = open()
  const mine = stubborn()
  const other = stubborn()
  await condemned.takeDown('a', mine.work, 'me')
  await condemned.takeDown('b', other.work, 'somebody')
  await assert.rejects(Promise.all([condemned.clear('me'), condemned.clear('me')]), /no/)
  assert.deepEqual([mine.state.tries, other.state.tries], [2, 1])
  mine.state.resists = false
  await condemned.clear('me')
  await condemned.clear('me')
  assert.equal(mine.state.tries, 3)
})

test('at the close each gets one more try, and then there are none', async () => {
  const { clock, condemned, stubborn } = open()
  const { state, work } = stubborn()
  await condemned.takeDown('a', work)
  await condemned.close()
  await settle()
  await clock.advance(3_600_000)
  assert.equal(state.tries, 2)
})
