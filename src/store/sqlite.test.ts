import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, before, describe, it } from 'node:test'
import { systemClock } from '../base/clock.ts'
import type { ErrorCode } from '../base/errors.ts'
import { DayflyError } from '../base/errors.ts'
import { exampleEnvironment, exampleInstance, exampleOrigin, storeSuite } from '../engine/store.suite.ts'
import type { Store } from '../engine/store.ts'
import { presentPerPlace } from '../engine/store.ts'
import { dayfly } from '../model/event.ts'
import { unsignedSql } from './signatures.ts'
import { heldSql, openStore, presentSql } from './sqlite.ts'
import { usageSql } from './usage.ts'

const clock = systemClock()
let folder = ''
let count = 0
before(() => {
  folder = mkdtempSync(join(tmpdir(), 'dayfly-store-'))
})
after(() => rmSync(folder, { recursive: true }))
const newPath = (): string => join(folder, `${++count}.db`)

storeSuite('sqlite', () => {
  const path = newPath()
  let store = openStore({ path, clock })
  return {
    store,
    reopen: () => {
      store[Symbol.dispose]()
      store = openStore({ path, clock })
      return store
    },
    [Symbol.dispose]: () => store[Symbol.dispose](),
  }
})

const failure = (code: ErrorCode, message: RegExp) => (error: unknown) =>
  error instanceof DayflyError && error.code === code && message.test(error.message) && error.remedy !== undefined

/** A store with a record of `entries` entries, and a seal if told. */
const recorded = (path: string, entries: number, sealed: boolean): string => {
  using store = openStore({ path, clock })
  const environment = exampleEnvironment('x')
  store.putEnvironment(environment)
  for (let entry = 1; entry <= entries; entry++) {
    store.append({ environment: environment.id, type: `test.${entry}`, actor: dayfly, reason: 'because', data: { entry } })
  }
  if (sealed) {
    store.seal(environment.id, dayfly)
    store.putEnvironment({ ...environment, state: 'ended', endedAt: 1 })
  }
  return environment.id
}

describe('the record in SQLite', () => {
  const tampered = (what: string, sql: string, expected: number, sealed = true): void => {
    it(`notices ${what}`, () => {
      const path = newPath()
      const id = recorded(path, 5, sealed)
      const database = new DatabaseSync(path)
      database.exec(sql)
      database.close()
      using store = openStore({ path, clock })
      assert.equal(store.verify(id), expected)
    })
  }

  tampered('a changed reason', "UPDATE event SET reason = 'other' WHERE sequence = 2", 2)
  tampered('a changed time', 'UPDATE event SET time = time + 1 WHERE sequence = 3', 3)
  tampered('a changed actor', "UPDATE event SET actor_name = 'root' WHERE sequence = 1", 1)
  tampered('changed data', `UPDATE event SET data = '{"entry":7}' WHERE sequence = 4`, 4)
  tampered('data that is no JSON', `UPDATE event SET data = '{' WHERE sequence = 4`, 4)
  tampered('a changed hash', "UPDATE event SET hash = replace(hash, substr(hash, 1, 1), 'x') WHERE sequence = 5", 5)
  tampered('a removed entry', 'DELETE FROM event WHERE sequence = 2', 2)
  tampered('a removed beginning', 'DELETE FROM event WHERE sequence = 1', 1)
  tampered(
    'a removed entry whose place was closed',
    'DELETE FROM event WHERE sequence = 2; UPDATE event SET sequence = sequence - 1 WHERE sequence > 2',
    2,
  )
  tampered(
    'two entries in the other order',
    'UPDATE event SET cursor = -1 WHERE sequence = 2; UPDATE event SET cursor = 2 WHERE sequence = 3; UPDATE event SET cursor = 3 WHERE cursor = -1',
    2,
  )
  tampered('a removed seal', "DELETE FROM event WHERE type = 'record.sealed'", 6)
  tampered('a removed tail', 'DELETE FROM event WHERE sequence >= 4', 4)
  tampered(
    'a removed tail whose head was made to fit',
    'DELETE FROM event WHERE sequence >= 4; UPDATE record SET count = 3, sealed = 0, hash = (SELECT hash FROM event WHERE sequence = 3)',
    4,
  )
  tampered('a removed tail without a seal', 'DELETE FROM event WHERE sequence = 5', 5, false)
  tampered('all of it gone', 'DELETE FROM event', 1)
  tampered(
    'an entry after the seal',
    "INSERT INTO event SELECT cursor + 10, environment, sequence + 1, instance, time, type, actor_kind, actor_name, reason, data, hash FROM event WHERE type = 'record.sealed'",
    7,
  )

  it("notices another environment's record", () => {
    const path = newPath()
    recorded(path, 5, true)
    const database = new DatabaseSync(path)
    const tables = ['event', 'record'].map(table => `UPDATE ${table} SET environment = 'eother'`)
    database.exec(`PRAGMA foreign_keys = OFF; UPDATE environment SET id = 'eother'; ${tables.join('; ')}`)
    database.close()
    using store = openStore({ path, clock })
    assert.equal(store.verify('eother'), 1)
  })
})

describe('the SQLite file', () => {
  it('is for its owner only', () => {
    const path = newPath()
    using _ = openStore({ path, clock })
    assert.equal(statSync(path).mode & 0o777, 0o600)
    assert.equal(statSync(`${path}-wal`).mode & 0o777, 0o600)
  })

  it('is refused to a second store, in this process and in another', async () => {
    const path = newPath()
    {
      using _ = openStore({ path, clock })
      assert.throws(() => openStore({ path, clock, patience: 10 }), failure('host', /in use by another process/))
      const program = `
        import { openStore } from ${JSON.stringify(new URL('./sqlite.ts', import.meta.url).href)}
        try { openStore({ path: ${JSON.stringify(path)}, clock: { wall: Date.now, boot: () => 0, bootId: '' }, patience: 10 }) } catch (error) { console.log(error.code) }`
      const other = spawn(process.execPath, ['--input-type=module', '-e', program], { stdio: ['ignore', 'pipe', 'inherit'] })
      assert.equal(Buffer.concat(await Array.fromAsync(other.stdout)).toString(), 'host\n')
    }
    openStore({ path, clock })[Symbol.dispose]()
  })

  it('is free again, and whole, when its process was killed', async () => {
    const path = newPath()
    const program = `
      import { openStore } from ${JSON.stringify(new URL('./sqlite.ts', import.meta.url).href)}
      import { exampleEnvironment } from ${JSON.stringify(new URL('../engine/store.suite.ts', import.meta.url).href)}
      const store = openStore({ path: ${JSON.stringify(path)}, clock: { wall: Date.now, boot: () => 0, bootId: '' } })
      const environment = exampleEnvironment('killed', { id: 'ekilled' })
      store.putEnvironment(environment)
      for (let n = 1; ; n++) {
        store.transaction(() => {
          store.append({ environment: 'ekilled', type: 'a', actor: { kind: 'dayfly', name: 'x' }, reason: '', data: { n } })
          store.append({ environment: 'ekilled', type: 'b', actor: { kind: 'dayfly', name: 'x' }, reason: '', data: { n } })
        })
        if (n === 200) process.send('enough')
        if (n % 50 === 0) await new Promise(setImmediate)
      }`
    const writer = spawn(process.execPath, ['--input-type=module', '-e', program], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
    await once(writer, 'message')
    writer.kill('SIGKILL')
    await once(writer, 'exit')
    using store = openStore({ path, clock })
    assert.equal(store.verify('ekilled'), undefined)
    const entries = store.events({ environment: 'ekilled' })
    assert.ok(entries.length >= 400)
    assert.equal(entries.length % 2, 0, 'no half transaction')
  })

  it('of a newer Dayfly is refused and left alone', () => {
    const path = newPath()
    openStore({ path, clock })[Symbol.dispose]()
    const database = new DatabaseSync(path)
    database.exec('PRAGMA user_version = 9999')
    database.close()
    assert.throws(() => openStore({ path, clock }), failure('host', /newer Dayfly/))
  })

  it('of another program is refused and left alone', () => {
    const path = newPath()
    const database = new DatabaseSync(path)
    database.exec('CREATE TABLE theirs (a)')
    database.close()
    assert.throws(() => openStore({ path, clock }), failure('host', /another program/))
    const again = new DatabaseSync(path)
    assert.deepEqual(
      again
        .prepare('SELECT name FROM sqlite_schema')
        .all()
        .map(row => row['name']),
      ['theirs'],
    )
    again.close()
  })

  it('that is no database, or cannot be made, is a clear error', () => {
    const path = newPath()
    writeFileSync(path, 'not a database, but long enough to be read as the header of one: '.repeat(20))
    assert.throws(() => openStore({ path, clock }), failure('host', /not a database/))
    assert.throws(() => openStore({ path: join(folder, 'none', 'x.db'), clock }), failure('host', /cannot be opened/))
  })

  it('keeps nothing of a transaction that fails at a full disk, and goes on when there is room', () => {
    const path = newPath()
    const opened: DatabaseSync[] = []
    using store = openStore({ path, clock, onOpen: database => opened.push(database) })
    const [database] = opened
    assert.ok(database)
    const environment = exampleEnvironment('full')
    store.putEnvironment(environment)
    const append = (reason: string): number => store.append({ environment: environment.id, type: 't', actor: dayfly, reason, data: {} }).sequence
    append('before')
    const pages = Number(Object.values(database.prepare('PRAGMA page_count').get() ?? {})[0])
    database.exec(`PRAGMA max_page_count = ${pages + 1}`)
    const fill = (): void => {
      for (;;) store.transaction(() => [append('x'.repeat(100)), append('y'.repeat(20_000))])
    }
    assert.throws(fill, failure('host', /the disk is full/))
    assert.throws(() => store.transaction(() => inner(store, append)), failure('host', /the disk is full|undid the transaction/))
    assert.equal(store.verify(environment.id), undefined)
    assert.equal(store.environment(environment.id)?.state, 'creating', 'reading still works')
    database.exec('PRAGMA max_page_count = 100000')
    append('after')
    assert.equal(store.verify(environment.id), undefined)
    assert.equal(store.events({ environment: environment.id }).at(-1)?.reason, 'after')
    assert.ok(!store.events({ environment: environment.id }).some(({ reason }) => reason === 'swallowed'))
  })
})

/** Swallows the failure of a nested transaction, and writes on: none of it may be kept. */
const inner = (store: Store, append: (reason: string) => number): void => {
  append('swallowed')
  assert.throws(() => store.transaction(() => append('z'.repeat(100_000))))
  append('swallowed')
}

describe('instances in SQLite', () => {
  it('get what they were made from, and their place in history, when an older store is brought up to date', () => {
    const path = newPath()
    const environment = exampleEnvironment('x')
    const made = Array.from({ length: presentPerPlace + 2 }, () => exampleInstance(environment.id))
    const living = exampleInstance(environment.id, { state: 'running' })
    const stray = exampleInstance(environment.id, { state: 'running', workload: 'taken-out' })
    {
      using store = openStore({ path, clock })
      store.putEnvironment(environment)
      for (const instance of [...made, living, stray]) store.putInstance(instance)
    }
    {
      using database = new DatabaseSync(path)
      for (const index of ['instance_present', 'instance_held', 'environment_owner', 'instance_image']) database.exec(`DROP INDEX ${index}`)
      for (const index of ['record_unsigned', 'usage_ended', 'usage_environment']) database.exec(`DROP INDEX ${index}`)
      for (const table of ['signature', 'record_key', 'usage', 'reply', 'token', 'audit']) database.exec(`DROP TABLE ${table}`)
      for (const column of ['signed', 'mac']) database.exec(`ALTER TABLE record DROP COLUMN ${column}`)
      for (const table of ['vulnerability_name', 'image_vulnerability', 'image_package', 'package', 'image']) database.exec(`DROP TABLE ${table}`)
      for (const column of ['origin', 'earlier', 'streak', 'past']) database.exec(`ALTER TABLE instance DROP COLUMN ${column}`)
      database.exec('DROP INDEX environment_name; DROP INDEX environment_team; ALTER TABLE environment DROP COLUMN team')
      database.exec("CREATE UNIQUE INDEX environment_name ON environment (name) WHERE state <> 'ended'")
      database.exec(`UPDATE instance SET state = 'removed' WHERE id IN (${made.map(({ id }) => `'${id}'`).join(', ')}); PRAGMA user_version = 2`)
    }
    using store = openStore({ path, clock })
    assert.deepEqual(store.instance(living.id), { ...living, origin: exampleOrigin(1, 512) })
    assert.equal(store.instance(stray.id)?.origin, undefined)
    assert.deepEqual(
      store.presentInstances(environment.id).map(({ id }) => id),
      [...made.slice(2), living, stray].map(({ id }) => id),
    )
    assert.deepEqual(store.held('somebody'), { environments: 1, instances: 2, cpus: 1, memory: 512 * 1024 * 1024 })
  })

  it('are found by indexes that history does not grow', () => {
    const path = newPath()
    openStore({ path, clock })[Symbol.dispose]()
    using database = new DatabaseSync(path)
    const plan = (sql: string): string =>
      database
        .prepare(`EXPLAIN QUERY PLAN ${sql}`)
        .all({ of: 'x' })
        .map(row => String(row['detail']))
        .join('; ')
    assert.match(plan(presentSql), /USING INDEX instance_present/)
    assert.match(plan(heldSql.replace(':owner', ':of')), /environment_owner.*INDEX instance_held/)
    assert.match(plan(unsignedSql.replace(':limit', ':of')), /USING COVERING INDEX record_unsigned/)
    assert.match(plan(usageSql('owner').replaceAll(/:\w+/g, ':of')), /USING INDEX usage_ended/)
  })
})
