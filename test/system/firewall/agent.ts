/**
 * Makes and takes traffic inside one network namespace. Requests come as lines of JSON on stdin and are answered, with their id, on stdout; ends with
 * stdin. Servers tell a client the address they see it come from, then echo.
 */
import { createSocket } from 'node:dgram'
import type { Socket } from 'node:net'
import { connect, createServer, isIPv6 } from 'node:net'
import { createInterface } from 'node:readline'
import type { Question } from '../names/question.ts'
import { inquire } from '../names/question.ts'

export interface Target {
  readonly protocol: 'tcp' | 'udp'
  readonly host: string
  readonly port: number
  /** Source address. */
  readonly local?: string
}

export type Request =
  | { readonly op: 'listen'; readonly protocol: 'tcp' | 'udp'; readonly host: string; readonly port: number }
  /** Answers with who the other side says we are. */
  | { readonly op: 'ask'; readonly target: Target; readonly wait: number }
  /** Opens a TCP connection and keeps it. */
  | { readonly op: 'open'; readonly target: Target; readonly wait: number }
  /** Sends on the kept connection, and answers with the echo. */
  | { readonly op: 'say'; readonly text: string; readonly wait: number }
  /** Sends to the last that connected by TCP. */
  | { readonly op: 'push'; readonly text: string }
  /** Ends the kept connection, whether or not the other side hears of it. */
  | { readonly op: 'hangUp' }
  /** Answers with all that came in on the kept connection. */
  | { readonly op: 'heard' }
  /** Source addresses of all that has come in. */
  | { readonly op: 'arrivals' }
  /** Asks a name server, and answers with its reply as JSON. */
  | { readonly op: 'inquire'; readonly question: Question; readonly wait: number }

const arrivals: string[] = []
let kept: Socket | undefined
let heard = ''
let lastClient: Socket | undefined

const listenTcp = (host: string, port: number): Promise<string> =>
  new Promise((resolve, reject) => {
    const server = createServer(socket => {
      const peer = socket.remoteAddress ?? ''
      arrivals.push(peer)
      lastClient = socket
      socket.on('error', () => socket.destroy())
      socket.write(`${peer}\n`)
      socket.pipe(socket)
    })
    server.once('error', reject).listen(port, host, () => resolve(''))
  })

const listenUdp = (host: string, port: number): Promise<string> =>
  new Promise((resolve, reject) => {
    const socket = createSocket('udp4')
    socket.once('error', reject).bind(port, host, () => resolve(''))
    socket.on('message', (_, peer) => {
      arrivals.push(peer.address)
      socket.send(peer.address, peer.port, peer.address)
    })
  })

/** What comes in until it ends with `end`. */
const received = (socket: Socket, end: string, wait: number): Promise<string> =>
  new Promise((resolve, reject) => {
    let text = ''
    const finish = (settle: () => void): void => {
      clearTimeout(timer)
      socket.off('data', onData).off('error', onError)
      settle()
    }
    const onData = (data: Buffer): void => {
      text += String(data)
      if (text.endsWith(end)) finish(() => resolve(text.trimEnd()))
    }
    const onError = (error: Error): void => finish(() => reject(error))
    const timer = setTimeout(() => finish(() => reject(new Error('silence'))), wait)
    socket.on('data', onData).on('error', onError)
  })

const dial = ({ host, port, local }: Target): Socket =>
  connect({ host, port, family: isIPv6(host.split('%')[0] ?? '') ? 6 : 4, ...(local === undefined ? {} : { localAddress: local }) })

const askTcp = async (target: Target, wait: number): Promise<string> => {
  const socket = dial(target)
  try {
    return await received(socket, '\n', wait)
  } finally {
    socket.on('error', () => undefined)
    // Neither a SYN nor a FIN, which would be sent again and again once the firewall is another.
    if (socket.connecting) socket.destroy()
    else socket.resetAndDestroy()
  }
}

const askUdp = ({ host, port, local }: Target, wait: number): Promise<string> =>
  new Promise((resolve, reject) => {
    const socket = createSocket('udp4')
    const finish = (end: () => void): void => {
      clearTimeout(timer)
      socket.close(end)
    }
    const timer = setTimeout(() => finish(() => reject(new Error('silence'))), wait)
    socket.on('message', data => finish(() => resolve(String(data))))
    socket.on('error', error => finish(() => reject(error)))
    // Connected, so that an ICMP error is an error.
    socket.bind(0, local ?? '0.0.0.0', () => socket.connect(port, host, () => socket.send('who am I')))
  })

const carryOut = async (request: Request): Promise<string> => {
  switch (request.op) {
    case 'listen':
      return await (request.protocol === 'tcp' ? listenTcp : listenUdp)(request.host, request.port)
    case 'ask':
      return await (request.target.protocol === 'tcp' ? askTcp : askUdp)(request.target, request.wait)
    case 'open':
      heard = ''
      kept = dial(request.target).on('data', data => {
        heard += String(data)
      })
      // Whoever speaks on it is told. Nobody may be, when a packet that was held back is sent again and answered by a stranger.
      kept.on('error', () => undefined)
      return await received(kept, '\n', request.wait)
    case 'say': {
      if (kept === undefined) throw new Error('there is no connection')
      const echo = received(kept, request.text, request.wait)
      kept.write(request.text)
      return await echo
    }
    case 'hangUp':
      kept?.resetAndDestroy()
      kept = undefined
      return ''
    case 'push':
      lastClient?.write(request.text)
      return ''
    case 'heard':
      return heard
    case 'arrivals':
      return arrivals.join(' ')
    case 'inquire':
      return JSON.stringify(await inquire(request.question, request.wait))
  }
}

if (import.meta.main) {
  createInterface({ input: process.stdin })
    .on('line', line => {
      const { id, request }: { id: number; request: Request } = JSON.parse(line)
      carryOut(request).then(
        answer => process.stdout.write(`${JSON.stringify({ id, answer })}\n`),
        (error: unknown) => process.stdout.write(`${JSON.stringify({ id, failure: error instanceof Error ? error.message : String(error) })}\n`),
      )
    })
    .on('close', () => process.exit())
}
