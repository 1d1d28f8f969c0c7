import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DayflyError } from '../../base/errors.ts'
import { linePattern } from './log-pattern.ts'

test('lines fit as RE2 says, whatever bytes they have', () => {
  const fits = linePattern('(?i)error: .*größe$')
  assert.deepEqual(
    ['x ERROR: die Größe', 'error: größe ', 'nothing'].map(text => fits(Buffer.from(text))),
    [true, false, false],
  )
  assert.equal(fits(Buffer.from([0xff, 0xfe])), false)
  assert.equal(linePattern('^$')(Buffer.alloc(0)), true)
})

test('what is no pattern, too long or too large is refused with its reason', () => {
  const refused = (error: unknown): boolean =>
    error instanceof DayflyError && error.code === 'invalid' && error.field === 'grep' && error.remedy !== undefined
  for (const pattern of ['(', '(a)\\1', '(?=a)', 'a'.repeat(1025), '((a{1000}){1000}){1000}'])
    assert.throws(() => linePattern(pattern), refused, pattern)
})

test('no pattern takes longer than the line is long', () => {
  const fits = linePattern('(a+)+(a+)+(a+)+b')
  assert.equal(fits(Buffer.from('a'.repeat(60_000))), false)
})
