import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, before, describe, it } from 'node:test'
import { Worker } from 'node:worker_threads'
import fc from 'fast-check'
import type { ErrorCode } from '../../base/errors.ts'
import { DayflyError } from '../../base/errors.ts'
import type { ActivityHead } from '../../model/activity.ts'
import { canonicalJson } from '../../model/record.ts'
import type { ActivityStore } from './activity-store.ts'
import { blockEntries, blockHash, bytesOf, compress, genesisHash } from './blocks.ts'
import { activity, exampleEvent, origins } from './examples.suite.ts'
import type { ActivityStoreOptions } from './open.ts'
import { openActivityReader, openActivityStore } from './open.ts'

let folder = ''
let count = 0
before(() => {
  folder = mkdtempSync(join(tmpdir(), 'dayfly-activity-'))
})
after(() => rmSync(folder, { recursive: true }))
const newPath = (): string => join(folder, `${++count}.sqlite`)

const opened = (path: string, options: Partial<ActivityStoreOptions> = {}): ActivityStore => {
  const store = openActivityStore({ path, segment: 64, ...options })
  for (const origin of origins) store.introduce(origin)
  return store
}

const failure = (code: ErrorCode, message: RegExp) => (error: unknown) =>
  error instanceof DayflyError && error.code === code && message.test(error.message)

/** So many entries of an environment, told apart by their times. */
const some = (environment: string, from: number, entries: number) =>
  Array.from({ length: entries }, (_, index) =>
    exampleEvent({ environment, instance: `i${environment}1`, time: from + index, args: [`word${from + index}`] }),
  )

const tidyAll = (store: ActivityStore): void => {
  while (store.tidy());
}

const alter = (path: string, ...changes: readonly string[]): void => {
  using database = new DatabaseSync(path)
  for (const change of changes) database.exec(change)
}

describe('what is kept', () => {
  it('is read again in its order, environment by environment, and its blocks prove it', () => {
    fc.assert(
      fc.property(fc.array(fc.array(activity, { maxLength: 300 }), { maxLength: 6 }), calls => {
        const path = newPath()
        using store = opened(path)
        for (const entries of calls) store.append(entries)
        const all = calls.flat()
        for (const environment of new Set(origins.map(origin => origin.environment))) {
          const own = all.filter(entry => entry.environment === environment)
          assert.deepEqual([...store.read(environment)], own)
          let hash = createHash('sha256').update(`dayfly activity of ${environment}`).digest('hex')
          let [blocks, entries] = [0, 0]
          for (const block of store.blocks(environment)) {
            const lines = own.slice(entries, entries + block.entries)
            assert.equal(block.bytes.toString(), lines.map(entry => `${canonicalJson(entry)}\n`).join(''))
            assert.deepEqual([block.first, block.last], [Math.min(...lines.map(({ time }) => time)), Math.max(...lines.map(({ time }) => time))])
            assert.ok(block.entries <= blockEntries)
            hash = createHash('sha256')
              .update(hash + createHash('sha256').update(block.bytes).digest('hex'))
              .digest('hex')
            entries += block.entries
            assert.equal(block.number, ++blocks)
            assert.equal(block.hash, hash)
          }
          assert.deepEqual(store.head(environment), { blocks, entries, hash })
          assert.deepEqual(store.verify(environment, { blocks, entries, hash }), {})
        }
      }),
      { numRuns: 20 },
    )
  })

  it('knows whose it is', () => {
    using store = opened(newPath())
    assert.deepEqual(
      store.origins('ealpha'),
      origins.filter(({ environment }) => environment === 'ealpha'),
    )
    assert.deepEqual(store.head('enone'), { blocks: 0, entries: 0, hash: genesisHash('enone') })
    assert.deepEqual([...store.read('enone')], [])
  })

  it('is none of an instance that nobody introduced, nor what came with it', () => {
    using store = opened(newPath())
    for (const stranger of [exampleEvent({ instance: 'istranger' }), exampleEvent({ environment: 'ebeta' })]) {
      assert.throws(() => store.append([exampleEvent(), stranger]), failure('internal', /was not introduced/))
    }
    assert.deepEqual(store.search({}), [])
    assert.equal(store.head('ealpha').blocks, 0)
  })

  it('is for its owner only, and no other program file is taken for it', () => {
    const path = newPath()
    {
      using _ = opened(path)
      assert.equal(statSync(path).mode & 0o777, 0o600)
      assert.equal(statSync(`${path}-wal`).mode & 0o777, 0o600)
    }
    alter(path, 'PRAGMA user_version = 99')
    assert.throws(() => openActivityStore({ path }), failure('host', /another version/))
    assert.throws(() => openActivityReader({ path }), failure('host', /another version/))
    const other = newPath()
    alter(other, 'CREATE TABLE theirs (a)')
    assert.throws(() => openActivityStore({ path: other }), failure('host', /another program/))
    assert.throws(() => openActivityReader({ path: newPath() }), failure('host', /cannot be opened/))
    const text = newPath()
    writeFileSync(text, 'not a database, but long enough to be read as the header of one: '.repeat(20))
    assert.throws(() => openActivityStore({ path: text }), failure('host', /not a database/))
  })

  it('is seen by other threads while it is written', async () => {
    const path = newPath()
    using store = opened(path)
    const program = `
      import { parentPort } from 'node:worker_threads'
      import { openActivityReader } from ${JSON.stringify(new URL('./open.ts', import.meta.url).href)}
      const reader = openActivityReader({ path: ${JSON.stringify(path)} })
      parentPort.on('message', filter => parentPort.postMessage(reader.search(filter).map(found => found.activity.time)))`
    const worker = new Worker(program, { eval: true, execArgv: ['--input-type=module'] })
    try {
      for (const time of [1, 2, 3]) {
        store.append(some('ealpha', time, 1))
        worker.postMessage({ text: `word${time}` })
        assert.deepEqual((await once(worker, 'message'))[0], [time])
      }
    } finally {
      await worker.terminate()
    }
  })
})

describe('the chain of what is kept', () => {
  /** Five blocks, and their head. */
  const recorded = (path: string): ActivityHead => {
    using store = opened(path)
    for (let block = 0; block < 5; block++) {
      store.append(some('ealpha', block * 10, 3))
      store.append(some('ebeta', block * 10, 2))
    }
    return store.head('ealpha')
  }

  const forged = compress(bytesOf(some('ealpha', 777, 3)))
  const tampered = (what: string, expected: number, change: string): void => {
    it(`shows ${what}`, () => {
      const path = newPath()
      const head = recorded(path)
      alter(
        path,
        change.replaceAll('ALPHA', "(SELECT number FROM environment WHERE id = 'ealpha')").replaceAll('FORGED', `x'${forged.toString('hex')}'`),
      )
      using reader = openActivityReader({ path })
      assert.deepEqual(reader.verify('ealpha', head), { broken: expected })
      assert.deepEqual(reader.verify('ealpha', head, true), { broken: expected })
      assert.deepEqual(reader.verify('ebeta', reader.head('ebeta')), {})
    })
  }
  tampered('another content', 2, 'UPDATE block SET data = FORGED WHERE environment = ALPHA AND number = 2')
  tampered('a damaged content', 3, "UPDATE block SET data = x'00' WHERE environment = ALPHA AND number = 3")
  tampered('another hash', 4, "UPDATE block SET hash = 'f' || substr(hash, 2) || 'f' WHERE environment = ALPHA AND number = 4")
  tampered('another time to be found by', 1, 'UPDATE block SET first = first + 1 WHERE environment = ALPHA AND number = 1')
  tampered('another number of entries', 5, 'UPDATE block SET entries = 2 WHERE environment = ALPHA AND number = 5')
  tampered('a block that was taken out', 3, 'DELETE FROM block WHERE environment = ALPHA AND number = 3')
  tampered('the first one taken out', 1, 'DELETE FROM block WHERE environment = ALPHA AND number = 1')
  tampered('the last one taken out', 5, 'DELETE FROM block WHERE environment = ALPHA AND number = 5')
  tampered('all taken out', 1, 'DELETE FROM block WHERE environment = ALPHA; DELETE FROM environment WHERE number = ALPHA')
  tampered(
    'two in the other order',
    2,
    `UPDATE block SET number = 99 WHERE environment = ALPHA AND number = 2; UPDATE block SET number = 2 WHERE environment = ALPHA AND number = 3;
     UPDATE block SET number = 3 WHERE environment = ALPHA AND number = 99`,
  )
  tampered(
    'a gap that was closed',
    2,
    `DELETE FROM block WHERE environment = ALPHA AND number = 2; UPDATE block SET number = number + 100 WHERE environment = ALPHA AND number > 2;
     UPDATE block SET number = number - 101 WHERE environment = ALPHA AND number > 100`,
  )
  it('shows that a mark of pruning was made up', () => {
    const path = newPath()
    const head = recorded(path)
    alter(
      path,
      'DELETE FROM block WHERE environment = 1 AND number <= 2',
      "UPDATE environment SET pruned_blocks = 2, pruned_entries = 6, pruned_hash = hash WHERE id = 'ealpha'",
    )
    using reader = openActivityReader({ path })
    assert.equal(reader.verify('ealpha', head).broken, 3)
  })

  it('shows blocks after the head, unless the environment goes on', () => {
    const path = newPath()
    const head = recorded(path)
    using store = openActivityStore({ path })
    store.append(some('ealpha', 100, 3))
    assert.deepEqual(store.verify('ealpha', head), { broken: 6 })
    assert.deepEqual(store.verify('ealpha', head, true), {})
    assert.deepEqual(store.verify('ealpha', { ...head, hash: genesisHash('x') }, true), { broken: 5 })
    assert.deepEqual(store.verify('ealpha', { ...head, entries: 14 }, true), { broken: 5 })
    assert.deepEqual(store.verify('enone', head), { broken: 1 })
    assert.deepEqual(store.verify('enone', store.head('enone')), {})
  })

  it('shows any block that was changed by who can compute hashes, for the head is elsewhere', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 4 }), at => {
        const path = newPath()
        const head = recorded(path)
        {
          using database = new DatabaseSync(path)
          const rows = database
            .prepare("SELECT * FROM block WHERE environment = (SELECT number FROM environment WHERE id = 'ealpha') ORDER BY number")
            .all()
          let hash = genesisHash('ealpha')
          for (const [index, row] of rows.entries()) {
            const bytes = bytesOf(some('ealpha', index === at ? 500 : index * 10, 3))
            hash = blockHash(hash, bytes)
            const first = index === at ? 500 : index * 10
            database
              .prepare('UPDATE block SET data = ?, hash = ?, first = ?, last = ? WHERE position = ?')
              .run(compress(bytes), hash, first, first + 2, row['position'] ?? 0)
          }
          database.prepare("UPDATE environment SET hash = ? WHERE id = 'ealpha'").run(hash)
        }
        using reader = openActivityReader({ path })
        assert.deepEqual(reader.verify('ealpha', head), { broken: 5 })
      }),
      { numRuns: 10 },
    )
  })

  it('is never broken by a writer that is killed, and what was kept is found', async () => {
    const path = newPath()
    const program = `
      import { openActivityStore } from ${JSON.stringify(new URL('./open.ts', import.meta.url).href)}
      import { exampleEvent, origins } from ${JSON.stringify(new URL('./examples.suite.ts', import.meta.url).href)}
      const store = openActivityStore({ path: ${JSON.stringify(path)}, segment: 64 })
      for (const origin of origins) store.introduce(origin)
      for (let time = store.head('ealpha').entries; ; time += 20) {
        const entries = origins.flatMap(({ environment, instance }) => Array.from({ length: 10 }, (_, n) => exampleEvent({ environment, instance, time })))
        store.append(entries)
        process.send(time)
        store.tidy()
        await new Promise(setImmediate)
      }`
    let told = 0
    for (let round = 0; round < 12; round++) {
      const writer = spawn(process.execPath, ['--input-type=module', '-e', program], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
      let seen = 0
      writer.on('message', (time: unknown) => {
        told = Number(time)
        // Every round at another place: in an append, in the index, in tidying.
        if (++seen === 3 + round * 2) writer.kill('SIGKILL')
      })
      await once(writer, 'exit')
      using store = openActivityStore({ path, segment: 64 })
      const head = store.head('ealpha')
      assert.ok(head.entries >= told + 20, 'nothing that was kept is lost')
      assert.equal(head.entries % 20, 0, 'nor is half of a call there')
      for (const environment of ['ealpha', 'ebeta', 'egamma']) {
        assert.deepEqual(store.verify(environment, store.head(environment)), {})
        assert.equal(store.search({ environment, limit: 100_000 }).length, head.entries)
      }
      if (round % 3 === 2) tidyAll(store)
    }
  })
})

describe('a full disk', () => {
  it('keeps nothing of a call, breaks nothing, and later calls go on', () => {
    const path = newPath()
    const databases: DatabaseSync[] = []
    using store = opened(path, { segment: 256, onOpen: database => databases.push(database) })
    const [database] = databases
    assert.ok(database)
    const limit = (pages: number): void => database.exec(`PRAGMA max_page_count = ${pages}`)
    store.append(some('ealpha', 0, 300))
    limit(Number(Object.values(database.prepare('PRAGMA page_count').get() ?? {})[0]) + 6)
    let kept = 300
    const random = (time: number) => exampleEvent({ time, args: [createHash('sha512').update(String(time)).digest('base64').repeat(3)] })
    const call = (from: number) => [...Array.from({ length: 40 }, (_, index) => random(from + index)), ...some('ebeta', from, 5)]
    const fill = (): void => {
      for (;;) {
        store.append(call(kept))
        kept += 40
      }
    }
    assert.throws(fill, failure('host', /the disk is full/))
    assert.throws(() => store.append(call(kept)), failure('host', /the disk is full/))
    assert.equal(store.head('ealpha').entries, kept)
    assert.deepEqual(store.verify('ealpha', store.head('ealpha')), {})
    assert.equal(store.search({ environment: 'ealpha', limit: 100_000 }).length, kept)
    limit(1_000_000)
    store.append(call(kept))
    tidyAll(store)
    assert.equal(store.head('ealpha').entries, kept + 40)
    assert.equal([...store.read('ebeta')].length, ((kept - 300) / 40 + 1) * 5)
    for (const environment of ['ealpha', 'ebeta']) assert.deepEqual(store.verify(environment, store.head(environment)), {})
    assert.equal(store.search({ types: ['exec'], limit: 100_000 }).length, kept + 40 + ((kept - 300) / 40 + 1) * 5)
  })
})

describe('what goes', () => {
  it('with the retention is gone at once, is removed bit by bit, and leaves the others alone', () => {
    const path = newPath()
    using store = opened(path)
    const content = (time: number) => exampleEvent({ time, args: [createHash('sha512').update(`${time}`).digest('hex')] })
    for (let call = 0; call < 200; call++) {
      store.append([...Array.from({ length: 20 }, (_, index) => content(call * 20 + index)), ...some('ebeta', call, 1)])
    }
    const before = store.size()
    store.purge('ealpha')
    assert.deepEqual(store.search({ environment: 'ealpha' }), [])
    assert.equal(store.search({ limit: 5000 }).length, 200)
    assert.deepEqual(store.head('ealpha'), { blocks: 0, entries: 0, hash: genesisHash('ealpha') })
    assert.deepEqual(store.origins('ealpha'), [])
    tidyAll(store)
    assert.ok(store.size().used < before.used / 2)
    assert.equal(store.search({ types: ['exec'], limit: 5000 }).length, 200)
    assert.deepEqual(store.verify('ebeta', store.head('ebeta')), {})
    using database = new DatabaseSync(path, { readOnly: true })
    const { entries } = database.prepare('SELECT total(entries) AS entries FROM segment').get() ?? {}
    assert.ok(Number(entries) <= 200, 'nothing of it is in the index')
    store.purge('ealpha')
    store.purge('enone')
    assert.throws(() => store.append(some('ealpha', 0, 1)), failure('internal', /not introduced/))
  })

  it('gives its room back to the disk', () => {
    const path = newPath()
    {
      using store = opened(path, { segment: 10_000 })
      const words = (time: number): string => createHash('sha512').update(String(time)).digest('hex').repeat(4)
      for (let call = 0; call < 150; call++) {
        store.append(Array.from({ length: 120 }, (_, index) => exampleEvent({ time: call * 120 + index, args: [words(call * 120 + index)] })))
      }
      store.append(some('ebeta', 0, 1))
      store.purge('ealpha')
      const before = store.size().file
      tidyAll(store)
      assert.ok(store.size().file <= before)
    }
    // Of a store that was closed, all of it is in the file.
    using store = openActivityStore({ path })
    assert.ok(statSync(path).size - store.size().used < 16 * 1024 ** 2)
    assert.equal(store.search({}).length, 1)
  })

  it('goes bit by bit where it is much, also behind many that are gone already', () => {
    using store = opened(newPath(), { budget: 150_000 })
    const content = (time: number) => exampleEvent({ time, args: [createHash('sha512').update(`${time}`).digest('hex')] })
    // Blocks of one entry: more of them than one call removes.
    for (let time = 0; time < 9000; time++) store.append([content(time)])
    const ended = [...Array.from({ length: 200 }, (_, index) => `egone${index}`), 'ealpha']
    assert.equal(store.prune(ended).length, 1)
    const first = store.verify('ealpha', store.head('ealpha'))
    assert.ok(store.size().used > 150_000)
    tidyAll(store)
    assert.ok(store.size().used <= 150_000)
    const then = store.verify('ealpha', store.head('ealpha'))
    assert.equal(then.broken, undefined)
    assert.ok((then.pruned?.blocks ?? 0) > (first.pruned?.blocks ?? 0))
    assert.equal(store.search({ limit: 10_000, text: 'nothing' }).length, 0)
    assert.equal(store.search({ limit: 10_000, types: ['exec'] }).length, 9000 - (then.pruned?.entries ?? 0))
  })

  it('to stay within the budget are the oldest blocks of ended environments first, and verify says so', () => {
    const path = newPath()
    const budget = 400_000
    using store = opened(path, { budget, segment: 1000 })
    const big = (environment: string, from: number) =>
      Array.from({ length: 100 }, (_, index) =>
        exampleEvent({
          environment,
          instance: `i${environment}1`,
          time: from + index,
          args: [
            createHash('sha512')
              .update(`${environment}${from + index}`)
              .digest('hex'),
          ],
        }),
      )
    assert.deepEqual(store.prune(['ealpha', 'ebeta', 'egamma']), [], 'while there is room nothing goes')
    for (let call = 0; call < 20; call++) for (const environment of ['ealpha', 'ebeta', 'egamma']) store.append(big(environment, call * 100))
    const [alpha, beta, gamma] = ['ealpha', 'ebeta', 'egamma'].map(environment => store.head(environment))
    assert.ok(alpha && beta && gamma)
    const pruned = store.prune(['ebeta', 'ealpha'])
    assert.ok(store.size().used <= budget)
    assert.deepEqual(pruned[0], { environment: 'ebeta', head: beta })
    assert.deepEqual(store.verify('ebeta', beta), { pruned: beta })
    assert.deepEqual([...store.read('ebeta')], [])
    for (const [environment, head] of [
      ['ealpha', alpha],
      ['egamma', gamma],
    ] as const) {
      const mark = pruned.find(found => found.environment === environment)?.head
      assert.deepEqual(store.verify(environment, head), mark === undefined ? {} : { pruned: mark })
      assert.equal(store.search({ environment, limit: 100_000 }).length, head.entries - (mark?.entries ?? 0))
      assert.deepEqual(store.head(environment), head)
    }
    // The chain goes on where it was.
    store.append(some('ebeta', 5000, 3))
    assert.deepEqual(store.verify('ebeta', store.head('ebeta')), { pruned: beta })
    assert.deepEqual(store.verify('ebeta', beta), { broken: beta.blocks + 1, pruned: beta })
    alter(path, 'UPDATE block SET hash = hash || 1 WHERE number = (SELECT max(number) FROM block)')
    assert.deepEqual(store.verify('ebeta', store.head('ebeta')), { broken: beta.blocks + 1, pruned: beta })
  })
})
