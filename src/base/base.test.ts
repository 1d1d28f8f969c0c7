import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { systemClock } from './clock.ts'
import { disposable } from './dispose.ts'
import { formatDuration, parseDuration } from './durations.ts'
import { DayflyError, errnoOf, isErrorCode, messageOf } from './errors.ts'
import { newEnvironmentId, newExecId, newInstanceId } from './ids.ts'
import { signalNumber } from './signals.ts'

describe('durations', () => {
  it('are read as people write them', () => {
    const known = { '90s': 90_000, '1h30m': 5_400_000, '500ms': 500, '7d': 604_800_000, '1.5h': 5_400_000, '1d2h3m4s5ms': 93_784_005, '0s': 0 }
    for (const [text, expected] of Object.entries(known)) assert.equal(parseDuration(text, '--ttl'), expected, text)
  })

  it('that are none are refused, naming the field', () => {
    for (const text of ['', '5', 'h', '-5s', '1h 30m', '1x', '1hour', '1h!', ' 1h', '1e3s', '∞']) {
      assert.throws(
        () => parseDuration(text, '--idle'),
        (error: unknown) => error instanceof DayflyError && error.code === 'invalid' && error.field === '--idle' && error.remedy !== undefined,
        text,
      )
    }
  })

  it('are written with their two largest units', () => {
    const known = { 0: '0ms', 1: '1ms', 999: '999ms', 1000: '1s', 59999: '1m', 61000: '1m1s', 5400000: '1h30m', 86405000: '1d', 694800000: '8d1h' }
    for (const [milliseconds, expected] of Object.entries(known)) assert.equal(formatDuration(Number(milliseconds)), expected, milliseconds)
    assert.equal(formatDuration(999.6), '1s')
    assert.equal(formatDuration(-5), '0ms')
    for (const text of ['1s', '1m1s', '1h30m', '8d1h']) assert.equal(formatDuration(parseDuration(text, 'x')), text)
  })
})

describe('errors', () => {
  it('have a status and an exit code by their code', () => {
    const error = new DayflyError('conflict', 'taken', { field: '--name', remedy: 'another', cause: 5 })
    assert.deepEqual(
      { ...error, status: error.status, exit: error.exitCode, cause: error.cause, name: error.name },
      {
        ...{ code: 'conflict', field: '--name', remedy: 'another', status: 409, exit: 2, cause: 5, name: 'DayflyError' },
      },
    )
    assert.equal(new DayflyError('host', 'x').cause, undefined)
    assert.ok(!('cause' in new DayflyError('host', 'x')))
  })

  it('codes are told from other words', () => {
    assert.ok(isErrorCode('not_found'))
    assert.ok(!isErrorCode('toString') && !isErrorCode('ENOENT'))
  })

  it('of the system have an errno', () => {
    assert.throws(
      () => readFileSync('/no/such/file'),
      (error: unknown) => errnoOf(error) === 'ENOENT',
    )
    assert.equal(errnoOf(new Error('x')), undefined)
    assert.equal(errnoOf('ENOENT'), undefined)
    assert.equal(messageOf('text'), 'text')
    assert.equal(messageOf(new Error('x')), 'x')
  })
})

describe('ids', () => {
  it('are 12 characters that are hard to mistake, with a prefix, and never the same', () => {
    for (const [make, prefix] of [
      [newEnvironmentId, 'e'],
      [newInstanceId, 'i'],
      [newExecId, 'x'],
    ] as const) {
      const ids = Array.from({ length: 2000 }, make)
      assert.equal(new Set(ids).size, ids.length)
      for (const id of ids) assert.match(id, new RegExp(`^${prefix}[0-9a-hjkmnp-tv-z]{11}$`))
    }
  })
})

describe('signals', () => {
  it('have numbers, the real-time ones too', () => {
    const known = { SIGHUP: 1, SIGKILL: 9, SIGTERM: 15, SIGSYS: 31, SIGRTMIN: 34, 'SIGRTMIN+3': 37, SIGRTMAX: 64, 'SIGRTMAX-30': 34 }
    for (const [name, number] of Object.entries(known)) assert.equal(signalNumber(name), number, name)
  })

  it('that do not exist have none', () => {
    for (const name of ['', 'TERM', '15', 'sigterm', 'SIGRTMIN-1', 'SIGRTMAX+1', 'SIGRTMIN+31', 'toString', 'SIG'])
      assert.equal(signalNumber(name), undefined, name)
  })
})

describe('the clock of the system', () => {
  it('knows the boot it belongs to, and counts on', async () => {
    const clock = systemClock()
    assert.match(clock.bootId, /^[0-9a-f-]{36}$/)
    assert.equal(systemClock().bootId, clock.bootId)
    const [boot, wall] = [clock.boot(), clock.wall()]
    await new Promise(resolve => setTimeout(resolve, 30))
    assert.ok(clock.boot() > boot)
    assert.ok(wall > Date.UTC(2024))
    const uptime = Number(readFileSync('/proc/uptime', 'utf8').split(' ')[0]) * 1000
    assert.ok(Math.abs(clock.boot() - uptime) < 5_000)
  })
})

describe('a disposable', () => {
  it('runs once', () => {
    let runs = 0
    const made = disposable(() => {
      runs++
    })
    made[Symbol.dispose]()
    made[Symbol.dispose]()
    assert.equal(runs, 1)
  })
})
