/** Runs a program of the host that prints what it knows, and ends. */
import { execFile } from 'node:child_process'
import { DayflyError } from '../../../base/errors.ts'

const mostOutput = 32 * 1024 * 1024

/** Its standard output. Rejects with `host` when it is missing, fails or takes longer than `timeout` ms. */
export const outputOf = (program: string, args: readonly string[], timeout: number): Promise<string> =>
  new Promise((resolve, reject) => {
    const env = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C.UTF-8' }
    execFile(program, args, { timeout, maxBuffer: mostOutput, env, killSignal: 'SIGKILL' }, (error, stdout, stderr) => {
      if (error === null) return resolve(stdout)
      const why = error.killed ? `it took longer than ${timeout} ms` : stderr.trim().split('\n')[0] || error.message
      reject(new DayflyError('host', `${program}: ${why}`, { cause: error }))
    }).stdin?.end()
  })
