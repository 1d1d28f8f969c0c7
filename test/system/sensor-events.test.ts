/** Every kind of event: really done in a container, and told as the kernel had it. */
import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import type { SensedEvent } from '../../src/model/kernel-event.ts'
import type { Heard, Programs } from './sensor/cell.ts'
import { compilePrograms, deed, listen, runCell, sum, whyNot } from './sensor/cell.ts'

describe('what the sensor sees', { skip: whyNot() }, () => {
  let programs: Programs
  let heard: Heard
  let secret = ''

  before(async () => {
    programs = compilePrograms()
    heard = await listen()
    secret = join(programs.folder, 'secret')
    writeFileSync(secret, 'x')
    await heard.sensor.addPath('sensitive', secret)
  })
  after(async () => {
    await heard?.sensor[Symbol.asyncDispose]()
    programs?.[Symbol.dispose]()
  })

  const did = async (name: string, argument = '') => (await deed(heard, programs, name, argument)).events
  const only = (events: readonly SensedEvent[], type: SensedEvent['type']): SensedEvent[] => events.filter(event => event.type === type)
  const one = (events: readonly SensedEvent[], type: SensedEvent['type']): SensedEvent => {
    const found = only(events, type)
    assert.equal(found.length, 1, `one ${type}: ${JSON.stringify(found)}`)
    return found[0] as SensedEvent
  }

  test('exec, with its arguments, file, folder and identity, and exit with its status', async () => {
    const { events, pid, counts } = await runCell(heard, programs, { command: ['/bin/sh', '-c', 'exit 3'] })
    assert.deepEqual(
      events.map(event => event.type),
      ['exec', 'exit'],
    )
    const exec = one(events, 'exec')
    assert.deepEqual(exec.args, ['/bin/sh', '-c', 'exit 3'])
    assert.equal(exec.argsCount, 3)
    assert.equal(exec.argsLength, '/bin/sh -c exit 3 '.length)
    assert.equal(exec.path, '/bin/sh')
    assert.match(exec.exe ?? '', /^\/usr\/bin\/|^\/bin\//)
    assert.equal(exec.cwd, process.cwd())
    assert.equal(exec.pid, pid)
    assert.equal(exec.vpid, 1)
    assert.equal(exec.name, 'sh')
    assert.equal(exec.parentName, 'cell')
    assert.equal(exec.tty, 0)
    const exit = one(events, 'exit')
    assert.equal(exit.result, 3 << 8)
    assert.equal(exit.start, exec.start)
    assert.ok(exit.boot >= exec.boot)
    assert.deepEqual(counts.emitted, { exec: 1, exit: 1 })
    assert.deepEqual(counts.dropped, {})
  })

  test('arguments of 10,000 bytes are cut, their true length and count told, and broken UTF-8 replaced', async () => {
    const exec = only(await did('args'), 'exec')[1]
    assert.equal(exec?.argsCount, 101)
    assert.equal(exec?.argsLength, '/bin/true'.length + 1 + 100 * 100)
    assert.deepEqual(exec?.flags, ['truncated'])
    assert.equal(exec?.args?.[0], '/bin/true')
    assert.equal(exec?.args?.[1], `${'b'.repeat(98)}\uFFFD`)
    const bytes = (exec?.args ?? []).join(' ').replaceAll('\uFFFD', '?').length
    assert.ok(bytes > 4000 && bytes <= 4096, `${bytes} bytes`)
  })

  test('the hash of a program, once it is known with the exec itself', async () => {
    const copy = join(programs.folder, 'hashed')
    const { execFileSync } = await import('node:child_process')
    execFileSync('cp', [programs.deeds, copy])
    chmodSync(copy, 0o755)
    const want = execFileSync('sha256sum', [copy], { encoding: 'utf8' }).split(' ')[0]
    const first = await runCell(heard, programs, { command: ['/bin/sh', '-c', `${copy} nothing; sleep 0.3; ${copy} nothing`] })
    const execs = only(first.events, 'exec').filter(event => event.exe === copy)
    assert.equal(execs.length, 2)
    const told = heard.hashes.find(hash => hash.cookie === first.cookie && hash.pid === execs[0]?.pid)
    assert.equal(told?.sha256 ?? execs[0]?.sha256, want)
    assert.equal(execs[1]?.sha256, want)
  })

  test('fork names the child, and no thread is one', async () => {
    const { events } = await runCell(heard, programs, { command: ['/bin/sh', '-c', '/bin/true; exit 0'] })
    const fork = one(events, 'fork')
    const exec = only(events, 'exec')[1]
    assert.equal(fork.child, exec?.pid)
    assert.equal(fork.childVpid, exec?.vpid)
    assert.equal(fork.childStart, exec?.start)
    assert.equal(exec?.parentPid, fork.pid)
    assert.equal(exec?.parentStart, fork.start)
  })

  for (const [name, syscall] of [
    ['open', 'openat'],
    ['openat2', 'openat2'],
    ['open-relative', 'openat'],
    ['open-untouched', 'openat'],
  ] as const) {
    test(`open of a sensitive path: ${name}`, async () => {
      const open = one(await did(name, secret), 'open')
      assert.equal(open.path, secret)
      assert.equal(open.syscall, syscall)
      assert.deepEqual(open.flags, ['sensitive'])
      assert.ok(open.result >= 0)
    })
  }

  test('open by a 32-bit system call, and a 32-bit socketcall', async () => {
    const open = one(await did('open32', secret), 'open')
    assert.deepEqual(open.flags, ['sensitive', 'compat'])
    assert.equal(open.path, secret)
    const connect = only(await did('connect32'), 'connect').at(-1)
    assert.deepEqual(connect?.flags, ['compat'])
    assert.equal(connect?.syscall, 'connect')
    assert.equal(connect?.socket?.remotePort, 4001)
    assert.equal(connect?.result, 0)
  })

  test('io_uring, and a sensitive open through it', async t => {
    const events = await did('uring', secret)
    const setup = one(events, 'io_uring_setup')
    if (setup.result < 0) return t.skip('io_uring is switched off on this host')
    if (!heard.sensor.facts.probes.includes('io_uring')) return t.skip('this kernel has no tracepoint for it')
    const ring = one(events, 'io_uring')
    assert.equal(ring.detail, 'openat')
    assert.deepEqual(ring.numbers, [18])
    assert.equal(ring.path, secret)
    const open = one(events, 'open')
    assert.equal(open.syscall, 'io_uring')
    assert.equal(open.path, secret)
    assert.deepEqual(open.flags, ['sensitive', 'user'])
  })

  test('writes where they are watched, programs that are made, and nothing else', async () => {
    const folder = join(programs.folder, 'watched')
    mkdirSync(folder)
    writeFileSync(join(folder, 'there'), 'x')
    await heard.sensor.addPath('write', folder)
    const write = one(await did('write', join(folder, 'new')), 'open')
    assert.deepEqual(write.flags, ['write'])
    assert.equal(write.mode, 0o644)
    assert.equal((write.openFlags ?? 0) & 0o1101, 0o1101)
    assert.deepEqual(only(await did('open', join(folder, 'there')), 'open'), [])
    await heard.sensor.removePath('write', folder)
    const { events, counts } = await deed(heard, programs, 'write', join(folder, 'newer'))
    assert.deepEqual(only(events, 'open'), [])
    assert.ok((counts.filtered.open ?? 0) >= 1)
    const made = one(await did('make-program', join(folder, 'program')), 'open')
    assert.equal(made.mode, 0o755)
    await assert.rejects(heard.sensor.removePath('write', '/nowhere'), { errno: 'ENOENT' })
  })

  test('patterns: folders, beginnings, and any name in between', async () => {
    const root = mkdtempSync(join(programs.folder, 'patterns-'))
    for (const name of ['a', 'b', 'folder', 'a/keys', 'b/keys']) mkdirSync(join(root, name))
    for (const name of ['a/keys/id', 'b/other', 'folder/x', 'foldered', 'begins-1', 'begin']) writeFileSync(join(root, name), '')
    const patterns = [`${root}/*/keys`, `${root}/folder/`, `${root}/begins*`]
    for (const pattern of patterns) await heard.sensor.addPath('sensitive', pattern)
    const seen = async (name: string): Promise<boolean> => only(await did('open', join(root, name)), 'open').length === 1
    assert.equal(await seen('a/keys/id'), true)
    assert.equal(await seen('b/keys'), true)
    assert.equal(await seen('b/other'), false)
    assert.equal(await seen('folder/x'), true)
    assert.equal(await seen('foldered'), false)
    assert.equal(await seen('begins-1'), true)
    assert.equal(await seen('begin'), false)
    for (const pattern of patterns) await heard.sensor.removePath('sensitive', pattern)
    assert.equal(await seen('a/keys/id'), false)
  })

  test('every open, where that is asked for', async () => {
    const { events } = await deed(heard, programs, 'open', '/etc/hostname', { allOpens: true })
    assert.ok(only(events, 'open').some(event => event.path === '/etc/hostname' && event.flags === undefined))
  })

  test('open_by_handle_at', async () => {
    const event = one(await did('handle', secret), 'open_by_handle_at')
    if (event.result >= 0) assert.equal(event.path, secret)
    assert.equal(event.numbers?.length, 2)
  })

  test('bind, listen, connect from its beginning, accept, and a socket for standard input', async () => {
    const events = await did('connect')
    assert.deepEqual(one(events, 'bind').socket, { family: 'inet', protocol: 6, localAddress: '127.0.0.1', localPort: 4000 })
    assert.equal(one(events, 'listen').socket?.localPort, 4000)
    const [begun, done] = only(events, 'connect')
    assert.equal(begun?.result, -115)
    assert.equal(done?.result, 0)
    assert.equal(done?.socket?.remoteAddress, '127.0.0.1')
    assert.equal(done?.socket?.remotePort, 4000)
    assert.ok((done?.socket?.localPort ?? 0) > 0)
    assert.equal(one(events, 'accept').socket?.remotePort, done?.socket?.localPort)
    const dup = one(events, 'dup')
    assert.equal(dup.fd, 0)
    assert.equal(dup.socket?.remotePort, 4000)
  })

  test('a connection that is refused', async () => {
    const refused = only(await did('refused'), 'connect').at(-1)
    assert.equal(refused?.result, -111)
    assert.equal(refused?.socket?.remoteAddress, '127.0.0.1')
    assert.equal(refused?.socket?.remotePort, 1)
  })

  test('unix sockets by their names', async () => {
    const path = join(programs.folder, 'socket')
    const events = await did('unix', path)
    assert.deepEqual(
      only(events, 'bind').map(event => event.socket?.localAddress),
      [path, '@dayfly-abstract'],
    )
    assert.deepEqual(one(events, 'connect').socket, { family: 'unix', protocol: 0, remoteAddress: path })
  })

  test('datagrams by sendto and sendmsg', async () => {
    const events = only(await did('sendto'), 'sendto')
    assert.deepEqual(
      events.map(event => [event.syscall, event.socket?.protocol, event.socket?.remoteAddress, event.socket?.remotePort]),
      [
        ['sendto', 17, '127.0.0.1', 4003],
        ['sendmsg', 17, '127.0.0.1', 4004],
      ],
    )
  })

  test('sockets that see or forge more than their own', async () => {
    const { events, counts } = await deed(heard, programs, 'sockets')
    assert.deepEqual(
      only(events, 'socket').map(event => event.numbers?.[0]),
      [17, 16, 40, 2],
    )
    assert.equal(counts.filtered.socket, 2, 'the stream, and what was there before the program')
  })

  test('changes of files and folders', async () => {
    const folder = mkdtempSync(join(programs.folder, 'files-'))
    const { events, counts } = await deed(heard, programs, 'files', folder)
    const told = events
      .filter(event => event.type !== 'exec' && event.type !== 'exit')
      .map(event => [event.type, event.path, event.target ?? event.mode ?? event.numbers, event.directory])
    assert.deepEqual(told, [
      ['mkdir', 'folder', 0o711, folder],
      ['link', 'a', 'b', folder],
      ['symlink', 'a', 'c', folder],
      ['rename', 'b', 'folder/d', folder],
      ['chmod', 'a', 0o4755, folder],
      ['chmod', join(folder, 'a'), 0o700, undefined],
      ['chown', 'a', [12, 34], folder],
      ['rename', 'c', `${folder}/folder/e`, folder],
      ['unlink', 'd', undefined, join(folder, 'folder')],
    ])
    assert.equal(counts.filtered.unlink, 2, 'what is not there, and what is no folder')
  })

  test('capset with what is left, and the setuid family with what was asked for', async () => {
    const events = await did('identity')
    assert.equal(one(events, 'capset').capabilities, '00000000000000c0')
    assert.deepEqual(
      only(events, 'setuid').map(event => [event.syscall, event.numbers, event.result]),
      [
        ['setgid', [12], 0],
        ['setresuid', [1, 2, -1], 0],
      ],
    )
    assert.equal(one(events, 'exit').euid, 2)
    assert.equal(one(events, 'exit').uid, 1)
  })

  test('memfd, and the program that is run from it', async () => {
    const events = await did('memfd', programs.deeds)
    assert.equal(one(events, 'memfd').path, 'payload')
    const exec = only(events, 'exec')[1]
    assert.ok(exec?.flags?.includes('memfd'))
    assert.match(exec?.exe ?? '', /memfd:payload/)
    assert.deepEqual(exec?.args, ['in-memory', 'nothing'])
  })

  test('mount, umount, pivot_root, chroot, unshare, setns', async () => {
    const folder = mkdtempSync(join(programs.folder, 'mount-'))
    const events = await did('mounts', folder)
    assert.deepEqual(one(events, 'unshare').numbers, [0x20000])
    const mount = only(events, 'mount').find(event => event.target === folder)
    assert.equal(mount?.path, 'source')
    assert.equal(mount?.detail, 'tmpfs')
    assert.equal(mount?.mountFlags, 2)
    assert.equal(one(events, 'umount').target, folder)
    assert.equal(one(events, 'umount').mountFlags, 2)
    assert.equal(one(events, 'pivot_root').path, '/nowhere')
    assert.equal(one(events, 'pivot_root').target, '/nowhere/old')
    assert.ok(one(events, 'pivot_root').result < 0)
    assert.equal(one(events, 'chroot').path, '/')
    assert.equal(one(events, 'setns').numbers?.[1], 0x20000)
  })

  test('ptrace, process_vm_writev and kill, with their targets', async () => {
    const { events, counts, cookie } = await deed(heard, programs, 'targets')
    const forks = only(events, 'fork')
    const grandchild = forks[1]?.child
    assert.ok(grandchild !== undefined)
    const target = (event: SensedEvent | undefined) => [event?.targetPid, event?.targetCookie]
    const ptrace = one(events, 'ptrace')
    assert.equal(ptrace.numbers?.[0], 16)
    assert.deepEqual(target(ptrace), [grandchild, cookie])
    assert.deepEqual(target(one(events, 'process_vm_writev')), [grandchild, cookie])
    const kill = one(events, 'kill')
    assert.deepEqual(target(kill), [grandchild, cookie])
    assert.equal(kill.numbers?.[1], 9)
    assert.ok((counts.filtered.kill ?? 0) >= 3, 'signal 0, to itself, to its own child')
    assert.ok((counts.filtered.ptrace ?? 0) >= 2, 'reading, letting go')
  })

  test('modules, bpf, keys, userfaultfd, perf', async () => {
    const events = await did('rare')
    assert.deepEqual(
      only(events, 'module').map(event => event.syscall),
      ['init_module', 'finit_module'],
    )
    assert.equal(only(events, 'module')[1]?.path, programs.deeds)
    for (const type of ['bpf', 'keyctl', 'userfaultfd', 'perf_event_open'] as const) assert.ok(one(events, type).numbers !== undefined)
  })

  test('what is done again and again is told twice, and counted exactly', async () => {
    const { events, counts } = await deed(heard, programs, 'opens', `${secret},5000`)
    const opens = only(events, 'open').filter(event => event.path === secret)
    assert.ok(opens.length < 50, `${opens.length} lines`)
    assert.equal(sum(opens), 5000)
    assert.equal(counts.emitted.open, sum(events, 'open'))
    assert.equal(events.at(-1)?.type, 'exit', 'repeats come before the exit')
  })
})
