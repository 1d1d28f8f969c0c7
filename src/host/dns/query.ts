/** One question to a name server: enough to see whether it is there and what it serves. */
import { randomInt } from 'node:crypto'
import { createSocket } from 'node:dgram'

/**
 * IPv4 addresses that a server has for a name; empty when it has none or refuses; undefined when no answer comes within `wait` ms, or nobody listens.
 */
export type Ask = (server: string, name: string, wait: number) => Promise<readonly string[] | undefined>

const question = (id: number, name: string): Buffer => {
  const head = Buffer.from([id >> 8, id & 255, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0])
  const labels = name.split('.').map(part => Buffer.concat([Buffer.from([part.length]), Buffer.from(part, 'latin1')]))
  return Buffer.concat([head, ...labels, Buffer.from([0, 0, 1, 0, 1])])
}

/** Where the name that begins at `at` ends. */
const afterName = (message: Buffer, at: number): number => {
  for (let here = at; ; ) {
    const length = message.readUInt8(here)
    if (length >= 0xc0) return here + 2
    if (length === 0) return here + 1
    here += length + 1
  }
}

/** The A records of an answer. Throws RangeError for a message that is cut short. */
export const addressesIn = (message: Buffer): string[] => {
  const answers = message.readUInt16BE(6)
  let at = 12
  for (let count = message.readUInt16BE(4); count > 0; count--) at = afterName(message, at) + 4
  return Array.from({ length: answers }, () => {
    at = afterName(message, at)
    const [type, length] = [message.readUInt16BE(at), message.readUInt16BE(at + 8)]
    at += 10 + length
    return type === 1 && length === 4 ? [[...message.subarray(at - 4, at)].join('.')] : []
  }).flat()
}

export const ask: Ask = (server, name, wait) =>
  new Promise(resolve => {
    const id = randomInt(0x10000)
    const socket = createSocket('udp4')
    let over = false
    const finish = (outcome: readonly string[] | undefined): void => {
      if (over) return
      over = true
      clearTimeout(timer)
      socket.close()
      resolve(outcome)
    }
    const timer = setTimeout(() => finish(undefined), wait)
    socket.once('error', () => finish(undefined))
    socket.on('message', message => {
      if (message.length < 12 || message.readUInt16BE(0) !== id) return
      try {
        finish(addressesIn(message))
      } catch {
        finish([])
      }
    })
    // Connected: nobody else can answer, and nobody listening is an error.
    socket.connect(53, server, (error?: Error | null) => {
      if (error instanceof Error) finish(undefined)
      else socket.send(question(id, name))
    })
  })
