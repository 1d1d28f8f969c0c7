import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DayflyError } from '../base/errors.ts'
import { fromProblem, problemOf, toDayflyError } from './problems.ts'

test('an error arrives as it was thrown', () => {
  const thrown = new DayflyError('conflict', 'name: taken', { field: 'name', remedy: 'Choose another.' })
  const { code, message, field, remedy } = fromProblem(JSON.parse(JSON.stringify(problemOf(thrown))))
  assert.deepEqual({ code, message, field, remedy }, { code: 'conflict', message: 'name: taken', field: 'name', remedy: 'Choose another.' })
  const bare = fromProblem(problemOf(new DayflyError('host', 'full')))
  assert.deepEqual([bare.field, bare.remedy], [undefined, undefined])
})

test('a defect is logged and not shown', () => {
  const logged: string[] = []
  const shown = toDayflyError(new TypeError('secret of the house'), message => logged.push(message))
  assert.equal(shown.code, 'internal')
  assert.doesNotMatch(JSON.stringify(problemOf(shown)), /secret/)
  assert.deepEqual(logged, ['secret of the house'])
})

test('what is no problem is an internal error', () => {
  for (const document of [undefined, null, 'x', {}, { code: 3 }, { code: 'no such code', detail: 5 }])
    assert.equal(fromProblem(document).code, 'internal')
})
