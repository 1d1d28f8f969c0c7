/** Daemons that the benchmark starts for itself. */
import type { ChildProcess } from 'node:child_process'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'

/** Starts `argv` with its output in `log` and waits until `ready` does not throw. Ended by SIGTERM, in the end by SIGKILL. */
export const startDaemon = async (argv: readonly string[], log: string, ready: () => void): Promise<AsyncDisposable> => {
  const [program = '', ...args] = argv
  const output = openSync(log, 'a')
  const child = spawn(program, args, { stdio: ['ignore', output, output] })
  closeSync(output)
  const stop = (): Promise<void> => endChild(child)
  try {
    for (let attempt = 0; ; attempt++) {
      if (child.exitCode !== null) throw new Error(`${program} exited with ${child.exitCode}: ${readFileSync(log, 'utf8').trim().slice(-600)}`)
      try {
        ready()
        break
      } catch (error) {
        if (attempt === 100) throw error
        await sleep(200)
      }
    }
  } catch (error) {
    await stop()
    throw error
  }
  return { [Symbol.asyncDispose]: stop }
}

const endChild = async (child: ChildProcess): Promise<void> => {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = once(child, 'exit')
  child.kill('SIGTERM')
  const patience = AbortSignal.timeout(20_000)
  patience.addEventListener('abort', () => child.kill('SIGKILL'))
  await ended
}
