/** A daemon of its own for a test or a measurement: its own folders, its own slice of the host's ids, ended and cleaned up at the end. */
import type { ChildProcess } from 'node:child_process'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, closeSync, mkdirSync, mkdtempSync, openSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Client } from '../src/api/client/client.ts'
import { createClient } from '../src/api/client/client.ts'

export const root = resolve(import.meta.dirname, '..')
export const dayflyProgram = join(root, 'bin/dayfly')

/** A new folder that instances, which are other users of the host, can pass through. */
export const makeFolder = (prefix: string): string => {
  const folder = mkdtempSync(prefix)
  chmodSync(folder, 0o711)
  return folder
}

export interface DaemonOptions {
  /** Instead of `run` in the folder: e.g. on a tmpfs, as /run is. Not removed. */
  readonly runDir?: string
  /** Holds `state`, `run` and `daemon.log`. Made when it is missing, not removed. */
  readonly folder: string
  /** Put before the command, e.g. to enter a namespace. Must exec it in its own process. */
  readonly wrapper?: readonly string[]
  readonly env?: NodeJS.ProcessEnv
}

export interface Daemon extends AsyncDisposable {
  readonly pid: number
  readonly stateDir: string
  readonly runDir: string
  readonly client: Client
  /** Resolves when it answers; rejects with the end of its log when it ended instead. */
  readonly ready: Promise<void>
  /** SIGKILL. Resolves when it is gone. */
  kill(): Promise<void>
  /** SIGTERM. Resolves to its exit code. */
  stop(): Promise<number | null>
}

/** Milliseconds that a daemon may take to answer: on an emulated machine Node alone takes 20 s to start. */
const patience = 120_000

export const startDaemon = (options: DaemonOptions): Daemon => {
  const { folder } = options
  const stateDir = join(folder, 'state')
  const runDir = options.runDir ?? join(folder, 'run')
  mkdirSync(folder, { recursive: true })
  const logPath = join(folder, 'daemon.log')
  const log = openSync(logPath, 'a')
  const [program = '', ...args] = [...(options.wrapper ?? []), dayflyProgram, 'serve', '--state-dir', stateDir, '--run-dir', runDir]
  const child = spawn(program, args, { stdio: ['ignore', log, log], env: options.env ?? process.env, detached: true })
  closeSync(log)
  const client = createClient(join(runDir, 'dayfly.sock'))
  const ready = untilReady(child, client, logPath)
  ready.catch(() => undefined) // Whoever kills it before it is ready does not ask.
  return {
    pid: child.pid ?? 0,
    stateDir,
    runDir,
    client,
    ready,
    kill: () => end(child, 'SIGKILL').then(() => undefined),
    stop: () => end(child, 'SIGTERM'),
    [Symbol.asyncDispose]: () => end(child, 'SIGTERM').then(() => undefined),
  }
}

const isOver = (child: ChildProcess): boolean => child.exitCode !== null || child.signalCode !== null

const untilReady = async (child: ChildProcess, client: Client, logPath: string): Promise<void> => {
  const deadline = performance.now() + patience
  while (!isOver(child)) {
    try {
      await client.version()
      return
    } catch (error) {
      if (performance.now() > deadline) throw error
      await sleep(20)
    }
  }
  throw new Error(`the daemon ended with ${child.exitCode ?? child.signalCode}: ${readFileSync(logPath, 'utf8').trim().slice(-2000)}`)
}

const end = async (child: ChildProcess, signal: NodeJS.Signals): Promise<number | null> => {
  if (!isOver(child)) {
    const over = once(child, 'exit')
    child.kill(signal)
    await over
  }
  return child.exitCode
}
