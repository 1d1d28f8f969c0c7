/** Syslog's ways out: a datagram or a stream over the network. */
import { createSocket } from 'node:dgram'
import { lookup } from 'node:dns/promises'
import { connect, isIPv6 } from 'node:net'
import { messageOf } from '../base/errors.ts'
import { DeliveryError } from './delivery.ts'

const patience = 10_000

/** `[::1]` in a URL is `::1` elsewhere. */
const bare = (hostname: string): string => hostname.replace(/^\[|\]$/g, '')

/** One datagram. That it has been sent is all that anybody knows. */
export const sendUdp = async (hostname: string, port: number, message: string): Promise<void> => {
  try {
    const { address } = await lookup(bare(hostname))
    const socket = createSocket(isIPv6(address) ? 'udp6' : 'udp4')
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    socket.on('error', reject)
    socket.send(message, port, address, error => (error ? reject(error) : resolve()))
    await promise.finally(() => socket.close())
  } catch (error) {
    throw new DeliveryError(`udp ${hostname}:${port}: ${messageOf(error)}`, { cause: error })
  }
}

/** ms that a receiver gets to end its side: one that refuses does it at once. */
const goodbye = 1000

/** Connects, writes and ends. Who receives syslog says nothing; so what is not refused counts as received. */
export const sendTcp = async (hostname: string, port: number, frame: string, signal: AbortSignal): Promise<void> => {
  const limit = AbortSignal.any([signal, AbortSignal.timeout(patience)])
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const socket = connect({ host: bare(hostname), port, signal: limit })
  socket.on('error', reject)
  socket.on('close', () => resolve())
  socket.resume()
  let timer: NodeJS.Timeout | undefined
  socket.end(frame, () => {
    timer = setTimeout(resolve, goodbye)
  })
  try {
    await promise
  } catch (error) {
    const why = limit.aborted && !signal.aborted ? `not done within ${patience / 1000} s` : messageOf(error)
    throw new DeliveryError(`tcp ${hostname}:${port}: ${why}`, { cause: error })
  } finally {
    clearTimeout(timer)
    socket.destroy()
  }
}
