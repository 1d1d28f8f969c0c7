/**
 * Requests and replies over one byte stream in each direction. Replies are matched by tag, so any number may be under way; requests made in one
 * turn of the event loop leave in one write.
 */
import type { Readable, Writable } from 'node:stream'
import { DayflyError, messageOf } from '../../base/errors.ts'
import { createFrameReader, decodeFields, encodeFields } from './framing.ts'

/** What a native program answered to a request it could not carry out, or why no answer will come. */
export class NativeError extends DayflyError {
  /** Errno name, e.g. `ESRCH`. `EPIPE`: the peer is gone. */
  readonly errno: string

  constructor(errno: string, message: string, cause?: unknown) {
    super('host', message, { cause })
    this.errno = errno
  }
}

export interface Channel {
  /** Resolves to the result's fields. Rejects with NativeError, or `invalid` when an argument cannot be sent. */
  request(operation: string, ...args: readonly string[]): Promise<string[]>
  /**
   * A request whose `ok` ends this protocol on the connection: from the very next byte on, payloads go to the function that `accept` returns. No
   * other request may be under way, and none may follow.
   */
  upgrade(operation: string, args: readonly string[], accept: () => (payload: Buffer) => void): Promise<void>
  /** Ends the channel: pending requests are rejected with `reason`. Does nothing the second time. */
  fail(reason: NativeError): void
  /** Resolves, once, with why the channel ended. Never rejects. */
  readonly closed: Promise<NativeError>
}

interface Pending {
  readonly operation: string
  readonly resolve: (results: string[]) => void
  readonly reject: (error: NativeError) => void
  readonly accept: (() => (payload: Buffer) => void) | undefined
}

/** `peer` names the other side in error messages. `onEvent` gets the fields of frames with tag 0, without the tag. */
export const createChannel = (peer: string, input: Readable, output: Writable, onEvent: (fields: string[]) => void): Channel => {
  const pending = new Map<string, Pending>()
  const closed = Promise.withResolvers<NativeError>()
  let ended: NativeError | undefined
  let lastTag = 0
  let corked = false
  let upgraded: ((payload: Buffer) => void) | undefined

  const uncork = (): void => {
    corked = false
    output.uncork()
  }

  const send = (operation: string, args: readonly string[], accept: Pending['accept']): Promise<string[]> => {
    if (ended !== undefined) return Promise.reject(new NativeError(ended.errno, `${operation}: ${ended.message}`, ended))
    if (upgraded !== undefined) return Promise.reject(new NativeError('EBUSY', `${operation}: this connection to ${peer} has become a session`))
    const tag = String(++lastTag)
    let frame: Buffer
    try {
      frame = encodeFields([tag, operation, ...args])
    } catch (error) {
      return Promise.reject(error)
    }
    const { promise, resolve, reject } = Promise.withResolvers<string[]>()
    pending.set(tag, { operation, resolve, reject, accept })
    if (!corked) {
      corked = true
      output.cork()
      process.nextTick(uncork)
    }
    output.write(frame)
    return promise
  }

  const onReply = (payload: Buffer): void => {
    if (upgraded !== undefined) {
      upgraded(payload)
      return
    }
    const fields = decodeFields(payload)
    const tag = fields[0] ?? ''
    if (tag === '0') {
      onEvent(fields.slice(1))
      return
    }
    const request = pending.get(tag)
    if (request === undefined) throw new DayflyError('host', `an answer to a request that was not made (${tag})`)
    if (fields[1] !== 'ok' && fields[1] !== 'error') throw new DayflyError('host', `an answer to ${request.operation} that is neither ok nor error`)
    pending.delete(tag)
    if (fields[1] === 'ok') {
      if (request.accept !== undefined) upgraded = request.accept()
      request.resolve(fields.slice(2))
    } else {
      request.reject(new NativeError(fields[2] ?? 'EIO', fields[3] ?? `${request.operation} failed`))
    }
  }

  const fail = (reason: NativeError): void => {
    if (ended !== undefined) return
    ended = reason
    for (const request of pending.values()) request.reject(new NativeError(reason.errno, `${request.operation}: ${reason.message}`, reason))
    pending.clear()
    closed.resolve(reason)
    input.destroy()
    output.destroy()
  }

  const read = createFrameReader(onReply)
  input.on('data', (chunk: Buffer) => {
    if (ended !== undefined) return
    try {
      read(chunk)
    } catch (error) {
      fail(new NativeError('EPROTO', `${peer} sent ${messageOf(error)}`, error))
    }
  })
  const onGone = (): void => fail(new NativeError('EPIPE', `${peer} closed the connection`))
  const onError = (error: Error): void => fail(new NativeError('EPIPE', `the connection to ${peer} failed: ${error.message}`, error))
  input.on('end', onGone).on('close', onGone).on('error', onError)
  output.on('error', onError)

  return {
    request: (operation, ...args) => send(operation, args, undefined),
    upgrade: async (operation, args, accept) => {
      if (pending.size > 0) throw new NativeError('EBUSY', `${operation}: other requests to ${peer} are under way`)
      await send(operation, args, accept)
    },
    fail,
    closed: closed.promise,
  }
}
