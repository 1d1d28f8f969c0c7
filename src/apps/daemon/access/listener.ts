/** The listener for the network: TLS only, and bounds for those who connect and say nothing, or say it slowly. */
import type { RequestListener, Server } from 'node:http'
import { createServer } from 'node:https'
import type { Socket } from 'node:net'
import type { Identity } from './certificate.ts'
import { addressKey } from './limits.ts'

/** Connections at once: of all, and of one address. */
const mostConnections = 1024
const mostOfAddress = 128
/** ms for a handshake, for the head of a request, and for all of one: uploads of files are bodies. */
const handshakeTime = 10_000
const headTime = 10_000
const requestTime = 600_000
const idleTime = 60_000
const longestHead = 32 * 1024

/** A server that is not yet listening. */
export const tlsServer =
  ({ cert, key }: Pick<Identity, 'cert' | 'key'>) =>
  (handler: RequestListener): Server => {
    const server = createServer(
      {
        ...{ cert, key, minVersion: 'TLSv1.2', handshakeTimeout: handshakeTime, maxHeaderSize: longestHead },
        ...{ headersTimeout: headTime, requestTimeout: requestTime, keepAliveTimeout: idleTime, connectionsCheckingInterval: 2_000 },
      },
      handler,
    )
    server.maxConnections = mostConnections
    const ofAddress = new Map<string, number>()
    // Before the handshake: it is what costs.
    server.on('connection', (socket: Socket) => {
      const address = addressKey(socket.remoteAddress ?? '')
      const count = (ofAddress.get(address) ?? 0) + 1
      ofAddress.set(address, count)
      socket.once('close', () => {
        const left = (ofAddress.get(address) ?? 1) - 1
        if (left > 0) ofAddress.set(address, left)
        else ofAddress.delete(address)
      })
      if (count > mostOfAddress) socket.destroy()
    })
    // Strangers that speak no TLS are no news.
    server.on('tlsClientError', (_error, socket) => socket.destroy())
    return server
  }
