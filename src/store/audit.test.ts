import assert from 'node:assert/strict'
import type { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { systemClock } from '../base/clock.ts'
import type { NewAuditEntry } from '../model/audit.ts'
import type { SqliteStore } from './sqlite.ts'
import { openStore } from './sqlite.ts'

const entry = (time: number, name = 'token:ci'): NewAuditEntry => ({
  ...{
    time,
    kind: 'token',
    name,
    address: '192.0.2.1',
    route: 'POST /v1/environments',
    ref: '',
    status: time % 2 === 0 ? 201 : 403,
    count: 1,
    until: time,
  },
  ...(time % 2 === 0 ? {} : { code: 'denied' }),
})

const opened = (): { store: SqliteStore; database: DatabaseSync } => {
  let database: DatabaseSync | undefined
  const store = openStore({
    path: ':memory:',
    clock: systemClock(),
    onOpen: made => {
      database = made
    },
  })
  assert.ok(database)
  return { store, database }
}

/** Sequence of the first entry that is not what was written. */
const wholeOrBroken = ({ audit }: SqliteStore): number | undefined => {
  for (let step = audit.verify(); ; step = audit.verify(step.next)) {
    if (step.kind === 'broken') return step.sequence
    if (step.kind === 'whole') return undefined
  }
}

test('entries come back newest first, by all that a filter says', () => {
  const { store } = opened()
  using _store = store
  store.audit.append(Array.from({ length: 10 }, (_, index) => entry(index, index < 5 ? 'token:ci' : 'token:cd')))
  const times = (filter: Partial<Parameters<typeof store.audit.entries>[0]>): number[] =>
    store.audit.entries({ limit: 100, ...filter }).map(({ time }) => time)
  assert.deepEqual(times({}), [9, 8, 7, 6, 5, 4, 3, 2, 1, 0])
  assert.deepEqual(times({ name: 'token:ci' }), [4, 3, 2, 1, 0])
  assert.deepEqual(times({ failed: true }), [9, 7, 5, 3, 1])
  assert.deepEqual(times({ failed: false, since: 4 }), [8, 6, 4])
  assert.deepEqual(times({ limit: 2 }), [9, 8])
  assert.deepEqual(times({ limit: 2, before: 9 }), [7, 6])
  assert.deepEqual(times({ route: 'GET /v1/environments' }), [])
  assert.equal(wholeOrBroken(store), undefined)
})

for (const [what, change, broken] of [
  ['changed', "UPDATE audit SET name = 'somebody' WHERE sequence = 4", 4],
  ['changed in its data', `UPDATE audit SET data = json_set(data, '$.address', '198.51.100.1') WHERE sequence = 2`, 2],
  ['unreadable', "UPDATE audit SET data = '{}' WHERE sequence = 3", 3],
  ['removed', 'DELETE FROM audit WHERE sequence = 5', 5],
  ['removed from the end', 'DELETE FROM audit WHERE sequence >= 9', 9],
  ['removed from the beginning', 'DELETE FROM audit WHERE sequence <= 2', 1],
] as const) {
  test(`an entry that was ${what} is found`, () => {
    const { store, database } = opened()
    using _store = store
    store.audit.append(Array.from({ length: 10 }, (_, index) => entry(index)))
    database.exec(change)
    assert.equal(wholeOrBroken(store), broken)
  })
}

test('a log of which nothing is left is no whole one', () => {
  const { store, database } = opened()
  using _store = store
  store.audit.append([entry(1), entry(2)])
  database.exec('DELETE FROM audit')
  assert.equal(wholeOrBroken(store), 1)
})

test('a long log is looked at in steps', () => {
  const { store, database } = opened()
  using _store = store
  store.audit.append(Array.from({ length: 2_500 }, (_, index) => entry(index)))
  assert.equal(store.audit.verify().kind, 'going on')
  assert.equal(wholeOrBroken(store), undefined)
  database.exec('UPDATE audit SET status = 200 WHERE sequence = 2400')
  assert.equal(wholeOrBroken(store), 2_400)
})

test('what is pruned goes from the beginning, and the rest is whole; what comes goes on', () => {
  const { store } = opened()
  using _store = store
  store.audit.append(Array.from({ length: 10 }, (_, index) => entry(index)))
  store.audit.prune(3, 100)
  assert.deepEqual([store.audit.entries({ limit: 100 }).length, wholeOrBroken(store)], [7, undefined])
  store.audit.prune(0, 2)
  assert.deepEqual([store.audit.entries({ limit: 100 }).map(({ sequence }) => sequence), wholeOrBroken(store)], [[10, 9], undefined])
  store.audit.prune(1_000, 100)
  assert.deepEqual([store.audit.entries({ limit: 100 }), wholeOrBroken(store)], [[], undefined])
  store.audit.append([entry(11)])
  assert.deepEqual([store.audit.entries({ limit: 100 }).map(({ sequence }) => sequence), wholeOrBroken(store)], [[11], undefined])
})
