/** What a container must not do: programs that are not its image's, and connections to anywhere. Off, audited, enforced. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { SensorFlags } from '../../src/host/sensor/protocol.ts'
import type { Heard, Programs } from './sensor/cell.ts'
import { compilePrograms, listen, makeCell, nextCookie, runCell, whyNot } from './sensor/cell.ts'

const killed = 128 + 9

describe('what the sensor forbids', { skip: whyNot() }, () => {
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

  const inImage = async (flags: SensorFlags, ...words: string[]) => {
    const ran = await runCell(heard, programs, { command: ['/bin/deeds', ...words], lower: programs.lower }, flags)
    return { ...ran, last: ran.events.filter(event => event.type === 'exec').at(-1) }
  }

  test('a program of the image runs, however it is enforced', async () => {
    const { status, output, last } = await inImage({ droppedBinaries: 'enforce' }, 'say', 'fine')
    assert.equal(status, 0)
    assert.equal(output, 'fine')
    assert.equal(last?.flags, undefined)
  })

  for (const [what, words, flag] of [
    ['written into the container', ['copy-and-run', '/tmp/dropped'], 'upper'],
    ['written over one of the image', ['copy-and-run', '/bin/sh'], 'upper'],
    ['written to a tmpfs', ['copy-and-run', '/dev/shm/dropped'], 'upper'],
    ['without a name', ['memfd', '/bin/deeds'], 'memfd'],
  ] as const) {
    test(`a program ${what}`, async () => {
      const off = await inImage({}, ...words)
      assert.equal(off.status, 0)
      assert.ok(off.last?.flags?.includes(flag), JSON.stringify(off.last))
      assert.ok(!off.last?.flags?.includes('would_deny') && !off.last?.flags?.includes('denied'))

      const audited = await inImage({ droppedBinaries: 'audit' }, ...words)
      assert.equal(audited.status, 0)
      assert.ok(audited.last?.flags?.includes('would_deny'))

      const enforced = await inImage({ droppedBinaries: 'enforce' }, ...words)
      assert.equal(enforced.status, killed)
      assert.equal(enforced.output, '', 'not one instruction of it ran')
      assert.ok(enforced.last?.flags?.includes('denied'))
      assert.equal(enforced.events.at(-1)?.type, 'exit')
      assert.equal(enforced.events.at(-1)?.result, 9)
    })
  }

  const errno = { none: 0, denied: 1 }
  const connecting = async (flags: SensorFlags) => {
    const ran = await runCell(heard, programs, { command: [programs.deeds, 'connect-to', '198.51.100.7'] }, flags)
    const results = Object.fromEntries(ran.output.split('\n').map(line => line.split(' '))) as Record<string, string>
    const away = ran.events.filter(event => (event.type === 'connect' || event.type === 'sendto') && event.socket?.remotePort === 4444)
    const local = ran.events.filter(event => event.type === 'connect' && event.socket?.remotePort === 4002)
    return { ...ran, results, away, local }
  }

  test('connections and datagrams: enforced, only loopback is left', async t => {
    if (!heard.sensor.facts.probes.includes('deny_connect4')) return t.skip('no cgroup2 hierarchy here')
    const { results, away, local } = await connecting({ connections: 'enforce' })
    for (const kind of ['connect', 'connect6', 'sendto', 'sendto6']) assert.equal(Number(results[kind]), errno.denied, kind)
    assert.equal(Number(results['loopback']), errno.none)
    assert.equal(away.length, 4)
    for (const event of away) {
      assert.ok(event.flags?.includes('denied'), JSON.stringify(event))
      assert.equal(event.result, -1)
      assert.match(event.socket?.remoteAddress ?? '', /^198\.51\.100\.7$|^2001:db8::1$/)
    }
    assert.ok(local.length > 0 && local.every(event => event.flags === undefined))
  })

  test('audited, they go on, and are told', async () => {
    const { results, away } = await connecting({ connections: 'audit' })
    assert.notEqual(Number(results['connect']), errno.denied)
    assert.equal(away.length, 4)
    for (const event of away) assert.ok(event.flags?.includes('would_deny') && !event.flags.includes('denied'))
  })

  test('a container beside is not concerned', async () => {
    const { results, away } = await connecting({})
    assert.notEqual(Number(results['connect']), errno.denied)
    assert.ok(away.every(event => event.flags?.includes('denied') !== true && event.flags?.includes('would_deny') !== true))
  })

  test('flags change while it runs', async () => {
    const cookie = nextCookie()
    const cell = await makeCell(programs, { command: ['/bin/deeds', 'copy-and-run', '/tmp/dropped'], lower: programs.lower })
    await heard.sensor.registerNamespace({ inode: cell.inode, cookie })
    await heard.sensor.setFlags(cookie, { droppedBinaries: 'enforce' })
    assert.equal((await cell.run()).status, killed)
    await heard.sensor.unregister(cookie)
  })
})
