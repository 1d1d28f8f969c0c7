/** A real sensor, and containers of nothing but namespaces for it to see: the programs `cell` and `deeds`, compiled when the tests begin. */
import assert from 'node:assert/strict'
import type { ChildProcess } from 'node:child_process'
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { SensedHash, SensedLosses, SensorFlags, Stranger, StrangerGone } from '../../../src/host/sensor/protocol.ts'
import type { Sensor, SensorOptions } from '../../../src/host/sensor/sensor.ts'
import { openSensor } from '../../../src/host/sensor/sensor.ts'
import { sensorSupport } from '../../../src/host/sensor/support.ts'
import { SensedEvent } from '../../../src/model/kernel-event.ts'

export const sensorBinary = new URL('../../../native/build/dayfly-sensor', import.meta.url).pathname

/** A reason to skip, or false. */
export const whyNot = (): string | false => sensorSupport(sensorBinary).problems[0]?.problem ?? false

export interface Programs extends Disposable {
  readonly folder: string
  /** Lower layer of an overlay: the deeds, a shell. */
  readonly lower: string
  readonly cell: string
  /** Static, as the next. */
  readonly deeds: string
  /** What somebody does who does not want to be seen. */
  readonly evasions: string
}

export const compilePrograms = (): Programs => {
  const folder = mkdtempSync('/tmp/dayfly-sensor-')
  const lower = join(folder, 'lower')
  const source = (name: string): string => new URL(name, import.meta.url).pathname
  for (const name of ['bin', 'proc', 'tmp', 'etc', 'dev/shm', 'work']) mkdirSync(join(lower, name), { recursive: true })
  execFileSync('gcc', ['-O1', '-o', join(folder, 'cell'), source('cell.c')])
  execFileSync('gcc', ['-O1', '-static', '-o', join(folder, 'deeds'), source('deeds.c')])
  execFileSync('gcc', ['-O1', '-static', '-o', join(folder, 'evasions'), source('evasions.c')])
  copyFileSync(join(folder, 'evasions'), join(lower, 'bin', 'evasions'))
  copyFileSync(join(folder, 'deeds'), join(lower, 'bin', 'deeds'))
  copyFileSync('/bin/busybox', join(lower, 'bin', 'sh'))
  mkdirSync(join(folder, 'work'))
  return {
    folder,
    lower,
    cell: join(folder, 'cell'),
    deeds: join(folder, 'deeds'),
    evasions: join(folder, 'evasions'),
    [Symbol.dispose]: () => {
      for (const child of waiting) child.kill('SIGKILL')
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** What a sensor said. Every event is compared with its schema. */
export interface Heard {
  readonly sensor: Sensor
  readonly events: SensedEvent[]
  readonly hashes: SensedHash[]
  readonly losses: SensedLosses[]
  readonly strangers: Stranger[]
  readonly gone: StrangerGone[]
  of(cookie: number): SensedEvent[]
}

/** A field that the contract does not have would go unnoticed. */
const Strict = SensedEvent.strict()

export const listen = async (options: Partial<SensorOptions> = {}): Promise<Heard> => {
  const events: SensedEvent[] = []
  const hashes: SensedHash[] = []
  const losses: SensedLosses[] = []
  const strangers: Stranger[] = []
  const gone: StrangerGone[] = []
  const sensor = await openSensor(
    { binary: sensorBinary, ...options },
    {
      onEvents: batch => {
        for (const event of batch) events.push(Strict.parse(event))
      },
      onHash: hash => hashes.push(hash),
      onLosses: loss => losses.push(loss),
      onStranger: stranger => strangers.push(stranger),
      onStrangerGone: ended => gone.push(ended),
    },
  )
  return { sensor, events, hashes, losses, strangers, gone, of: cookie => events.filter(event => event.cookie === cookie) }
}

export interface Cell {
  readonly pid: number
  readonly inode: number
  /** Lets its program start, and resolves with how that ended and what it wrote. */
  run(): Promise<{ status: number | null; output: string }>
}

export interface CellWish {
  readonly command: readonly string[]
  /** On an overlay of that folder, at the root of which it runs. */
  readonly lower?: string
  readonly work?: string
  /** In the host's pid namespace. */
  readonly host?: boolean
  /** Its mounts are there before it is registered. */
  readonly mountsFirst?: boolean
}

/** Cells of a test that failed before it let them run. */
const waiting = new Set<ChildProcess>()

/** A container that waits for `run`. */
export const makeCell = async (programs: Programs, wish: CellWish): Promise<Cell> => {
  const words = [
    ...(wish.host === true ? ['-h'] : []),
    ...(wish.mountsFirst === true ? ['-m'] : []),
    ...(wish.lower === undefined ? [] : ['-r', wish.lower, wish.work ?? join(programs.folder, 'work')]),
    ...wish.command,
  ]
  const child = spawn(programs.cell, words, { stdio: ['pipe', 'pipe', 'inherit'] })
  waiting.add(child)
  const ended = once(child, 'close').finally(() => waiting.delete(child))
  const lines = createInterface({ input: child.stdout })
  const output: string[] = []
  const first = new Promise<string>(resolve => {
    lines.on('line', line => {
      resolve(line)
      output.push(line)
    })
    lines.on('close', () => resolve(''))
  })
  const [pid = 0, inode = 0] = (await first).split(' ').map(Number)
  assert.ok(pid > 0 && inode > 0, 'the cell was made')
  return {
    pid,
    inode,
    run: async () => {
      child.stdin.end('x')
      await ended
      return { status: child.exitCode, output: output.slice(1).join('\n') }
    },
  }
}

let lastCookie = 0

/** A registered container from its first instruction to its last: what was seen of it, and its final counts. */
export const runCell = async (heard: Heard, programs: Programs, wish: CellWish, flags: SensorFlags = {}) => {
  const cookie = ++lastCookie
  const cell = await makeCell(programs, wish)
  // Its root is the host's, unless it has an overlay: then what is hashed must be opened while it runs.
  const root = wish.lower === undefined ? { root: '/' } : {}
  const mounts = wish.mountsFirst === true ? { root: `/proc/${cell.pid}/root`, pid: cell.pid } : {}
  await heard.sensor.registerNamespace({ inode: cell.inode, cookie, flags, ...root, ...mounts })
  const { status, output } = await cell.run()
  const counts = await heard.sensor.unregister(cookie)
  return { cookie, pid: cell.pid, status, output, counts, events: heard.of(cookie) }
}

/** `runCell` of one of the deeds. */
export const deed = (heard: Heard, programs: Programs, name: string, argument = '', flags: SensorFlags = {}) =>
  runCell(heard, programs, { command: [programs.deeds, name, argument] }, flags)

/** How many events these lines stand for. */
export const sum = (events: readonly SensedEvent[], type?: SensedEvent['type']): number =>
  events.filter(event => type === undefined || event.type === type).reduce((total, event) => total + (event.count ?? 1), 0)

export const nextCookie = (): number => ++lastCookie
