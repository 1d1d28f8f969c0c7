import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { DayflyError } from './errors.ts'
import type { LogLevel } from './log.ts'
import { createLog, isLogLevel } from './log.ts'

const collected = (json: boolean, level: LogLevel = 'debug') => {
  const lines: string[] = []
  return { lines, log: createLog({ write: line => lines.push(line), level, json, now: () => Date.UTC(2026, 1, 3, 4, 5, 6, 789) }) }
}

describe('a log', () => {
  it('is a JSON object a line for machines', () => {
    const { lines, log } = collected(true)
    log.with({ part: 'engine' }).warn('it failed\nbadly', { instance: 'i1', nothing: undefined, big: 5n })
    assert.equal(lines.length, 1)
    assert.match(lines[0] ?? '', /^[^\n]*\n$/)
    assert.deepEqual(JSON.parse(lines[0] ?? ''), {
      ...{ time: '2026-02-03T04:05:06.789Z', level: 'warn', message: 'it failed\nbadly', part: 'engine', instance: 'i1', big: '5' },
    })
  })

  it('is a readable line for people', () => {
    const { lines, log } = collected(false)
    log.info('started', { name: 'web', path: '/a b', count: 3, what: { a: 1 } })
    assert.deepEqual(lines, ['04:05:06.789 info  started name=web path="/a b" count=3 what={"a":1}\n'])
  })

  it('lets no control character through to a terminal', () => {
    const { lines, log } = collected(false)
    log.info('a\u001b[31mred\nb', { x: 'c\u009b\u2028\rd' })
    assert.match(lines[0] ?? '', /^[^\p{Cc}\u2028]*\n$/u)
  })

  it('leaves out what is below its level', () => {
    const { lines, log } = collected(true, 'warn')
    log.debug('a')
    log.info('b')
    log.warn('c')
    log.error('d')
    assert.deepEqual(
      lines.map(line => JSON.parse(line).message),
      ['c', 'd'],
    )
    assert.ok(isLogLevel('debug') && !isLogLevel('toString'))
  })

  it('shows an error with its code and causes, and a stack only of what is a bug', () => {
    const { lines, log } = collected(true)
    log.error('x', { error: new DayflyError('host', 'no room', { cause: new DayflyError('upstream', 'why') }) })
    log.error('x', { error: new TypeError('bug') })
    const [known, bug] = lines.map(line => JSON.parse(line).error)
    assert.deepEqual(known, { message: 'no room', code: 'host', cause: { message: 'why', code: 'upstream' } })
    assert.match(bug.stack, /TypeError: bug\n/)
  })

  it('survives an error that is its own cause', () => {
    const { lines, log } = collected(true)
    const error: Error = new DayflyError('host', 'round')
    error.cause = error
    log.error('x', { error })
    assert.equal(lines.length, 1)
  })
})
