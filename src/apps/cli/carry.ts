/** Between a stream of frames and this process's own stdin, stdout, stderr, terminal and signals. */
import { spawnSync } from 'node:child_process'
import type { FrameStream } from '../../api/frame-stream.ts'
import { encodeFrame, encodeOutput, encodeResize, frameKind } from '../../api/frames.ts'
import { fromProblem } from '../../api/problems.ts'
import type { EnvironmentView, ExitFrame, QueuedView, StartedView } from '../../api/schemas/environments.ts'
import type { PullProgress } from '../../api/schemas/images.ts'
import { DayflyError } from '../../base/errors.ts'
import { signalNumber } from '../../base/signals.ts'
import { detachDetector } from './detach-keys.ts'
import { outputFailure } from './output-failure.ts'

export interface Watchers {
  onOutput?(stream: 'stdout' | 'stderr', data: Buffer): void
  onProgress?(progress: PullProgress): void
  /** It is over a quota, and waits in line. */
  onQueued?(queued: QueuedView): void
  onStarted?(environment: StartedView): void
  onExit?(exit: ExitFrame): void
  onEnded?(environment: EnvironmentView): void
  /** We let go of the process; it goes on. */
  onDetached?(): void
}

export interface Carriage {
  /** The process runs when the stream begins; otherwise a started frame says when. */
  readonly alreadyStarted?: boolean
  readonly stdin: boolean
  /** Others were attached before us or will be: the end of our stdin is not its, and what it has drawn on the terminal it shall draw again. */
  readonly takesUp?: boolean
  readonly tty: boolean
  /**
   * What becomes of signals that we get. `escalate`: they are passed on, the second SIGINT as SIGKILL; `pass`: they are passed on; `detach`: they end
   * only us.
   */
  readonly signals: 'escalate' | 'pass' | 'detach'
  /** Typed on a terminal, they let go of the process. */
  readonly detachKeys?: Buffer
  /** One line to people, on standard error. */
  say(line: string): void
  readonly watchers: Watchers
  /** Our output goes nowhere any more: nobody reads it, or it cannot be written. */
  onUnread(): Promise<void>
}

/** What is told to the other side and not to us. SIGKILL and SIGSTOP cannot be caught; SIGCHLD, SIGPIPE and SIGCONT are our own affair. */
const forwarded = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR2'] as const

const sendSignal = (stream: FrameStream, name: string): void => void stream.send(encodeFrame(frameKind.signal, Buffer.from(name)))

interface SignalHandling {
  readonly stream: FrameStream
  readonly signals: Carriage['signals']
  say(line: string): void
  hasStarted(): boolean
  giveUp(name: string): void
  detach(name: string): void
}

/** The second SIGINT is SIGKILL, so that a program which ignores the first one can be got rid of from the same keyboard. */
const handleSignals = ({ stream, signals, say, hasStarted, giveUp, detach }: SignalHandling): Disposable => {
  let interrupts = 0
  const handlers = forwarded.map(name => {
    const handle = (): void => {
      if (name === 'SIGINT') interrupts++
      const escalates = signals === 'escalate' && name === 'SIGINT'
      if (!hasStarted() || (escalates && interrupts > 2)) giveUp(name)
      else if (signals === 'detach') detach(name)
      else if (escalates && interrupts === 2) sendSignal(stream, 'SIGKILL')
      else {
        if (escalates && process.stderr.isTTY) say('dayfly: SIGINT was passed on; Ctrl-C once more kills it')
        sendSignal(stream, name)
      }
    }
    process.on(name, handle)
    return [name, handle] as const
  })
  return {
    [Symbol.dispose]: () => {
      for (const [name, handle] of handlers) process.off(name, handle)
    },
  }
}

/**
 * Raw mode (where our input is passed on) and window size of our terminal, until disposed of; also when this process ends without that. Without raw
 * mode the keyboard still makes signals: else nothing that is typed would do anything.
 */
const lendTerminal = (stream: FrameStream, raw: boolean, redraw: boolean): Disposable => {
  const { stdin, stdout } = process
  const restore = (): void => {
    if (raw && stdin.isTTY) stdin.setRawMode(false)
  }
  const resize = (): void => void stream.send(encodeResize(stdout.rows ?? 24, stdout.columns ?? 80))
  if (raw) {
    stdin.setRawMode(true)
    // Node's raw mode still turns each newline into two characters, which the container's own terminal has done or means not to do.
    spawnSync('stty', ['-opost'], { stdio: ['inherit', 'ignore', 'ignore'] })
  }
  process.on('exit', restore)
  stdout.on('resize', resize)
  // One row more for a moment: to a terminal of the size that it has already, nothing would be drawn.
  if (redraw) void stream.send(encodeResize((stdout.rows ?? 24) + 1, stdout.columns ?? 80))
  resize()
  return {
    [Symbol.dispose]: () => {
      process.off('exit', restore)
      stdout.off('resize', resize)
      restore()
    },
  }
}

const forwardStdin = async (stream: FrameStream, { tty, detachKeys, takesUp }: Carriage, detach: () => void): Promise<void> => {
  const detect = tty && detachKeys !== undefined ? detachDetector(detachKeys) : (passed: Buffer) => ({ passed, detached: false })
  try {
    for await (const chunk of process.stdin) {
      const { passed, detached } = detect(typeof chunk === 'string' ? Buffer.from(chunk) : chunk)
      await stream.send(...encodeOutput(frameKind.stdin, passed))
      if (detached) return detach()
    }
  } catch {
    // A stdin that cannot be read has ended.
  }
  if (takesUp !== true) await stream.send(encodeFrame(frameKind.stdin, Buffer.alloc(0)))
}

/** A promise that resolves when the stream can take more, or undefined when it can already. */
const writeOut = (to: NodeJS.WriteStream, data: Buffer): Promise<void> | undefined => {
  if (to.write(data) || to.destroyed) return undefined
  return new Promise(resolve => {
    const go = (): void => {
      for (const event of ['drain', 'error', 'close'] as const) to.off(event, go)
      resolve()
    }
    for (const event of ['drain', 'error', 'close'] as const) to.on(event, go)
  })
}

/** Carries until the other side has said all. Returns the exit code. Throws what an error frame says, and `disconnected` when the daemon goes away. */
export const carry = async (stream: FrameStream, carriage: Carriage): Promise<number> => {
  const { watchers } = carriage
  let code: number | undefined
  let started = false
  let detached = false
  const stopped = Promise.withResolvers<number>()
  stopped.promise.catch(() => {})
  const giveUp = (name: string): void =>
    stopped.reject(new DayflyError('aborted', name === 'SIGINT' ? 'it was cancelled' : `it was cancelled by ${name}`))

  let unread = false
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (unread) return
    unread = true
    const failure = outputFailure(error, 'Free some space where it goes; `dayfly logs` has what was printed.')
    void carriage.onUnread().then(() => (typeof failure === 'number' ? stopped.resolve(failure) : stopped.reject(failure)), stopped.reject)
  })

  const detach = (code: number): void => {
    detached = true
    stopped.resolve(code)
  }
  using _signals = handleSignals({
    ...{ stream, giveUp, signals: carriage.signals, say: carriage.say, hasStarted: () => started },
    detach: name => detach(128 + (signalNumber(name) ?? 0)),
  })
  let terminal: Disposable | undefined

  const begin = (): void => {
    if (started) return
    started = true
    if (carriage.tty) terminal = lendTerminal(stream, carriage.stdin, carriage.takesUp === true)
    if (carriage.stdin) void forwardStdin(stream, carriage, () => detach(0))
  }

  const receive = async (): Promise<number> => {
    for await (const { kind, payload } of stream.frames) {
      switch (kind) {
        case frameKind.stdout:
        case frameKind.stderr: {
          const name = kind === frameKind.stdout ? 'stdout' : 'stderr'
          if (watchers.onOutput !== undefined) watchers.onOutput(name, payload)
          else if (!(unread && name === 'stdout')) await writeOut(process[name], payload)
          break
        }
        case frameKind.progress:
          watchers.onProgress?.(JSON.parse(payload.toString()))
          break
        case frameKind.queued:
          watchers.onQueued?.(JSON.parse(payload.toString()))
          break
        case frameKind.started:
          watchers.onStarted?.(JSON.parse(payload.toString()))
          begin()
          break
        case frameKind.exit: {
          const exit: ExitFrame = JSON.parse(payload.toString())
          code = exit.code
          watchers.onExit?.(exit)
          break
        }
        case frameKind.ended:
          watchers.onEnded?.(JSON.parse(payload.toString()))
          break
        case frameKind.error:
          throw fromProblem(JSON.parse(payload.toString()))
      }
    }
    if (code === undefined)
      throw new DayflyError('disconnected', 'the daemon went away', {
        remedy: 'What it started lives on until its lease ends: see `dayfly ps` once a daemon runs.',
      })
    return code
  }

  if (carriage.alreadyStarted === true) begin()
  try {
    return await Promise.race([receive(), stopped.promise])
  } finally {
    terminal?.[Symbol.dispose]()
    if (carriage.stdin) process.stdin.destroy()
    stream.end()
    if (detached) watchers.onDetached?.()
  }
}
