import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { KernelEvent } from '../../../model/kernel-event.ts'
import { createHashes } from './hashes.ts'

const sha256 = 'a'.repeat(64)
const exec = (time: number, inode = 7): KernelEvent => ({
  ...{
    type: 'exec',
    time,
    environment: 'e',
    instance: 'i',
    pid: 10,
    tid: 10,
    vpid: 1,
    start: 5,
    parentPid: 1,
    parentStart: 1,
    uid: 0,
    euid: 0,
    gid: 0,
  },
  ...{ name: 'x', parentName: 'y', result: 0, inode },
})
const found = (inode = 7) => ({ type: 'hash', cookie: 1, pid: 10, start: 5, inode, sha256 }) as const

describe('hashes that come later', () => {
  it('are put into all execs of that file by that process', () => {
    const hashes = createHashes()
    const [first, second, other] = [exec(1), exec(2), exec(3, 8)]
    for (const event of [first, second, other]) hashes.await(event)
    hashes.found(found())
    assert.deepEqual([first.sha256, second.sha256, other.sha256], [sha256, sha256, undefined])
    assert.equal(hashes.size, 1)
  })

  it('are waited for one by one: a process that goes on and on keeps none for longer than the others', () => {
    const hashes = createHashes()
    for (let time = 0; time < 50; time++) hashes.await(exec(time * 100))
    hashes.expire(4900)
    assert.equal(hashes.size, 11, 'those of the last second')
    hashes.expire(10_000)
    assert.equal(hashes.size, 0)
  })

  it('are waited for by so many only, of one process and of all', () => {
    const hashes = createHashes()
    for (let count = 0; count < 1_000; count++) hashes.await(exec(0))
    assert.equal(hashes.size, 100)
    for (let inode = 0; inode < 20_000; inode++) hashes.await(exec(0, 100 + inode))
    assert.equal(hashes.size, 10_000)
    hashes.found(found())
    assert.equal(hashes.size, 9_900)
  })
})
