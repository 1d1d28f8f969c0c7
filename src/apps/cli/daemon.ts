/** Finding a daemon, or starting one. */
import { spawn } from 'node:child_process'
import { closeSync, mkdirSync, openSync, readFileSync, statSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { DayflyError, messageOf } from '../../base/errors.ts'
import type { Context } from './command.ts'

export const daemonEntry = `${import.meta.dirname}/../daemon/main.ts`

/** Of these the daemon needs the user's: for skopeo's credentials and proxies, and for its own options. Everything else could be a secret. */
const inherited = /^(PATH|HOME|USER|LOGNAME|LANG|LC_.*|TZ|TMPDIR|XDG_.*|DOCKER_CONFIG|REGISTRY_AUTH_FILE|SSL_CERT_.*|(https?|no|all)_proxy|DAYFLY_.*|NODE_EXTRA_CA_CERTS)$/i

const environment = (env: Context['env']): Record<string, string> =>
  Object.fromEntries(Object.entries(env).flatMap(([name, value]) => (value !== undefined && inherited.test(name) ? [[name, value]] : [])))

/** The arguments with which node runs the daemon on this context's folders. */
export const daemonArguments = (context: Pick<Context, 'stateDir' | 'runDir'>): string[] => ['--disable-sigusr1', daemonEntry, '--state-dir', context.stateDir, '--run-dir', context.runDir]

/** Longest that a daemon may take to adopt what lives and listen (ms). */
const patience = 30_000

const lastLines = (path: string, from: number): string => {
  try {
    return readFileSync(path).subarray(from).toString().trim().split('\n').slice(-3).join('\n  ')
  } catch {
    return ''
  }
}

/**
 * Starts a daemon in the background and resolves when one answers: ours, or that of another CLI that was quicker, for two daemons on the same
 * folders refuse each other. Throws `unreachable` with the end of its log when it does not come up.
 */
const startDaemon = async (context: Context): Promise<void> => {
  const logPath = `${context.runDir}/daemon.log`
  let log: number
  try {
    mkdirSync(context.runDir, { recursive: true, mode: 0o711 })
    log = openSync(logPath, 'a', 0o600)
  } catch (error) {
    throw new DayflyError('host', `a daemon cannot be started: ${messageOf(error)}`, { field: '--run-dir', remedy: 'Run it with sudo, or choose folders of your own with --run-dir and --state-dir.', cause: error })
  }
  const from = statSync(logPath).size
  const child = spawn(process.execPath, daemonArguments(context), { cwd: '/', detached: true, env: environment(context.env), stdio: ['ignore', log, log] })
  closeSync(log)
  child.unref()
  let fate: string | undefined
  child.once('error', error => {
    fate = error.message
  })
  child.once('exit', code => {
    fate = `it ended with code ${code}`
  })
  for (let waited = 0; waited < patience; waited += 10) {
    const gone = fate !== undefined
    if (await answers(context)) return context.say(`dayfly: started a daemon in the background (process ${child.pid}, log ${logPath})`)
    // It may have ended because another one was quicker and is still coming up: its lock is held then.
    if (gone && !lastLines(logPath, from).includes('"conflict"')) break
    await sleep(10)
  }
  throw new DayflyError('unreachable', `a daemon was started and does not answer${fate === undefined ? '' : `: ${fate}`}\n  ${lastLines(logPath, from)}`, {
    remedy: `${logPath} tells more; \`dayfly doctor\` checks this host.`,
  })
}

const isUnreachable = (error: unknown): boolean => error instanceof DayflyError && error.code === 'unreachable'

const answers = async (context: Context): Promise<boolean> => {
  try {
    await context.client.version()
    return true
  } catch (error) {
    if (isUnreachable(error)) return false
    throw error
  }
}

/** The outcome of `work`; where no daemon answers, one is started first. `work` is tried at once, for usually one does. */
export const withDaemon = async <T>(context: Context, work: () => Promise<T>): Promise<T> => {
  try {
    return await work()
  } catch (error) {
    if (!isUnreachable(error) || !(error instanceof DayflyError) || !error.message.startsWith('no daemon answers')) throw error
  }
  await startDaemon(context)
  return await work()
}
