/** The servers of both protocols, and how what comes in through them finds its way. They listen nowhere: connections are handed to them. */
import type { IncomingMessage } from 'node:http'
import type { Http2Session, ServerHttp2Stream } from 'node:http2'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { TLSSocket } from 'node:tls'
import type { Gate } from './exchange.ts'
import { createHttp1, requestLine } from './from-http1.ts'
import { createHttp2, refuseStream } from './from-http2.ts'
import type { Client } from './head.ts'
import { BadHead, clientOf, requestHead } from './head.ts'
import type { Protocols } from './listen.ts'
import type { Problem } from './problem.ts'
import { badRequest, problemHeaders, render } from './problem.ts'
import type { Target } from './target.ts'
import { http1Opening, http2Opening, openWebSocket } from './upgrade.ts'

/** Who the client of a connection is does not change: worked out once. */
const clientsByConnection = (): ((connection: Socket | Http2Session) => Client) => {
  const known = new WeakMap<Socket | Http2Session, Client>()
  return connection => {
    let client = known.get(connection)
    if (client === undefined) {
      const socket = 'socket' in connection ? connection.socket : connection
      client = clientOf(socket.remoteAddress, 'encrypted' in connection ? connection.encrypted === true : connection instanceof TLSSocket)
      known.set(connection, client)
    }
    return client
  }
}

const unknownClient = clientOf(undefined, false)

export const createDoors = (gate: Gate, route: (host: string) => Target | Problem): Protocols & Disposable => {
  const { limits } = gate
  const clientOfConnection = clientsByConnection()

  const upgrade = (request: IncomingMessage, duplex: Duplex, first: Buffer): void => {
    if (first.length > 0) duplex.unshift(first)
    const client = clientOfConnection(request.socket)
    try {
      const { authority, path } = requestLine(request.url ?? '')
      const head = requestHead(request.rawHeaders, client, authority, 0)
      const found = route(head.host)
      const opening = http1Opening(request, duplex, client, head, path)
      if (!('status' in found)) return void openWebSocket(gate, found, opening)
      const { type, body } = render(found, opening.accept)
      opening.declined(found.status, problemHeaders(found, type, Buffer.byteLength(body)))
      duplex.end(body)
    } catch (error) {
      if (!(error instanceof BadHead)) throw error
      const { type, body } = render(badRequest(error.message), undefined)
      duplex.end(
        `HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Type: ${type}\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
      )
    }
  }

  const http1 = createHttp1({ limits, gate, route, clientOf: clientOfConnection, upgrade })
  // What listens does so elsewhere; this is what sets up the checks of `headersTimeout` on the connections handed to it.
  http1.emit('listening')
  const http2 = createHttp2({
    ...{ limits, gate, route },
    clientOf: (stream: ServerHttp2Stream) => (stream.session === undefined ? unknownClient : clientOfConnection(stream.session)),
    upgrade: (headers, head, client, stream) => {
      const found = route(head.host)
      if ('status' in found) return refuseStream(stream, found, headers.accept, false)
      openWebSocket(gate, found, http2Opening(stream, headers.accept, client, head, headers[':path'] ?? '/'))
    },
  })
  return {
    ...{ http1, http2 },
    [Symbol.dispose]: () => {
      http1.closeAllConnections()
      http1.close(() => {})
    },
  }
}
