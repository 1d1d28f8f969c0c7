/** Ways not to be seen, each really gone: past the identity, past the list of system calls, and past the sensor's own patience. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import type { SensedEvent } from '../../src/model/kernel-event.ts'
import type { Heard, Programs } from './sensor/cell.ts'
import { compilePrograms, listen, makeCell, nextCookie, runCell, sensorBinary, sum, whyNot } from './sensor/cell.ts'

const ring = 1024 * 1024
const only = (events: readonly SensedEvent[], type: SensedEvent['type']): SensedEvent[] => events.filter(event => event.type === type)

describe('what is done not to be seen', { skip: whyNot() }, () => {
  let programs: Programs
  let heard: Heard
  let secret = ''

  before(async () => {
    programs = compilePrograms()
    heard = await listen()
    mkdirSync(join(programs.folder, 'vault'))
    secret = join(programs.folder, 'vault', 'secret')
    writeFileSync(secret, 'x', { mode: 0o600 })
    await heard.sensor.addPath('sensitive', secret)
  })
  after(async () => {
    await heard?.sensor[Symbol.asyncDispose]()
    programs?.[Symbol.dispose]()
  })

  const evade = async (name: string, argument = '') => runCell(heard, programs, { command: [programs.evasions, name, argument] })

  test('a child that is given the parent outside is no part of the set-up', async () => {
    const cookie = nextCookie()
    const cell = await makeCell(programs, { command: ['/bin/sh', '-c', 'sleep 5 & wait'] })
    await heard.sensor.registerNamespace({ inode: cell.inode, cookie, root: '/' })
    const running = cell.run()
    while (!heard.of(cookie).some(event => event.type === 'exec' && event.args?.[0] === 'sleep')) await heard.sensor.sync()
    const entering = spawn('nsenter', ['-t', String(cell.pid), '-p', programs.evasions, 'clone-parent', secret], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    entering.stdout.setEncoding('utf8')
    const said = (await entering.stdout.toArray()).join('')
    process.kill(cell.pid, 'SIGKILL')
    await running
    const counts = await heard.sensor.unregister(cookie)
    const events = heard.of(cookie)
    const [opened] = only(events, 'open')
    assert.equal(opened?.path, secret)
    assert.equal(opened?.vpid, Number(said), 'by the child')
    assert.equal(opened?.parentVpid, 0, 'its parent is outside')
    assert.equal(only(events, 'exec').find(event => event.args?.[1] === 'clone-parent')?.parentVpid, 0)
    assert.equal(only(events, 'exec').find(event => event.args?.[0] === 'sleep')?.parentVpid, 1)
    assert.equal(counts.emitted.open, sum(events, 'open'))
  })

  test('a parent is told by its number within the container, and none for the first process', async () => {
    const { events } = await runCell(heard, programs, { command: ['/bin/sh', '-c', '(/bin/true; :); :'] })
    const numbers = only(events, 'exec').map(event => [event.vpid, event.parentVpid])
    assert.deepEqual(numbers[0], [1, 0])
    assert.deepEqual(numbers[1]?.[1], only(events, 'fork')[0]?.childVpid)
  })

  test('a system call after the other, no two alike: questions are answered meanwhile, and the sum is exact', async () => {
    const cookie = nextCookie()
    const cell = await makeCell(programs, { command: [programs.evasions, 'setfsuids', '1500'] })
    await heard.sensor.registerNamespace({ inode: cell.inode, cookie, root: '/' })
    let ended = false
    const running = cell.run().finally(() => {
      ended = true
    })
    let answered = 0
    while (!ended) {
      await heard.sensor.counts(cookie)
      if (!ended) answered++
    }
    const { output } = await running
    const { emitted, dropped } = await heard.sensor.unregister(cookie)
    assert.ok(answered > 0, 'while it went on')
    assert.equal((emitted.setuid ?? 0) + (dropped.setuid ?? 0), Number(output))
    assert.equal(sum(heard.of(cookie), 'setuid'), emitted.setuid)
  })

  test('one call that sends many datagrams: each is told', async () => {
    const { events, counts, output } = await evade('sendmmsg', '300')
    assert.equal(output, '300')
    const ports = only(events, 'sendto').map(event => event.socket?.remotePort)
    assert.deepEqual(
      ports,
      Array.from({ length: 300 }, (_, index) => 5000 + index),
    )
    assert.equal(counts.emitted.sendto, 300)
    assert.deepEqual(counts.dropped, {})
  })

  test('files changed without being opened, devices made, attributes set', async () => {
    const folder = mkdtempSync(join(programs.folder, 'changed-'))
    writeFileSync(join(folder, 'log'), 'a long line of a log')
    writeFileSync(join(folder, 'other'), '')
    await heard.sensor.addPath('write', join(folder, 'log'))
    const { events, counts } = await evade('files', folder)
    await heard.sensor.removePath('write', join(folder, 'log'))
    assert.deepEqual(
      only(events, 'truncate').map(event => [event.syscall, event.path, event.directory, event.size]),
      [
        ['truncate', 'log', folder, 5],
        ['ftruncate', join(folder, 'log'), undefined, 0],
      ],
    )
    assert.equal(counts.filtered.truncate, 1, 'the one that nobody watches')
    assert.deepEqual(
      only(events, 'mknod').map(event => [event.path, event.directory, event.mode, event.numbers]),
      [['disk', folder, 0o060600, [0x801]]],
    )
    assert.deepEqual(
      only(events, 'setxattr').map(event => [event.syscall, event.path, event.detail]),
      [
        ['setxattr', 'log', 'trusted.hidden'],
        ['fsetxattr', join(folder, 'other'), 'trusted.other'],
      ],
    )
  })

  test("another process's memory and descriptors", async () => {
    const { events, cookie } = await evade('reach')
    const child = only(events, 'fork')[0]?.child
    for (const type of ['process_vm_readv', 'pidfd_getfd'] as const) {
      const [told] = only(events, type)
      assert.deepEqual([told?.targetPid, told?.targetCookie], [child, cookie], type)
    }
  })

  test('io_uring from a folder, by a crooked path, and what it sends', async t => {
    const { events, counts } = await evade('uring', `${programs.folder},.//vault/../vault/./secret`)
    if ((only(events, 'io_uring_setup')[0]?.result ?? -1) < 0) return t.skip('io_uring is switched off on this host')
    if (!heard.sensor.facts.probes.includes('io_uring')) return t.skip('this kernel has no tracepoint for it')
    const [opened] = only(events, 'open')
    assert.equal(opened?.path, secret)
    assert.deepEqual(opened?.flags, ['sensitive', 'user'])
    assert.deepEqual(
      only(events, 'io_uring').map(event => event.detail),
      ['openat', 'sendmsg'],
    )
    const { events: others, counts: filtered } = await evade('uring', `${programs.folder},vault/../deeds`)
    assert.deepEqual(only(others, 'open'), [])
    assert.equal(filtered.emitted.open, undefined)
    assert.ok((filtered.filtered.open ?? 0) >= 1 && counts.emitted.open === 1)
  })

  test('what was not allowed, by a crooked path from a folder', async () => {
    const { events } = await evade('forbidden', '/etc/ssl,..//shadow')
    assert.deepEqual(only(events, 'open'), [])
    await heard.sensor.addPath('sensitive', '/etc/shadow')
    const again = await evade('forbidden', '/etc/ssl,..//shadow')
    await heard.sensor.removePath('sensitive', '/etc/shadow')
    const [opened] = only(again.events, 'open')
    assert.equal(opened?.path, '/etc/shadow')
    assert.equal(opened?.result, -13)
    assert.deepEqual(opened?.flags, ['sensitive', 'user'])
  })

  test('a thousand patterns are added and taken away, and each still means what it says', async () => {
    const root = mkdtempSync(join(programs.folder, 'thousand-'))
    mkdirSync(join(root, 'p1'))
    for (const name of ['p1/x', 'p10', 'p999', 'q']) writeFileSync(join(root, name), '')
    const patterns = Array.from({ length: 990 }, (_, index) => `${root}/p${index}`)
    await Promise.all(patterns.map(pattern => heard.sensor.addPath('sensitive', pattern)))
    await heard.sensor.addPath('sensitive', `${root}/p99*`)
    const seen = async (name: string): Promise<boolean> =>
      only((await runCell(heard, programs, { command: [programs.deeds, 'open', join(root, name)] })).events, 'open').length === 1
    for (const [name, want] of [
      ['p1/x', true],
      ['p10', true],
      ['p999', true],
      ['q', false],
    ] as const)
      assert.equal(await seen(name), want, name)
    await Promise.all(patterns.map(pattern => heard.sensor.removePath('sensitive', pattern)))
    assert.deepEqual([await seen('p1/x'), await seen('p10'), await seen('p999')], [false, false, true])
    await heard.sensor.removePath('sensitive', `${root}/p99*`)
    assert.equal(await seen('p999'), false)
  })

  test('programs of which no two are the same: all are told, and whoever is beside still gets its hash', async () => {
    const folder = mkdtempSync(join(programs.folder, 'many-'))
    const [many, one] = await Promise.all([
      evade('programs', `${folder},200`),
      runCell(heard, programs, {
        command: ['/bin/sh', '-c', `cp ${programs.deeds} ${folder}/copy; ${folder}/copy nothing; sleep 0.3; ${folder}/copy nothing`],
      }),
    ])
    assert.equal(only(many.events, 'exec').length, 201)
    assert.deepEqual(many.counts.dropped, {})
    const copies = only(one.events, 'exec').filter(event => event.exe === join(folder, 'copy'))
    const hash = copies[1]?.sha256 ?? heard.hashes.find(({ cookie }) => cookie === one.cookie)?.sha256
    assert.match(hash ?? '', /^[0-9a-f]{64}$/)
  })
})

describe('whoever takes all the room', { skip: whyNot() }, () => {
  let programs: Programs
  let file = ''
  const flood = 60_000

  before(() => {
    programs = compilePrograms()
    file = join(programs.folder, 'owned')
    writeFileSync(file, '')
  })
  after(() => programs?.[Symbol.dispose]())

  test('takes it from nobody else: of the quiet one beside nothing is lost', async t => {
    const heard = await listen({ ring })
    t.after(() => heard.sensor[Symbol.asyncDispose]())
    const folder = mkdtempSync(join(programs.folder, 'files-'))
    const [noisy, quiet] = [nextCookie(), nextCookie()]
    const loud = await makeCell(programs, { command: [programs.deeds, 'chowns', `${file},${flood}`] })
    const calm = await makeCell(programs, { command: [programs.deeds, 'files', folder] })
    await heard.sensor.registerNamespace({ inode: loud.inode, cookie: noisy })
    await heard.sensor.registerNamespace({ inode: calm.inode, cookie: quiet })
    process.kill(heard.sensor.pid, 'SIGSTOP')
    try {
      await loud.run()
      await calm.run()
    } finally {
      process.kill(heard.sensor.pid, 'SIGCONT')
    }
    const lost = await heard.sensor.unregister(noisy)
    const kept = await heard.sensor.unregister(quiet)
    assert.equal((lost.emitted.chown ?? 0) + (lost.dropped.chown ?? 0), flood)
    assert.equal(sum(heard.of(noisy), 'chown'), lost.emitted.chown)
    assert.ok((lost.dropped.chown ?? 0) > 0)
    assert.deepEqual(kept.dropped, {})
    assert.equal(kept.emitted.chmod, 2)
  })

  test('keeps nobody from being registered: that is answered before all that waits', async t => {
    const sensor = spawn(sensorBinary, ['--ring', String(ring), '--queue', String(ring)], { stdio: ['pipe', 'pipe', 'inherit'] })
    t.after(() => sensor.kill('SIGKILL'))
    sensor.stdout.setEncoding('utf8')
    let said = ''
    sensor.stdout.on('data', (text: string) => {
      said += text
    })
    while (!said.includes('\n')) await once(sensor.stdout, 'data')
    const answer = async (tag: number): Promise<void> => {
      while (!said.includes(`{"type":"ack","tag":${tag},`)) await once(sensor.stdout, 'data')
    }
    const loud = await makeCell(programs, { command: [programs.deeds, 'chowns', `${file},${flood}`] })
    sensor.stdin.write(`1 namespace ${loud.inode} 1 0\n`)
    await answer(1)
    sensor.stdout.pause()
    await loud.run()
    const calm = await makeCell(programs, { command: [programs.deeds, 'nothing'] })
    sensor.stdin.write(`2 unregister 1\n3 namespace ${calm.inode} 2 0\n4 path sensitive /etc/shadow\n`)
    sensor.stdout.resume()
    await answer(3)
    await calm.run()
    sensor.stdin.write('5 unregister 2\n')
    await answer(5)
    sensor.stdin.end()
    await once(sensor, 'close')
    const lines = said
      .trimEnd()
      .split('\n')
      .map(line => JSON.parse(line))
    const at = (tag: number): number => lines.findIndex(line => line.type === 'ack' && line.tag === tag)
    assert.ok(at(3) < at(2) && at(4) < at(2), 'nobody waits for the flood of another one')
    const answers = new Map(lines.filter(line => line.type === 'ack').map(line => [line.tag, line]))
    assert.deepEqual(
      [1, 2, 3, 4, 5].map(tag => answers.get(tag).errno),
      [0, 0, 0, 0, 0],
    )
    const { emitted, dropped } = answers.get(2).counts
    assert.equal(emitted.chown + dropped.chown, flood)
    assert.equal(
      sum(
        lines.filter(line => line.cookie === 1),
        'chown',
      ),
      emitted.chown,
    )
    assert.deepEqual(answers.get(5).counts.emitted, { exec: 1, exit: 1 })
    assert.deepEqual(
      lines.filter(line => line.cookie === 2 && line.type !== 'losses' && line.type !== 'hash').map(line => line.type),
      ['exec', 'exit'],
    )
  })

  test('is no reason to wait when its input ends and nobody reads', async () => {
    const sensor = spawn(sensorBinary, ['--queue', String(ring)], { stdio: ['pipe', 'pipe', 'inherit'] })
    await once(sensor.stdout, 'data')
    sensor.stdin.end('1 sync\n2 counts 0\n')
    const said = String(Buffer.concat(await sensor.stdout.toArray()))
    assert.match(said, /"tag":1,"errno":0}\n.*"tag":2/)
  })
})
