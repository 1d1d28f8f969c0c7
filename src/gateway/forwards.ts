/** TCP ports of this host that lead to a target's instances. */
import type { Server, Socket } from 'node:net'
import { connect, createServer } from 'node:net'
import type { Gate } from './exchange.ts'
import type { Forward } from './gateway.ts'
import type { Problem } from './problem.ts'
import { relay } from './relay.ts'
import { Stream } from './stream.ts'
import type { Seat, Target } from './target.ts'

const socketOptions = { allowHalfOpen: true, noDelay: true, keepAlive: true, keepAliveInitialDelay: 60_000 }

class Connection extends Stream {
  readonly #client: Socket
  readonly #address: string
  readonly #host: string
  #socket: Socket | undefined
  #open = false
  #over = false

  constructor(gate: Gate, target: Target, client: Socket, host: string) {
    super(gate, target)
    this.#client = client
    this.#host = host
    this.#address = client.remoteAddress ?? 'unknown'
    client.on('error', () => client.destroy())
    client.on('close', () => {
      if (this.#open || this.#over) return
      this.#socket?.destroy()
      this.over()
    })
  }

  override seated(seat: Seat): void {
    const { host, port } = seat.endpoint
    const socket = connect({ host, port, ...socketOptions, timeout: this.gate.limits.connect })
    this.#socket = socket
    this.with(seat)
    const failed = (error: Error): void => {
      socket.destroy()
      if (this.#socket !== socket || this.#open || this.#over) return
      this.#socket = undefined
      this.target.again(this, error, false)
    }
    socket.once('timeout', () => failed(Object.assign(new Error('no connection in time'), { code: 'ETIMEDOUT' })))
    socket.on('error', failed)
    socket.once('connect', () => {
      if (this.#over) return
      socket.setTimeout(0)
      this.#open = true
      this.answered()
      this.target.connected(seat)
      relay(this.#client, socket, this)
    })
  }

  override turnedAway(_: Problem): void {
    this.#client.resetAndDestroy()
    this.over()
  }

  override cut(): void {
    this.#socket?.destroy()
    this.#client.resetAndDestroy()
    if (!this.#open) this.over()
  }

  override check(now: number): void {
    if (this.#client.writableNeedDrain && now - this.lastMove > this.gate.limits.stall) this.cut()
  }

  override over(): void {
    this.#over = true
    this.settle(0, { client: this.#address, protocol: 'TCP', method: '', host: this.#host, path: '' })
  }
}

export interface Listener extends AsyncDisposable {
  readonly port: number
}

/** Listens for a forward. `admit` says whether a client may come in. Rejects with the error of listening. */
export const listenForward = async (forward: Forward, target: Target, gate: Gate, admit: (socket: Socket) => boolean): Promise<Listener> => {
  const { host, port } = forward.listen
  const server = createServer({ ...socketOptions, pauseOnConnect: true })
  const bound = await listening(server, host, port)
  server.on('connection', socket => {
    if (admit(socket)) target.ask(new Connection(gate, target, socket, `${host}:${bound}`))
  })
  return { port: bound, [Symbol.asyncDispose]: async () => void server.close() }
}

export const listening = (server: Server, host: string, port: number): Promise<number> =>
  new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen({ host, port, backlog: 1024 }, () => {
      server.off('error', reject)
      const address = server.address()
      resolve(typeof address === 'object' && address !== null ? address.port : port)
    })
  })
