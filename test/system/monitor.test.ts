/** dayfly-monitor on the real kernel, with real crun: native/PROTOCOL.md, sentence by sentence. */
import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { createFrameReader, decodeFields, encodeFields } from '../../src/host/native/framing.ts'
import type { Exited, Ground, Instance, Wish } from './monitor/instance.ts'
import { binary, bootMs, firstId, isHybrid, isV2, joinRecords, makeGround, makeInstance, parseLog } from './monitor/instance.ts'
import { makeHostNetwork } from './monitor/network.ts'
import { until } from './monitor/patience.ts'
import { take } from './monitor/session.ts'

const skip = process.getuid?.() === 0 ? false : 'needs root: it makes real containers'
const root = new URL('../..', import.meta.url).pathname

let ground: Ground
before(() => {
  if (skip !== false) return
  execFileSync('make', ['-s', '-C', join(root, 'native')], { stdio: 'inherit' })
  ground = makeGround()
  mkdirSync(join(ground.folder, 'unbound'))
  spawn(binary, [join(ground.folder, 'unbound')], { stdio: 'ignore' })
})
after(() => ground?.[Symbol.dispose]())

const sh = (script: string): string[] => ['sh', '-c', script]

/** Created and started. */
const run = async (wish: Wish): Promise<Instance> => {
  const instance = await makeInstance(ground, wish)
  try {
    await instance.create()
    await instance.start()
    return instance
  } catch (error) {
    await instance[Symbol.asyncDispose]()
    throw error
  }
}

const errno = (name: string) => (error: unknown) => {
  assert.ok(error instanceof Error && 'errno' in error, String(error))
  assert.equal(error.errno, name, error.message)
  return true
}

const tryTo = <T>(work: () => T): T | undefined => {
  try {
    return work()
  } catch {
    return undefined
  }
}

/** Whether pid is a process that still runs. */
const lives = (pid: number): boolean => {
  try {
    return !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch {
    return false
  }
}

const exitFile = (instance: Instance): Record<string, string> =>
  Object.fromEntries(
    readFileSync(join(instance.folder, 'exit'), 'utf8')
      .trim()
      .split('\n')
      .map(line => line.split(' ') as [string, string]),
  )

/** Nothing of the instance is left on this host but its folder. */
const assertNothingLeft = (instance: Instance): void => {
  assert.deepEqual(instance.cgroups.filter(existsSync), [], 'cgroup folders')
  const processes = readdirSync('/proc').filter(pid => {
    try {
      return /^\d+$/.test(pid) && lives(Number(pid)) && readFileSync(`/proc/${pid}/cmdline`, 'latin1').includes(instance.folder)
    } catch {
      return false
    }
  })
  assert.deepEqual(processes, [], 'processes')
  assert.ok(!readFileSync('/proc/self/mountinfo', 'utf8').includes(instance.folder), 'mounts')
  assert.deepEqual(readdirSync(join(instance.folder, 'state')), [], 'what the runtime keeps')
  for (const name of ['monitor.sock', 'monitor.pid', 'runtime.pid', 'console.sock', 'exit.new']) {
    assert.ok(!existsSync(join(instance.folder, name)), name)
  }
}

const quit = async (instance: Instance): Promise<void> => {
  await instance.connection.quit()
  await instance.gone
}

test('runs to its exit: code, streams apart, exit file, event, and nothing left', { skip }, async () => {
  await using instance = await makeInstance(ground, { command: sh('echo one; echo two >&2; exit 3') })
  assert.deepEqual(await instance.connection.status(), { state: 'setup' })
  const pid = await instance.create()
  assert.deepEqual(await instance.connection.status(), { state: 'created', pid })
  await assert.rejects(instance.connection.quit(), errno('EBUSY'))
  const started = await instance.start()
  const exited = await instance.exited
  assert.deepEqual({ ...exited, time: 0 }, { type: 'exited', code: 3, signal: 0, cause: 'exit', time: 0, droppedBytes: 0, droppedLines: 0 })
  assert.ok(exited.time >= started)
  assert.equal(instance.output('stdout'), 'one\n')
  assert.equal(instance.output('stderr'), 'two\n')
  for (const { time } of instance.records()) {
    assert.match(time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z$/)
    assert.ok(Date.parse(time) >= started - 1 && Date.parse(time) <= exited.time + 1000)
  }
  assert.deepEqual(exitFile(instance), {
    code: '3',
    signal: '0',
    cause: 'exit',
    ended: String(exited.time),
    'dropped-bytes': '0',
    'dropped-lines': '0',
  })
  assert.deepEqual(await instance.connection.status(), { state: 'exited', code: 3, signal: 0 })
  await assert.rejects(instance.connection.signal(15), errno('ESRCH'))
  assert.equal(statSync(instance.logPath).mode & 0o777, 0o600)
  await quit(instance)
  assertNothingLeft(instance)
})

test('the container: ids, owners, hostname, secrets, its own interfaces only', { skip }, async () => {
  const script = `id -u; cat /proc/self/uid_map; stat -c %u:%g /etc/owned-by-root; hostname; ls /sys/class/net; echo x > /root/new
    cat /run/secrets/key /run/secrets/late; stat -c '%a %u' /run/secrets/key; echo again > /dev/stdout; touch /sys/x 2>/dev/null || echo read-only`
  await using instance = await makeInstance(ground, { command: sh(script) })
  await instance.connection.secret('key', firstId + 7, firstId, Buffer.from('first'))
  await instance.connection.secret('key', firstId, firstId, Buffer.from('first-'))
  await assert.rejects(instance.connection.secret('../key', 0, 0, Buffer.from('')), errno('EINVAL'))
  await instance.create()
  await instance.connection.secret('late', firstId, firstId, Buffer.from('later\n'))
  await instance.connection.hostname('renamed')
  await instance.start()
  assert.equal((await instance.exited).code, 0)
  assert.deepEqual(
    instance
      .output('stdout')
      .split('\n')
      .map(line => line.trim().replaceAll(/\s+/g, ' ')),
    ['0', `0 ${firstId} 65536`, '0:0', 'renamed', 'lo', 'first-later', '400 0', 'again', 'read-only', ''],
  )
  const written = statSync(join(instance.folder, 'upper', 'root', 'new'))
  assert.deepEqual([written.uid, written.gid], [firstId, firstId])
  assert.equal(statSync(join(ground.layers, 'base', 'etc', 'owned-by-root')).uid, 0)
})

test('the log: long lines, bytes that are no text, no last newline', { skip }, async () => {
  const script = `head -c 50000 /dev/zero | tr '\\0' x; echo; printf 'a\\0b\\377\\n\\n'; printf 'no newline' >&2`
  await using instance = await run({ command: sh(script) })
  await instance.exited
  assert.equal(instance.output('stdout'), `${'x'.repeat(50_000)}\na\0b\xff\n\n`)
  assert.equal(instance.output('stderr'), 'no newline')
  const tags = instance
    .records()
    .filter(record => record.stream === 'stdout')
    .map(record => record.tag)
    .join('')
  assert.match(tags, /^P+FFF$/)
})

test('the log: beyond the limit is counted, not kept', { skip }, async () => {
  await using instance = await run({ command: sh('seq 1 1000; printf tail'), limit: 1000 })
  const { droppedBytes, droppedLines } = await instance.exited
  const whole = `${Array.from({ length: 1000 }, (_, i) => i + 1).join('\n')}\n`
  const kept = whole.slice(0, 1000)
  const keptLines = kept.split('\n').length - 1
  assert.equal(instance.output('stdout'), kept)
  assert.equal(droppedBytes, whole.length - 1000 + 4)
  assert.equal(droppedLines, 1000 - keptLines + 1)
  assert.equal(exitFile(instance)['dropped-bytes'], String(droppedBytes))
})

test('a large output arrives whole', { skip }, async () => {
  await using instance = await run({ command: sh('seq 1 200000'), limit: 1e9 })
  assert.equal((await instance.exited).droppedBytes, 0)
  assert.equal(instance.output('stdout'), `${Array.from({ length: 200_000 }, (_, i) => i + 1).join('\n')}\n`)
})

test('signals and kill', { skip }, async () => {
  await using trapping = await run({ command: sh(`trap 'exit 7' USR1; echo ready; while :; do sleep 0.01; done`) })
  await until('ready', () => trapping.output('stdout') === 'ready\n')
  await trapping.connection.signal(10)
  assert.equal((await trapping.exited).code, 7)
  await using stubborn = await run({ command: sh('sleep 1000 & sleep 1000') })
  // In one go: quit is answered when the kill has done its work.
  const [, , seen] = await Promise.all([stubborn.connection.kill(), stubborn.connection.quit(), stubborn.exited])
  const { code, signal, cause } = seen
  assert.deepEqual({ code, signal, cause }, { code: 137, signal: 9, cause: 'exit' })
  await stubborn.gone
  assert.equal(exitFile(stubborn)['code'], '137')
  assertNothingLeft(stubborn)
})

test('create: the runtime says what is wrong, and nothing is left', { skip }, async () => {
  await using instance = await makeInstance(ground, { command: ['no-such-command'] })
  await assert.rejects(instance.create(), /executable file `no-such-command` not found in \$PATH/)
  assert.deepEqual(await instance.connection.status(), { state: 'setup' })
  await instance.connection[Symbol.asyncDispose]()
  await instance.gone
  assertNothingLeft(instance)
})

test('a container that ends before its start takes its monitor with it, and nobody says that it ran', { skip }, async () => {
  await using instance = await makeInstance(ground, { command: sh('sleep 1000') })
  process.kill(await instance.create(), 'SIGKILL')
  await instance.gone
  await instance.connection.closed
  assert.ok(!existsSync(join(instance.folder, 'exit.new')))
  assertNothingLeft(instance)
})

test('from the start on there is a file that says that it may have run, whatever becomes of the monitor', { skip }, async () => {
  await using instance = await makeInstance(ground, { command: sh('sleep 1000') })
  const pid = await instance.create()
  assert.ok(!existsSync(join(instance.folder, 'exit.new')))
  await instance.start()
  assert.ok(existsSync(join(instance.folder, 'exit.new')))
  process.kill(instance.monitorPid, 'SIGKILL')
  await instance.gone
  // Its guard is parked only a little later.
  process.kill(pid, 'SIGKILL')
  await until('the end of the container', () => !lives(pid))
  assert.ok(existsSync(join(instance.folder, 'exit.new')))
})

test('until the start it is bound to its connection', { skip }, async () => {
  await using created = await makeInstance(ground, { command: sh('sleep 1000') })
  const pid = await created.create()
  await created.connection[Symbol.asyncDispose]()
  await created.gone
  assert.ok(!lives(pid))
  assertNothingLeft(created)

  await using creating = await makeInstance(ground, { command: sh('sleep 1000') })
  const cut = assert.rejects(creating.create())
  await sleep(5)
  await creating.connection[Symbol.asyncDispose]()
  await cut
  await creating.gone
  assertNothingLeft(creating)
})

test('wherever the connection breaks off: it ran, and all is known, or nothing is left', { skip }, async () => {
  const attempt = async (n: number): Promise<void> => {
    await using instance = await makeInstance(ground, { command: sh(`echo start; echo err >&2; exit ${n}`) })
    const work = (async () => {
      await instance.create()
      await instance.start()
    })().catch(() => {})
    await sleep(Math.random() * 40)
    await instance.connection[Symbol.asyncDispose]()
    await work
    const ran = await until('an end', () =>
      existsSync(join(instance.folder, 'exit')) ? 'yes' : instance.monitor.exitCode === null ? undefined : 'no',
    )
    if (ran === 'yes') {
      assert.equal(exitFile(instance)['code'], String(n))
      assert.deepEqual([instance.output('stdout'), instance.output('stderr')], ['start\n', 'err\n'])
      await using other = await instance.connect()
      await other.quit()
      await instance.gone
    }
    assertNothingLeft(instance)
  }
  for (let n = 0; n < 60; n += 4) await Promise.all([n, n + 1, n + 2, n + 3].map(attempt))
})

test('from the start it lives on, and tells whoever comes what has happened', { skip }, async () => {
  await using instance = await run({ command: sh('trap "exit 9" TERM; echo up; while :; do sleep 0.01; done') })
  await instance.connection[Symbol.asyncDispose]()
  await until('output', () => instance.output('stdout') === 'up\n')
  await using early = await instance.connect()
  assert.equal((await early.status()).state, 'running')
  await early.signal(15)
  await until('exit file', () => existsSync(join(instance.folder, 'exit')))
  await using late = await instance.connect()
  const seen: string[] = []
  late.subscribe(event => seen.push(event.type === 'exited' ? `exited ${event.code}` : event.type))
  await late.watch()
  await until('events', () => seen.length === 2)
  assert.deepEqual(seen, ['started', 'exited 9'])
  await late.quit()
  await instance.gone
  assertNothingLeft(instance)
})

test('the deadline is kept with nobody there', { skip }, async () => {
  await using polite = await run({ command: sh(`trap 'exit 7' TERM; while :; do sleep 0.01; done`), deadline: 200, grace: 30_000 })
  await using stubborn = await run({ command: sh(`trap '' TERM; while :; do sleep 0.01; done`), deadline: 200, grace: 100 })
  for (const instance of [polite, stubborn]) await instance.connection[Symbol.asyncDispose]()
  const ended = await Promise.all(
    [polite, stubborn].map(instance => until('exit', () => existsSync(join(instance.folder, 'exit')) && exitFile(instance))),
  )
  assert.deepEqual(
    ended.map(exit => [exit['code'], exit['signal'], exit['cause']]),
    [
      ['7', '0', 'deadline'],
      ['137', '9', 'deadline'],
    ],
  )
})

test('a deadline can be moved until it has passed', { skip }, async () => {
  await using instance = await run({ command: sh(`trap '' TERM; while :; do sleep 0.01; done`), deadline: 400, grace: 60_000 })
  await instance.connection.deadline(bootMs() + 60_000, 60_000, 15)
  await sleep(600)
  assert.equal((await instance.connection.status()).state, 'running')
  await instance.connection.deadline(bootMs() - 1, 60_000, 15)
  await assert.rejects(
    until('refusal', () => instance.connection.deadline(bootMs() + 60_000, 60_000, 15).then(() => false)),
    errno('ETIMEDOUT'),
  )
  await instance.connection.kill()
  assert.equal((await instance.exited).cause, 'deadline')
})

test('a deadline ends a frozen container', { skip }, async () => {
  await using instance = await run({ command: sh(`trap 'exit 5' TERM; echo ready; while :; do sleep 0.01; done`), deadline: 300, grace: 10_000 })
  await until('ready', () => instance.output('stdout') === 'ready\n')
  const folder = instance.cgroups.find(name => isV2 || name.includes('/freezer/')) ?? ''
  writeFileSync(join(folder, isV2 ? 'cgroup.freeze' : 'freezer.state'), isV2 ? '1' : 'FROZEN')
  const { code, cause } = await instance.exited
  assert.deepEqual({ code, cause }, { code: 5, cause: 'deadline' })
})

test('when the monitor is killed its container does not outlive it', { skip }, async () => {
  await using instance = await run({ command: sh('sleep 1000') })
  const status = await instance.connection.status()
  assert.ok(status.state === 'running')
  // The guard is parked a little after the start.
  await until(
    'the guard',
    () =>
      readFileSync(join(instance.cgroups[0] ?? '', 'cgroup.procs'), 'utf8')
        .trim()
        .split('\n').length === 2,
  )
  process.kill(instance.monitorPid, 'SIGKILL')
  await until('the end of the container', () => !lives(status.pid))
  await instance.gone
})

test('exec: pipes, stdin, exit code, limits', { skip }, async () => {
  await using instance = await run({ command: sh('sleep 1000') })
  const exec = async (command: string[]) => (await instance.connect()).exec(instance.processFile(command), 'pipes', 0, 0)
  {
    await using session = await exec(sh('echo out; echo err >&2; exit 4'))
    assert.deepEqual(await take(session), { stdout: 'out\n', stderr: 'err\n', code: 4 })
  }
  {
    await using session = await exec(['sha256sum'])
    const input = Buffer.alloc(3_000_000, 'dayfly')
    session.write(input)
    session.write(null)
    const expected = execFileSync('sha256sum', { input, encoding: 'utf8' })
    assert.deepEqual(await take(session), { stdout: expected, stderr: '', code: 0 })
  }
  {
    await using session = await exec(['seq', '1', '300000'])
    await sleep(200) // a slow reader
    assert.equal((await take(session)).stdout.length, Array.from({ length: 300_000 }, (_, i) => i + 1).join('\n').length + 1)
  }
  {
    await using session = await exec(sh(`trap 'exit 6' USR2; echo ready; while :; do sleep 0.01; done`))
    const output = session.output[Symbol.asyncIterator]()
    assert.equal(Buffer.from((await output.next()).value?.data ?? []).toString(), 'ready\n')
    session.signal('SIGUSR2')
    assert.equal(await session.exit, 6)
  }
  {
    await using session = await exec(sh('kill -KILL $$'))
    assert.equal((await take(session)).code, 137)
  }
  {
    await using session = await exec(['cat', '/proc/self/cgroup'])
    const outside = readFileSync('/proc/self/cgroup', 'utf8')
    const { stdout } = await take(session)
    assert.notEqual(stdout, outside)
    for (const name of ['pids', 'memory']) if (stdout.includes(`:${name}:`)) assert.match(stdout, new RegExp(`:${name}:/\n`))
  }
  {
    // A descendant that keeps the pipe does not keep the session.
    await using session = await exec(sh('sleep 1000 & echo done'))
    assert.deepEqual(await take(session), { stdout: 'done\n', stderr: '', code: 0 })
  }
})

test('exec: what cannot start says why', { skip }, async () => {
  await using instance = await run({ command: sh('sleep 1000') })
  await using missing = await (await instance.connect()).exec(instance.processFile(['no-such-command']), 'pipes', 0, 0)
  // Once: what the runtime itself prints is no output of the command's.
  for await (const { data } of missing.output) assert.fail(`printed ${Buffer.from(data).toString()}`)
  await assert.rejects(missing.exit, /executable file `no-such-command` not found/)
  await using nowhere = await (await instance.connect()).exec('/no/such/file', 'pipes', 0, 0)
  await assert.rejects(take(nowhere), /no\/such\/file/)
  const leftovers = readdirSync(instance.folder).filter(name => name.startsWith('exec-'))
  assert.deepEqual(leftovers, [])
})

test('exec: a terminal, its size, its keys', { skip }, async () => {
  await using instance = await run({ command: sh('sleep 1000') })
  // crun sets the size while the command already starts.
  const script = `until [ "$(stty size 2>&1)" = '30 100' ]; do sleep 0.01; done; trap 'stty size; exit 11' WINCH; echo ready; while :; do sleep 0.01; done`
  await using session = await (await instance.connect()).exec(instance.processFile(sh(script), { rows: 30, columns: 100 }), 'tty', 30, 100)
  let text = ''
  const output = (async () => {
    for await (const { stream, data } of session.output) {
      assert.equal(stream, 'stdout')
      text += Buffer.from(data).toString()
    }
  })()
  await until('ready', () => text.includes('ready'))
  session.resize(40, 120)
  assert.equal(await session.exit, 11)
  await output
  assert.deepEqual(text.split('\r\n'), ['ready', '40 120', ''])

  await using cat = await (await instance.connect()).exec(instance.processFile(['cat'], { rows: 24, columns: 80 }), 'tty', 24, 80)
  cat.write(Buffer.from('typed\n'))
  cat.write(null)
  assert.deepEqual(await take(cat), { stdout: 'typed\r\ntyped\r\n', stderr: '', code: 0 })

  await using interrupted = await (await instance.connect()).exec(instance.processFile(['sleep', '1000'], { rows: 24, columns: 80 }), 'tty', 24, 80)
  interrupted.write(Buffer.from('\x03'))
  assert.equal((await take(interrupted)).code, 130)
})

test('exec: closing the session hangs the command up', { skip }, async () => {
  await using instance = await run({ command: sh('sleep 1000') })
  for (const tty of [false, true]) {
    const mark = join(instance.folder, 'upper', 'tmp-mark')
    const script = `trap 'echo hung > /tmp-mark; exit 0' HUP; echo ready; while :; do sleep 0.01; done`
    const session = await (await instance.connect()).exec(
      instance.processFile(sh(script), tty ? { rows: 24, columns: 80 } : undefined),
      tty ? 'tty' : 'pipes',
      24,
      80,
    )
    await session.output[Symbol.asyncIterator]().next()
    await session[Symbol.asyncDispose]()
    await until(`SIGHUP ${tty ? 'of the terminal' : 'by pidfd'}`, () => existsSync(mark))
    await using cleaner = await (await instance.connect()).exec(instance.processFile(['rm', '/tmp-mark']), 'pipes', 0, 0)
    assert.equal((await take(cleaner)).code, 0)
  }
})

test('attach: stdin of the first process, whose output is in the log', { skip }, async () => {
  await using instance = await run({ command: sh('cat; exit 2'), stdin: true })
  await using first = await (await instance.connect()).attach()
  first.write(Buffer.from('one\n'))
  await until('echo', () => instance.output('stdout') === 'one\n')
  await first[Symbol.asyncDispose]()
  await using second = await (await instance.connect()).attach()
  second.write(Buffer.alloc(300_000, 'two\n'))
  second.write(null)
  assert.deepEqual(await take(second), { stdout: '', stderr: '', code: 2 })
  assert.equal(instance.output('stdout').length, 300_004)
})

test('a terminal for the first process', { skip }, async () => {
  await using instance = await run({ command: sh('stty size; read line; stty size; echo "got $line" >&2'), tty: true })
  await using session = await (await instance.connect()).attach()
  await until('size', () => instance.records().length > 0)
  session.resize(50, 132)
  session.write(Buffer.from('hello\n'))
  assert.equal((await take(session)).code, 0)
  assert.equal(instance.output('stderr'), '')
  assert.deepEqual(instance.output('stdout').split('\r\n').slice(-3), ['50 132', 'got hello', ''])
})

test('a full disk stops the container, not the monitor, and loses nothing', { skip }, async () => {
  const disk = join(ground.folder, 'small-disk')
  const mountSmall = `mkdir -p ${disk} && mount -t tmpfs -o size=512k none ${disk} && head -c 450000 /dev/zero > ${disk}/filler && exec "$@"`
  const wrap = ['unshare', '-m', '--propagation', 'private', 'sh', '-c', mountSmall, 'sh']
  await using instance = await run({ command: sh('seq 1 20000 && echo end >&2'), wrap, logPath: join(disk, 'log'), limit: 1e9 })
  const log = `/proc/${instance.monitorPid}/root${disk}/log`
  // tmpfs has less room than the records need: they are 47 bytes and more each.
  await until('the disk to be full', async () => {
    const { size } = statSync(log)
    await sleep(150)
    return size > 0 && statSync(log).size === size
  })
  assert.ok(readFileSync(log, 'utf8').endsWith('\n'), 'no torn record')
  assert.equal((await instance.connection.status()).state, 'running')
  execFileSync('nsenter', ['-t', String(instance.monitorPid), '-m', 'sh', '-c', `mount -o remount,size=8m ${disk}`])
  const { droppedBytes } = await instance.exited
  assert.equal(droppedBytes, 0)
  const kept = joinRecords(parseLog(readFileSync(log, 'latin1')))
  assert.equal(kept.stdout, `${Array.from({ length: 20_000 }, (_, n) => n + 1).join('\n')}\n`)
  assert.equal(kept.stderr, 'end\n')
})

test('the network: a veth on the bridge, isolated, with its address, and gone at the end', { skip }, async () => {
  await using host = await makeHostNetwork()
  const script = `ls /sys/class/net; ip -4 -o addr show eth0; ip route; cat /sys/class/net/eth0/address; ip -6 addr; 
      nc -w 5 10.250.0.1 7 < /dev/null; nc -l -p 80 -e echo served; read line`
  await using instance = await run({ command: sh(script), stdin: true, ...host.wish })
  const lines = await until('output', () => (instance.output('stdout').includes('reached') ? instance.output('stdout').split('\n') : undefined))
  assert.equal(await until('the port', () => tryTo(() => host.run('busybox', 'nc', '-w', '5', '10.250.0.2', '80'))), 'served\n')
  assert.deepEqual(lines.slice(0, 2), ['eth0', 'lo'])
  assert.match(lines[2] ?? '', /inet 10\.250\.0\.2\/24 brd 10\.250\.0\.255/)
  assert.deepEqual(
    lines.slice(3).map(line => line.trim()),
    ['default via 10.250.0.1 dev eth0', '10.250.0.0/24 dev eth0 scope link  src 10.250.0.2', '02:df:00:00:00:02', 'reached', ''],
  )
  const group = execFileSync('nsenter', ['-t', String(instance.monitorPid), '-n', 'cat', '/proc/sys/net/ipv4/ping_group_range'], {
    encoding: 'utf8',
  })
  assert.equal(group.trim(), '0\t2147483647')
  assert.match(host.run('bridge', '-d', 'link', 'show', 'dev', 'df-test-1'), /isolated on/)
  assert.doesNotMatch(host.run('ip', 'addr', 'show', 'dev', 'df-test-1'), /inet6/)
  await using session = await (await instance.connect()).attach()
  session.write(null)
  await instance.exited
  await quit(instance)
  assert.doesNotMatch(host.run('ip', '-o', 'link'), /df-test-1/)
  assertNothingLeft(instance)
})

test('requests that make no sense are refused by name', { skip }, async () => {
  await using instance = await makeInstance(ground, { command: sh('exit 0') })
  const socket = connect(join(instance.folder, 'monitor.sock'))
  const answers: string[][] = []
  const read = createFrameReader(payload => answers.push(decodeFields(payload)))
  socket.on('data', read)
  const requests = [
    ['1', 'conjure'],
    ['2', 'status', 'extra'],
    ['3', 'bind'],
    ['4', 'start'],
    ['5', 'signal', '15'],
    ['6', 'quit'],
    ['7', 'log', '/tmp/x', '1'],
    ['8', 'create', 'runc', '/usr/bin/runc', '/tmp', 'x', 'pipes', 'null'],
    ['9', 'status'],
  ]
  for (const request of requests) socket.write(encodeFields(request))
  await until('answers', () => answers.length === requests.length)
  assert.deepEqual(
    answers.map(([tag, result, name]) => [tag, result, name]),
    [
      ['1', 'error', 'EINVAL'],
      ['2', 'error', 'EINVAL'],
      ['3', 'error', 'EALREADY'],
      ['4', 'error', 'EINVAL'],
      ['5', 'error', 'EINVAL'],
      ['6', 'error', 'EBUSY'],
      ['7', 'error', 'EINVAL'],
      ['8', 'error', 'EINVAL'],
      ['9', 'ok', 'setup'],
    ],
  )
  assert.match(answers[3]?.[3] ?? '', /start: comes after "log"/)
  const closed = new Promise(resolve => socket.once('close', resolve))
  socket.write(Buffer.from([0, 0, 17, 0]))
  await closed
  assert.equal((await instance.connection.status()).state, 'setup')
})

test('120 layers fit into one overlay', { skip }, async () => {
  await using many = makeGround()
  const names = Array.from({ length: 119 }, (_, i) => `layer-${String(i).padStart(18, '0')}`)
  execFileSync(
    'mkdir',
    names.map(name => join(many.layers, name)),
  )
  await using instance = await makeInstance(many, { command: sh('exit 0'), lower: [...names, 'base'] })
  await instance.create()
  await instance.start()
  assert.equal((await instance.exited).code, 0)
})

test('gVisor: output, exit code, exec', { skip: skip || (existsSync('/usr/bin/runsc') ? false : 'runsc is not installed') }, async () => {
  await using instance = await run({ command: sh('dmesg | head -1; echo err >&2; read line; exit 7'), runtime: 'runsc', stdin: true })
  await until('output', () => instance.output('stderr') === 'err\n')
  assert.match(instance.output('stdout'), /gVisor/)
  await using exec = await (await instance.connect()).exec(instance.processFile(sh('echo inside; exit 5')), 'pipes', 0, 0)
  assert.deepEqual(await take(exec), { stdout: 'inside\n', stderr: '', code: 5 })
  await using session = await (await instance.connect()).attach()
  session.write(Buffer.from('go\n'))
  const exited: Exited = await instance.exited
  assert.equal(exited.code, 7)
  await quit(instance)
  assertNothingLeft(instance)
})

test('gVisor: its own network stack has the address', {
  skip: skip || (existsSync('/usr/bin/runsc') ? false : 'runsc is not installed'),
}, async () => {
  await using host = await makeHostNetwork()
  await using instance = await run({ command: sh('ip -4 -o addr show eth0; nc -w 5 10.250.0.1 7 < /dev/null'), runtime: 'runsc', ...host.wish })
  assert.equal((await instance.exited).code, 0)
  assert.match(instance.output('stdout'), /inet 10\.250\.0\.2\/24.*\nreached\n/)
  await quit(instance)
  assert.doesNotMatch(host.run('ip', '-o', 'link'), /df-test-1/)
  assertNothingLeft(instance)
})

test('cgroup v2', { skip: skip || (isV2 || isHybrid ? false : 'this host has no cgroup v2 hierarchy') }, async () => {
  // On a hybrid host the other tests run on v1.
  const only = 'umount -R /sys/fs/cgroup && mount -t cgroup2 none /sys/fs/cgroup && exec "$@"'
  const wrap = ['unshare', '-m', '--propagation', 'private', 'sh', '-c', only, 'sh']
  const hierarchy = isHybrid ? { wrap, cgroup2: true } : {}
  await using instance = await run({ command: sh('cat /proc/self/cgroup; sleep 1000 & sleep 1000'), ...hierarchy })
  const [seen = ''] = instance.cgroups
  await until('output', () => /^0::\/$/m.test(instance.output('stdout')))
  await until('its processes', () => readFileSync(join(seen, 'cgroup.procs'), 'utf8').trim().split('\n').length >= 3)
  await using exec = await (await instance.connect()).exec(instance.processFile(['cat', '/proc/self/cgroup']), 'pipes', 0, 0)
  assert.match((await take(exec)).stdout, /^0::\/$/m)
  await instance.connection.kill()
  assert.equal((await instance.exited).code, 137)
  await quit(instance)
  assertNothingLeft(instance)
})

test('twenty at once', { skip }, async () => {
  const instances = await Promise.all(Array.from({ length: 20 }, (_, i) => run({ command: sh(`echo ${i}; exit ${i}`) })))
  for (const [i, instance] of instances.entries()) {
    assert.equal((await instance.exited).code, i)
    assert.equal(instance.output('stdout'), `${i}\n`)
    await quit(instance)
    assertNothingLeft(instance)
    await instance[Symbol.asyncDispose]()
  }
})

test('a monitor that nobody binds goes by itself', { skip }, async () => {
  // Born in `before`: its ten seconds have passed meanwhile.
  await until('its end', () => !existsSync(join(ground.folder, 'unbound', 'monitor.sock')))
  assert.ok(!existsSync(join(ground.folder, 'unbound', 'monitor.pid')))
})

test('the program says how it is called', { skip }, () => {
  assert.throws(() => execFileSync(binary, [], { stdio: 'pipe' }), /usage: dayfly-monitor FOLDER/)
})
