import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { systemClock } from '../base/clock.ts'
import { DayflyError } from '../base/errors.ts'
import { openStore } from '../store/sqlite.ts'
import { createRefs } from './refs.ts'
import { exampleEnvironment, exampleInstance } from './store.suite.ts'

describe('a reference', () => {
  const store = openStore({ path: ':memory:', clock: systemClock() })
  const refs = createRefs(store)
  after(() => store[Symbol.dispose]())
  before(() => {
    store.putEnvironment(exampleEnvironment('web', { id: 'eaaaa1' }))
    store.putEnvironment(exampleEnvironment('eaaaa', { id: 'ebbbb1' }))
    store.putEnvironment(exampleEnvironment('old', { id: 'eaaaa2', state: 'ended', endedAt: 1 }))
    store.putInstance(exampleInstance('eaaaa1', { id: 'iaaaa1' }))
    store.putInstance(exampleInstance('ebbbb1', { id: 'iaaab1' }))
    store.putInstance(exampleInstance('ebbbb1', { id: 'iaaab2', workload: 'db' }))
  })
  const unknown = (message: RegExp) => (error: unknown) =>
    error instanceof DayflyError && error.code === 'not_found' && error.field === 'ref' && message.test(error.message)

  it('is an id, a name, or the beginning of an id', () => {
    assert.equal(refs.environment('eaaaa1').id, 'eaaaa1')
    assert.equal(refs.environment('web').id, 'eaaaa1')
    assert.equal(refs.environment('ebbb').id, 'ebbbb1')
    assert.equal(refs.environment('eaaaa').id, 'ebbbb1', 'a name comes before the beginning of an id')
    assert.equal(refs.environment('eaaaa2').id, 'eaaaa2', 'also of one that has ended')
  })

  it('that names nothing or too much is not_found', () => {
    assert.throws(() => refs.environment('none'), unknown(/there is no environment "none"/))
    assert.throws(() => refs.environment('old'), unknown(/"old"/))
    assert.throws(() => refs.environment('ebb'), unknown(/"ebb"/))
    assert.throws(() => refs.environment('eaaa'), unknown(/more than one/))
    assert.throws(() => refs.environment(''), unknown(/""/))
    assert.throws(() => refs.instance('iaaab'), unknown(/more than one/))
    assert.throws(() => refs.instance('none'), unknown(/instance/))
  })

  it("to an instance may be its environment's when that has one", () => {
    assert.equal(refs.instance('iaaaa1').id, 'iaaaa1')
    assert.equal(refs.instance('iaaaa').id, 'iaaaa1')
    assert.equal(refs.instance('web').id, 'iaaaa1')
    assert.throws(
      () => refs.instance('ebbbb1'),
      (error: unknown) => unknown(/2 instances/)(error) && error instanceof DayflyError && /iaaab2 \(db\)/.test(error.remedy ?? ''),
    )
  })

  it('to an instance may be by workload and place: what lives comes first, then the lowest place, then the latest', () => {
    const put = (id: string, state: 'running' | 'removed', replica: number, createdAt: number): void =>
      store.putInstance(exampleInstance('ebbbb1', { id, workload: 'db', state, replica, createdAt: 3e12 + createdAt }))
    assert.equal(refs.instance('eaaaa/db').id, 'iaaab2')
    put('iaaab2', 'removed', 1, 1)
    put('iaaab3', 'removed', 1, 2)
    assert.equal(refs.instance('eaaaa/db').id, 'iaaab3', 'of those that are gone, the last')
    put('iaaab5', 'running', 3, 4)
    put('iaaab4', 'running', 2, 3)
    assert.equal(refs.instance('eaaaa/db').id, 'iaaab4')
    assert.equal(refs.instance('ebbbb1/db/3').id, 'iaaab5')
    assert.equal(refs.instance('ebbb/db/1').id, 'iaaab3')
    assert.throws(() => refs.instance('eaaaa/db/4'), unknown(/no instance 4/))
    assert.throws(() => refs.instance('eaaaa/db/0'), unknown(/names no instance/))
    assert.throws(() => refs.instance('eaaaa/db/1/1'), unknown(/names no instance/))
    assert.throws(() => refs.instance('eaaaa/cache'), unknown(/no workload "cache"/))
    assert.throws(() => refs.instance('none/db'), unknown(/no environment "none"/))
  })

  it("to an instance may be its environment's when one of its only workload lives", () => {
    store.putInstance(exampleInstance('eaaaa1', { id: 'iaaaa2', state: 'removed' }))
    store.putInstance(exampleInstance('eaaaa1', { id: 'iaaaa1', state: 'running' }))
    assert.equal(refs.instance('web').id, 'iaaaa1')
    store.putInstance(exampleInstance('eaaaa1', { id: 'iaaaa2', state: 'running' }))
    assert.throws(() => refs.instance('web'), unknown(/2 instances/))
  })
})
