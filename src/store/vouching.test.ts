import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, describe, test } from 'node:test'
import { systemClock } from '../base/clock.ts'
import { exampleEnvironment } from '../engine/store.suite.ts'
import { dayfly } from '../model/event.ts'
import { entryHash } from './chain.ts'
import { openStore } from './sqlite.ts'

const clock = systemClock()
const key = Buffer.alloc(32, 1)
const headKey = { key, fresh: false }
let folder = ''
let path = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'dayfly-vouching-'))
  path = join(folder, 'dayfly.sqlite')
})
afterEach(() => rmSync(folder, { recursive: true }))

const environment = exampleEnvironment('x')
const note = (reason: string) => ({ environment: environment.id, type: 'test', actor: dayfly, reason, data: {} })
const written = (): void => {
  using store = openStore({ path, clock, headKey })
  store.putEnvironment(environment)
  store.append(note('one'))
  store.append(note('two'))
}
/** As one does who can write the file and knows how hashes are made: the chain holds. */
const doctored = (): void => {
  using store = openStore({ path, clock, headKey })
  const [one, two] = store.events({ environment: environment.id })
  assert.ok(one && two)
  const { cursor: _, hash: __, ...entry } = { ...two, reason: 'another' }
  const hash = entryHash(one.hash, entry)
  store[Symbol.dispose]()
  using database = new DatabaseSync(path)
  database.prepare('UPDATE event SET reason = ?, hash = ? WHERE sequence = 2').run('another', hash)
  database.prepare('UPDATE record SET hash = ?').run(hash)
}

describe('a head that somebody else has written', () => {
  test('is told from one of its own, also after what is written on top of it', () => {
    written()
    {
      using store = openStore({ path, clock, headKey })
      assert.equal(store.recordHead(environment.id)?.own, true)
    }
    doctored()
    using store = openStore({ path, clock, headKey })
    assert.equal(store.verify(environment.id), undefined, 'its hashes hold')
    assert.equal(store.recordHead(environment.id)?.own, false)
    store.append(note('three'))
    assert.equal(store.recordHead(environment.id)?.own, false)
    store.seal(environment.id, dayfly)
    assert.equal(store.recordHead(environment.id)?.own, false)
  })

  test('is not of another record either', () => {
    written()
    const other = exampleEnvironment('y')
    {
      using store = openStore({ path, clock, headKey })
      store.putEnvironment(other)
      store.append({ ...note('one'), environment: other.id })
    }
    {
      using database = new DatabaseSync(path)
      database.prepare('UPDATE record SET mac = (SELECT mac FROM record WHERE environment = ?) WHERE environment = ?').run(environment.id, other.id)
    }
    using store = openStore({ path, clock, headKey })
    assert.deepEqual([store.recordHead(environment.id)?.own, store.recordHead(other.id)?.own], [true, false])
  })
})

describe('a key that somebody else has written into the store', () => {
  test('is none of those that signed', () => {
    {
      using store = openStore({ path, clock, headKey })
      store.signatures.putKey({ id: 'a', publicKey: 'A', madeAt: 1 })
      store.signatures.putKey({ id: 'b', publicKey: 'B', madeAt: 2 })
    }
    {
      using database = new DatabaseSync(path)
      database.exec("INSERT INTO record_key (id, public, made_at, mac) SELECT 'c', 'C', 3, mac FROM record_key WHERE id = 'a'")
      database.exec("UPDATE record_key SET public = 'X' WHERE id = 'b'")
    }
    using store = openStore({ path, clock, headKey })
    assert.deepEqual(
      store.signatures.keys().map(({ id }) => id),
      ['a'],
    )
    store.signatures.putKey({ id: 'b', publicKey: 'B', madeAt: 2 })
    assert.deepEqual(store.signatures.keys(), [
      { id: 'b', publicKey: 'B', madeAt: 2 },
      { id: 'a', publicKey: 'A', madeAt: 1 },
    ])
  })
})

describe('a store of before', () => {
  test('is taken over with a key that was just made, and with no other', () => {
    {
      using store = openStore({ path, clock })
      store.putEnvironment(environment)
      store.append(note('one'))
      store.signatures.putKey({ id: 'a', publicKey: 'A', madeAt: 1 })
    }
    {
      using store = openStore({ path, clock, headKey })
      assert.deepEqual([store.recordHead(environment.id)?.own, store.signatures.keys()], [false, []])
    }
    using store = openStore({ path, clock, headKey: { key, fresh: true } })
    assert.deepEqual([store.recordHead(environment.id)?.own, store.signatures.keys().length], [true, 1])
  })
})
