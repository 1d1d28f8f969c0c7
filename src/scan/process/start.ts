/**
 * Starts the scanning process. What it reads is hostile, and what reads it is JavaScript and a regular-expression engine, so a hole in either is to find
 * nothing: it is nobody, with the one capability that reading a layer takes; it has a network namespace with nothing in it; Node's own permissions let it read
 * its sources and what it holds a descriptor of, and write nothing; memory, files and time are limited. When it dies or is late, the facts say so.
 */
import type { ChildProcess, StdioOptions } from 'node:child_process'
import { spawn } from 'node:child_process'
import { closeSync, constants, openSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { Writable } from 'node:stream'
import { abortError } from '../../base/abort.ts'
import { errnoOf, messageOf } from '../../base/errors.ts'
import { LayerFacts, scannerVersion } from '../facts.ts'

export interface ScanProcessOptions {
  /** The layer's folder: empty still where the unpacker is to fill it. */
  readonly folder: string
  /** `records`: the unpacker says what is in it. `walk`: it is there already. */
  readonly mode: 'records' | 'walk'
  /** For the process: see secret-search.ts. */
  readonly options: string
  /** `sha256:…` of the secret rules. */
  readonly secretRules: string
  /** From when all of the layer is there, ms. Then it stops reading and says what it has; 5 s later it is killed. */
  readonly deadline: number
}

export interface ScanProcess extends AsyncDisposable {
  /** Undefined where it could not be started. */
  readonly pid: number | undefined
  /** What the unpacker is to have as fd 3; destroy it here once it has. Undefined where nothing is to come. */
  readonly records: Writable | undefined
  /** The layer is all there: the clock runs. Resolves also when the scan has failed: to facts that say why. Rejects only by the signal. */
  finish(diffId: string, signal?: AbortSignal): Promise<LayerFacts>
}

const root = resolve(import.meta.dirname, '../../..')
/** MiB: of JavaScript objects, and of all memory that it can write to. */
const heap = 160
const data = 1024
/** Twice what it says at most. */
const mostOutput = 32 * 1024 * 1024
const mostMessages = 16 * 1024
/** ms, for a file that takes long and for saying what was found. */
const grace = 5_000
/** What is there already is read whole first, to look for keywords: its deadline begins after that, which may take so many times longer. */
const walkingFactor = 10

const confined = [
  ...['prlimit', '--core=0', `--data=${data * 1024 * 1024}`, '--nofile=4096', '--'],
  ...['unshare', '--net', '--ipc', '--uts', '--'],
  ...['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups', '--no-new-privs', '--pdeathsig=KILL'],
  ...['--inh-caps=-all,+dac_read_search', '--ambient-caps=-all,+dac_read_search', '--bounding-set=-all,+dac_read_search', '--'],
]

const node = (mode: string, deadline: number): string[] => [
  process.execPath,
  `--max-old-space-size=${heap}`,
  '--permission',
  '--allow-addons', // re2
  '--disable-warning=PERM0001', // which says that addons must be trusted
  ...['src', 'node_modules', 'package.json'].map(path => `--allow-fs-read=${join(root, path)}`),
  '--allow-fs-read=/proc/self/fd/',
  join(import.meta.dirname, 'main.ts'),
  mode,
  String(deadline),
]

const failedFacts = (why: string, diffId: string, secretRules: string): LayerFacts => ({
  ...{ scannerVersion, secretRules, diffId, entries: 0, bytes: 0, packages: [], owned: [], secrets: [], setuid: [], worldWritable: [], shells: [] },
  packageManagers: [],
  problems: [`${scanFailed} ${why}`],
})

const scanFailed = 'the layer could not be scanned:'

/** It says nothing about the layer but that another try may. */
export const isFailed = (facts: LayerFacts): boolean => facts.problems.some(problem => problem.startsWith(scanFailed))

/** Only what a scan needs of the environment: nothing of the daemon's. */
const environment = { PATH: process.env['PATH'] ?? '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C' }

const launch = ({ folder, mode, deadline }: ScanProcessOptions): ChildProcess => {
  const layer = openSync(folder, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW)
  const [program = '', ...args] = [...confined, ...node(mode, deadline)]
  try {
    const stdio: StdioOptions = [mode === 'records' ? 'pipe' : 'ignore', 'pipe', 'pipe', 'pipe', layer]
    return spawn(program, args, { cwd: '/', env: environment, stdio })
  } finally {
    closeSync(layer) // the child has it
  }
}

const notStarted = (error: unknown, secretRules: string): ScanProcess => ({
  pid: undefined,
  records: undefined,
  finish: async diffId => failedFacts(messageOf(error), diffId, secretRules),
  [Symbol.asyncDispose]: async () => {},
})

/** Never throws: what cannot be started has failed. */
export const startScan = (request: ScanProcessOptions): ScanProcess => {
  try {
    return follow(launch(request), request)
  } catch (error) {
    return notStarted(error, request.secretRules)
  }
}

const follow = (child: ChildProcess, { mode, options, secretRules, deadline }: ScanProcessOptions): ScanProcess => {
  const limit = (mode === 'walk' ? walkingFactor * deadline : deadline) + grace
  const output: Buffer[] = []
  let size = 0
  let messages = ''
  let late = false
  child.stdout?.on('data', (bytes: Buffer) => {
    size += bytes.length
    if (size > mostOutput) child.kill('SIGKILL')
    else output.push(bytes)
  })
  child.stderr?.on('data', (bytes: Buffer) => {
    messages = (messages + bytes.toString('utf8')).slice(-mostMessages)
  })
  const given = child.stdio[3]
  if (given && 'end' in given) {
    given.on('error', () => {}) // it has died: its end says so
    given.end(options)
  }
  child.stdin?.on('error', () => {})
  const ended = new Promise<{ code: number | null; signal: NodeJS.Signals | null; error?: Error }>(settle => {
    child.on('error', error => {
      if (child.pid === undefined) settle({ code: null, signal: null, error })
    })
    child.on('close', (code, signal) => settle({ code, signal }))
  })

  /** Undefined when it has printed what it should. */
  const whyNot = ({ code, signal, error }: Awaited<typeof ended>): string | undefined => {
    if (late) return `it took more than ${Math.round(limit / 1000)} s`
    if (error !== undefined) return errnoOf(error) === 'ENOENT' ? `${confined[0]} is not installed` : messageOf(error)
    if (size > mostOutput) return 'there is too much to say about it'
    if (code === 0) return undefined
    if (/heap out of memory|Cannot allocate memory|allocation failed/i.test(messages)) return 'it would take too much memory'
    const [said] = messages.split('\n').filter(line => /^\w*Error\b/.test(line))
    return said?.trim() ?? (signal === null ? `exit ${code}` : `the scanning process was killed by ${signal}`)
  }

  const finish: ScanProcess['finish'] = async (diffId, signal) => {
    const timer = setTimeout(() => {
      late = true
      child.kill('SIGKILL')
    }, limit)
    const kill = (): void => {
      child.kill('SIGKILL')
    }
    signal?.addEventListener('abort', kill, { once: true })
    if (signal?.aborted) kill()
    try {
      const end = await ended
      if (signal?.aborted) throw abortError(signal)
      const why = whyNot(end)
      if (why !== undefined) return failedFacts(why, diffId, secretRules)
      const facts = LayerFacts.safeParse(parse(Buffer.concat(output)))
      return facts.success ? { ...facts.data, diffId } : failedFacts('what the scanning process said makes no sense', diffId, secretRules)
    } finally {
      clearTimeout(timer)
      signal?.removeEventListener('abort', kill)
    }
  }
  return {
    pid: child.pid,
    records: child.stdin ?? undefined,
    finish,
    [Symbol.asyncDispose]: async () => {
      child.stdin?.destroy()
      child.kill('SIGKILL')
      await ended
    },
  }
}

const parse = (bytes: Buffer): unknown => {
  try {
    return JSON.parse(bytes.toString('utf8'))
  } catch {
    return undefined
  }
}
