import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DayflyError } from '../base/errors.ts'
import { errorDocument, fromErrorDocument, toDayflyError } from './problems.ts'

test('an error arrives as it was thrown', () => {
  const thrown = new DayflyError('conflict', 'name: taken', { field: 'name', remedy: 'Choose another.' })
  const { code, message, field, remedy } = fromErrorDocument(JSON.parse(JSON.stringify(errorDocument(thrown))))
  assert.deepEqual({ code, message, field, remedy }, { code: 'conflict', message: 'name: taken', field: 'name', remedy: 'Choose another.' })
  const bare = fromErrorDocument(errorDocument(new DayflyError('host', 'full')))
  assert.deepEqual([bare.field, bare.remedy], [undefined, undefined])
})

test('a defect is logged and not shown', () => {
  const logged: string[] = []
  const shown = toDayflyError(new TypeError('secret of the house'), message => logged.push(message))
  assert.equal(shown.code, 'internal')
  assert.doesNotMatch(JSON.stringify(errorDocument(shown)), /secret/)
  assert.deepEqual(logged, ['secret of the house'])
})

test('what is no error document is an internal error', () => {
  for (const document of [undefined, null, 'x', {}, { error: 3 }, { error: { code: 'no such code', message: 5 } }])
    assert.equal(fromErrorDocument(document).code, 'internal')
})
