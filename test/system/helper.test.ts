import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  closeSync,
  existsSync,
  fstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import type { Socket } from 'node:net'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { TestContext } from 'node:test'
import { describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { NativeError } from '../../src/host/native/channel.ts'
import type { Helper, ProcessIdentity } from '../../src/host/native/helper.ts'
import { spawnHelper } from '../../src/host/native/helper.ts'

const binary = join(import.meta.dirname, '../../native/build/dayfly-helper')
const skip = process.getuid?.() !== 0 ? 'needs root' : existsSync(binary) ? false : 'native/build/dayfly-helper is not built: make -C native'

/** In a network namespace of its own, so that nothing of this machine's is touched. */
const start = async (t: TestContext): Promise<Helper> => {
  const helper = await spawnHelper({ binary, wrapper: ['unshare', '--net'] })
  t.after(() => helper[Symbol.asyncDispose]())
  return helper
}

const scratch = (t: TestContext): string => {
  const folder = mkdtempSync(join(tmpdir(), 'dayfly-helper-'))
  t.after(() => rmSync(folder, { recursive: true }))
  return folder
}

const until = async (condition: () => boolean, what: string): Promise<void> => {
  for (let i = 0; i < 1000; i++) {
    if (condition()) return
    await sleep(5)
  }
  assert.fail(`${what} did not happen`)
}
const isAlive = ({ pid }: ProcessIdentity): boolean => existsSync(`/proc/${pid}`)
/** For what a test spawned, also when its helper has ended before. */
const endOf = ({ pid }: ProcessIdentity): void => {
  if (existsSync(`/proc/${pid}`)) process.kill(pid, 'SIGKILL')
}
const inside = (helper: Helper, command: string, ...args: string[]): string =>
  execFileSync('nsenter', ['--net', `--target=${helper.pid}`, command, ...args], { encoding: 'utf8' })

describe('dayfly-helper', { skip }, () => {
  it('spawns into a clean process: own session, /dev/null, root folder, no descriptors, no environment but PATH, default signals', async t => {
    const helper = await start(t)
    process.env['DAYFLY_TEST_SECRET'] = 'must not get through'
    t.after(() => delete process.env['DAYFLY_TEST_SECRET'])
    await helper.nft('list ruleset') // opens the netlink socket of libnftables
    const child = await helper.spawn('/bin/sleep', ['1000'])
    t.after(() => endOf(child))
    const proc = `/proc/${child.pid}`
    // The kernel may still be filling in the new program when the answer comes, and its loader opens libraries for a moment.
    await until(() => readFileSync(`${proc}/environ`, 'utf8') !== '', 'its environment')
    await until(() => readdirSync(`${proc}/fd`).sort().join() === '0,1,2', 'having three descriptors and no more')
    assert.deepEqual([readlinkSync(`${proc}/cwd`), readlinkSync(`${proc}/fd/0`), readlinkSync(`${proc}/fd/1`)], ['/', '/dev/null', '/dev/null'])
    assert.match(readFileSync(`${proc}/environ`, 'utf8'), /^PATH=[^\0]+\0$/)
    const [, , , session] = readFileSync(`${proc}/stat`, 'utf8').replace(/.*\) /, '').split(' ')
    assert.equal(Number(session), child.pid)
    const signals = readFileSync(`${proc}/status`, 'utf8').match(/Sig(Blk|Ign|Cgt):\s+\w+/g)
    assert.deepEqual(
      signals?.map(line => Number(`0x${line.slice(-16)}`)),
      [0, 0, 0],
    )
  })

  it('tells the start time of what it spawns, reaps it, and lets it outlive the helper', async t => {
    const helper = await start(t)
    const lasting = await helper.spawn('/bin/sleep', ['1000'])
    t.after(() => endOf(lasting))
    const stat = readFileSync(`/proc/${lasting.pid}/stat`, 'utf8')
    assert.equal(lasting.startTime, Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]))
    const brief = await helper.spawn('/bin/true', [])
    await until(() => !isAlive(brief), 'the reaping')
    await helper[Symbol.asyncDispose]()
    assert.ok(!existsSync(`/proc/${helper.pid}`))
    assert.ok(isAlive(lasting))
  })

  it('spawns with a pipe for its messages, which never blocks it and always has a reader', async t => {
    const helper = await start(t)
    const folder = scratch(t)
    const log = join(folder, 'log')
    await helper.pipeAdd(log)
    await helper.pipeAdd(log)
    const child = await helper.spawnLogging(log, '/bin/sh', ['-c', 'while :; do echo message >&2 || sleep 1000; done'])
    t.after(() => endOf(child))
    await until(() => readlinkSync(`/proc/${child.pid}/fd/2`) === log, 'its stderr')
    assert.match(readFileSync(`/proc/${child.pid}/fdinfo/2`, 'utf8'), /^flags:\t\d*4\d\d2$/m) // O_NONBLOCK, O_RDWR
    // The shell's echo fails with EAGAIN once the pipe is full, and then sleeps: it was neither stopped nor killed.
    await until(() => readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8') !== '', 'a full pipe')
    writeFileSync(join(folder, 'file'), '')
    for (const path of [join(folder, 'file'), join(folder, 'none')]) {
      await assert.rejects(helper.spawnLogging(path, '/bin/true', []), { errno: path.endsWith('none') ? 'ENOENT' : 'EINVAL' })
    }
    await assert.rejects(helper.pipeAdd(join(folder, 'none', 'log')), { errno: 'ENOENT' })
  })

  it("opens and closes the isolation of a bridge's port", async t => {
    const helper = await start(t)
    await helper.bridgeAdd('dfy0-1', '10.208.0.1/26')
    inside(helper, 'ip', 'link', 'add', 'dfy0-1.0', 'type', 'veth', 'peer', 'name', 'peer0')
    inside(helper, 'ip', 'link', 'set', 'dfy0-1.0', 'master', 'dfy0-1')
    const isolated = (): boolean => inside(helper, 'bridge', '-d', 'link', 'show', 'dev', 'dfy0-1.0').includes('isolated on')
    for (const wanted of [true, false, false, true]) {
      await helper.portIsolate('dfy0-1.0', wanted)
      assert.equal(isolated(), wanted)
    }
    await assert.rejects(helper.portIsolate('dfy0-1.9', false), { errno: 'ENODEV' })
    await assert.rejects(helper.portIsolate('peer0', false), NativeError)
    await assert.rejects(helper.portIsolate('a/b', false), { errno: 'EINVAL' })
  })

  it('lists a table without what is in its sets', async t => {
    const helper = await start(t)
    await helper.nft('add table inet t; add set inet t s { type ipv4_addr; elements = { 192.0.2.1 }; }')
    assert.match(await helper.nft('list table inet t'), /192\.0\.2\.1/)
    const terse = await helper.nft('list table inet t', 'terse')
    assert.match(terse, /set s/)
    assert.doesNotMatch(terse, /192\.0\.2\.1/)
  })

  it('spawns a hundred at once and says why one cannot be', async t => {
    const helper = await start(t)
    const all = await Promise.all(Array.from({ length: 100 }, () => helper.spawn('/bin/true', [])))
    assert.equal(new Set(all.map(({ pid }) => pid)).size, 100)
    await until(() => all.every(child => !isAlive(child)), 'the reaping')
    await assert.rejects(helper.spawn('/nowhere/program', []), { code: 'host', errno: 'ENOENT', message: /\/nowhere\/program/ })
    await assert.rejects(helper.spawn('true', []), { code: 'host', errno: 'EINVAL', message: /absolute/ })
    const file = join(scratch(t), 'not a program')
    writeFileSync(file, 'x')
    chmodSync(file, 0o644)
    await assert.rejects(helper.spawn(file, []), { errno: 'EACCES' })
  })

  it('signals the very process, not another one of its pid', async t => {
    const helper = await start(t)
    const child = await helper.spawn('/bin/sleep', ['1000'])
    t.after(() => endOf(child))
    await assert.rejects(helper.kill({ pid: child.pid, startTime: child.startTime + 1 }, 9), { errno: 'ESRCH', message: /another one/ })
    assert.ok(isAlive(child))
    await helper.kill(child, 0)
    await helper.kill(child, 15)
    await until(() => !isAlive(child), 'its end')
    await assert.rejects(helper.kill(child, 9), { errno: 'ESRCH' })
    await assert.rejects(helper.kill({ pid: 0, startTime: 0 }, 9), { errno: 'EINVAL', message: /pid/ })
    await assert.rejects(helper.kill(child, 1000), { errno: 'EINVAL', message: /signal/ })
  })

  it('runs nftables commands, all or none, and goes on after an error', async t => {
    const helper = await start(t)
    await helper.nft('add table inet one\nadd chain inet one c')
    assert.match(await helper.nft('list ruleset'), /table inet one \{\s+chain c/)
    await assert.rejects(helper.nft('add table inet two; add rule inet nowhere c drop'), { errno: 'ENOENT', message: /nowhere/ })
    await assert.rejects(helper.nft('create table inet one'), { errno: 'EEXIST' })
    await assert.rejects(helper.nft('no such command'), { errno: 'EINVAL', message: /syntax error/ })
    const listed: unknown = JSON.parse(await helper.nft('list tables', 'json'))
    assert.ok(typeof listed === 'object' && listed !== null && 'nftables' in listed && Array.isArray(listed.nftables))
    assert.deepEqual(
      listed.nftables.flatMap(entry => (entry.table === undefined ? [] : [entry.table.name])),
      ['one'],
    )
    assert.match(inside(helper, 'nft', 'list', 'tables'), /^table inet one\n$/)
  })

  it('says when an answer is too long, and lives on', async t => {
    const helper = await start(t)
    await helper.nft('add table inet t; add set inet t s { type ipv4_addr . inet_service; }')
    for (let part = 0; part < 50; part++) {
      const elements = Array.from({ length: 1000 }, (_, index) => `10.${part}.${index >> 8}.${index & 255} . ${10_000 + index}`)
      await helper.nft(`add element inet t s { ${elements.join(', ')} }`)
    }
    await assert.rejects(helper.nft('list set inet t s'), { errno: 'EMSGSIZE', message: /\d+ bytes/ })
    assert.match(await helper.nft('list tables'), /inet t/)
  })

  it('makes a bridge that is up, with its address, without IPv6, and takes it away again', async t => {
    const helper = await start(t)
    await helper.bridgeAdd('dfy0-1', '10.208.0.65/26')
    assert.match(inside(helper, 'ip', '-d', 'link', 'show', 'dfy0-1'), /<[^>]*\bUP\b[^>]*>[\s\S]*bridge[\s\S]*stp_state 0[\s\S]*mcast_snooping 0/)
    assert.match(inside(helper, 'ip', '-4', 'addr', 'show', 'dfy0-1'), /inet 10\.208\.0\.65\/26/)
    assert.equal(inside(helper, 'ip', '-6', 'addr', 'show', 'dfy0-1'), '')
    await assert.rejects(helper.bridgeAdd('dfy0-1', '10.208.0.65/26'), { errno: 'EEXIST', message: /dfy0-1/ })
    await assert.rejects(helper.bridgeAdd('a name that is too long', '10.0.0.1/26'), { errno: 'EINVAL' })
    await assert.rejects(helper.bridgeAdd('dfy0-2', '10.0.0.1'), { errno: 'EINVAL' })
    await helper.linkDelete('dfy0-1')
    await helper.linkDelete('dfy0-1')
    assert.equal(inside(helper, 'ip', '-o', 'link', 'show', 'type', 'bridge'), '')
    await assert.rejects(helper.linkDelete('lo'), { errno: 'EOPNOTSUPP' })
  })

  it('answers others while links are being deleted', async t => {
    const helper = await start(t)
    const names = Array.from({ length: 10 }, (_, index) => `dfy0-${index}`)
    for (const name of names) await helper.bridgeAdd(name, '10.208.0.1/26')
    const order: string[] = []
    const deletions = names.map(name => helper.linkDelete(name).then(() => order.push('deleted')))
    await helper.nft('list ruleset').then(() => order.push('listed'))
    await Promise.all(deletions)
    assert.notEqual(order.at(-1), 'listed')
  })

  it('joins a cgroup together with what it spawns, and says which it cannot', async t => {
    const helper = await start(t)
    const mounts = readFileSync('/proc/mounts', 'utf8').split('\n')
    const mount = mounts
      .map(line => line.split(' '))
      .find(([, , type, options]) => type === 'cgroup2' || (type === 'cgroup' && /\bpids\b/.test(options ?? '')))
    const folder = join(mount?.[1] ?? '', `dayfly-helper-test-${process.pid}`)
    mkdirSync(folder)
    const leave = async (): Promise<void> => {
      await helper[Symbol.asyncDispose]()
      await until(() => readFileSync(join(folder, 'cgroup.procs'), 'utf8') === '', 'the group’s end')
      rmdirSync(folder)
    }
    t.after(leave)
    await helper.joinCgroup([folder])
    const child = await helper.spawn('/bin/sleep', ['1000'])
    t.after(() => endOf(child))
    const members = readFileSync(join(folder, 'cgroup.procs'), 'utf8').trim().split('\n').map(Number)
    assert.deepEqual(members.sort(), [helper.pid, child.pid].sort())
    await helper.kill(child, 9)
    await assert.rejects(helper.joinCgroup(['/sys/fs/cgroup/no-such-group']), { errno: 'ENOENT', message: /no-such-group\/cgroup\.procs/ })
  })

  it('compiles filters, skips names that nobody knows, and names what is wrong with a rule', async t => {
    const helper = await start(t)
    const compile = (...rules: string[]) => helper.compileSeccomp({ defaultAction: 'errno:38', architectures: ['x86_64'], rules })
    assert.match(helper.libraries.join(), /libseccomp \d+\.\d+\.\d+/)
    const { program, unknown } = await compile('allow read,nonsense', 'errno:1 ioctl 1 masked 0xffffffff 21522', 'kill mount')
    assert.deepEqual(unknown, ['nonsense'])
    assert.equal(Buffer.from(program, 'base64').length % 8, 0)
    const wrong: Record<string, RegExp> = {
      'permit read': /action permit/,
      'errno:x read': /errno/,
      allow: /names no system call/,
      'allow read 6 eq 1': /argument/,
      'allow read 0 like 1': /comparison "like"/,
      'allow read 0 eq': /number/,
      'allow read 0 masked 1': /number/,
      'allow read 0 eq 1 1 eq 1 2 eq 1 3 eq 1 4 eq 1 5 eq 1 0 eq 1': /too many/,
    }
    for (const [rule, message] of Object.entries(wrong)) await assert.rejects(compile(rule), { errno: 'EINVAL', message }, rule)
    await assert.rejects(helper.compileSeccomp({ defaultAction: 'allow', architectures: ['x86_64'], rules: [] }), { errno: 'EINVAL' })
    await assert.rejects(helper.compileSeccomp({ defaultAction: 'kill', architectures: ['z80'], rules: [] }), { errno: 'EINVAL', message: /z80/ })
  })

  it('leaks neither descriptors nor memory to speak of over many operations', async t => {
    const helper = await start(t)
    const round = async (): Promise<void> => {
      for (let i = 0; i < 50; i++) {
        await Promise.all([
          helper.spawn('/bin/true', []),
          helper.nft('list ruleset', i % 2 === 0 ? 'text' : 'json'),
          helper.nft('nonsense').catch(() => {}),
          helper.kill({ pid: 1, startTime: 1 }, 0).catch(() => {}),
          helper.linkDelete('dfy0-999'),
          helper.compileSeccomp({ defaultAction: 'errno:1', architectures: ['x86_64'], rules: ['allow read,write', 'errno:2 mount'] }),
        ])
      }
    }
    const open = (): string[] => readdirSync(`/proc/${helper.pid}/fd`).map(fd => readlinkSync(`/proc/${helper.pid}/fd/${fd}`).replace(/\d+/, ''))
    const memory = (): number => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${helper.pid}/status`, 'utf8'))?.[1])
    await round()
    const [descriptors, kilobytes] = [open(), memory()]
    for (let i = 0; i < 4; i++) await round()
    assert.deepEqual(open(), descriptors)
    assert.ok(memory() < kilobytes + 1024, `${kilobytes} KiB grew to ${memory()}`)
  })

  it('rejects everything under way when it is killed, and everything after', async t => {
    const helper = await start(t)
    for (let i = 0; i < 5; i++) await helper.bridgeAdd(`dfy0-${i}`, '10.208.0.1/26')
    const pending = Array.from({ length: 5 }, (_, i) => helper.linkDelete(`dfy0-${i}`))
    process.kill(helper.pid, 'SIGKILL')
    const outcomes = await Promise.allSettled(pending)
    assert.equal(outcomes.at(-1)?.status, 'rejected')
    assert.equal((await helper.closed).errno, 'EPIPE')
    await assert.rejects(helper.nft('list ruleset'), { code: 'host', errno: 'EPIPE', message: /dayfly-helper/ })
  })

  it('ends at what it cannot follow, and answers what it can but does not know', async () => {
    const run = async (input: Buffer): Promise<{ code: number | null; output: string }> => {
      const child = spawn(binary, { stdio: ['pipe', 'pipe', 'ignore'] })
      let output = ''
      child.stdout.on('data', chunk => (output += chunk))
      child.stdin.on('error', () => {}).end(input)
      const [code]: (number | null)[] = await once(child, 'close')
      return { code: code ?? null, output }
    }
    const frame = (text: string): Buffer => {
      const header = Buffer.alloc(4)
      header.writeUInt32LE(text.length)
      return Buffer.concat([header, Buffer.from(text)])
    }
    assert.deepEqual(await run(Buffer.alloc(0)), { code: 0, output: '' })
    assert.equal((await run(Buffer.from([0xff, 0xff, 0xff, 0x7f]))).code, 1)
    assert.equal((await run(frame('1\0hello'))).code, 1)
    assert.equal((await run(frame('1\0hello\0').subarray(0, 7))).code, 1)
    assert.match((await run(frame('1\0dance\0'))).output, /1\0error\0EINVAL\0[^\0]*dance[^\0]*\0$/)
    assert.match((await run(frame('1\0hello\0x\0'))).output, /1\0error\0EINVAL\0hello[^\0]*\0$/)
    assert.match((await run(frame('1\0link-del\0a/b\0'))).output, /1\0error\0EINVAL\0/)
  })

  it('tells who has connected to a socket of its parent, as they were then, whatever became of them', async t => {
    const helper = await start(t)
    const path = join(scratch(t), 'socket')
    chmodSync(dirname(path), 0o711)
    const server = createServer({ pauseOnConnect: true }).listen(path) // So that none is closed because its peer has gone.
    t.after(() => server.close())
    await once(server, 'listening')
    chmodSync(path, 0o666)
    const by = async (uid: number, code: string): Promise<{ socket: Socket; descriptor: number; inode: number; gone: Promise<unknown> }> => {
      const accepted = once(server, 'connection')
      const script = `import socket, os, sys\ns = socket.socket(socket.AF_UNIX)\ns.connect(sys.argv[1])\n${code}`
      const child = spawn('setpriv', [`--reuid=${uid}`, `--regid=${uid}`, '--clear-groups', '--', '/usr/bin/python3', '-c', script, path], {
        stdio: 'inherit',
      })
      t.after(() => child.kill('SIGKILL'))
      const gone = once(child, 'exit')
      const [socket] = await accepted
      t.after(() => socket.destroy())
      const descriptor: number = socket._handle.fd
      return { socket, descriptor, inode: fstatSync(descriptor).ino, gone }
    }
    const staying = await by(4711, 's.recv(1)')
    const other = await by(4712, 's.recv(1)')
    const left = await by(4713, '')
    await left.gone
    const asked = [staying, other, left].map(({ descriptor, inode }) => helper.peerUid(descriptor, inode))
    assert.deepEqual(await Promise.all(asked), [4711, 4712, 4713])

    const { descriptor, inode } = staying
    await assert.rejects(helper.peerUid(descriptor, inode + 1), { errno: 'ESTALE' })
    await assert.rejects(helper.peerUid(1_000_000, inode), { errno: 'EBADF' })
    const file = openSync(path.replace('socket', 'file'), 'w')
    t.after(() => closeSync(file))
    await assert.rejects(helper.peerUid(file, fstatSync(file).ino), { errno: 'ESTALE' })
    staying.socket.destroy()
    await once(staying.socket, 'close')
    await assert.rejects(helper.peerUid(descriptor, inode), ({ errno }: NativeError) => errno === 'EBADF' || errno === 'ESTALE')
  })

  it('says which binary is missing', async () => {
    await assert.rejects(spawnHelper({ binary: '/nowhere/dayfly-helper' }), { code: 'host', errno: 'ENOENT', message: /\/nowhere\/dayfly-helper/ })
    await assert.rejects(spawnHelper({ binary: '/bin/true' }), { code: 'host', errno: 'EPIPE' })
  })

  it('reads an extended attribute of what is open in its parent', async t => {
    const helper = await start(t)
    const folder = scratch(t)
    const path = join(folder, 'file')
    writeFileSync(path, '')
    for (const [name, value] of [
      ['trusted.dayfly', 'y'],
      ['trusted.binary', '0x610062'],
      ['trusted.long', 'x'.repeat(300)],
    ] as const)
      execFileSync('setfattr', ['-n', name, '-v', value, path])
    const descriptor = openSync(path, 'r')
    try {
      assert.equal(await helper.xattr(descriptor, 'trusted.dayfly'), 'y')
      assert.equal(await helper.xattr(descriptor, 'trusted.none'), undefined)
      await assert.rejects(helper.xattr(descriptor, 'trusted.binary'), error => error instanceof NativeError && error.errno === 'EILSEQ')
      await assert.rejects(helper.xattr(descriptor, 'trusted.long'), error => error instanceof NativeError && error.errno === 'ERANGE')
    } finally {
      closeSync(descriptor)
    }
    await assert.rejects(helper.xattr(descriptor, 'trusted.dayfly'), error => error instanceof NativeError && error.errno === 'ENOENT')
    await assert.rejects(helper.xattr(-1, 'trusted.dayfly'), error => error instanceof NativeError && error.errno === 'EINVAL')
  })

  it('sends a datagram to a unix socket, and waits for nobody', async t => {
    const helper = await start(t)
    const path = join(scratch(t), 'log')
    const script =
      'socket(S, AF_UNIX, SOCK_DGRAM, 0) && bind(S, sockaddr_un($ARGV[0])) or die; $| = 1; print "ready\n"; recv(S, $m, 9000, 0); print $m'
    const receiver = spawn('perl', ['-MSocket', '-e', script, path], { stdio: ['ignore', 'pipe', 'inherit'] })
    t.after(() => void receiver.kill('SIGKILL'))
    let received = ''
    receiver.stdout.setEncoding('utf8').on('data', (part: string) => {
      received += part
    })
    await until(() => received === 'ready\n', 'it listens')
    await helper.sendDatagram(path, '<1>1 - é')
    await once(receiver, 'close')
    assert.equal(received, 'ready\n<1>1 - é')
    await assert.rejects(helper.sendDatagram(path, 'x'), error => error instanceof NativeError && error.errno === 'ECONNREFUSED')
    await assert.rejects(helper.sendDatagram(`${path}.none`, 'x'), error => error instanceof NativeError && error.errno === 'ENOENT')
    await assert.rejects(helper.sendDatagram(`/${'x'.repeat(200)}`, 'x'), error => error instanceof NativeError && error.errno === 'ENAMETOOLONG')
  })
})
