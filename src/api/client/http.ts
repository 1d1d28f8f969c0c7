/**
 * HTTP/1.1 over a unix socket, one connection a request: just what Dayfly's own server answers. Not `node:http`, for loading that takes as long as
 * the rest of the CLI's start (22 ms of 45 here); measure before going back.
 */
import type { Socket } from 'node:net'
import { createConnection } from 'node:net'
import { DayflyError, errnoOf, messageOf } from '../../base/errors.ts'

export interface HttpRequest {
  readonly socketPath: string
  readonly method: 'GET' | 'POST' | 'DELETE'
  /** With its query. */
  readonly path: string
  readonly headers?: Readonly<Record<string, string>>
  /** Sent as JSON. */
  readonly body?: object
  /** Sent as they are, instead of `body`. An answer may come before the last of them; what they throw, the request throws. */
  readonly bytes?: Uint8Array | AsyncIterable<Uint8Array>
  /** Opens the connection, instead of one to the unix socket. */
  readonly connect?: ((signal: AbortSignal | undefined) => Promise<Socket>) | undefined
  readonly signal?: AbortSignal | undefined
}

export interface HttpResponse {
  readonly status: number
  /** By lower-case name. */
  readonly headers: ReadonlyMap<string, string>
  /** To be iterated once; leaving it early closes the connection. Throws `disconnected` when it ends before its time. Empty after 101. */
  readonly body: AsyncIterable<Buffer>
  /** After 101 the connection belongs to the caller. */
  readonly socket: Socket
}

const longestHead = 64 * 1024

const brokenOff = (cause?: unknown): DayflyError =>
  new DayflyError('disconnected', 'the daemon went away in the middle of an answer', {
    remedy: 'Its log tells more; `dayfly ps` shows what lives on.',
    cause,
  })

const unreachable = (socketPath: string, error: unknown): DayflyError => {
  const errno = errnoOf(error)
  if (errno === 'EACCES' || errno === 'EPERM') {
    return new DayflyError('unreachable', `${socketPath} may not be opened by this user`, {
      remedy: 'Run it with sudo, or as a member of the group that `dayfly serve --group` names.',
      cause: error,
    })
  }
  if (errno === 'ENOENT' || errno === 'ECONNREFUSED' || errno === 'ENOTDIR') {
    return new DayflyError('unreachable', `no daemon answers at ${socketPath}`, {
      remedy: 'Start one with `dayfly serve`, or name its folder with --run-dir.',
      cause: error,
    })
  }
  return new DayflyError('unreachable', `the connection to ${socketPath} failed: ${messageOf(error)}`, { cause: error })
}

const connect = (socketPath: string, signal: AbortSignal | undefined): Promise<Socket> =>
  new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(aborted(signal))
    const socket = createConnection({ path: socketPath })
    socket.once('connect', () => {
      socket.removeAllListeners('error')
      resolve(socket)
    })
    socket.once('error', error => reject(unreachable(socketPath, error)))
  })

const aborted = (signal: AbortSignal): DayflyError =>
  signal.reason instanceof DayflyError ? signal.reason : new DayflyError('aborted', 'it was cancelled', { cause: signal.reason })

/** Reads from a socket what is asked for, and leaves the rest where it is. */
interface Reader {
  /** Up to and without the next CRLF CRLF, or CRLF. */
  until(mark: '\r\n' | '\r\n\r\n'): Promise<string>
  /** The next bytes, at most `most`; undefined at the end of the stream. */
  some(most: number): Promise<Buffer | undefined>
  /** What was read from the socket and not asked for. */
  rest(): Buffer
}

const createReader = (socket: Socket): Reader => {
  let pending: Buffer = Buffer.alloc(0)
  const more = async (): Promise<boolean> => {
    for (;;) {
      const chunk: unknown = socket.read()
      if (Buffer.isBuffer(chunk)) {
        pending = pending.length === 0 ? chunk : Buffer.concat([pending, chunk])
        return true
      }
      if (socket.readableEnded || socket.destroyed) return false
      await new Promise<void>(resolve => {
        const go = (): void => {
          for (const event of ['readable', 'end', 'close'] as const) socket.off(event, go)
          resolve()
        }
        for (const event of ['readable', 'end', 'close'] as const) socket.on(event, go)
      })
    }
  }
  return {
    async until(mark) {
      for (;;) {
        const end = pending.indexOf(mark)
        if (end >= 0) {
          const text = pending.toString('latin1', 0, end)
          pending = pending.subarray(end + mark.length)
          return text
        }
        if (pending.length > longestHead || !(await more())) throw brokenOff(socket.errored ?? undefined)
      }
    },
    async some(most) {
      if (pending.length === 0 && !(await more())) return undefined
      const taken = pending.subarray(0, most)
      pending = pending.subarray(taken.length)
      return taken
    },
    rest() {
      const rest = pending
      pending = Buffer.alloc(0)
      return rest
    },
  }
}

async function* sized(reader: Reader, length: number): AsyncGenerator<Buffer> {
  for (let left = length; left > 0; ) {
    const piece = await reader.some(left)
    if (piece === undefined) throw brokenOff()
    left -= piece.length
    yield piece
  }
}

async function* chunked(reader: Reader): AsyncGenerator<Buffer> {
  for (;;) {
    const line = await reader.until('\r\n')
    const length = /^[0-9a-f]+/i.test(line) ? Number.parseInt(line, 16) : Number.NaN
    if (Number.isNaN(length)) throw new DayflyError('internal', 'the daemon sent a chunk without a length')
    if (length === 0) return
    yield* sized(reader, length)
    await reader.until('\r\n')
  }
}

async function* untilEnd(reader: Reader): AsyncGenerator<Buffer> {
  for (let piece = await reader.some(Number.POSITIVE_INFINITY); piece !== undefined; piece = await reader.some(Number.POSITIVE_INFINITY)) yield piece
}

/** Throws `unreachable` when no daemon answers, `disconnected` when it went away before its answer, and `aborted`; every status is an answer. */
export const request = async (options: HttpRequest): Promise<HttpResponse> => {
  const { signal } = options
  const socket = await (options.connect?.(signal) ?? connect(options.socketPath, signal))
  const onAbort = (): void => void socket.destroy()
  signal?.addEventListener('abort', onAbort, { once: true })
  socket.once('close', () => signal?.removeEventListener('abort', onAbort))
  socket.on('error', () => {}) // Shows as an end that comes too early.

  const reader = createReader(socket)
  /** Why not all of the bytes could be had. */
  let sending: Promise<{ readonly failed: unknown } | undefined> | undefined
  try {
    const body = options.body === undefined ? undefined : Buffer.from(JSON.stringify(options.body))
    const headers: Record<string, string> = {
      host: 'dayfly',
      connection: 'close',
      ...(body === undefined ? {} : { 'content-type': 'application/json', 'content-length': String(body.length) }),
      ...(options.bytes === undefined ? {} : bytesHeaders(options.bytes)),
      ...options.headers,
    }
    const head = [`${options.method} ${options.path} HTTP/1.1`, ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`), '', ''].join(
      '\r\n',
    )
    socket.write(body === undefined ? head : Buffer.concat([Buffer.from(head), body]))
    if (options.bytes !== undefined) sending = sendBytes(socket, options.bytes)

    const [statusLine = '', ...lines] = (await reader.until('\r\n\r\n')).split('\r\n')
    const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(statusLine)?.[1])
    if (Number.isNaN(status)) throw new DayflyError('internal', `what answers at ${options.socketPath} does not speak HTTP`)
    const received = new Map(lines.map(line => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]))
    if (status === 101) {
      const rest = reader.rest()
      if (rest.length > 0) socket.unshift(rest)
      return { status, headers: received, body: sized(reader, 0), socket }
    }
    const length = received.get('content-length')
    const content =
      received.get('transfer-encoding') === 'chunked' ? chunked(reader) : length === undefined ? untilEnd(reader) : sized(reader, Number(length))
    return { status, headers: received, body: closing(content, socket, signal), socket }
  } catch (error) {
    socket.destroy()
    const unsent = await sending
    throw signal?.aborted ? aborted(signal) : unsent === undefined ? error : unsent.failed
  }
}

const bytesHeaders = (bytes: Uint8Array | AsyncIterable<Uint8Array>): Record<string, string> => ({
  'content-type': 'application/octet-stream',
  ...(bytes instanceof Uint8Array ? { 'content-length': String(bytes.length) } : { 'transfer-encoding': 'chunked' }),
})

/** Resolves when all is sent or nobody takes it any more. Where they cannot be had, the connection ends in their middle, and no server takes that for their end. */
const sendBytes = async (socket: Socket, bytes: Uint8Array | AsyncIterable<Uint8Array>): Promise<{ readonly failed: unknown } | undefined> => {
  if (bytes instanceof Uint8Array) {
    socket.write(bytes)
    return undefined
  }
  try {
    for await (const piece of bytes) {
      if (socket.destroyed) return undefined
      if (piece.length === 0) continue
      socket.write(`${piece.length.toString(16)}\r\n`)
      socket.write(piece)
      if (!socket.write('\r\n')) await drained(socket)
    }
    if (!socket.destroyed) socket.write('0\r\n\r\n')
    return undefined
  } catch (error) {
    socket.destroy()
    return { failed: error }
  }
}

const drained = (socket: Socket): Promise<void> =>
  new Promise(resolve => {
    const go = (): void => {
      for (const event of ['drain', 'close'] as const) socket.off(event, go)
      resolve()
    }
    for (const event of ['drain', 'close'] as const) socket.on(event, go)
  })

async function* closing(content: AsyncIterable<Buffer>, socket: Socket, signal: AbortSignal | undefined): AsyncGenerator<Buffer> {
  try {
    yield* content
  } catch (error) {
    throw signal?.aborted ? aborted(signal) : error
  } finally {
    socket.destroy()
  }
}

/** The whole body as text. */
export const textOf = async (response: HttpResponse): Promise<string> => {
  const pieces: Buffer[] = []
  for await (const piece of response.body) pieces.push(piece)
  return Buffer.concat(pieces).toString()
}

/** The body's lines, without their ends; a last one without an end too. */
export async function* linesOf(response: HttpResponse): AsyncGenerator<string> {
  const decoder = new TextDecoder()
  let pending = ''
  for await (const piece of response.body) {
    const lines = (pending + decoder.decode(piece, { stream: true })).split('\n')
    pending = lines.pop() ?? ''
    yield* lines
  }
  if (pending !== '') yield pending
}
