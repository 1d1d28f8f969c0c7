/** Drives a real dayfly-monitor for the tests beside it: a layer of busybox, cgroup folders of its own, a bundle, and a connection. */
import type { ChildProcess } from 'node:child_process'
import { execFileSync, spawn } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir, uptime } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { MonitorConnection, MonitorEvent, MonitorNetwork } from '../../../src/host/native/monitor.ts'
import { connectMonitor } from '../../../src/host/native/monitor.ts'
import { ociConfig, ociProcess } from '../../../src/host/oci/config.ts'

export const firstId = 1_300_000
export const binary = new URL('../../../native/build/dayfly-monitor', import.meta.url).pathname
export const bootMs = (): number => Math.round(uptime() * 1000)

/** A folder with one layer in it, shared by the instances of one test file. */
export interface Ground extends Disposable {
  readonly folder: string
  readonly layers: string
}

export const makeGround = (): Ground => {
  const folder = mkdtempSync(join(tmpdir(), 'dayfly-monitor-'))
  const layer = join(folder, 'layers', 'base')
  chmodSync(folder, 0o755)
  for (const name of ['bin', 'dev', 'proc', 'sys', 'tmp', 'etc', 'run/secrets', 'root']) mkdirSync(join(layer, name), { recursive: true })
  copyFileSync('/bin/busybox', join(layer, 'bin', 'busybox'))
  for (const name of execFileSync('/bin/busybox', ['--list'], { encoding: 'utf8' }).trim().split('\n')) {
    if (name !== 'busybox') symlinkSync('busybox', join(layer, 'bin', name))
  }
  writeFileSync(join(layer, 'etc', 'owned-by-root'), 'x')
  return { folder, layers: join(folder, 'layers'), [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }) }
}

const cgroupRoot = '/sys/fs/cgroup'
export const isV2 = existsSync(join(cgroupRoot, 'cgroup.controllers'))
export const isHybrid = !isV2 && existsSync(join(cgroupRoot, 'unified'))
const controllers = isV2 ? [''] : ['pids', 'memory', 'freezer', 'cpu'].filter(name => existsSync(join(cgroupRoot, name)))

export const cgroupFolders = (name: string): string[] => controllers.map(controller => join(cgroupRoot, controller, `dayfly-monitor-test-${name}`))

export interface Wish {
  readonly command: readonly string[]
  readonly runtime?: 'crun' | 'runsc'
  readonly tty?: boolean
  readonly stdin?: boolean
  readonly network?: MonitorNetwork
  /** Put before the monitor's own command line: `unshare …`, `nsenter …`. */
  readonly wrap?: readonly string[]
  readonly limit?: number
  readonly logPath?: string
  /** Milliseconds from now. */
  readonly deadline?: number
  readonly grace?: number
  readonly seccomp?: string
  /** On a hybrid host: the monitor sees its v2 hierarchy at /sys/fs/cgroup. */
  readonly cgroup2?: boolean
  /** Layer folders, uppermost first. */
  readonly lower?: readonly string[]
}

export interface Record {
  readonly time: string
  readonly stream: 'stdout' | 'stderr'
  readonly tag: string
  readonly text: string
}

export type Exited = Extract<MonitorEvent, { type: 'exited' }>

export interface Instance extends AsyncDisposable {
  readonly name: string
  readonly folder: string
  readonly cgroups: readonly string[]
  readonly connection: MonitorConnection
  readonly monitor: ChildProcess
  /** Of the monitor process. */
  readonly monitorPid: number
  readonly logPath: string
  readonly create: () => Promise<number>
  /** `log`, `deadline` and `start`. */
  readonly start: () => Promise<number>
  readonly exited: Promise<Exited>
  readonly connect: () => Promise<MonitorConnection>
  /** Resolves when the monitor process is gone. */
  readonly gone: Promise<void>
  readonly records: () => Record[]
  /** What the container wrote to that stream, put together from its records. */
  readonly output: (stream: 'stdout' | 'stderr') => string
  /** With a size: for a terminal. */
  readonly processFile: (command: readonly string[], size?: { rows: number; columns: number }) => string
}

export const parseLog = (text: string): Record[] =>
  text
    .split('\n')
    .slice(0, -1)
    .map(line => {
      const match = /^(\S+) (stdout|stderr) ([FP]) (.*)$/s.exec(line)
      if (match === null) throw new Error(`not a log record: ${JSON.stringify(line)}`)
      const [, time = '', stream, tag = '', rest = ''] = match
      return { time, stream: stream === 'stderr' ? stream : 'stdout', tag, text: rest }
    })

/** What was written, as far as records tell: an open line at the end counts as ended. */
export const joinRecords = (records: readonly Record[]): { stdout: string; stderr: string } => {
  const joined = { stdout: '', stderr: '' }
  for (const { stream, tag, text } of records) joined[stream] += text + (tag === 'F' ? '\n' : '')
  return joined
}

let serial = 0

/** A monitor that has been told everything up to `overlay`; `create` and `start` are the test's. */
export const makeInstance = async (ground: Ground, wish: Wish): Promise<Instance> => {
  const name = `${process.pid}-${++serial}`
  const folder = join(ground.folder, name)
  for (const sub of ['upper', 'work', 'state']) mkdirSync(join(folder, sub), { recursive: true })
  chownSync(join(folder, 'upper'), firstId, firstId)
  const cgroups = wish.cgroup2 === true ? [join(cgroupRoot, 'unified', `dayfly-monitor-test-${name}`)] : cgroupFolders(name)
  for (const cgroup of cgroups) mkdirSync(cgroup)
  const process_ = (command: readonly string[], terminal: boolean) => ({
    args: command,
    env: { PATH: '/bin', HOME: '/root' },
    user: { uid: 0, gid: 0, additionalGids: [] },
    cwd: '/',
    terminal,
    capabilities: ['NET_RAW'],
  })
  const config = ociConfig({
    process: process_(wish.command, wish.tty ?? false),
    rootfs: join(folder, 'rootfs'),
    readOnly: false,
    hostname: 'instance',
    firstId,
    memory: 64 * 1024 * 1024,
    sysfs: join(folder, 'sys'),
    cgroup2: isV2 || wish.cgroup2 === true,
    binds: [{ source: join(folder, 'secrets'), destination: '/run/secrets' }],
    // gVisor would make an empty network namespace of its own; this is the one it is called in.
    networkNamespace: wish.runtime === 'runsc' ? '/proc/self/ns/net' : undefined,
    seccomp: wish.seccomp,
  })
  writeFileSync(join(folder, 'config.json'), JSON.stringify(config))
  const [program = binary, ...args] = [...(wish.wrap ?? []), binary, folder]
  const monitor = spawn(program, args, { stdio: ['ignore', 'ignore', 'inherit'], detached: true })
  const gone = new Promise<void>(resolve => monitor.once('exit', () => resolve()))
  const socket = join(folder, 'monitor.sock')
  const connect = (): Promise<MonitorConnection> => connectMonitor(socket, { patience: 5000 })
  const connection = await connect()
  const exited = Promise.withResolvers<Exited>()
  connection.subscribe(event => {
    if (event.type === 'exited') exited.resolve(event)
  })
  const logPath = wish.logPath ?? join(folder, 'log')
  await connection.bind()
  await connection.namespaces(isHybrid && wish.cgroup2 !== true ? 'hybrid' : 'plain')
  if (wish.network !== undefined) await connection.network(wish.network)
  await Promise.all([
    connection.cgroup(cgroups.map(path => (wish.cgroup2 === true ? path.replace('/unified', '') : path))),
    connection.idmap(ground.layers, firstId, 65_536),
    connection.overlay({ lower: wish.lower ?? ['base'], upper: 'upper', work: 'work', durability: 'volatile' }),
  ])
  const runtime = wish.runtime ?? 'crun'
  const records = (): Record[] => parseLog(readFileSync(logPath, 'latin1'))
  let processes = 0
  return {
    name,
    folder,
    cgroups,
    connection,
    monitor,
    monitorPid: Number(readFileSync(join(folder, 'monitor.pid'), 'utf8').split(' ')[0]),
    logPath,
    create: () =>
      connection.create({
        runtime,
        binary: `/usr/bin/${runtime}`,
        stateFolder: join(folder, 'state'),
        id: name,
        io: wish.tty === true ? 'tty' : 'pipes',
        stdin: wish.stdin === true ? 'stdin' : 'null',
      }),
    async start() {
      await connection.log(logPath, wish.limit ?? 1024 * 1024)
      await connection.deadline(bootMs() + (wish.deadline ?? 60_000), wish.grace ?? 500, 15)
      return connection.start()
    },
    exited: exited.promise,
    connect,
    gone,
    records,
    output: stream => joinRecords(records())[stream],
    processFile(command, size) {
      const path = join(folder, `process-${++processes}.json`)
      writeFileSync(path, JSON.stringify(ociProcess({ ...process_(command, size !== undefined), ...size })))
      return path
    },
    async [Symbol.asyncDispose]() {
      // Whatever state a failed test left it in.
      await connection[Symbol.asyncDispose]()
      await Promise.race([gone, sleep(50)])
      if (monitor.exitCode === null && monitor.signalCode === null) {
        try {
          await using other = await connectMonitor(socket)
          await other.kill().catch(() => {})
          for (let tries = 0; tries < 200; tries++) {
            if (
              await other.quit().then(
                () => true,
                () => false,
              )
            )
              break
            await sleep(10)
          }
        } catch {
          // Nobody listens any more.
        }
        await Promise.race([gone, sleep(5000).then(() => monitor.kill('SIGKILL'))])
      }
      for (const cgroup of cgroups) if (existsSync(cgroup)) rmdirSync(cgroup)
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
