/** Sockets as Falco writes them. */
import type { KernelEvent, SocketFacts } from '../../model/kernel-event.ts'

/** `::ffff:10.0.0.1` is 10.0.0.1, whatever the socket is. */
export const plainAddress = (address: string): string => (/^::ffff:\d+\.\d+\.\d+\.\d+$/i.test(address) ? address.slice(7) : address)

export interface Side {
  readonly address: string | undefined
  readonly port: number | undefined
}
/** Of a connection: who asked for it, and who was asked. */
export interface Sides {
  readonly client: Side
  readonly server: Side
  readonly local: Side
  readonly remote: Side
}

const sideOf = (address: string | undefined, port: number | undefined): Side => ({
  address: address === undefined ? undefined : plainAddress(address),
  port,
})

export const isInternet = ({ family }: SocketFacts): boolean => family === 'inet' || family === 'inet6'

/** 4 or 6 by its addresses: an IPv6 socket may speak IPv4. Undefined where it is of another family. */
export const versionOf = (socket: SocketFacts): 4 | 6 | undefined => {
  if (!isInternet(socket)) return undefined
  if (socket.family === 'inet') return 4
  const address = socket.remoteAddress ?? socket.localAddress
  return address !== undefined && plainAddress(address) !== address ? 4 : 6
}

/** Who accepts, listens or binds is the server. Undefined where it is no socket of the internet. */
export const sidesOf = ({ type, socket }: Pick<KernelEvent, 'type' | 'socket'>): Sides | undefined => {
  if (!socket || !isInternet(socket)) return undefined
  const local = sideOf(socket.localAddress, socket.localPort)
  const remote = sideOf(socket.remoteAddress, socket.remotePort)
  if (type === 'bind' || type === 'listen')
    return { client: { address: undefined, port: undefined }, server: local, local, remote: { address: undefined, port: undefined } }
  return type === 'accept' ? { client: remote, server: local, local, remote } : { client: local, server: remote, local, remote }
}

const sideText = ({ address, port }: Side): string | undefined => (address === undefined ? undefined : `${address}:${port ?? 0}`)

/** `10.0.0.2:4444->1.2.3.4:80`; of one side only that one; of a unix socket its path. '' where nothing is known. */
export const tupleText = (event: Pick<KernelEvent, 'type' | 'socket'>): string => {
  const { socket } = event
  if (!socket) return ''
  const sides = sidesOf(event)
  if (!sides) return socket.remoteAddress ?? socket.localAddress ?? ''
  return [sideText(sides.client), sideText(sides.server)].filter(text => text !== undefined).join('->')
}
