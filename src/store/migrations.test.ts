/**
 * Stores that earlier versions wrote, by their own code, as SQL (test/migrations/state-N.sql; versions 6 and 7 came about with 8, at once). Each of them has two
 * environments: one lives, the other has ended and is sealed.
 */
import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { systemClock } from '../base/clock.ts'
import { openActivityStore } from './activity/open.ts'
import { openToRead, openToWrite } from './activity/schema.ts'
import { schemaVersion } from './schema.ts'
import { openStore } from './sqlite.ts'

const folder = join(import.meta.dirname, '../../test/migrations')
const neverWritten = new Set([6, 7])
const clock = systemClock()

const inFolder = (work: (path: string) => void): void => {
  const place = mkdtempSync(join(tmpdir(), 'migrations-'))
  try {
    work(join(place, 'dayfly.sqlite'))
  } finally {
    rmSync(place, { recursive: true, force: true })
  }
}

/** The tables, their columns and their indexes, however they came about. */
const shapeOf = (path: string): unknown => {
  const database = new DatabaseSync(path, { readOnly: true })
  try {
    const tables = database.prepare("SELECT name, type FROM sqlite_schema WHERE name NOT LIKE 'sqlite_%' ORDER BY name").all()
    return tables.map(({ name, type }) => {
      const columns = database.prepare(`SELECT name, type, "notnull", dflt_value, pk FROM pragma_table_xinfo(?) ORDER BY name`).all(String(name))
      const indexes = database.prepare(`SELECT name, "unique", partial FROM pragma_index_list(?) WHERE origin = 'c' ORDER BY name`).all(String(name))
      return JSON.parse(JSON.stringify({ name, type, columns, indexes }))
    })
  } finally {
    database.close()
  }
}

const versions = readdirSync(folder)
  .flatMap(name => {
    const [, version] = /^state-(\d+)\.sql$/.exec(name) ?? []
    return version === undefined ? [] : [Number(version)]
  })
  .toSorted((a, b) => a - b)

test('there is a store of every earlier version', () => {
  const earlier = Array.from({ length: schemaVersion - 1 }, (_, index) => index + 1).filter(version => !neverWritten.has(version))
  assert.deepEqual(
    earlier.filter(version => !versions.includes(version)),
    [],
  )
})

for (const version of versions) {
  test(`a store of version ${version} is brought to ${schemaVersion}, and nothing is lost`, () => {
    inFolder(path => {
      const old = new DatabaseSync(path)
      old.exec(readFileSync(join(folder, `state-${version}.sql`), 'utf8'))
      const events = old.prepare('SELECT environment, sequence, instance, time, type, reason, data, hash FROM event ORDER BY cursor').all()
      assert.equal(Object.values(old.prepare('PRAGMA user_version').get() ?? {})[0], version)
      old.close()

      {
        using store = openStore({ path, clock })
        const [over, lives] = store.environments()
        assert.deepEqual([lives?.id, lives?.spec.name, lives?.state], ['eaaaaaaaaaaa', 'lives', 'running'])
        assert.deepEqual([over?.id, over?.spec.name, over?.state, over?.cause], ['ebbbbbbbbbbb', 'over', 'ended', 'completed'])
        assert.deepEqual(lives?.spec.workloads['main']?.command, ['true', 'ä"\''])
        assert.equal(lives?.spec.labels['team'], 'blue')
        const [running] = store.instances('eaaaaaaaaaaa')
        assert.deepEqual([running?.state, running?.pid, running?.start, running?.replica, running?.earlier], ['running', 42, 'prepared', 1, 0])
        assert.equal(running?.origin?.image, `sha256:${'a'.repeat(64)}`)
        assert.deepEqual(
          store.instances('ebbbbbbbbbbb').map(({ state, exit }) => [state, exit?.code]),
          [['removed', 3]],
        )
        assert.deepEqual(
          store.liveInstances().map(({ id }) => id),
          ['iaaaaaaaaaaa'],
        )
        assert.equal(store.held('somebody').environments, 1)
        assert.equal(store.fact('slice'), '3')
        // The chain is as it was, and goes on.
        for (const id of ['eaaaaaaaaaaa', 'ebbbbbbbbbbb']) assert.equal(store.verify(id), undefined)
        const actor = { kind: 'dayfly', name: 'dayfly' } as const
        const last = store.append({ environment: 'eaaaaaaaaaaa', type: 'environment.adopted', actor, reason: 'now', data: {} })
        assert.equal(last.sequence, 5)
        assert.equal(store.verify('eaaaaaaaaaaa'), undefined)
        assert.throws(() => store.append({ environment: 'ebbbbbbbbbbb', type: 'x', actor, reason: '', data: {} }), { code: 'wrong_state' })
      }

      const now = new DatabaseSync(path)
      const kept = now.prepare('SELECT environment, sequence, instance, time, type, reason, data, hash FROM event ORDER BY cursor').all()
      assert.deepEqual(kept.slice(0, events.length), events)
      assert.deepEqual(now.prepare('PRAGMA foreign_key_check').all(), [])
      assert.equal(Object.values(now.prepare('PRAGMA integrity_check').get() ?? {})[0], 'ok')
      now.close()
      inFolder(fresh => {
        openStore({ path: fresh, clock })[Symbol.dispose]()
        assert.deepEqual(shapeOf(path), shapeOf(fresh))
      })
    })
  })
}

test('a store of a newer version is refused, and stays as it is', () => {
  inFolder(path => {
    openStore({ path, clock })[Symbol.dispose]()
    const newer = new DatabaseSync(path)
    newer.exec(`PRAGMA user_version = ${schemaVersion + 1}`)
    newer.close()
    const before = shapeOf(path)
    assert.throws(() => openStore({ path, clock }), { code: 'host', message: /written by a newer Dayfly/ })
    assert.deepEqual(shapeOf(path), before)
  })
})

test('what instances did is kept from version 1 on, and its chain verifies', () => {
  inFolder(path => {
    const old = new DatabaseSync(path)
    old.exec(readFileSync(join(folder, 'activity-1.sql'), 'utf8'))
    old.close()
    using store = openActivityStore({ path })
    const head = store.head('ealpha')
    assert.deepEqual([head.blocks, head.entries, head.hash], [30, 30, '63ac0e1eca22b239a8914b350a45d601bdd7e75c47ad09df0b251cf80271c0e6'])
    assert.equal(store.verify('ealpha', head).broken, undefined)
    assert.equal([...store.read('ealpha')].length, 30)
    assert.equal(store.search({ environment: 'ealpha' }).length, 30)
    assert.equal(store.origins('ealpha').length, 2)
    assert.equal(openToRead(path).prepare('PRAGMA user_version').get()?.['user_version'], 2)
  })
})

test('a file of what instances did is read by its version only', () => {
  inFolder(path => {
    openToWrite(path).close()
    for (const [change, message] of [
      ['PRAGMA user_version = 99', /another version of Dayfly/],
      ['PRAGMA application_id = 7', /another program/],
    ] as const) {
      const database = new DatabaseSync(path)
      database.exec(change)
      database.close()
      assert.throws(() => openToRead(path), { code: 'host', message })
      assert.throws(() => openToWrite(path), { code: 'host', message })
    }
  })
})
