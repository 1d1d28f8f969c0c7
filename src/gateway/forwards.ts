/** TCP ports of this host that lead to a target's instances. */
import type { Server, Socket } from 'node:net'
import { connect, createServer } from 'node:net'
import type { Gate } from './exchange.ts'
import type { Forward } from './gateway.ts'
import type { Problem } from './problem.ts'
import { relay } from './relay.ts'
import type { Seat, Target } from './target.ts'
import { Traffic } from './target.ts'

const socketOptions = { allowHalfOpen: true, noDelay: true, keepAlive: true, keepAliveInitialDelay: 60_000 }

class Connection extends Traffic {
  readonly #gate: Gate
  readonly #client: Socket
  readonly #address: string
  readonly #host: string
  readonly #time = Date.now()
  readonly #begun = performance.now()
  #socket: Socket | undefined
  #instance: string | undefined
  #open = false
  #over = false
  #bytesIn = 0
  #bytesOut = 0
  #lastMove = performance.now()

  constructor(gate: Gate, target: Target, client: Socket, host: string) {
    super(target)
    this.#gate = gate
    this.#client = client
    this.#host = host
    this.#address = client.remoteAddress ?? 'unknown'
    target.counters.started++
    target.counters.unanswered++
    client.on('error', () => client.destroy())
    client.on('close', () => {
      if (this.#open || this.#over) return
      this.#socket?.destroy()
      this.#settle()
    })
  }

  override seated(seat: Seat): void {
    const { host, port, instance } = seat.endpoint
    const socket = connect({ host, port, ...socketOptions, timeout: this.#gate.limits.connect })
    this.#socket = socket
    this.#instance = instance
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
      this.target.counters.unanswered--
      this.target.connected(seat)
      relay(this.#client, socket, this)
    })
  }

  override turnedAway(_: Problem): void {
    this.#client.resetAndDestroy()
    this.#settle()
  }

  override cut(): void {
    this.#socket?.destroy()
    this.#client.resetAndDestroy()
    if (!this.#open) this.#settle()
  }

  override check(now: number): void {
    if (this.#client.writableNeedDrain && now - this.#lastMove > this.#gate.limits.stall) this.cut()
  }

  moved(bytes: number, fromClient: boolean): void {
    const { counters } = this.target
    this.#lastMove = this.#gate.now
    if (fromClient) {
      this.#bytesIn += bytes
      counters.bytesIn += bytes
    } else {
      this.#bytesOut += bytes
      counters.bytesOut += bytes
    }
  }

  over(): void {
    this.#settle()
  }

  #settle(): void {
    if (this.#over) return
    this.#over = true
    if (!this.#open) this.target.counters.unanswered--
    const duration = performance.now() - this.#begun
    this.target.counters.finish(0, duration)
    if (this.#gate.access.hasRoom()) {
      const { id, environment, workload } = this.target.spec
      this.#gate.access.add({
        ...{ time: this.#time, target: id, environment, workload, instance: this.#instance, client: this.#address, protocol: 'TCP' },
        ...{ method: '', host: this.#host, path: '', status: 0, bytesIn: this.#bytesIn, bytesOut: this.#bytesOut, duration },
      })
    }
    this.target.done(this)
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
