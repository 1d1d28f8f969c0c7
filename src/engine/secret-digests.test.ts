import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { forever, ids, inWorld, live, service, spec, up } from '../../test/engine/supervised.ts'
import type { World } from '../../test/engine/world.ts'
import { DayflyError } from '../base/errors.ts'
import type { Secrets } from './engine.ts'
import { secretDigestBy } from './secret-digests.ts'

const contents = (words: Readonly<Record<string, Readonly<Record<string, string>>>>): Secrets =>
  new Map(Object.entries(words).map(([workload, own]) => [workload, new Map(Object.entries(own).map(([name, text]) => [name, Buffer.from(text)]))]))

const wanted = () =>
  spec({ web: service(forever, {}, { secrets: ['token', 'password'] }), db: service(forever, {}, { secrets: ['password'] }), other: service() })
const first = contents({ web: { token: 'token-one', password: 'same-password' }, db: { password: 'same-password' } })
const second = contents({ web: { token: 'token-two', password: 'same-password' }, db: { password: 'same-password' } })
const change = [{ subject: 'workload' as const, name: 'web', kind: 'changed' as const, fields: ['secrets.token'], effect: 'replaced' as const }]

describe('another content of a secret', () => {
  it(
    'is named by what would change, and replaces those that have it',
    inWorld(async world => {
      const id = await up(world, wanted(), first)
      await world.advance(2000)
      const [web, db] = [ids(live(world, id, 'web')), ids(live(world, id, 'db'))]
      assert.deepEqual(world.engine.diff(wanted(), false, first), [])
      assert.deepEqual(world.engine.diff(wanted(), false, second), change)
      assert.deepEqual(world.engine.diff(wanted()), [], 'whoever does not give them knows of no change')
      assert.throws(
        () => world.engine.diff(wanted(), false, contents({ web: { token: 'x' } })),
        (error: unknown) => error instanceof DayflyError && error.field === '--secret',
      )
      await up(world, wanted(), first)
      await world.advance(2000)
      assert.deepEqual(ids(live(world, id, 'web')), web)
      world.crash()
      await world.restart()
      assert.deepEqual(world.engine.diff(wanted(), false, first), [], 'the next daemon has the same key')
      await up(world, wanted(), second)
      await world.advance(3000)
      assert.notDeepEqual(ids(live(world, id, 'web')), web)
      assert.deepEqual(ids(live(world, id, 'db')), db)
    }),
  )

  it(
    'is not asked of those that a part of the environment does not name',
    inWorld(async world => {
      const id = await up(world, wanted(), first)
      await world.advance(2000)
      const web = ids(live(world, id, 'web'))
      const part = spec({ db: service(forever, {}, { secrets: ['password'], env: { V: '2' } }) })
      await world.engine.up(
        part,
        contents({ db: { password: 'same-password' } }),
        new Map(),
        { kind: 'user', name: 'tester' },
        new AbortController().signal,
        true,
      )
      await world.advance(3000)
      assert.deepEqual(ids(live(world, id, 'web')), web)
      assert.deepEqual(world.engine.diff(part, true, contents({ db: { password: 'other' } }))[0]?.fields, ['secrets.password'])
    }),
  )

  it(
    'leaves no trace of any content, and equal ones do not look equal',
    inWorld(async world => {
      const id = await up(world, wanted(), first)
      await up(world, wanted(), second)
      await world.advance(1000)
      const kept = JSON.stringify([world.store.environment(id), world.store.events({ environment: id }), world.store.instances(id), world.lines])
      for (const text of ['token-one', 'token-two', 'same-password']) {
        for (const form of [text, Buffer.from(text).toString('base64'), Buffer.from(text).toString('hex')]) assert.ok(!kept.includes(form), form)
      }
      const digests = allDigests(world, id)
      assert.equal(digests.length, 3)
      assert.equal(new Set(digests).size, 3)
    }),
  )

  it('is digested by a key', () => {
    const [one, other] = ['one', 'other'].map(key => secretDigestBy(Buffer.from(key)))
    assert.ok(one && other)
    const content = Buffer.from('content')
    assert.match(one(['a'], content), /^[0-9a-f]{32}$/)
    assert.equal(one(['a'], content), one(['a'], content))
    assert.notEqual(one(['a'], content), other(['a'], content))
    assert.notEqual(one(['a', 'b'], content), one(['b', 'a'], content))
  })
})

const allDigests = (world: World, id: string): string[] =>
  Object.values(world.store.environment(id)?.spec.secretDigests ?? {}).flatMap(own => Object.values(own))
