/** What a proof of activity needs of its store: heads that are bound and cut, pruning that is vouched for, pieces, and a moment that stays. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, before, describe, it } from 'node:test'
import type { ActivityHead } from '../../model/activity.ts'
import type { ActivityReader, ActivityStore, ActivityVerdict } from './activity-store.ts'
import { genesisHash } from './blocks.ts'
import { exampleEvent, origins } from './examples.suite.ts'
import { openActivityReader, openActivityStore } from './open.ts'

let folder = ''
let count = 0
before(() => {
  folder = mkdtempSync(join(tmpdir(), 'dayfly-proof-'))
})
after(() => rmSync(folder, { recursive: true }))
const newPath = (): string => join(folder, `${++count}.sqlite`)
const key = Buffer.alloc(32, 7)

const opened = (path: string, budget = 1 << 30): ActivityStore => {
  const store = openActivityStore({ path, segment: 64, budget, key })
  for (const origin of origins) store.introduce(origin)
  return store
}
const add = (store: ActivityStore, environment: string, from: number, entries = 10): ActivityHead => {
  store.append(Array.from({ length: entries }, (_, index) => exampleEvent({ environment, instance: `i${environment}1`, time: from + index })))
  return store.head(environment)
}
const inPieces = (reader: ActivityReader, environment: string, head: ActivityHead, most: number): { verdict: ActivityVerdict; pieces: number } => {
  let from: ActivityHead | undefined
  for (let pieces = 1; ; pieces++) {
    const progress = reader.verifySome(environment, head, most, from)
    if ('verdict' in progress) return { verdict: progress.verdict, pieces }
    from = progress.at
  }
}

describe('what a sealed record does not bind', () => {
  it('is cut off, again and again, and what it binds is proven then', () => {
    using store = opened(newPath())
    add(store, 'ealpha', 0)
    const bound = add(store, 'ealpha', 100)
    add(store, 'ebeta', 0)
    add(store, 'ealpha', 200)
    add(store, 'ealpha', 300)
    assert.equal(store.verify('ealpha', bound).broken, 3)
    assert.equal(store.cut('ealpha', bound), 2)
    assert.equal(store.cut('ealpha', bound), 0)
    assert.deepEqual(store.verify('ealpha', bound), {})
    assert.deepEqual(store.head('ealpha'), bound)
    assert.equal(store.search({ environment: 'ealpha' }).length, bound.entries)
    assert.equal(store.search({ environment: 'ebeta' }).length, 10, 'others keep theirs')
    assert.equal(store.cut('ebeta', { blocks: 0, entries: 0, hash: genesisHash('ebeta') }), 1, 'nothing at all was bound')
  })

  it('stays where the head is not one of its own: somebody else has written one of the two', () => {
    using store = opened(newPath())
    const head = add(store, 'ealpha', 0)
    add(store, 'ealpha', 100)
    assert.equal(store.cut('ealpha', { ...head, hash: genesisHash('ebeta') }), 0)
    assert.equal(store.cut('enone', head), 0)
    assert.equal(store.head('ealpha').blocks, 2)
  })
})

describe('a proof in pieces', () => {
  it('comes to the same as at once, whole and broken', () => {
    const path = newPath()
    using store = opened(path)
    for (let call = 0; call < 20; call++) add(store, 'ealpha', call * 100)
    const head = store.head('ealpha')
    assert.deepEqual(inPieces(store, 'ealpha', head, 3), { verdict: {}, pieces: 7 })
    assert.deepEqual(inPieces(store, 'enone', { blocks: 0, entries: 0, hash: genesisHash('enone') }, 3).verdict, {})
    for (const broken of [1, 7, 20]) {
      using other = new DatabaseSync(path)
      const saved = other.prepare('SELECT hash FROM block WHERE number = ?').get(broken)?.['hash'] ?? ''
      other.prepare('UPDATE block SET hash = ? WHERE number = ?').run('0'.repeat(64), broken)
      assert.deepEqual(inPieces(store, 'ealpha', head, 3).verdict, { broken })
      other.prepare('UPDATE block SET hash = ? WHERE number = ?').run(saved, broken)
    }
  })

  it('goes on from where the rest begins when what it had proven gives way meanwhile', () => {
    using store = opened(newPath(), 1)
    for (let call = 0; call < 200; call++) add(store, 'ealpha', call * 100, 2)
    const head = store.head('ealpha')
    const first = store.verifySome('ealpha', head, 3)
    assert.ok('at' in first && first.at.blocks === 3)
    const [pruned] = store.prune([])
    assert.ok(pruned)
    assert.deepEqual(store.verifySome('ealpha', head, 1000, first.at), { verdict: { pruned: pruned.head } })
  })
})

describe('pruning', () => {
  it('is vouched for by who did it; another mark, and one by another key, is not', () => {
    const path = newPath()
    using store = opened(path, 1)
    for (let call = 0; call < 200; call++) add(store, 'ealpha', call * 100, 2)
    const [{ head } = assert.fail()] = store.prune([])
    assert.deepEqual(store.place('ealpha')?.pruned, { ...head, own: true })
    using stranger = openActivityReader({ path, key: Buffer.alloc(32, 8) })
    assert.equal(stranger.place('ealpha')?.pruned?.own, false)
    using doctored = new DatabaseSync(path)
    doctored.exec('UPDATE environment SET pruned_entries = pruned_entries + 1')
    assert.equal(store.place('ealpha')?.pruned?.own, false)
    assert.equal(store.place('enone'), undefined)
  })

  it('takes nothing from a snapshot that was begun before', () => {
    const path = newPath()
    using store = opened(path, 1)
    for (let call = 0; call < 50; call++) add(store, 'ealpha', call * 100, 2)
    const head = store.head('ealpha')
    using snapshot = openActivityReader({ path, snapshot: true })
    store.prune([])
    assert.deepEqual([...store.blocks('ealpha')], [])
    assert.equal([...snapshot.blocks('ealpha')].length, 50)
    assert.deepEqual(
      [...snapshot.blocks('ealpha', 48)].map(({ number }) => number),
      [49, 50],
    )
    assert.deepEqual(snapshot.verify('ealpha', head), {})
  })
})

describe('a file of the version before', () => {
  it('is taken over, and what was kept in it is proven as before', () => {
    const path = newPath()
    {
      using store = opened(path)
      add(store, 'ealpha', 0)
    }
    {
      using database = new DatabaseSync(path)
      database.exec('ALTER TABLE environment DROP COLUMN pruned_mac; DROP TABLE synced; PRAGMA user_version = 1')
    }
    {
      using reader = openActivityReader({ path })
      assert.equal(reader.head('ealpha').entries, 10)
    }
    using store = opened(path)
    store.sync()
    assert.deepEqual(store.verify('ealpha', store.head('ealpha')), {})
  })
})
