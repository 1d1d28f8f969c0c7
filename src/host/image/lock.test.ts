import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { lockFile } from './lock.ts'
import { createTurns } from './turns.ts'

const root = mkdtempSync(join(tmpdir(), 'dayfly-lock-'))
after(() => rmSync(root, { recursive: true }))

describe('locks', () => {
  it('exclude each other until they are released, and share when they may', async () => {
    const path = join(root, 'lock')
    const order: string[] = []
    const first = await lockFile(path, 'exclusive')
    const second = lockFile(path, 'exclusive').then(async lock => {
      order.push('second')
      await lock[Symbol.asyncDispose]()
    })
    await assert.rejects(lockFile(path, 'shared', AbortSignal.timeout(100)), { code: 'timeout' })
    order.push('release')
    await first[Symbol.asyncDispose]()
    await second
    assert.deepEqual(order, ['release', 'second'])
    await using _one = await lockFile(path, 'shared')
    await using _two = await lockFile(path, 'shared')
    await assert.rejects(lockFile(path, 'exclusive', AbortSignal.timeout(100)), { code: 'timeout' })
  })
})

describe('turns', () => {
  it('go one at a time by key, and a waiter can give up', async () => {
    const turns = createTurns()
    const order: number[] = []
    const work = async (id: number): Promise<void> => {
      using _ = await turns.take('key', undefined)
      order.push(id)
      await new Promise(setImmediate)
      order.push(-id)
    }
    const first = await turns.take('key', undefined)
    using _other = await turns.take('other', undefined)
    const rest = [work(1), work(2), work(3)]
    await assert.rejects(turns.take('key', AbortSignal.timeout(10)), { code: 'timeout' })
    assert.deepEqual(order, [])
    first[Symbol.dispose]()
    await Promise.all(rest)
    for (let at = 0; at < order.length; at += 2) assert.equal(order[at], -(order[at + 1] ?? 0))
    assert.equal(order.length, 6)
  })
})
