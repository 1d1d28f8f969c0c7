import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { DayflyError } from '../../base/errors.ts'
import { detachDetector, parseDetachKeys } from './detach-keys.ts'

test('keys are written as docker has them', () => {
  for (const [text, bytes] of [
    ['ctrl-p,ctrl-q', [16, 17]],
    ['ctrl-a,d', [1, 100]],
    ['CTRL-A', [1]],
    ['ctrl-[,ctrl-@,ctrl-_', [27, 0, 31]],
    ['~,.', [126, 46]],
  ] as const)
    assert.deepEqual([...parseDetachKeys(text, '--detach-keys')], bytes, text)
  for (const text of ['', ',', 'ctrl-', 'ctrl-1', 'escape', 'ctrl-p ctrl-q', 'é']) {
    assert.throws(
      () => parseDetachKeys(text, '--detach-keys'),
      (error: unknown) => error instanceof DayflyError && error.code === 'invalid' && error.field === '--detach-keys' && error.remedy !== undefined,
      text,
    )
  }
})

test('what only begins like the keys is passed on, late', () => {
  const detect = detachDetector(Buffer.from('pq'))
  assert.deepEqual(detect(Buffer.from('ap')), { passed: Buffer.from('a'), detached: false })
  assert.deepEqual(detect(Buffer.from('p')), { passed: Buffer.from('p'), detached: false })
  assert.deepEqual(detect(Buffer.from('x')), { passed: Buffer.from('px'), detached: false })
  assert.deepEqual(detect(Buffer.from('p')), { passed: Buffer.from(''), detached: false })
  assert.deepEqual(detect(Buffer.from('qlost')), { passed: Buffer.from(''), detached: true })
})

test('however it is cut into pieces: everything before the keys is passed on, and nothing after', () => {
  const text = fc.string({ unit: fc.constantFrom('a', 'p', 'q'), maxLength: 12 })
  fc.assert(
    fc.property(fc.constantFrom('p', 'pq', 'ppq', 'pqpp'), fc.array(text, { maxLength: 6 }), (keys, pieces) => {
      const detect = detachDetector(Buffer.from(keys))
      let passed = ''
      let detached = false
      for (const piece of pieces) {
        const typed = detect(Buffer.from(piece))
        passed += typed.passed
        detached = typed.detached
        if (detached) break
      }
      const whole = pieces.join('')
      const at = whole.indexOf(keys)
      assert.equal(detached, at >= 0)
      if (at >= 0) assert.equal(passed, whole.slice(0, at))
      else assert.ok(whole.startsWith(passed) && keys.startsWith(whole.slice(passed.length)), `${passed} of ${whole}`)
    }),
  )
})
