/** A network namespace in the place of the host's: a bridge at 10.250.0.1, and something that answers "reached" on port 7. */
import { execFileSync, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import type { Wish } from './instance.ts'
import { until } from './patience.ts'

export interface HostNetwork extends AsyncDisposable {
  /** Runs a command there. */
  run(...command: string[]): string
  /** For an instance on that bridge. */
  readonly wish: Pick<Wish, 'wrap' | 'network'>
}

export const makeHostNetwork = async (): Promise<HostNetwork> => {
  const holder = spawn('unshare', ['-n', 'sleep', '1000'], { stdio: 'ignore' })
  const wrap = ['nsenter', '-t', String(holder.pid), '-n']
  const inside = (...command: string[]): string => execFileSync('nsenter', [...wrap.slice(1), ...command], { encoding: 'utf8' })
  await until('the namespace', () => readFileSync(`/proc/${holder.pid}/comm`, 'utf8').trim() === 'sleep')
  for (const line of ['link add br-test type bridge', 'addr add 10.250.0.1/24 dev br-test', 'link set br-test up']) inside('ip', ...line.split(' '))
  const greeter = spawn('nsenter', [...wrap.slice(1), 'busybox', 'nc', '-l', '-p', '7', '-e', 'echo', 'reached'], { stdio: 'ignore' })
  return {
    run: inside,
    wish: {
      wrap,
      network: { bridge: 'br-test', hostInterface: 'df-test-1', address: '10.250.0.2/24', gateway: '10.250.0.1', mac: '02:df:00:00:00:02' },
    },
    async [Symbol.asyncDispose]() {
      greeter.kill('SIGKILL')
      holder.kill('SIGKILL')
      await Promise.all([greeter, holder].map(child => child.exitCode ?? child.signalCode ?? new Promise(resolve => child.once('exit', resolve))))
    },
  }
}
