/** Finding a daemon, or starting one. */
import { spawn } from 'node:child_process'
import { closeSync, openSync, readFileSync, statSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import type { About } from '../../api/schemas/system.ts'
import { DayflyError, errnoOf, isErrorCode, messageOf } from '../../base/errors.ts'
import { makeFolderPath } from '../../base/folder.ts'
import type { Context } from './command.ts'

export const daemonEntry = `${import.meta.dirname}/../daemon/main.ts`

/** Of these the daemon needs the user's: for skopeo's credentials and proxies, and for its own options. Everything else could be a secret. */
const inherited =
  /^(PATH|HOME|USER|LOGNAME|LANG|LC_.*|TZ|TMPDIR|XDG_.*|DOCKER_CONFIG|REGISTRY_AUTH_FILE|SSL_CERT_.*|(https?|no|all)_proxy|DAYFLY_.*|OTEL_.*|NODE_EXTRA_CA_CERTS)$/i

const environment = (env: Context['env']): Record<string, string> =>
  Object.fromEntries(Object.entries(env).flatMap(([name, value]) => (value !== undefined && inherited.test(name) ? [[name, value]] : [])))

/** The arguments with which node runs the daemon on this context's folders. */
export const daemonArguments = (context: Pick<Context, 'stateDir' | 'runDir'>): string[] => [
  '--disable-sigusr1',
  '--',
  daemonEntry,
  '--state-dir',
  context.stateDir,
  '--run-dir',
  context.runDir,
]

/** Halves its start, as bin/dayfly says of our own. */
export const daemonCache = { NODE_COMPILE_CACHE: `${import.meta.dirname}/../../../node_modules/.cache/dayfly` }

/** Longest that a daemon may take to adopt what lives and listen (ms). */
const patience = 30_000

/**
 * Why the daemon with that process id ended, by the last error of the log; undefined when it says nothing about it. The one before it, which is only just
 * stopping, writes to the same log.
 */
export const failureIn = (log: string, pid: number | undefined): DayflyError | undefined => {
  for (const line of log.split('\n').reverse()) {
    if (!line.startsWith('{')) continue
    const entry: { process?: unknown; error?: { code?: unknown; message?: unknown }; remedy?: unknown } = JSON.parse(line)
    const { code, message } = entry.error ?? {}
    if (entry.process !== pid || typeof message !== 'string') continue
    const remedy = typeof entry.remedy === 'string' ? { remedy: entry.remedy } : {}
    return new DayflyError(typeof code === 'string' && isErrorCode(code) ? code : 'internal', message, remedy)
  }
  return undefined
}

/**
 * Starts a daemon in the background and resolves when one answers: ours, or that of another CLI that was quicker, for two daemons on the same
 * folders refuse each other. Throws `unreachable` with the end of its log when it does not come up.
 */
const startDaemon = async (context: Context): Promise<void> => {
  const logPath = `${context.runDir}/daemon.log`
  let log: number
  try {
    makeFolderPath(context.runDir, 0o711)
    log = openSync(logPath, 'a', 0o600)
  } catch (error) {
    throw new DayflyError(errnoOf(error) === 'ENOTDIR' ? 'invalid' : 'host', `a daemon cannot be started: ${messageOf(error)}`, {
      field: '--run-dir',
      remedy: 'Run it with sudo, or choose folders of your own with --run-dir and --state-dir.',
      cause: error,
    })
  }
  const from = statSync(logPath).size
  const child = spawn(process.execPath, daemonArguments(context), {
    cwd: '/',
    detached: true,
    env: { ...environment(context.env), ...daemonCache },
    stdio: ['ignore', log, log],
  })
  closeSync(log)
  child.unref()
  let gone = false
  child.once('error', () => {
    gone = true
  })
  child.once('exit', () => {
    gone = true
  })
  for (let waited = 0; waited < patience; waited += 10) {
    const over = gone
    const about = await answer(context)
    if (about !== undefined) {
      context.say(`dayfly: started a daemon in the background (process ${about.pid}, log ${logPath})`)
      return
    }
    const failure = over ? failureIn(readFileSync(logPath).subarray(from).toString(), child.pid) : undefined
    // Another one was quicker and is still coming up: it holds the lock. Anything else will not get better by waiting.
    if (failure !== undefined && failure.code !== 'conflict') throw failure
    if (over && failure === undefined) break
    await sleep(10)
  }
  throw new DayflyError('unreachable', 'a daemon was started and does not answer', {
    remedy: `${logPath} tells more; \`dayfly doctor\` checks this host.`,
  })
}

/** Nobody is there, or nobody any more. */
export const isUnreachable = (error: unknown): error is DayflyError =>
  error instanceof DayflyError && (error.code === 'unreachable' || error.code === 'disconnected')

const answer = async (context: Context): Promise<About | undefined> => {
  try {
    return await context.client.version()
  } catch (error) {
    if (isUnreachable(error)) return undefined
    throw error
  }
}

/** The outcome of `work`; where no daemon answers, one is started first. `work` is tried at once, for usually one does. */
export const withDaemon = async <T>(context: Context, work: () => Promise<T>): Promise<T> => {
  try {
    return await work()
  } catch (error) {
    if (!isUnreachable(error) || !error.message.startsWith('no daemon answers')) throw error
  }
  await startDaemon(context)
  return await work()
}
