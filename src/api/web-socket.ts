/** Frames over a WebSocket, for pages: each binary message is one frame, its kind (u8) and its payload, in the other direction too. */
import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import type { RawData } from 'ws'
import { WebSocketServer } from 'ws'
import { DayflyError } from '../base/errors.ts'
import type { FrameStream } from './frame-stream.ts'
import type { Frame } from './frames.ts'
import { framesProtocol, maximumPayload } from './frames.ts'

/** Compression would tell the length of secrets, and costs memory for each connection. */
const server = new WebSocketServer({
  ...{ noServer: true, clientTracking: false, perMessageDeflate: false, maxPayload: maximumPayload + 1 },
  handleProtocols: protocols => (protocols.has(framesProtocol) ? framesProtocol : false),
})

/** Messages that wait for their reader before the other side is made to wait (each at most `maximumPayload`, in practice keys). */
const mostWaiting = 64
/** Bytes that wait to be sent before whoever sends has to wait. */
const mostBuffered = 1024 * 1024

const bytesOf = (data: RawData): Buffer => (Array.isArray(data) ? Buffer.concat(data) : data instanceof ArrayBuffer ? Buffer.from(data) : data)

/** Throws `invalid` when the request is no proper WebSocket handshake; the connection is closed then. */
export const acceptWebSocket = async (request: IncomingMessage, socket: Duplex): Promise<FrameStream> => {
  const open = Promise.withResolvers<Parameters<Parameters<typeof server.handleUpgrade>[3]>[0]>()
  socket.once('close', () => open.reject(new DayflyError('invalid', 'upgrade: this is no WebSocket handshake', { field: 'upgrade' })))
  server.handleUpgrade(request, socket, Buffer.alloc(0), open.resolve)
  const webSocket = await open.promise

  const closed = new AbortController()
  const waiting: Frame[] = []
  let wake = (): void => {}
  webSocket.on('message', (data, isBinary) => {
    const message = bytesOf(data)
    if (!isBinary || message.length === 0) return webSocket.close(1003, 'binary messages only')
    waiting.push({ kind: message[0] ?? 0, payload: message.subarray(1) })
    if (waiting.length >= mostWaiting) webSocket.pause()
    wake()
  })
  webSocket.on('error', () => webSocket.terminate()) // Seen as `closed`: to its user, a broken connection and a closed one are the same.
  webSocket.once('close', () => {
    closed.abort()
    wake()
  })

  const read = async function* (): AsyncGenerator<Frame> {
    for (;;) {
      const pushed = new Promise<void>(resolve => {
        wake = resolve
      })
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
        if (webSocket.isPaused) webSocket.resume()
        yield next
      }
      if (closed.signal.aborted) return
      if (waiting.length === 0) await pushed
    }
  }

  return {
    async send(...frames) {
      let sent: Promise<void> = Promise.resolve()
      for (const frame of frames) {
        if (closed.signal.aborted) return
        // Without the length: a message has its own.
        sent = new Promise(resolve => webSocket.send(frame.subarray(4), () => resolve()))
      }
      if (webSocket.bufferedAmount > mostBuffered) await sent
    },
    frames: read(),
    closed: closed.signal,
    end: () => webSocket.close(1000),
  }
}
