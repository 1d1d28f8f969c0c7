/** More than can be taken: what is told and what is lost add up to the truth, exactly, and what matters most is not lost. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Heard, Programs } from './sensor/cell.ts'
import { compilePrograms, listen, makeCell, nextCookie, runCell, sum, whyNot } from './sensor/cell.ts'

const ring = 1024 * 1024
/** Of some 250 bytes each: several times the ring. */
const flood = 60_000

describe('a flood of events', { skip: whyNot() }, () => {
  let programs: Programs
  let heard: Heard
  let file = ''

  before(async () => {
    programs = compilePrograms()
    heard = await listen({ ring })
    file = join(programs.folder, 'owned')
    writeFileSync(file, '')
  })
  after(async () => {
    await heard?.sensor[Symbol.asyncDispose]()
    programs?.[Symbol.dispose]()
  })

  test('a sensor that does not run: drops are counted, of each container its own, and no exec, fork or exit is one', async () => {
    const [noisy, quiet] = [nextCookie(), nextCookie()]
    const loud = await makeCell(programs, { command: [programs.deeds, 'chowns', `${file},${flood}`] })
    const calm = await makeCell(programs, { command: ['/bin/sh', '-c', 'for i in 1 2 3 4 5 6 7 8 9; do /bin/true; done; exit 0'] })
    await heard.sensor.registerNamespace({ inode: loud.inode, cookie: noisy })
    await heard.sensor.registerNamespace({ inode: calm.inode, cookie: quiet })
    process.kill(heard.sensor.pid, 'SIGSTOP')
    try {
      assert.equal((await loud.run()).status, 0)
      assert.equal((await calm.run()).status, 0)
    } finally {
      process.kill(heard.sensor.pid, 'SIGCONT')
    }
    const lost = await heard.sensor.unregister(noisy)
    const kept = await heard.sensor.unregister(quiet)
    assert.ok((lost.dropped.chown ?? 0) > 0, 'the ring was too small')
    assert.equal((lost.emitted.chown ?? 0) + (lost.dropped.chown ?? 0), flood)
    assert.equal(sum(heard.of(noisy), 'chown'), lost.emitted.chown)
    assert.deepEqual([lost.dropped.exec, lost.dropped.exit, lost.emitted.exec, lost.emitted.exit], [undefined, undefined, 1, 1])
    assert.deepEqual(kept.dropped, {})
    assert.deepEqual([kept.emitted.exec, kept.emitted.fork, kept.emitted.exit], [10, 9, 10])
    assert.deepEqual([sum(heard.of(quiet), 'exec'), sum(heard.of(quiet), 'exit')], [10, 10])
  })

  test('losses are told without being asked for', async () => {
    const cookie = nextCookie()
    const cell = await makeCell(programs, { command: [programs.deeds, 'chowns', `${file},${flood}`] })
    await heard.sensor.registerNamespace({ inode: cell.inode, cookie })
    process.kill(heard.sensor.pid, 'SIGSTOP')
    try {
      await cell.run()
    } finally {
      process.kill(heard.sensor.pid, 'SIGCONT')
    }
    for (let turn = 0; turn < 500 && !heard.losses.some(loss => loss.cookie === cookie); turn++) await sleep(10)
    const told = heard.losses.find(loss => loss.cookie === cookie)
    const counts = await heard.sensor.unregister(cookie)
    assert.deepEqual(told?.dropped, counts.dropped)
  })

  test('a reader that is busy for seconds loses nothing that fits into the queue', async () => {
    const cookie = nextCookie()
    const cell = await makeCell(programs, { command: [programs.deeds, 'chowns', `${file},${flood}`] })
    await heard.sensor.registerNamespace({ inode: cell.inode, cookie })
    const run = cell.run()
    // The whole thread: nothing is read, nobody else's turn comes.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 3000)
    assert.equal((await run).status, 0)
    const { emitted, dropped } = await heard.sensor.unregister(cookie)
    assert.equal((emitted.chown ?? 0) + (dropped.chown ?? 0), flood)
    assert.equal(sum(heard.of(cookie), 'chown'), emitted.chown)
    assert.equal(sum(heard.of(cookie), 'exit'), 1)
  })

  test('a queue that is full holds the ring, and what does not fit is counted', async t => {
    const small = await listen({ ring, queue: ring })
    t.after(() => small.sensor[Symbol.asyncDispose]())
    const cookie = nextCookie()
    const cell = await makeCell(programs, { command: [programs.deeds, 'chowns', `${file},${flood}`] })
    await small.sensor.registerNamespace({ inode: cell.inode, cookie })
    const run = cell.run()
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2000)
    assert.equal((await run).status, 0)
    const { emitted, dropped } = await small.sensor.unregister(cookie)
    assert.equal((emitted.chown ?? 0) + (dropped.chown ?? 0), flood)
    assert.ok((dropped.chown ?? 0) > 0)
    assert.equal(sum(small.of(cookie), 'chown'), emitted.chown)
    assert.equal(sum(small.of(cookie), 'exit'), 1)
  })

  test('100,000 opens of one sensitive file become a few lines, and none is lost', async () => {
    await heard.sensor.addPath('sensitive', file)
    const { counts, events } = await runCell(heard, programs, { command: [programs.deeds, 'opens', `${file},100000`] })
    const opens = events.filter(event => event.type === 'open')
    assert.equal((counts.emitted.open ?? 0) + (counts.dropped.open ?? 0), 100_000)
    assert.equal(sum(opens), counts.emitted.open)
    assert.ok(opens.length < 100, `${opens.length} lines`)
  })

  test('the sum of all there were agrees with what each was told of', async () => {
    const all = await heard.sensor.counts()
    assert.equal(sum(heard.events, 'chown'), all.emitted.chown)
    assert.equal(sum(heard.events, 'open'), all.emitted.open)
  })
})
