/** `dayfly watch`: the real program, without a daemon, on containers that Dayfly did not make. */
import assert from 'node:assert/strict'
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readlinkSync, rmdirSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import { whyNot } from './sensor/cell.ts'

const program = resolve(import.meta.dirname, '../../bin/dayfly')
const Brief = z.object({ runtime: z.string(), id: z.string(), name: z.string() })
const Counts = z.object({ emitted: z.record(z.string(), z.number()), dropped: z.record(z.string(), z.number()) })
const Line = z.discriminatedUnion('type', [
  z.object({ type: z.literal('container'), container: Brief.extend({ privileged: z.boolean() }) }),
  z.object({
    type: z.literal('event'),
    container: Brief,
    event: z.object({ type: z.string(), args: z.array(z.string()).optional(), count: z.int().optional() }),
  }),
  z.object({ type: z.literal('detection'), container: Brief, rule: z.string(), output: z.string(), priority: z.string() }),
  z.object({ type: z.literal('gone'), container: Brief, counts: Counts }),
  z.object({ type: z.literal('totals'), containers: z.int(), detections: z.int(), faults: z.int(), counts: Counts.nullable() }),
])
type Line = z.infer<typeof Line>

/** A cgroup of one's own in the hierarchy that has the pids controller, or the only one there is. */
const cgroups = existsSync('/sys/fs/cgroup/cgroup.controllers') ? '/sys/fs/cgroup' : '/sys/fs/cgroup/pids'

const mine = `- rule: Password file listed
  desc: d
  condition: evt.type = execve and proc.args contains watched-marker
  output: "%container.type %container.id %proc.cmdline"
  priority: CRITICAL
`

describe('dayfly watch', { skip: whyNot() }, () => {
  let folder: string
  before(() => {
    folder = mkdtempSync('/tmp/dayfly-watch-')
    writeFileSync(join(folder, 'mine.yaml'), mine)
  })
  after(() => rmSync(folder, { recursive: true, force: true }))

  /** The program, once it watches. */
  const watch = async (...words: readonly string[]) => {
    const child = spawn(program, ['watch', '--json', ...words], { stdio: ['ignore', 'pipe', 'pipe'] })
    const lines: Line[] = []
    const said: string[] = []
    const closed = new Promise<number | null>(done => child.on('close', done))
    createInterface({ input: child.stdout }).on('line', line => lines.push(Line.parse(JSON.parse(line))))
    createInterface({ input: child.stderr }).on('line', line => said.push(line))
    const until = async (what: string, holds: () => boolean): Promise<void> => {
      for (let turn = 0; turn < 1000 && !holds(); turn++) {
        assert.equal(child.exitCode, null, `it ended before ${what}: ${said.join('\n')}`)
        await sleep(10)
      }
      assert.ok(holds(), `${what}: ${said.join('\n')}\n${JSON.stringify(lines.slice(-20))}`)
    }
    await until('it watches', () => said.includes('dayfly: watching'))
    return {
      pid: child.pid,
      lines,
      said,
      until,
      /** Those of one container. */
      of: (id: string) => lines.filter(line => line.type !== 'totals').filter(({ container }) => container.id === id),
      end: async (signal: NodeJS.Signals) => {
        child.kill(signal)
        return await closed
      },
      closed,
      [Symbol.asyncDispose]: async () => {
        child.kill('SIGKILL')
        await closed
      },
    }
  }

  test('a container of crun is known by its name, and rules speak of it', async t => {
    await using watching = await watch('--events', '--rules', join(folder, 'mine.yaml'))
    const bundle = join(folder, 'bundle')
    const id = `watched-${process.pid}`
    const crun = (...words: string[]): void => {
      // On hybrid hosts crun knows only the older hierarchies. No pipes: what it starts would keep them open.
      const script = 'umount -l /sys/fs/cgroup/unified 2>/dev/null; exec "$@"'
      execFileSync('unshare', ['-m', 'sh', '-c', script, 'sh', 'crun', '--cgroup-manager=disabled', ...words], { stdio: 'ignore' })
    }
    for (const name of ['bin', 'proc', 'etc', 'dev']) mkdirSync(join(bundle, 'rootfs', name), { recursive: true })
    copyFileSync('/bin/busybox', join(bundle, 'rootfs/bin/sh'))
    writeFileSync(join(bundle, 'rootfs/etc/shadow'), 'root:*:1:0:99999:7:::\n')
    writeFileSync(
      join(bundle, 'config.json'),
      JSON.stringify({
        ociVersion: '1.0.0',
        process: {
          user: { uid: 0, gid: 0 },
          args: ['/bin/sh', '-c', 'read x < /etc/shadow; /bin/sh -c true watched-marker'],
          env: ['PATH=/bin'],
          cwd: '/',
        },
        root: { path: 'rootfs' },
        mounts: [{ destination: '/proc', type: 'proc', source: 'proc' }],
        linux: { namespaces: [{ type: 'pid' }, { type: 'mount' }, { type: 'ipc' }, { type: 'uts' }, { type: 'network' }] },
      }),
    )
    crun('create', '--bundle', bundle, id)
    t.after(() => crun('delete', '--force', id))
    crun('start', id)
    await watching.until('its end', () => watching.of(id).some(line => line.type === 'gone'))
    const lines = watching.of(id)
    const [first] = lines
    assert.ok(first?.type === 'container', 'it is told before its first event')
    assert.equal(first.container.runtime, 'crun')
    const detections = lines.filter(line => line.type === 'detection')
    const own = detections.findLast(line => line.rule === 'Password file listed')
    assert.deepEqual([own?.priority, own?.output], ['critical', `crun ${id} sh -c true watched-marker`])
    assert.ok(
      detections.some(line => line.rule !== 'Password file listed' && line.output.includes('/etc/shadow')),
      JSON.stringify(detections),
    )
    const gone = lines.find(line => line.type === 'gone')
    const events = lines.filter(line => line.type === 'event')
    assert.deepEqual(
      events.filter(({ event }) => event.type === 'exec').map(({ event }) => event.args?.[0]),
      ['/bin/sh', '/bin/sh'],
    )
    const emitted = Object.values(gone?.counts.emitted ?? {}).reduce((sum, count) => sum + count, 0)
    assert.equal(
      events.reduce((sum, { event }) => sum + (event.count ?? 1), 0),
      emitted,
      'all that was counted is told',
    )
    assert.equal(await watching.end('SIGINT'), 0)
    const totals = watching.lines.at(-1)
    assert.ok(totals?.type === 'totals' && totals.containers >= 1 && totals.detections >= 2 && totals.faults === 0)
  })

  test('one that lives for an instant is known by its control group', async () => {
    await using watching = await watch('--alone', '--rules', join(folder, 'mine.yaml'))
    const id = Buffer.from(`${process.pid}`).toString('hex').padEnd(64, 'a')
    const top = join(cgroups, `dayfly-watch-${process.pid}`)
    const group = join(top, `docker-${id}.scope`)
    mkdirSync(group, { recursive: true })
    try {
      // The shell that goes in is gone before anybody can look at /proc.
      execFileSync('sh', ['-c', 'echo $$ > "$1/cgroup.procs"; exec unshare -p -f /bin/true watched-marker', 'sh', group])
      await watching.until('its end', () => watching.of(id).some(line => line.type === 'gone'))
    } finally {
      rmdirSync(group)
      rmdirSync(top)
    }
    const lines = watching.of(id)
    const [first, detection] = lines
    assert.deepEqual(
      lines.map(line => line.type),
      ['container', 'detection', 'gone'],
    )
    assert.deepEqual(first?.type === 'container' && [first.container.runtime, first.container.name], ['docker', id.slice(0, 12)])
    assert.equal(detection?.type === 'detection' && detection.output, `docker ${id.slice(0, 12)} true watched-marker`)
    assert.equal(await watching.end('SIGTERM'), 0)
  })

  test("a group called like a daemon's hides nobody; where that daemon lives, it watches", async () => {
    await using watching = await watch('--alone', '--rules', join(folder, 'mine.yaml'))
    // No daemon has so high a number.
    const top = join(cgroups, `dayfly-${process.pid}`)
    const [cell, monitors] = [join(top, 'i-1'), join(top, 'monitors')]
    const elsewhere = join(cgroups, `dayfly-watch-${process.pid}`)
    for (const group of [cell, monitors, elsewhere]) mkdirSync(group, { recursive: true })
    const run = (group: string, marker: string): void => {
      execFileSync('sh', ['-c', 'echo $$ > "$1/cgroup.procs"; exec unshare -p -f /bin/true "$2"', 'sh', group, marker])
    }
    const told = (marker: string): boolean => watching.lines.some(line => line.type === 'detection' && line.output.endsWith(marker))
    const living = spawn('sleep', ['60'])
    try {
      writeFileSync(join(monitors, 'cgroup.procs'), `${living.pid}`)
      run(cell, 'watched-marker-own')
      // Whose a group is, is asked when its events are read: what ran after it has been told, so it has been read.
      run(elsewhere, 'watched-marker-later')
      await watching.until('what ran after the own', () => told('watched-marker-later'))
      const ended = once(living, 'exit')
      living.kill()
      await ended
      run(cell, 'watched-marker-stranger')
      await watching.until('the one that nobody else watches', () => told('watched-marker-stranger'))
      assert.equal(told('watched-marker-own'), false)
    } finally {
      living.kill()
      for (const group of [cell, monitors, top, elsewhere]) rmdirSync(group)
    }
  })

  test('what no runtime has made is known by its namespace, and --for ends it', async () => {
    await using watching = await watch('--events', '--for', '4s')
    const child = spawn('unshare', ['-p', '-f', '--mount-proc', '--kill-child', 'sh', '-c', 'readlink /proc/self/ns/pid; exec sleep 60'], {
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    try {
      const [said] = await once(child.stdout, 'data')
      const inode = /\d+/.exec(String(said))?.[0]
      assert.notEqual(`pid:[${inode}]`, readlinkSync('/proc/self/ns/pid'))
      const id = `pidns-${inode}`
      await watching.until('its second program', () => watching.of(id).some(line => line.type === 'event' && line.event.args?.[0] === 'sleep'))
      assert.equal(watching.of(id)[0]?.type, 'container')
      assert.equal(await watching.closed, 0)
      const totals = watching.lines.at(-1)
      assert.ok(totals?.type === 'totals' && (totals.counts?.emitted['exec'] ?? 0) >= 2, 'those that live are counted')
    } finally {
      child.kill('SIGKILL')
    }
  })

  test('when its sensor dies it ends, and says that and nothing that it does not know', async () => {
    await using watching = await watch('--events')
    const sensor = readFileSync(`/proc/${watching.pid}/task/${watching.pid}/children`, 'latin1')
      .split(' ')
      .filter(pid => pid.trim() !== '')
      .map(Number)
      .find(pid => readFileSync(`/proc/${pid}/comm`, 'latin1').trim() === 'dayfly-sensor')
    assert.ok(sensor !== undefined)
    process.kill(sensor, 'SIGKILL')
    assert.equal(await watching.closed, 125)
    assert.match(watching.said.join('\n'), /dayfly-sensor ended: killed by SIGKILL/)
    const totals = watching.lines.at(-1)
    assert.ok(totals?.type === 'totals' && totals.counts === null)
  })

  test('people are told of one container, not of one containers', async () => {
    const { stderr, status } = spawnSync(
      'sh',
      [
        '-c',
        '"$0" watch --alone --for 3s & until unshare -p -f /bin/true watched-alone && ! kill -0 $!; do sleep 0.2; done 2>/dev/null; wait $!',
        program,
      ],
      { encoding: 'utf8' },
    )
    assert.equal(status, 0)
    assert.match(stderr, /dayfly: (1 container|\d+ containers), \d+ events?, 0 lost, \d+ detections?\n/)
    assert.doesNotMatch(stderr, / 1 (containers|events|detections)/)
  })

  test('faulty rules are told before anything is watched', () => {
    writeFileSync(
      join(folder, 'bad.yaml'),
      '- rule: Bad\n  desc: d\n  condition: evt.type = execve and proc.nam = x\n  output: o\n  priority: ERROR\n',
    )
    const { status, stderr, stdout } = spawnSync(program, ['watch', '--rules', join(folder, 'bad.yaml'), '--for', '1s'], { encoding: 'utf8' })
    assert.deepEqual([status, stdout], [2, ''])
    assert.match(stderr, /bad\.yaml:3.*proc\.nam/)
  })
})
