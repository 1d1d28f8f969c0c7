/** What systemd is told of the daemon (sd_notify(3)): that it is there, that it is well, that it goes. Elsewhere nobody is told anything. */
import type { Log } from '../../base/log.ts'

export interface Supervision extends Disposable {
  /** It serves requests now. */
  ready(): void
  stopping(): void
}

export interface SupervisionOptions {
  /** `NOTIFY_SOCKET`, `WATCHDOG_USEC` and `WATCHDOG_PID` are taken out of it: they are for this process, not for what it starts. */
  readonly variables: NodeJS.ProcessEnv
  /** A datagram to a unix socket. Undefined where nobody can send one. */
  readonly send: ((path: string, message: string) => Promise<void>) | undefined
  readonly log: Log
}

const take = (variables: NodeJS.ProcessEnv, name: string): string | undefined => {
  const value = variables[name]
  delete variables[name]
  return value
}

export const createSupervision = ({ variables, send, log }: SupervisionOptions): Supervision => {
  const path = take(variables, 'NOTIFY_SOCKET')
  const microseconds = Number(take(variables, 'WATCHDOG_USEC') ?? 0)
  const forWhom = take(variables, 'WATCHDOG_PID')
  const watched = microseconds > 0 && (forWhom === undefined || Number(forWhom) === process.pid)
  let timer: NodeJS.Timeout | undefined

  const tell = (message: string): void => {
    if (path === undefined || send === undefined) return
    send(path, message).catch((error: unknown) => log.warn('systemd could not be told', { message, error }))
  }

  return {
    ready: () => {
      tell('READY=1\nSTATUS=serving requests')
      // A main thread that hangs says nothing; nor does one whose helper is gone.
      if (watched) timer = setInterval(() => tell('WATCHDOG=1'), microseconds / 1000 / 3)
      timer?.unref()
    },
    stopping: () => {
      clearInterval(timer)
      tell('STOPPING=1')
    },
    [Symbol.dispose]: () => clearInterval(timer),
  }
}
