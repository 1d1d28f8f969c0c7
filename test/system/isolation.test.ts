/** What an instance is and is not: ids, capabilities, filters, paths, limits, and what prepared containers must not carry from one to the next. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Daemon } from '../daemon.ts'
import { dayflyProgram, makeFolder, root, startDaemon } from '../daemon.ts'

const skip = process.getuid?.() === 0 ? false : 'needs root: it makes namespaces'

describe('the isolation of an instance', { skip }, () => {
  let folder = ''
  let daemon: Daemon

  const dayfly = (...args: string[]): { status: number | null; stdout: string; stderr: string } => {
    const env = {
      PATH: process.env['PATH'],
      DAYFLY_RUN_DIR: daemon.runDir,
      DAYFLY_STATE_DIR: daemon.stateDir,
      TOKEN: 'first-of-4711',
      OTHER: 'second-of-4711',
    }
    return spawnSync(dayflyProgram, args, { env, encoding: 'utf8' })
  }
  const output = (...args: string[]): string => {
    const { status, stdout, stderr } = dayfly(...args)
    assert.equal(status, 0, stderr)
    return stdout
  }
  /** Of /proc/self/status inside. */
  const field = (status: string, name: string): string => new RegExp(`^${name}:\\s*(\\S+)`, 'm').exec(status)?.[1] ?? ''

  before(async () => {
    folder = makeFolder('/tmp/dayfly-isolation-')
    daemon = startDaemon({ folder })
    await daemon.ready
    const made = spawnSync(join(root, 'scripts/make-image'), [join(folder, 'image')], { encoding: 'utf8' })
    assert.equal(made.status, 0, made.stderr)
    output('image', 'import', made.stdout.trim(), 'demo')
  })
  after(async () => {
    dayfly('down', '--all', '--force')
    await daemon[Symbol.asyncDispose]()
    rmSync(folder, { recursive: true, force: true })
  })

  test('root inside holds the minimum of capabilities, no new privileges, one filter', () => {
    const status = output('run', 'demo', '--', 'cat', '/proc/self/status')
    // CHOWN DAC_OVERRIDE FOWNER FSETID KILL SETGID SETUID
    for (const set of ['CapEff', 'CapPrm', 'CapBnd']) assert.equal(field(status, set), '00000000000000fb')
    for (const set of ['CapInh', 'CapAmb']) assert.equal(field(status, set), '0000000000000000')
    assert.deepEqual([field(status, 'NoNewPrivs'), field(status, 'Seccomp')], ['1', '2'])
  })

  test('another user holds none, neither at the start nor by an exec', () => {
    output('run', '-d', '--name', 'plain', '--grace', '0s', '-u', 'app', 'demo', '--', 'sleep', '600')
    for (const status of [
      output('run', '-u', 'app', 'demo', '--', 'cat', '/proc/self/status'),
      output('exec', 'plain', '--', 'cat', '/proc/self/status'),
    ]) {
      for (const set of ['CapEff', 'CapPrm', 'CapAmb']) assert.equal(field(status, set), '0000000000000000')
      assert.equal(field(status, 'Uid'), '1000')
      assert.deepEqual([field(status, 'NoNewPrivs'), field(status, 'Seccomp')], ['1', '2'])
    }
    assert.notEqual(dayfly('exec', 'plain', '--', 'touch', '/etc/written').status, 0)
    output('down', 'plain')
  })

  test('its root is an unprivileged user of the host, another one in each environment', () => {
    const hostId = (name: string): number => {
      output('run', '-d', '--name', name, '--grace', '0s', 'demo', '--', 'sleep', '600')
      const { pid } = JSON.parse(output('inspect', name, '--json')).instances[0]
      const id = Number(field(readFileSync(`/proc/${pid}/status`, 'utf8'), 'Uid'))
      assert.equal(output('exec', name, '--', 'id', '-u').trim(), '0')
      return id
    }
    const ids = [hostId('one'), hostId('two')]
    assert.ok(ids.every(id => id >= 0x2000_0000))
    assert.notEqual(ids[0], ids[1])
    output('down', 'one')
    output('down', 'two')
  })

  test('what would reach past the container is refused', () => {
    const refused = [
      'mount -t tmpfs none /mnt 2>/dev/null || mount -t proc none /home 2>/dev/null',
      'mknod /tmp/disk b 8 0',
      'unshare -U true',
      'echo x > /proc/sys/kernel/hostname',
      'echo b > /proc/sysrq-trigger',
      'cat /proc/kcore | head -c 1 | grep -q .',
      'touch /sys/kernel/x',
      'chroot / true',
      'hostname other',
      'ip link add x type dummy',
    ]
    const script = refused.map((line, index) => `if (${line}) >/dev/null 2>&1; then echo ${index}; fi`).join('\n')
    assert.equal(output('run', 'demo', '--', 'sh', '-c', script), '')
    assert.deepEqual(output('run', 'demo', '--', 'ls', '/sys/class/net').split('\n').filter(Boolean), ['eth0', 'lo'])
  })

  test('a read-only root is read-only, and /tmp is not', () => {
    assert.equal(output('run', '--read-only', 'demo', '--', 'sh', '-c', 'touch /tmp/x && ! touch /x 2>/dev/null && echo held'), 'held\n')
  })

  test('limits: processes and memory', () => {
    // busybox's shell gives up where it cannot fork.
    const many = dayfly('run', '--pids', '8', 'demo', '--', 'sh', '-c', 'for i in $(seq 40); do sleep 1 & echo $i; done')
    assert.match(many.stderr, /can't fork/)
    const count = many.stdout.trim().split('\n').length
    assert.ok(count >= 7 && count <= 12, many.stdout)
    const { stderr } = dayfly('run', '--memory', '16m', 'demo', '--', 'sh', '-c', 'exec tail -c 100000000 /dev/zero')
    assert.match(stderr, /16 MiB of memory/)
  })

  test('its network reaches neither the host nor the metadata service', () => {
    const script =
      'gateway=$(ip route | sed -n "s/default via \\([0-9.]*\\).*/\\1/p"); for to in $gateway 169.254.169.254 127.0.0.2; do nc -w 1 $to 22 </dev/null >/dev/null 2>&1 && echo $to; done; echo done'
    assert.equal(output('run', '--allow', '0.0.0.0/0', 'demo', '--', 'sh', '-c', script), 'done\n')
  })

  test('a prepared container becomes the next instance, with nothing of another', async () => {
    const script =
      'hostname; cat /etc/hostname /run/secrets/token; grep -c "$(hostname)" /etc/hosts; ls -A /tmp; ls /run/secrets; touch /tmp/left /left; ls / | grep -c left'
    const run = (name: string, variable: string): { kind: string; lines: string[] } => {
      const lines = output('run', '--name', name, '--secret', `token=env:${variable}`, 'demo', '--', 'sh', '-c', script).trim().split('\n')
      const shown = JSON.parse(output('ps', '-a', '--json')).environments.find((environment: { name: string }) => environment.name === name)
      return { kind: shown.instances[0].start, lines }
    }
    const kinds: string[] = []
    for (let round = 0; round < 12 && kinds.filter(kind => kind === 'prepared').length < 3; round++) {
      const [name, secret] = [`round-${round}`, round % 2 === 0 ? 'first-of-4711' : 'second-of-4711']
      const { kind, lines } = run(name, round % 2 === 0 ? 'TOKEN' : 'OTHER')
      assert.deepEqual(lines, [name, name, `${secret}1`, 'token', '1'], `round ${round}, ${kind}`)
      kinds.push(kind)
      await sleep(400)
    }
    assert.ok(kinds.filter(kind => kind === 'prepared').length >= 3, kinds.join(' '))
    assert.equal(kinds[0], 'cold')
  })

  test('secrets are in no file of the daemon, no event and no argument list', () => {
    const found = spawnSync('grep', ['-rlE', '(first|second)-of-4711', daemon.stateDir, '--include=*.sqlite*', '--include=*.json'], {
      encoding: 'utf8',
    })
    assert.equal(found.stdout, '')
  })

  test('a tree deeper than any path can be is removed with its instance', () => {
    const deep = 'd=$(printf "%084d" 0); p=; i=0; while [ $i -lt 40 ]; do p=$p/$d; i=$((i+1)); done; mkdir -p /a$p /b$p && mv /a /b$p/'
    output('run', 'demo', '--', 'sh', '-c', deep)
    assert.equal(output('doctor', '--leaks').trim(), 'no leaks')
  })

  test('a monitor that does not answer keeps no other instance from being adopted', async () => {
    const monitors = (): string[] =>
      spawnSync('pgrep', ['-f', `dayfly-monitor ${daemon.runDir}/`], { encoding: 'utf8' })
        .stdout.trim()
        .split('\n')
    output('run', '-d', '--name', 'good', '--grace', '0s', 'demo', '--', 'sleep', '600')
    output('run', '-d', '--name', 'stuck', '--grace', '0s', 'demo', '--', 'sleep', '600')
    const { pid } = JSON.parse(output('inspect', 'stuck', '--json')).instances[0]
    const monitor = Number(field(readFileSync(`/proc/${pid}/status`, 'utf8'), 'PPid'))
    assert.ok(monitors().includes(String(monitor)))
    process.kill(monitor, 'SIGSTOP')
    await daemon.kill()
    daemon = startDaemon({ folder })
    await daemon.ready
    assert.match(output('ps'), /good\s+demo\s+running/)
    output('down', '--all', '--force')
    assert.equal(monitors().includes(String(monitor)), false)
    assert.equal(output('doctor', '--leaks').trim(), 'no leaks')
  })

  test('a daemon whose helper dies ends at once; the next one adopts what runs, and nothing is left at the end', async () => {
    output('run', '-d', '--name', 'survivor', '--grace', '0s', 'demo', '--', 'sleep', '600')
    const helper = spawnSync('pgrep', ['-P', String(daemon.pid), 'dayfly-helper'], { encoding: 'utf8' }).stdout.trim()
    process.kill(Number(helper), 'SIGKILL')
    for (let tries = 0; dayfly('version', '--json').stdout.includes('"daemon":{') && tries < 100; tries++) await sleep(50)
    assert.equal(dayfly('ps').status, 2)
    daemon = startDaemon({ folder })
    await daemon.ready
    assert.match(output('ps'), /survivor\s+demo\s+running/)
    output('down', 'survivor')
    assert.equal(output('doctor', '--leaks').trim(), 'no leaks')
    assert.equal(await daemon.stop(), 0)
    assert.equal(output('doctor', '--leaks').trim(), 'no leaks')
    daemon = startDaemon({ folder })
    await daemon.ready
  })
})
