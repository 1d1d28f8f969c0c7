import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bindIds } from './binds.ts'

const range = { first: 1_000_000, count: 65_536 }

/** What id of the container a file of that id on disk has; undefined: nobody's. */
const inside = (maps: readonly { disk: number; seen: number; count: number }[], disk: number): number | undefined => {
  const found = maps.filter(map => disk >= map.disk && disk < map.disk + map.count)
  assert.ok(found.length <= 1, `${disk} is mapped twice`)
  return found[0] === undefined ? undefined : found[0].seen + disk - found[0].disk - range.first
}

const isOneToOne = (maps: readonly { disk: number; seen: number; count: number }[]): void => {
  const seen = maps.flatMap(({ seen, count }) => [
    [seen, 1],
    [seen + count, -1],
  ])
  let depth = 0
  for (const [, step = 0] of seen.sort(([a = 0, x = 0], [b = 0, y = 0]) => a - b || x - y)) {
    depth += step
    assert.ok(depth <= 1, 'two ids on disk are seen as one')
  }
}

test('to read, and in a folder of root, numbers stay what they are', () => {
  for (const { users, groups } of [
    bindIds({ uid: 1000, gid: 100 }, { uid: 33, gid: 33 }, true, range),
    bindIds({ uid: 0, gid: 100 }, { uid: 33, gid: 33 }, false, range),
  ]) {
    for (const id of [0, 33, 1000, 65_535]) assert.deepEqual([inside(users, id), inside(groups, id)], [id, id])
    assert.equal(inside(users, 65_536), undefined)
  }
})

test('to write, the user of the instance stands for the owner, and host root for nobody', () => {
  for (const uid of [0, 1, 33, 1000, 65_535]) {
    for (const owner of [1, 1000, 65_535, 70_000]) {
      const { users } = bindIds({ uid: owner, gid: owner }, { uid, gid: uid }, false, range)
      isOneToOne(users)
      assert.equal(inside(users, owner), uid)
      assert.equal(inside(users, 0), undefined)
      if (owner !== 500 && uid !== 500) assert.equal(inside(users, 500), 500)
      if (owner !== uid) assert.equal(inside(users, uid), uid === owner ? uid : undefined)
    }
  }
})
