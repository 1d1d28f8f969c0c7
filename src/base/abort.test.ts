import assert from 'node:assert/strict'
import { getEventListeners } from 'node:events'
import { describe, it } from 'node:test'
import { abortable, abortError, settledWithin, throwIfAborted } from './abort.ts'
import { DayflyError } from './errors.ts'

describe('an aborted signal', () => {
  it('is an error of its reason', () => {
    const own = new DayflyError('wrong_state', 'it was ended')
    assert.equal(abortError(AbortSignal.abort(own)), own)
    assert.equal(abortError(AbortSignal.abort()).code, 'aborted')
    assert.equal(abortError(AbortSignal.abort(new Error('x'))).code, 'aborted')
  })

  it('by a time-out is a timeout', async () => {
    const signal = AbortSignal.timeout(1)
    await new Promise(resolve => signal.addEventListener('abort', resolve))
    assert.equal(abortError(signal).code, 'timeout')
  })

  it('throws, and others do not', () => {
    throwIfAborted(new AbortController().signal)
    assert.throws(() => throwIfAborted(AbortSignal.abort()), DayflyError)
  })
})

describe('abortable', () => {
  it('is the outcome of the work, and leaves no listener', async () => {
    const { signal } = new AbortController()
    assert.equal(await abortable(Promise.resolve(3), signal), 3)
    await assert.rejects(abortable(Promise.reject(new Error('no')), signal), /no/)
    await Promise.resolve()
    assert.equal(getEventListeners(signal, 'abort').length, 0)
  })

  it('rejects as soon as the signal aborts, also when it had before', async () => {
    const controller = new AbortController()
    const waiting = abortable(new Promise(() => {}), controller.signal)
    controller.abort()
    await assert.rejects(waiting, DayflyError)
    await assert.rejects(abortable(Promise.reject(new Error('nobody sees this')), controller.signal), DayflyError)
  })
})

describe('settledWithin', () => {
  it('says whether it settled, either way', async () => {
    assert.equal(await settledWithin(Promise.resolve(), 10_000), true)
    assert.equal(await settledWithin(Promise.reject(new Error('x')), 10_000), true)
    assert.equal(await settledWithin(new Promise(() => {}), 1), false)
  })
})
