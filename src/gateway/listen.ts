/** The ports for HTTP: which protocol a client speaks is told by its first bytes on the clear one, by ALPN on the one with TLS. */
import type { Server as Http1Server } from 'node:http'
import type { Http2Server } from 'node:http2'
import type { Server, Socket } from 'node:net'
import { createServer } from 'node:net'
import type { SecureContext, Server as TlsServer } from 'node:tls'
import { createServer as createTlsServer } from 'node:tls'
import type { Limits } from './gateway.ts'

const preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1')

export interface Protocols {
  readonly http1: Http1Server
  readonly http2: Http2Server
}

const socketOptions = { allowHalfOpen: true, noDelay: true, keepAlive: true, keepAliveInitialDelay: 60_000 }

/** The bytes seen are put back, and the connection is given to the server of its protocol. */
const sniff = (socket: Socket, { http1, http2 }: Protocols, limits: Limits): void => {
  let seen: Buffer = Buffer.alloc(0)
  const onData = (chunk: Buffer): void => {
    seen = seen.length === 0 ? chunk : Buffer.concat([seen, chunk])
    const compared = Math.min(seen.length, preface.length)
    const same = seen.compare(preface, 0, compared, 0, compared) === 0
    // 4 bytes of it are enough: `PRI ` begins no request of HTTP/1.
    if (same && compared < 4) return
    stop()
    socket.pause()
    socket.unshift(seen)
    const protocol = same ? http2 : http1
    protocol.emit('connection', socket)
    process.nextTick(resume, socket)
  }
  const stop = (): void => {
    socket.off('data', onData).off('timeout', close).off('end', close).off('error', close)
    socket.setTimeout(0)
  }
  const close = (): void => {
    stop()
    socket.on('error', () => {})
    socket.destroy()
  }
  socket.setTimeout(limits.head)
  socket.on('data', onData).on('timeout', close).on('end', close).on('error', close)
}

const resume = (socket: Socket): void => void socket.resume()

export const createClearServer = (protocols: Protocols, limits: Limits, admit: (socket: Socket) => boolean): Server =>
  createServer(socketOptions, socket => {
    if (admit(socket)) sniff(socket, protocols, limits)
  })

/** Listens nowhere yet. `contextFor` is asked for clients that name a server; for others it needs `setSecureContext`. */
export const createSecureServer = (
  { http1, http2 }: Protocols,
  limits: Limits,
  contextFor: (serverName: string) => SecureContext,
  admit: (socket: Socket) => boolean,
): TlsServer => {
  const server = createTlsServer({
    ...socketOptions,
    ALPNProtocols: ['h2', 'http/1.1'],
    minVersion: 'TLSv1.2',
    handshakeTimeout: limits.head,
    SNICallback: (name, done) => done(null, contextFor(name)),
  })
  server.on('connection', socket => void admit(socket))
  server.on('tlsClientError', (_error, socket) => socket.destroy())
  server.on('secureConnection', socket => {
    socket.on('error', () => socket.destroy())
    const protocol = socket.alpnProtocol === 'h2' ? http2 : http1
    protocol.emit('connection', socket)
  })
  return server
}
