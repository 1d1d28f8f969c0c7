/** What a container must not do: programs and scripts that are not its image's, connections to anywhere, and listening for them. Off, audited, enforced. */
import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
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

  const listening = async (flags: SensorFlags) => {
    const ran = await runCell(heard, programs, { command: [programs.evasions, 'listen'] }, flags)
    return { results: ran.output.split('\n'), binds: ran.events.filter(event => event.type === 'bind') }
  }

  test("listening where others reach it: enforced, only loopback and ports of the kernel's choice for clients are left", async t => {
    if (!heard.sensor.facts.probes.includes('deny_bind4')) return t.skip('no cgroup2 hierarchy here')
    const { results, binds } = await listening({ listeners: 'enforce' })
    assert.deepEqual(results, ['any 1', 'own 0', 'chosen 1', 'datagrams 1', 'client 0', 'any6 1', 'own6 0'])
    assert.deepEqual(
      binds.map(event => [event.socket?.localAddress, event.flags?.includes('denied') ?? false]),
      [
        ['0.0.0.0', true],
        ['127.0.0.1', false],
        ['0.0.0.0', true],
        ['0.0.0.0', true],
        ['0.0.0.0', false],
        ['::', true],
        ['::1', false],
      ],
    )
    assert.deepEqual([binds[0]?.socket?.localPort, binds[0]?.result], [6000, -1])
  })

  test("audited, it listens, and is told; not asked for, it is nobody's business", async () => {
    const { results, binds } = await listening({ listeners: 'audit' })
    assert.ok(results.every(line => line.endsWith(' 0')))
    assert.deepEqual(
      binds.map(event => event.flags?.includes('would_deny') ?? false),
      [true, false, true, true, false, true, false],
    )
    assert.ok((await listening({})).binds.every(event => event.flags === undefined))
  })

  const inCell = (flags: SensorFlags, ...words: string[]) =>
    runCell(heard, programs, { command: ['/bin/evasions', ...words], lower: programs.lower, mountsFirst: true }, flags)
  const hasScripts = (): string | undefined =>
    heard.sensor.facts.probes.includes('open_exec') ? undefined : heard.sensor.facts.missing.find(({ probe }) => probe === 'open_exec')?.reason

  for (const path of ['/tmp/dropped.sh', '/dev/shm/dropped.sh']) {
    test(`a script that is written to ${path} and executed`, async t => {
      const missing = hasScripts()
      if (missing !== undefined) return t.skip(missing)
      const off = await inCell({}, 'script', path)
      assert.equal(off.output, path)
      const audited = await inCell({ scripts: 'audit' }, 'script', path)
      assert.equal(audited.output, path)
      assert.ok(
        audited.events
          .filter(event => event.type === 'exec')
          .at(-1)
          ?.flags?.includes('would_deny'),
      )

      const enforced = await inCell({ scripts: 'enforce' }, 'script', path)
      assert.equal(enforced.output, 'errno 1')
      const [refused, ...others] = enforced.events.filter(event => event.type === 'open' && event.syscall === 'execve')
      assert.deepEqual([refused?.path, refused?.result, refused?.syscall, others.length], [path, -1, 'execve', 0])
      assert.ok(refused?.flags?.includes('denied') && refused.flags.includes('upper'))
      assert.equal(enforced.counts.emitted.open, 2, 'and the one that made it')
      assert.equal(enforced.events.filter(event => event.type === 'exec').length, 1)
    })
  }

  test('scripts of the image are executed, and so are programs of any kind', async t => {
    const missing = hasScripts()
    if (missing !== undefined) return t.skip(missing)
    writeFileSync(join(programs.lower, 'bin/script'), '#!/bin/deeds say\n', { mode: 0o755 })
    const script = await inCell({ scripts: 'enforce' }, 'execute', '/bin/script')
    assert.equal(script.output, '/bin/script')
    const dropped = await runCell(
      heard,
      programs,
      { command: ['/bin/deeds', 'copy-and-run', '/tmp/dropped'], lower: programs.lower, mountsFirst: true },
      { scripts: 'enforce' },
    )
    assert.equal(dropped.output, 'dropped')
    for (const { events } of [script, dropped]) assert.ok(events.every(event => event.flags?.includes('denied') !== true))
  })

  test('what is forbidden while it runs is forbidden from then on, and needs to know of a process', async t => {
    const missing = hasScripts()
    if (missing !== undefined) return t.skip(missing)
    const cookie = nextCookie()
    const cell = await makeCell(programs, { command: ['/bin/evasions', 'script', '/tmp/x'], lower: programs.lower, mountsFirst: true })
    await heard.sensor.registerNamespace({ inode: cell.inode, cookie, root: `/proc/${cell.pid}/root`, pid: cell.pid })
    await heard.sensor.setFlags(cookie, { scripts: 'enforce' })
    assert.equal((await cell.run()).output, 'errno 1')
    await heard.sensor.unregister(cookie)
    const other = await makeCell(programs, { command: ['/bin/evasions', 'nothing'], lower: programs.lower })
    await assert.rejects(heard.sensor.registerNamespace({ inode: other.inode, cookie: nextCookie(), flags: { scripts: 'enforce' } }), {
      errno: 'ESRCH',
    })
    await other.run()
  })

  test('where nobody may answer, that is said, and nothing is promised', async t => {
    const lesser = await listen({ without: ['open_exec', 'deny_bind4'] })
    t.after(() => lesser.sensor[Symbol.asyncDispose]())
    const { probes, missing } = lesser.sensor.facts
    for (const probe of ['open_exec', 'deny_bind4']) {
      assert.ok(!probes.includes(probe))
      assert.equal(missing.find(one => one.probe === probe)?.reason, 'not wanted')
    }
    const cell = await makeCell(programs, { command: ['/bin/evasions', 'script', '/tmp/x'], lower: programs.lower, mountsFirst: true })
    const registration = { inode: cell.inode, cookie: 1, root: `/proc/${cell.pid}/root`, pid: cell.pid }
    await assert.rejects(lesser.sensor.registerNamespace({ ...registration, flags: { scripts: 'enforce' } }), { errno: 'ENOTSUP' })
    await lesser.sensor.registerNamespace(registration)
    assert.equal((await cell.run()).output, '/tmp/x')
    assert.equal((await lesser.sensor.unregister(1)).emitted.exec, 2)
  })

  test('a sensor that dies lets go whoever waits for its answer', async t => {
    const missing = hasScripts()
    if (missing !== undefined) return t.skip(missing)
    const dying = await listen()
    t.after(() => dying.sensor[Symbol.asyncDispose]())
    const cell = await makeCell(programs, { command: ['/bin/evasions', 'script', '/tmp/x'], lower: programs.lower, mountsFirst: true })
    await dying.sensor.registerNamespace({
      inode: cell.inode,
      cookie: 1,
      flags: { scripts: 'enforce' },
      root: `/proc/${cell.pid}/root`,
      pid: cell.pid,
    })
    process.kill(dying.sensor.pid, 'SIGSTOP')
    const running = cell.run()
    const waits = (): boolean => /^0x[0-9a-f]+|fanotify/.test(readFileSync(`/proc/${cell.pid}/wchan`, 'utf8'))
    for (let turn = 0; turn < 300 && !waits(); turn++) await sleep(10)
    assert.ok(waits(), 'for an answer')
    process.kill(dying.sensor.pid, 'SIGKILL')
    assert.equal((await running).status, 0)
    assert.equal((await dying.sensor.closed).errno, 'EPIPE')
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
