/** What `dayfly watch` says of containers of docker, podman and containerd: by the files that these programs themselves write, here and now. */
import assert from 'node:assert/strict'
import type { ChildProcess } from 'node:child_process'
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import { whyNot } from './sensor/cell.ts'

const program = resolve(import.meta.dirname, '../../bin/dayfly')
const Told = z.looseObject({
  type: z.string(),
  container: z
    .looseObject({ runtime: z.string(), id: z.string(), name: z.string(), group: z.string().optional(), imageName: z.string().optional() })
    .optional(),
})
type Told = z.infer<typeof Told>

/** Why one of these cannot be tried here; false where all are installed. */
const without = (...programs: readonly string[]): string | false => {
  const lacking = programs.filter(name => spawnSync('sh', ['-c', `command -v ${name}`]).status !== 0)
  return lacking.length === 0 ? false : `${lacking.join(', ')} is not installed`
}

/** A host of their own: what they write lies in a folder of the test, and their networks end with it. */
const hostScript =
  'mount --bind "$1/lib" /var/lib && mount --bind "$1/run" /run && umount -l /sys/fs/cgroup/unified 2>/dev/null; echo made; read -r end'

describe('containers that other runtimes make', { skip: whyNot() }, () => {
  let folder: string
  let host: ChildProcess
  let inHost: readonly string[]
  const daemons: ChildProcess[] = []
  let lines: Told[]
  let watching: ChildProcess

  before(async () => {
    folder = mkdtempSync('/tmp/dayfly-runtimes-')
    for (const name of [
      'lib/containers',
      'lib/docker',
      'run/lock',
      'root/bin',
      'root/proc',
      'root/etc',
      'root/dev',
      'root/sys',
      'root/tmp',
      'root/run',
    ])
      mkdirSync(join(folder, name), { recursive: true })
    copyFileSync('/bin/busybox', join(folder, 'root/bin/sh'))
    host = spawn('unshare', ['-m', '-n', 'sh', '-c', hostScript, 'sh', folder], { stdio: ['pipe', 'pipe', 'inherit'] })
    if (host.stdout !== null) await once(host.stdout, 'data')
    inHost = ['-t', String(host.pid), '-m', '-n']
    lines = []
    watching = spawn('nsenter', [...inHost, program, 'watch', '--json', '--alone', '--events'], { stdio: ['ignore', 'pipe', 'pipe'] })
    if (watching.stdout !== null) createInterface({ input: watching.stdout }).on('line', line => lines.push(Told.parse(JSON.parse(line))))
    const said: string[] = []
    if (watching.stderr !== null) createInterface({ input: watching.stderr }).on('line', line => said.push(line))
    await until('it watches', () => said.includes('dayfly: watching'))
  })
  after(async () => {
    for (const child of [watching, ...daemons]) {
      if (child.exitCode !== null || child.signalCode !== null) continue
      const ended = once(child, 'exit')
      child.kill('SIGTERM')
      await ended
    }
    host?.stdin?.end()
    rmSync(folder, { recursive: true, force: true })
  })

  const until = async (what: string, holds: () => boolean): Promise<void> => {
    for (let turn = 0; turn < 3000 && !holds(); turn++) await sleep(10)
    assert.ok(holds(), `${what}: ${JSON.stringify(lines?.slice(-5))}`)
  }
  const run = (...words: readonly string[]): string =>
    execFileSync('nsenter', [...inHost, ...words], { encoding: 'utf8', cwd: '/', stdio: ['ignore', 'pipe', 'pipe'] })
  const serve = async (answers: readonly string[], ...words: readonly string[]): Promise<void> => {
    daemons.push(spawn('nsenter', [...inHost, ...words], { stdio: 'ignore', cwd: '/' }))
    await until(`${words[0]} answers`, () => spawnSync('nsenter', [...inHost, ...answers], { stdio: 'ignore' }).status === 0)
  }
  /** What was said of the container that ran this program, once it is gone. */
  const told = async (marker: string): Promise<NonNullable<Told['container']>> => {
    const own = (): Told | undefined => lines.find(line => JSON.stringify(line['event'] ?? '').includes(marker))
    await until(`${marker} is gone`, () => lines.some(line => line.type === 'gone' && line.container?.id === own()?.container?.id))
    const id = own()?.container?.id
    const first = lines.find(line => line.container?.id === id)
    assert.equal(first?.type, 'container')
    assert.ok(first.container)
    return first.container
  }

  test('podman', { skip: without('podman', 'crun', 'conmon') }, async () => {
    const limits = ['--ulimit', 'nofile=1024:1024', '--ulimit', 'nproc=1000:1000', '--security-opt', 'seccomp=unconfined']
    const how = ['--cgroup-manager=cgroupfs', '--events-backend=none', '--runtime', 'crun']
    run(
      'podman',
      ...how,
      'run',
      '--name',
      'by-podman',
      '--net',
      'none',
      ...limits,
      '--rootfs',
      join(folder, 'root'),
      '/bin/sh',
      '-c',
      ': podman-marker',
    )
    const container = await told('podman-marker')
    assert.deepEqual([container.runtime, container.name, container.group], ['podman', 'by-podman', 'podman'])
    assert.match(container.id, /^[0-9a-f]{64}$/)
    run('podman', ...how, 'rm', 'by-podman')
  })

  test('containerd', { skip: without('containerd', 'ctr', 'crun') }, async () => {
    const socket = join(folder, 'containerd.sock')
    const ctr = ['ctr', '--address', socket, '--namespace', 'shop']
    await serve([...ctr, 'version'], 'containerd', '--root', join(folder, 'containerd'), '--state', '/run/containerd', '--address', socket)
    run(...ctr, 'run', '--rm', '--runc-binary', 'crun', '--rootfs', join(folder, 'root'), 'by-containerd', '/bin/sh', '-c', ': containerd-marker')
    const container = await told('containerd-marker')
    assert.deepEqual([container.runtime, container.id, container.group], ['containerd', 'by-containerd', 'shop'])
  })

  test('docker', { skip: without('dockerd', 'docker', 'containerd', 'runc') }, async () => {
    const socket = `unix://${join(folder, 'docker.sock')}`
    const files = ['--exec-root', join(folder, 'docker'), '--pidfile', join(folder, 'docker.pid'), '--storage-driver', 'vfs']
    // It speaks to daemons of its own age and older.
    const docker = ['env', `DOCKER_HOST=${socket}`, 'DOCKER_API_VERSION=1.41', 'docker']
    await serve([...docker, 'version'], 'dockerd', '--iptables=false', '--ip6tables=false', '--bridge=none', '--host', socket, ...files)
    run('sh', '-c', 'tar -C "$0/root" -c . | "$@" import - mine:1', folder, ...docker)
    const how = ['--net', 'none', '--security-opt', 'seccomp=unconfined', '--label', 'com.docker.compose.project=shop', '--name', 'by-docker']
    run(...docker, 'run', ...how, 'mine:1', '/bin/sh', '-c', ': docker-marker')
    const container = await told('docker-marker')
    assert.deepEqual([container.runtime, container.name, container.group, container.imageName], ['docker', 'by-docker', 'shop', 'mine:1'])
    run(...docker, 'rm', 'by-docker')
  })
})
