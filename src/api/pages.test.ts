import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { DayflyError } from '../base/errors.ts'
import { pageOf } from './pages.ts'

interface Entry {
  readonly id: string
  readonly createdAt: number
}

/** Many share a time. */
const newestFirst = fc
  .uniqueArray(fc.record({ id: fc.uuid(), createdAt: fc.nat(20) }), { selector: ({ id }) => id })
  .map(entries => entries.toSorted((left, right) => right.createdAt - left.createdAt))

const walk = (entries: readonly Entry[], limit: number): Entry[] => {
  const seen: Entry[] = []
  let after: string | undefined
  for (;;) {
    const { page, next } = pageOf(entries, { limit, after })
    assert.ok(page.length <= limit)
    seen.push(...page)
    if (next === null) return seen
    after = next
  }
}

test('all pages together are the list, whatever their size', () => {
  fc.assert(fc.property(newestFirst, fc.integer({ min: 1, max: 7 }), (entries, limit) => assert.deepEqual(walk(entries, limit), entries)))
})

test('an entry that is gone does not end the list', () => {
  const entries = [5, 4, 3, 2, 1].map(createdAt => ({ id: `e${createdAt}`, createdAt }))
  const { next } = pageOf(entries, { limit: 2 })
  const left = entries.filter(({ id }) => id !== 'e4')
  assert.deepEqual(
    pageOf(left, { limit: 9, after: next ?? '' }).page.map(({ id }) => id),
    ['e3', 'e2', 'e1'],
  )
  assert.deepEqual(pageOf([], { limit: 9, after: next ?? '' }), { page: [], next: null })
})

test('what comes meanwhile at the front repeats nothing', () => {
  const entries = [5, 4, 3].map(createdAt => ({ id: `e${createdAt}`, createdAt }))
  const { next } = pageOf(entries, { limit: 2 })
  const more = [{ id: 'e6', createdAt: 6 }, ...entries]
  assert.deepEqual(
    pageOf(more, { limit: 9, after: next ?? '' }).page.map(({ id }) => id),
    ['e3'],
  )
})

test('what is no cursor is told', () => {
  for (const after of ['x', '12', '.x', 'a.b'])
    assert.throws(
      () => pageOf([], { limit: 1, after }),
      (error: unknown) => error instanceof DayflyError && error.code === 'invalid' && error.field === 'after',
    )
})
