/** A connection to a monitor that carries one process's terminal or pipes: the frames of "Sessions" in native/PROTOCOL.md. */

import type { Socket } from 'node:net'
import { DayflyError } from '../../base/errors.ts'
import { signalNumber as numberOf } from '../../base/signals.ts'
import { NativeError } from './channel.ts'

const kind = { stdin: 0, stdout: 1, stderr: 2, resize: 3, signal: 4, exit: 5, failure: 6 } as const

/** Stdin is sent in pieces of at most this many bytes: what the monitor's own buffer holds. */
const pieceBytes = 32 * 1024
/** Output that nobody has read yet, in bytes, beyond which reading from the monitor pauses (and with it, in the end, the process). */
const highWater = 256 * 1024

export interface Output {
  readonly stream: 'stdout' | 'stderr'
  readonly data: Uint8Array
}

/** Closing it ends an exec with SIGHUP, and only detaches from a first process. */
export interface NativeSession extends AsyncDisposable {
  /** null ends stdin. Buffers without limit: wait for `drained` between large pieces. */
  write(stdin: Uint8Array | null): void
  /** Resolves when little of what was written is still waiting to be taken by the monitor, or when the session has ended. */
  drained(): Promise<void>
  resize(rows: number, columns: number): void
  /** `name` like SIGTERM. Throws `invalid` for a name that this system does not have. */
  signal(name: string): void
  /** To be iterated once. Leaving the loop early discards the rest. Ends at the process's end, also when the connection breaks: see `exit`. */
  readonly output: AsyncIterable<Output>
  /**
   * The exit code, 128+n for signal n. Settles after the last output was read or discarded. Rejects with NativeError: errno `ENOEXEC` and the
   * runtime's message when the command did not start, `EPIPE` when the connection ended before the process did.
   */
  readonly exit: Promise<number>
}

/** The number of a signal like `SIGTERM` or `SIGRTMIN+3`. Throws `invalid` when there is none of that name. */
export const signalNumber = (name: string): number => {
  const number = numberOf(name)
  if (number !== undefined) return number
  throw new DayflyError('invalid', `no signal is named ${name}`, { field: 'signal', remedy: 'Use a name like SIGTERM or SIGKILL.' })
}

const frame = (of: number, length: number): Buffer => {
  const buffer = Buffer.allocUnsafe(5 + length)
  buffer.writeUInt32LE(1 + length)
  buffer[4] = of
  return buffer
}

/** Returns the session and the function that takes the payloads which arrive for it. */
export const createSession = (socket: Socket, closed: Promise<NativeError>): { session: NativeSession; receive: (payload: Buffer) => void } => {
  const queue: Output[] = []
  let queued = 0
  let ended = false
  let discarding = false
  let wake: (() => void) | undefined
  const exit = Promise.withResolvers<number>()
  exit.promise.catch(() => {}) // Whoever never asks how it ended must not bring the process down.

  const end = (): void => {
    ended = true
    wake?.()
  }

  const receive = (payload: Buffer): void => {
    const of = payload[0]
    if (of === kind.stdout || of === kind.stderr) {
      if (discarding) return
      queue.push({ stream: of === kind.stdout ? 'stdout' : 'stderr', data: payload.subarray(1) })
      queued += payload.length
      if (queued > highWater) socket.pause()
      wake?.()
    } else if (of === kind.exit && payload.length === 2) {
      exit.resolve(payload[1] ?? 0)
      end()
    } else if (of === kind.failure) {
      exit.reject(new NativeError('ENOEXEC', payload.toString('utf8', 1)))
      end()
    } else {
      throw new DayflyError('host', `a session message of kind ${of} with ${payload.length - 1} bytes`)
    }
  }

  void closed.then(reason => {
    exit.reject(new NativeError('EPIPE', `the process's session broke off: ${reason.message}`, reason))
    end()
  })

  const readOutput = async function* (): AsyncGenerator<Output> {
    try {
      for (;;) {
        const next = queue.shift()
        if (next !== undefined) {
          queued -= next.data.length + 1
          if (queued <= highWater && socket.isPaused()) socket.resume()
          yield next
        } else if (ended) {
          return
        } else {
          const woken = Promise.withResolvers<void>()
          wake = woken.resolve
          await woken.promise
          wake = undefined
        }
      }
    } finally {
      discarding = true
      queue.length = 0
      queued = 0
      socket.resume()
    }
  }

  const send = (buffer: Buffer): void => {
    if (!ended && socket.writable) socket.write(buffer)
  }

  const session: NativeSession = {
    write(stdin) {
      if (stdin === null) {
        send(frame(kind.stdin, 0))
        return
      }
      for (let offset = 0; offset < stdin.length; offset += pieceBytes) {
        const piece = stdin.subarray(offset, offset + pieceBytes)
        const buffer = frame(kind.stdin, piece.length)
        buffer.set(piece, 5)
        send(buffer)
      }
    },
    async drained() {
      if (ended || !socket.writableNeedDrain) return
      const drained = Promise.withResolvers<void>()
      socket.once('drain', drained.resolve)
      await Promise.race([drained.promise, closed, exit.promise.catch(() => {})])
      socket.off('drain', drained.resolve)
    },
    resize(rows, columns) {
      const buffer = frame(kind.resize, 4)
      buffer.writeUInt16LE(Math.min(rows, 65_535), 5)
      buffer.writeUInt16LE(Math.min(columns, 65_535), 7)
      send(buffer)
    },
    signal(name) {
      const buffer = frame(kind.signal, 1)
      buffer[5] = signalNumber(name)
      send(buffer)
    },
    output: readOutput(),
    exit: exit.promise,
    async [Symbol.asyncDispose]() {
      socket.destroy()
      await closed
    },
  }
  return { session, receive }
}
