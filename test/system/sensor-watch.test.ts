/** Containers that nobody has registered: seen from their first program on, and said to be gone. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Heard, Programs } from './sensor/cell.ts'
import { compilePrograms, listen, makeCell, sum, whyNot } from './sensor/cell.ts'

describe('watching strangers', { skip: whyNot() }, () => {
  let programs: Programs
  let heard: Heard

  before(async () => {
    programs = compilePrograms()
    heard = await listen()
  })
  after(async () => {
    await heard?.sensor[Symbol.asyncDispose]()
    programs?.[Symbol.dispose]()
  })

  test('each gets a cookie before its first event, and is said to be gone', async () => {
    await heard.sensor.watch(1)
    const cells = await Promise.all([1, 2, 3].map(() => makeCell(programs, { command: ['/bin/sh', '-c', '/bin/true; exit 0'] })))
    await Promise.all(cells.map(cell => cell.run()))
    const cookies = cells.map(cell => {
      const stranger = heard.strangers.find(one => one.pidNamespace === cell.inode && one.pid === cell.pid)
      assert.ok(stranger !== undefined && stranger.cookie >= 2 ** 52)
      return stranger.cookie
    })
    assert.equal(new Set(cookies).size, 3)
    for (let turn = 0; turn < 600 && !cookies.every(cookie => heard.gone.some(gone => gone.cookie === cookie)); turn++) await sleep(10)
    for (const cookie of cookies) {
      const events = heard.of(cookie)
      assert.deepEqual(
        events.map(event => event.type),
        ['exec', 'fork', 'exec', 'exit', 'exit'],
      )
      const gone = heard.gone.find(one => one.cookie === cookie)
      assert.equal(gone?.counts.emitted.exec, sum(events, 'exec'))
      await assert.rejects(heard.sensor.counts(cookie), { errno: 'ENOENT' })
    }
  })

  test('registered ones are not strangers, and when it is off nobody is', async () => {
    await heard.sensor.watch(0)
    const cell = await makeCell(programs, { command: ['/bin/true'] })
    await cell.run()
    await heard.sensor.sync()
    assert.ok(!heard.strangers.some(stranger => stranger.pid === cell.pid))
  })

  test('levels that are deeper than asked for', async () => {
    await heard.sensor.watch(2)
    const cell = await makeCell(programs, { command: ['unshare', '-p', '-f', '/bin/true'] })
    await cell.run()
    await heard.sensor.sync()
    const stranger = heard.strangers.find(one => one.pidNamespace === cell.inode)
    assert.ok(stranger !== undefined && stranger.pid !== cell.pid, 'seen by its nested program only')
    await heard.sensor.watch(0)
  })
})
