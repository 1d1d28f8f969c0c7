/** The command line against a daemon on the fake backend, each in folders of its own: everything but the kernel is real. */
import type { ChildProcessWithoutNullStreams } from 'node:child_process'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Client } from '../../src/api/client/client.ts'
import { createClient } from '../../src/api/client/client.ts'
import type { Script } from '../../src/engine/backend.suite.ts'

export const program = resolve(import.meta.dirname, '../../bin/dayfly')

export interface Outcome {
  readonly status: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

export interface CliOptions {
  readonly stdin?: string | Uint8Array
  readonly env?: Readonly<Record<string, string>>
}

export interface Site extends AsyncDisposable {
  readonly folder: string
  readonly runDir: string
  readonly stateDir: string
  readonly client: Client
  /** Starts `dayfly` on this site's folders, with nothing of the caller's environment but PATH. */
  start(args: readonly string[], env?: Readonly<Record<string, string>>): ChildProcessWithoutNullStreams
  cli(args: readonly string[], options?: CliOptions): Promise<Outcome>
}

/** What a process of the fake kernel does, as the words after the image. */
export const doing = (...script: Script): string[] => ['fake', JSON.stringify(script)]

export const outcome = async (child: ChildProcessWithoutNullStreams): Promise<Outcome> => {
  const [out, err]: Buffer[][] = [[], []]
  child.stdout.on('data', data => out?.push(data))
  child.stderr.on('data', data => err?.push(data))
  const [status, signal] = await once(child, 'close')
  return { status, signal, stdout: Buffer.concat(out ?? []).toString(), stderr: Buffer.concat(err ?? []).toString() }
}

/** Folders without a daemon. */
export const openSite = (): Site => {
  const folder = mkdtempSync('/tmp/dayfly-cli-')
  const [runDir, stateDir] = [join(folder, 'run'), join(folder, 'state')]
  mkdirSync(join(folder, 'home'))
  const start: Site['start'] = (args, env = {}) =>
    spawn(program, [...args], {
      env: { PATH: process.env['PATH'], HOME: join(folder, 'home'), DAYFLY_RUN_DIR: runDir, DAYFLY_STATE_DIR: stateDir, ...env },
    })
  return {
    folder,
    runDir,
    stateDir,
    client: createClient(join(runDir, 'dayfly.sock')),
    start,
    cli: (args, options = {}) => {
      const child = start(args, options.env)
      child.stdin.on('error', () => {}) // Not every command reads what it is given.
      child.stdin.end(options.stdin ?? '')
      return outcome(child)
    },
    [Symbol.asyncDispose]: async () => rmSync(folder, { recursive: true, force: true }),
  }
}

/** Resolves when it is so. The test's own time-out is the limit. */
export const until = async (check: () => boolean | Promise<boolean>): Promise<void> => {
  while (!(await check())) await sleep(10)
}

const answers = (client: Client): Promise<boolean> =>
  client.version().then(
    () => true,
    () => false,
  )

/** A site with a daemon that answers. `more`: of its command line, once its folders are there. */
export const startFake = async (
  more: (folder: string) => readonly string[] = () => [],
): Promise<Site & { readonly daemon: ChildProcessWithoutNullStreams; log(): string }> => {
  await using unless = new AsyncDisposableStack()
  const site = unless.use(openSite())
  const daemon = site.start(['serve', '--backend', 'fake', ...more(site.folder)])
  const log: Buffer[] = []
  daemon.stderr.on('data', data => log.push(data))
  await until(async () => {
    if (daemon.exitCode !== null) throw new Error(`the daemon ended with ${daemon.exitCode}: ${Buffer.concat(log).toString()}`)
    return await answers(site.client)
  })
  unless.move()
  return {
    ...site,
    daemon,
    log: () => Buffer.concat(log).toString(),
    [Symbol.asyncDispose]: async () => {
      if (daemon.exitCode === null && daemon.signalCode === null) {
        daemon.kill('SIGTERM')
        await once(daemon, 'exit')
      }
      await site[Symbol.asyncDispose]()
    },
  }
}

export const read = (path: string): string => readFileSync(path, 'utf8')
