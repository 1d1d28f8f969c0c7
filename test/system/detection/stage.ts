/** A sensor, containers, and a detector behind it: what is done in a container, and what rules say of it. */
import { execFileSync } from 'node:child_process'
import { copyFileSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { DetectorRules } from '../../../src/detect/create.ts'
import { createDetector } from '../../../src/detect/create.ts'
import type { Detection, Subject } from '../../../src/detect/detector.ts'
import { sensitivePaths, writePaths } from '../../../src/detect/rules/watched.ts'
import type { SensorFlags } from '../../../src/host/sensor/protocol.ts'
import type { KernelEvent, SensedEvent } from '../../../src/model/kernel-event.ts'
import type { Heard, Programs } from '../sensor/cell.ts'
import { compilePrograms, listen, makeCell, nextCookie } from '../sensor/cell.ts'

const applets = [
  ...(['sh', 'cat', 'chmod', 'cp', 'rm', 'mv', 'mkdir', 'mknod', 'sleep', 'ip', 'mount', 'umount', 'unshare', 'nsenter', 'base64', 'echo'] as const),
  ...(['true', 'id', 'ls', 'touch', 'ln', 'wget', 'nc', 'head', 'env', 'tar', 'grep', 'find'] as const),
] as const

/** Programs that are `acts` by another name. */
const players = [
  ...([
    '/bin/acts',
    '/usr/sbin/nginx',
    '/usr/bin/python3',
    '/usr/bin/node',
    '/usr/bin/npm',
    '/usr/bin/curl',
    '/usr/bin/apt-get',
    '/usr/bin/pip',
  ] as const),
  ...([
    '/usr/bin/xmrig',
    '/usr/sbin/useradd',
    '/usr/bin/gdb',
    '/usr/bin/go',
    '/usr/bin/ssh',
    '/sbin/tini',
    '/usr/sbin/logrotate',
    '/usr/bin/bwrap',
    '/usr/bin/ps',
    '/usr/bin/tar',
  ] as const),
] as const

export interface Scene {
  /** First process, with its arguments; a text is a shell's script. */
  readonly run: readonly string[] | string
  readonly subject?: Partial<Subject>
  readonly flags?: SensorFlags
  /** Puts something in from outside once it runs; the first process must wait for that. */
  readonly enter?: readonly string[]
}

export interface Seen {
  readonly events: readonly KernelEvent[]
  readonly detections: readonly Detection[]
  /** Names of the rules, each once, in the order of the alphabet. */
  readonly rules: readonly string[]
  readonly status: number | null
  readonly output: string
}

export interface Stage extends AsyncDisposable {
  play(scene: Scene): Promise<Seen>
}

export const subjectOf = (more: Partial<Subject> = {}): Subject => ({
  ...{ environment: 'e1', environmentName: 'stage', instance: 'i1', workload: 'web', kind: 'service', image: 'sha256:0', imageName: 'stage/web:1' },
  ...{ owner: 'tester', labels: {}, startedAt: Date.parse('2026-01-01T00:00:00Z'), privileged: false, egress: [] },
  ...more,
})

export const attributed = (
  { cookie: _cookie, boot, targetCookie: _target, ...facts }: SensedEvent,
  { environment, instance, startedAt }: Subject,
  first: number,
): KernelEvent => ({
  ...facts,
  ...{ environment, instance, time: startedAt + (boot - first) / 1000 },
})

const furnish = ({ lower, folder }: Programs): void => {
  execFileSync('gcc', ['-O1', '-static', '-o', join(folder, 'acts'), join(import.meta.dirname, 'acts.c')])
  for (const path of [
    'etc',
    'var/log',
    'var/tmp',
    'root/.ssh',
    'root/.aws',
    'run/secrets',
    'dev/pts',
    'sys/fs/cgroup/x',
    'srv',
    'usr/bin',
    'usr/sbin',
    'sbin',
  ]) {
    mkdirSync(join(lower, path), { recursive: true })
  }
  copyFileSync('/bin/busybox', join(lower, 'bin/busybox'))
  for (const name of applets) if (name !== 'sh') symlinkSync('busybox', join(lower, 'bin', name))
  for (const path of players) {
    mkdirSync(dirname(join(lower, path)), { recursive: true })
    copyFileSync(join(folder, 'acts'), join(lower, path))
  }
  const files = {
    'etc/shadow': 'root:!::0:::::\n',
    'etc/passwd': 'root:x:0:0::/root:/bin/sh\n',
    'root/.ssh/id_ed25519': 'key\n',
    'root/.aws/credentials': 'key\n',
  }
  const more = { 'run/secrets/password': 'word\n', 'var/log/wtmp': 'x', 'var/log/app.log': 'x', 'root/.bash_history': 'x', 'etc/hostname': 'cell\n' }
  for (const [path, text] of Object.entries({ ...files, ...more })) writeFileSync(join(lower, path), text)
}

/** Of a running cell, by the host's own nsenter: what `dayfly exec` and health checks do. */
const enterCell = (pid: number, command: readonly string[]): void => {
  execFileSync('nsenter', ['-t', String(pid), '-p', '-m', '-n', '-r', '-w', '--', ...command], { stdio: 'ignore' })
}

export const openStage = async (rules: DetectorRules = { dayfly: true, files: [] }): Promise<Stage> => {
  await using stack = new AsyncDisposableStack()
  const programs = stack.use(compilePrograms())
  furnish(programs)
  const heard: Heard = await listen()
  stack.use(heard.sensor)
  for (const path of sensitivePaths) await heard.sensor.addPath('sensitive', path)
  for (const path of writePaths) await heard.sensor.addPath('write', path)
  const owned = stack.move()
  return {
    play: async ({ run, subject: more, flags = {}, enter }) => {
      const subject = subjectOf(more)
      const cookie = nextCookie()
      const cell = await makeCell(programs, { command: typeof run === 'string' ? ['/bin/sh', '-c', run] : run, lower: programs.lower })
      await heard.sensor.registerNamespace({ inode: cell.inode, cookie, flags: { droppedBinaries: 'audit', ...flags } })
      const running = cell.run()
      let ended: Awaited<typeof running>
      try {
        if (enter !== undefined) {
          for (let left = 500; left > 0 && heard.of(cookie).length === 0; left--) await new Promise(resolve => setTimeout(resolve, 10))
          enterCell(cell.pid, enter)
        }
      } finally {
        ended = await running
        await heard.sensor.unregister(cookie)
      }
      const sensed = heard.of(cookie)
      const events = sensed.map(event => attributed(event, subject, sensed[0]?.boot ?? 0))
      const detector = createDetector(rules)
      detector.introduce(subject)
      const detections = events.flatMap(event => detector.observe(event))
      return { events, detections, rules: [...new Set(detections.map(({ rule }) => rule))].sort(), ...ended }
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}
