import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { manualClock } from '../backends/fake/clock.ts'
import { DayflyError } from '../base/errors.ts'
import { silentLog } from '../base/log.ts'
import { dayfly } from '../model/event.ts'
import { openStore } from '../store/sqlite.ts'
import { createLifecycle } from './lifecycle.ts'
import { createNotices } from './notices.ts'
import { exampleEnvironment, exampleInstance } from './store.suite.ts'

const why = { actor: dayfly, reason: 'because' }
const open = () => {
  const clock = manualClock()
  const store = openStore({ path: ':memory:', clock })
  const notices = createNotices()
  const lifecycle = createLifecycle(store, clock, notices, silentLog())
  const environment = exampleEnvironment('one', { bootId: clock.bootId, lastActivity: clock.boot() })
  const instance = exampleInstance(environment.id)
  lifecycle.insert(environment, [instance], dayfly)
  return { clock, store, notices, lifecycle, environment, instance, [Symbol.dispose]: () => store[Symbol.dispose]() }
}

describe('the one writer of states', () => {
  it('writes what the diagrams allow, and nothing of what they do not', () => {
    using so = open()
    const illegal = (error: unknown): boolean => error instanceof DayflyError && error.code === 'wrong_state'
    const before = so.store.events({}).length
    assert.throws(() => so.lifecycle.moveInstance(so.instance.id, 'running', why), illegal)
    assert.throws(() => so.lifecycle.moveEnvironment(so.environment.id, 'ended', why), illegal)
    assert.throws(() => so.lifecycle.extend(so.environment.id, 5, why), illegal)
    assert.deepEqual(so.store.instance(so.instance.id), so.instance)
    assert.deepEqual(so.store.environment(so.environment.id), so.environment)
    assert.equal(so.store.events({}).length, before)
  })

  it('keeps several changes together, and announces them only when they are written', async () => {
    using so = open()
    const announced: string[] = []
    so.notices.next(so.instance.id, new AbortController().signal).then(
      () => announced.push('instance'),
      () => {},
    )
    assert.throws(() =>
      so.lifecycle.atomically(() => {
        so.lifecycle.moveInstance(so.instance.id, 'created', why, { pid: 5 })
        throw new Error('no')
      }),
    )
    await Promise.resolve()
    assert.deepEqual(announced, [])
    assert.equal(so.store.instance(so.instance.id)?.state, 'pending')
    so.lifecycle.moveInstance(so.instance.id, 'created', why, { pid: 5 })
    await Promise.resolve()
    assert.deepEqual(announced, ['instance'])
    assert.equal(so.store.instance(so.instance.id)?.pid, 5)
  })

  it('keeps the first cause and the reason of the end, and seals', () => {
    using so = open()
    so.lifecycle.moveEnvironment(so.environment.id, 'ending', { ...why, reason: 'it failed' }, 'failed')
    const after = so.lifecycle.moveEnvironment(so.environment.id, 'ended', { ...why, reason: 'nothing is left' })
    assert.deepEqual(
      { cause: after.cause, reason: after.reason, endedAt: after.endedAt },
      { cause: 'failed', reason: 'it failed', endedAt: so.clock.wall() },
    )
    assert.equal(so.store.events({}).at(-1)?.type, 'record.sealed')
    assert.equal(so.store.verify(so.environment.id), undefined)
  })

  it('writes activity at most once a second, and knows it exactly meanwhile', async () => {
    using so = open()
    const { id } = so.environment
    const stored = (): number => so.store.environment(id)?.lastActivity ?? 0
    const known = (): number => so.lifecycle.current(so.store.environment(id) ?? so.environment).lastActivity
    so.lifecycle.touch(id)
    const first = so.clock.boot()
    await so.clock.advance(999)
    so.lifecycle.touch(id)
    assert.deepEqual([stored(), known()], [first, first + 999])
    await so.clock.advance(1)
    so.lifecycle.touch(id)
    assert.deepEqual([stored(), known()], [first + 1000, first + 1000])
    assert.equal(so.store.events({}).length, 2, 'activity is no event')
  })
})
