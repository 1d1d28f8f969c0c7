/** The data plane: listeners, the routing table and the clock. It runs in a thread of its own (worker.ts); nothing here knows of that. */
import type { Server, Socket } from 'node:net'
import { DayflyError, errnoOf, messageOf } from '../base/errors.ts'
import type { Log } from '../base/log.ts'
import { openCertificates } from './certificates.ts'
import { createDoors } from './doors.ts'
import { Drains } from './drains.ts'
import type { Gate } from './exchange.ts'
import type { Listener } from './forwards.ts'
import { listenForward, listening } from './forwards.ts'
import type { Address, Forward, Report, RouteChanges } from './gateway.ts'
import { createClearServer, createSecureServer } from './listen.ts'
import type { PlaneOptions } from './messages.ts'
import { Pulse } from './pulse.ts'
import { Routes } from './routes.ts'
import { AccessLog } from './tally.ts'
import { sendHttp1 } from './to-http1.ts'
import { sendHttp2 } from './to-http2.ts'

export interface PlaneEvents {
  readonly onWake: (target: string) => void
  readonly onUnwake: (target: string) => void
  readonly onReport: (report: Report) => void
  readonly log: Log
}

export interface Plane extends AsyncDisposable {
  readonly port: number
  readonly tlsPort: number | undefined
  setRoutes(changes: RouteChanges): void
  setForward(forward: Forward): Promise<number>
  removeForward(id: string): Promise<void>
  drain(instance: string, within: number): Promise<number>
  cut(environment: string): number
  flush(): void
  woken(target: string, error: string | undefined): void
}

/** ms between two lines of the log about clients that were too many. */
const complainEvery = 10_000

/** Throws `conflict` for a port that is taken, `invalid` for what cannot be listened on. */
const listen = async (server: Server, { host, port }: Address, field: string): Promise<number> => {
  try {
    return await listening(server, host, port)
  } catch (error) {
    throw cannotListen(error, { host, port }, field)
  }
}

const cannotListen = (error: unknown, { host, port }: Address, field: string): DayflyError => {
  const taken = errnoOf(error) === 'EADDRINUSE'
  const remedy = taken ? 'Give another port, or 0 for any that is free.' : 'Give an address of this host, and a port that the daemon may use.'
  const why = taken ? 'another program listens there' : messageOf(error)
  return new DayflyError(taken ? 'conflict' : 'invalid', `cannot listen on ${host}:${port}: ${why}`, { field, remedy, cause: error })
}

/** How many clients may be connected. */
const createTurnstile = (most: number, log: Log): { admit: (socket: Socket) => boolean; readonly sockets: ReadonlySet<Socket> } => {
  const sockets = new Set<Socket>()
  let refused = 0
  let complained = Number.NEGATIVE_INFINITY
  const admit = (socket: Socket): boolean => {
    if (sockets.size >= most) {
      socket.destroy()
      refused++
      if (performance.now() - complained > complainEvery) {
        log.warn('too many clients are connected; more are closed', { limit: most, refused })
        complained = performance.now()
        refused = 0
      }
      return false
    }
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
    return true
  }
  return { admit, sockets }
}

export const createPlane = async (options: PlaneOptions, events: PlaneEvents): Promise<Plane> => {
  const { limits } = options
  await using undo = new AsyncDisposableStack()
  const access = new AccessLog(limits.accessEntries)
  const pulse = undo.use(new Pulse(access, events.onReport))
  const drains: Drains = new Drains(
    () => routes.all(),
    () => routes.current(),
  )
  const routes = new Routes(
    {
      ...{ limits, draining: drains.instances, wake: events.onWake, unwake: events.onUnwake },
      touch: target => pulse.touch(target),
      emptied: instance => drains.emptied(instance),
    },
    options.domains,
  )
  const gate: Gate = {
    ...{ limits, access },
    get now() {
      return pulse.now
    },
    send: (exchange, seat) => {
      const { spec } = exchange.target
      return 'protocol' in spec && spec.protocol === 'h2c' ? sendHttp2(exchange, seat, limits) : sendHttp1(exchange, seat, limits)
    },
  }
  const turnstile = createTurnstile(limits.connections, events.log)
  const doors = undo.use(createDoors(gate, host => routes.find(host)))
  const forwards = new Map<string, Listener>()

  undo.defer(async () => {
    for (const target of routes.all()) for (const seat of target.seats()) seat.links?.[Symbol.dispose]()
    for (const socket of turnstile.sockets) socket.destroy()
    await Promise.all([...forwards.values()].map(listener => listener[Symbol.asyncDispose]()))
  })

  const clear = createClearServer(doors, limits, turnstile.admit)
  undo.defer(() => void clear.close())
  const port = await listen(clear, options.listen, 'gateway.listen')

  let tlsPort: number | undefined
  if (options.tls !== undefined) {
    const secure = createSecureServer(doors, limits, name => certificates.contextFor(name), turnstile.admit)
    const certificates = undo.use(
      await openCertificates(options.tls.certificates, {
        onFirst: pem => secure.setSecureContext(pem),
        onRefused: message => events.log.warn(message),
      }),
    )
    undo.defer(() => void secure.close())
    tlsPort = await listen(secure, options.tls, 'gateway.tls')
  }

  const close = undo.move()
  return {
    ...{ port, tlsPort },
    setRoutes: changes => {
      routes.change(changes)
      drains.forget()
    },
    setForward: async forward => {
      const known = forwards.get(forward.id)
      const target = routes.set(forward)
      drains.forget()
      if (known !== undefined) return known.port
      try {
        const listener = await listenForward(forward, target, gate, turnstile.admit)
        forwards.set(forward.id, listener)
        return listener.port
      } catch (error) {
        routes.remove(forward.id)
        throw cannotListen(error, forward.listen, 'ports')
      }
    },
    removeForward: async id => {
      const known = forwards.get(id)
      forwards.delete(id)
      await known?.[Symbol.asyncDispose]()
      routes.remove(id)
      drains.forget()
    },
    drain: async (instance, within) => {
      try {
        return await drains.drain(instance, within)
      } finally {
        routes.prune()
        drains.forget()
      }
    },
    cut: environment => {
      let count = 0
      for (const target of [...routes.all()]) if (target.spec.environment === environment) count += target.cut()
      return count
    },
    flush: () => pulse.beat(),
    woken: (target, error) => routes.get(target)?.woken(error),
    [Symbol.asyncDispose]: () => close.disposeAsync(),
  }
}
