/** Whose an event is: from a container's first instruction to its last, however short it lives and however deep its processes hide. */
import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync, mkdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import type { SensedEvent } from '../../src/model/kernel-event.ts'
import type { Heard, Programs } from './sensor/cell.ts'
import { compilePrograms, listen, makeCell, nextCookie, runCell, sensorBinary, sum, whyNot } from './sensor/cell.ts'

describe('whose an event is', { skip: whyNot() }, () => {
  let programs: Programs
  let heard: Heard

  before(async () => {
    programs = compilePrograms()
    heard = await listen()
    await heard.sensor.addPath('sensitive', '/etc/shadow')
  })
  after(async () => {
    await heard?.sensor[Symbol.asyncDispose]()
    programs?.[Symbol.dispose]()
  })

  test('200 containers of a few milliseconds, 20 at a time: every exec and exit is its own', async () => {
    const runs = Array.from({ length: 10 }, () =>
      Promise.all(Array.from({ length: 20 }, () => runCell(heard, programs, { command: [programs.deeds, 'nothing'] }))),
    )
    for (const run of runs) {
      for (const { events, pid, counts } of await run) {
        assert.deepEqual(
          events.map(event => [event.type, event.pid, event.vpid]),
          [
            ['exec', pid, 1],
            ['exit', pid, 1],
          ],
        )
        assert.deepEqual(counts.emitted, { exec: 1, exit: 1 })
      }
    }
  })

  test("nothing of the runtime's set-up is told, all of the program is", async () => {
    const { events, counts } = await runCell(heard, programs, { command: ['/bin/sh', '-c', ': < /etc/shadow'] })
    assert.deepEqual(
      events.map(event => event.type).filter(type => type !== 'dup'),
      ['exec', 'open', 'exit'],
    )
    for (const type of ['open', 'mount', 'fork', 'exit'] as const) assert.ok((counts.filtered[type] ?? 0) > 0, `${type} was there, and is counted`)
  })

  test('threads of the first process are seen, although their parent is outside', async () => {
    const script = "import threading; t = threading.Thread(target=lambda: open('/etc/shadow').read()); t.start(); t.join()"
    const { events } = await runCell(heard, programs, { command: ['python3', '-c', script] })
    const [opened] = events.filter(event => event.type === 'open')
    assert.equal(opened?.path, '/etc/shadow')
    assert.notEqual(opened.tid, opened.pid)
  })

  test('processes in a pid namespace within the container are its own', async () => {
    const { events } = await runCell(heard, programs, { command: ['unshare', '-p', '-f', '/bin/sh', '-c', '/bin/true; :'] })
    const nested = events.filter(event => event.type === 'exec').map(event => [event.args?.[0], event.vpid])
    assert.deepEqual(nested, [
      ['unshare', 1],
      ['/bin/sh', 1],
      ['/bin/true', 2],
    ])
  })

  test('what nobody registered is not seen', async () => {
    const cell = await makeCell(programs, { command: [programs.deeds, 'nothing'] })
    const before = heard.events.length
    await cell.run()
    await heard.sensor.sync()
    assert.equal(heard.events.slice(before).filter(event => event.pid === cell.pid).length, 0)
  })

  test("in the host's pid namespace: a process and all that it forks", async () => {
    const cookie = nextCookie()
    const cell = await makeCell(programs, { command: ['/bin/sh', '-c', '/bin/true; (/bin/true; :)'], host: true })
    const start = Number(readFileSync(`/proc/${cell.pid}/stat`, 'utf8').split(') ')[1]?.split(' ')[19])
    await assert.rejects(heard.sensor.registerProcess({ pid: cell.pid, startTime: start + 1, cookie }), { errno: 'ESRCH' })
    await heard.sensor.registerProcess({ pid: cell.pid, startTime: start, cookie, root: '/' })
    await cell.run()
    const counts = await heard.sensor.unregister(cookie)
    const events = heard.of(cookie)
    assert.deepEqual(
      events.filter(event => event.type === 'exec').map(event => event.args?.[0]),
      ['/bin/sh', '/bin/true', '/bin/true'],
    )
    assert.equal(events[0]?.pid, cell.pid)
    assert.equal(events[0]?.vpid, cell.pid, 'the numbers are the same there')
    assert.equal(counts.emitted.exit, 4)
    assert.equal(sum(events, 'exit'), 4)
  })

  test('a container of crun: what it runs, what is executed in it, and nothing of crun', async t => {
    const bundle = join(programs.folder, 'bundle')
    const id = `dayfly-sensor-${process.pid}`
    const crun = (...words: string[]): void => {
      // On hybrid hosts crun knows only the older hierarchies. No pipes: what it starts would keep them open.
      const script = 'umount -l /sys/fs/cgroup/unified 2>/dev/null; exec "$@"'
      const command = ['crun', '--root', join(programs.folder, 'crun'), '--cgroup-manager=disabled', ...words]
      execFileSync('unshare', ['-m', 'sh', '-c', script, 'sh', ...command], { stdio: 'ignore' })
    }
    for (const name of ['bin', 'proc', 'dev', 'tmp', 'etc']) mkdirSync(join(bundle, 'rootfs', name), { recursive: true })
    copyFileSync('/bin/busybox', join(bundle, 'rootfs/bin/sh'))
    writeFileSync(
      join(bundle, 'config.json'),
      JSON.stringify({
        ociVersion: '1.0.0',
        process: { user: { uid: 0, gid: 0 }, args: ['/bin/sh', '-c', 'sleep 10 & wait'], env: ['PATH=/bin'], cwd: '/' },
        root: { path: 'rootfs' },
        mounts: [{ destination: '/proc', type: 'proc', source: 'proc' }],
        linux: { namespaces: [{ type: 'pid' }, { type: 'mount' }, { type: 'ipc' }, { type: 'uts' }, { type: 'network' }] },
      }),
    )
    const cookie = nextCookie()
    const pidFile = join(programs.folder, 'pid')
    crun('create', '--bundle', bundle, '--pid-file', pidFile, id)
    t.after(() => crun('delete', '--force', id))
    const pid = Number(readFileSync(pidFile, 'utf8'))
    const inode = Number(/\d+/.exec(readlinkSync(`/proc/${pid}/ns/pid`))?.[0])
    await heard.sensor.registerNamespace({ inode, cookie, root: join(bundle, 'rootfs') })
    crun('start', id)
    crun('exec', id, '/bin/sh', '-c', 'echo inside > /tmp/x')
    crun('kill', id, 'KILL')
    await heard.sensor.sync()
    for (let turn = 0; turn < 200 && !heard.of(cookie).some(event => event.type === 'exit' && event.vpid === 1); turn++) {
      await new Promise(resolve => setTimeout(resolve, 10))
      await heard.sensor.sync()
    }
    await heard.sensor.unregister(cookie)
    const events = heard.of(cookie)
    assert.deepEqual(
      new Set(events.filter(event => event.type === 'exec').map(event => event.args?.join(' '))),
      new Set(['/bin/sh -c sleep 10 & wait', 'sleep 10', '/bin/sh -c echo inside > /tmp/x']),
    )
    const mentioned = new Set(events.map(event => event.name))
    assert.ok(![...mentioned].some(name => name.startsWith('crun') || name.startsWith('3')), [...mentioned].join(' '))
    assert.ok(!events.some(event => event.type === 'mount' || event.type === 'pivot_root' || event.type === 'setns'))
    rmSync(bundle, { recursive: true })
  })

  test('a sensor in a pid namespace of its own finds its level out, and tells pids as it sees them', async t => {
    // The cell becomes the sensor: what it registers is two levels below the host.
    const sensor = spawn('unshare', ['-p', '-f', '--mount-proc', sensorBinary], { stdio: ['pipe', 'pipe', 'inherit'] })
    t.after(() => sensor.stdin.end())
    sensor.stdout.setEncoding('utf8')
    let said = ''
    sensor.stdout.on('data', (text: string) => {
      said += text
    })
    while (!said.includes('\n')) await once(sensor.stdout, 'data')
    assert.equal(JSON.parse(said.split('\n')[0] ?? '').level, heard.sensor.facts.level + 1)
    sensor.stdin.end()
    await once(sensor, 'exit')
  })

  test('commands that cannot be carried out say why', async () => {
    const { sensor } = heard
    const cell = await makeCell(programs, { command: [programs.deeds, 'nothing'] })
    const [cookie, other] = [nextCookie(), nextCookie()]
    await sensor.registerNamespace({ inode: cell.inode, cookie })
    await assert.rejects(sensor.registerNamespace({ inode: cell.inode, cookie: other }), { errno: 'EEXIST', code: 'host' })
    await assert.rejects(sensor.unregister(other), { errno: 'ENOENT' })
    await assert.rejects(sensor.setFlags(other, {}), { errno: 'ENOENT' })
    await assert.rejects(sensor.registerProcess({ pid: 4_000_000, cookie: other }), { errno: 'ESRCH' })
    await assert.rejects(sensor.registerNamespace({ inode: 1, cookie: 0 }), { code: 'invalid', field: 'cookie' })
    await assert.rejects(sensor.addPath('sensitive', 'relative'), { code: 'invalid', field: 'path' })
    await assert.rejects(sensor.addPath('sensitive', `/${'x'.repeat(200)}`), { errno: 'ENAMETOOLONG' })
    await cell.run()
    await sensor.unregister(cookie)
    const kinds = (events: readonly SensedEvent[]) => events.map(event => event.type)
    assert.deepEqual(kinds(heard.of(cookie)), ['exec', 'exit'])
  })
})
