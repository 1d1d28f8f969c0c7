/**
 * The gateway as the daemon has it: it keeps what the data plane was told, so that a new thread can be told it again when the one before has crashed.
 *
 *   thread: starting ──▶ serving ──▶ crashed ──▶ starting (after 50 ms to 5 s) …      closed from everywhere
 */
import { Worker } from 'node:worker_threads'
import { DayflyError, messageOf } from '../base/errors.ts'
import type { Forward, Gateway, GatewayOptions, Limits, Route } from './gateway.ts'
import { defaultLimits } from './gateway.ts'
import type { Failure, FromPlane, Order, PlaneOptions, ToPlane } from './messages.ts'

const firstPause = 50
const longestPause = 5_000
/** A thread that served as long as this has crashed for another reason than the one before. */
const longService = 60_000

interface Pending {
  readonly order: Order
  readonly resolve: (value: number) => void
  readonly reject: (error: unknown) => void
}

const errorOf = ({ code, message, field, remedy }: Failure): DayflyError =>
  new DayflyError(code, message, { ...(field === undefined ? {} : { field }), ...(remedy === undefined ? {} : { remedy }) })

/** Throws `invalid` naming the limit. */
const limitsOf = (given: Partial<Limits>): Limits => {
  const limits = { ...defaultLimits, ...given }
  for (const [name, value] of Object.entries(limits)) {
    if (Number.isInteger(value) && value > 0) continue
    throw new DayflyError('invalid', `the gateway's limit ${name} is ${value}`, { field: `limits.${name}`, remedy: 'Give a whole number above 0.' })
  }
  return limits
}

/** Resolves when it listens. Throws `conflict` naming a port that is taken, `invalid` for an address, a certificate or a limit that cannot be used. */
export const createGateway = async (options: GatewayOptions): Promise<Gateway> => {
  const { log } = options
  const routes = new Map<string, Route>()
  const forwards = new Map<string, Forward>()
  const pending = new Map<number, Pending>()
  const wakes = new Map<string, AbortController>()
  let numbers = 0
  let worker: Worker | undefined
  let closed = false
  let pause = firstPause
  let startedAt = 0
  let restart: NodeJS.Timeout | undefined
  let plane: PlaneOptions = {
    ...{ listen: options.listen, domains: options.domains, limits: limitsOf(options.limits ?? {}) },
    tls: options.tls === undefined ? undefined : { ...options.tls },
  }

  const tell = (message: ToPlane): void => worker?.postMessage(message)
  const order = (given: Order): Promise<number> => {
    if (closed) return Promise.reject(new DayflyError('wrong_state', 'the gateway is closed'))
    return new Promise((resolve, reject) => {
      const number = ++numbers
      pending.set(number, { order: given, resolve, reject })
      tell({ type: 'order', number, order: given })
    })
  }

  const wake = (target: string): void => {
    const controller = new AbortController()
    wakes.set(target, controller)
    const settle = (error: string | undefined): void => {
      if (wakes.get(target) !== controller) return
      wakes.delete(target)
      tell({ type: 'woken', target, error })
    }
    options.onWake(target, controller.signal).then(
      () => settle(undefined),
      (error: unknown) => settle(messageOf(error)),
    )
  }

  const hear = (message: FromPlane): void => {
    switch (message.type) {
      case 'done': {
        pending.get(message.number)?.resolve(message.value)
        pending.delete(message.number)
        return
      }
      case 'failed': {
        pending.get(message.number)?.reject(errorOf(message.error))
        pending.delete(message.number)
        return
      }
      case 'wake':
        return void wake(message.target)
      case 'unwake':
        return void wakes.get(message.target)?.abort(new DayflyError('aborted', 'nobody waits for it any more'))
      case 'report':
        return void options.onReport(message.report)
      case 'log':
        return void log[message.level](message.message, message.fields)
      default:
    }
  }

  /** A new thread, which listens on the ports of the one before and knows what that one knew. */
  const start = async (): Promise<{ port: number; tlsPort: number | undefined }> => {
    const thread = new Worker(new URL('./worker.ts', import.meta.url), { workerData: plane, name: 'dayfly-gateway' })
    const { promise: ready, resolve, reject } = Promise.withResolvers<{ port: number; tlsPort: number | undefined }>()
    thread.on('message', (message: FromPlane) => {
      if (message.type === 'ready') resolve(message)
      else if (message.type === 'unable') reject(errorOf(message.error))
      else hear(message)
    })
    thread.on('error', error => {
      log.error('the gateway has crashed', { error })
      reject(error)
    })
    thread.on('exit', code => {
      reject(new DayflyError('internal', `the gateway's thread ended with ${code} before it listened`))
      if (worker === thread) crashed()
    })
    try {
      const ports = await ready
      worker = thread
      startedAt = performance.now()
      return ports
    } catch (error) {
      await thread.terminate()
      throw error
    }
  }

  const crashed = (): void => {
    worker = undefined
    if (closed) return
    for (const controller of wakes.values()) controller.abort(new DayflyError('aborted', 'the gateway has crashed'))
    wakes.clear()
    if (performance.now() - startedAt > longService) pause = firstPause
    log.error('the gateway is started again; what was in flight is lost', { after: pause })
    again()
  }

  const again = (): void => {
    restart = setTimeout(() => {
      start().then(remind, (error: unknown) => {
        if (closed) return
        log.error('the gateway cannot be started', { error })
        again()
      })
    }, pause)
    pause = Math.min(pause * 2, longestPause)
  }

  /** Of what is pending, what is of use still is said after it: a drain is over, for nothing is in flight. */
  const remind = (): void => {
    if (closed) return void worker?.terminate()
    tell({ type: 'order', number: 0, order: { type: 'routes', changes: { set: [...routes.values()] } } })
    for (const forward of forwards.values()) tell({ type: 'order', number: 0, order: { type: 'forward', forward } })
    for (const [number, { order: given, resolve }] of pending) {
      if (given.type !== 'drain') tell({ type: 'order', number, order: given })
      else {
        pending.delete(number)
        resolve(0)
      }
    }
  }

  const { port, tlsPort } = await start()
  plane = {
    ...plane,
    listen: { ...plane.listen, port },
    tls: plane.tls === undefined || tlsPort === undefined ? undefined : { ...plane.tls, port: tlsPort },
  }

  return {
    ...{ port, tlsPort },
    setRoutes: async changes => {
      for (const id of changes.remove ?? []) routes.delete(id)
      for (const route of changes.set ?? []) routes.set(route.id, route)
      await order({ type: 'routes', changes })
    },
    setForward: async forward => {
      const bound = await order({ type: 'forward', forward })
      // After a crash it listens on the same port again.
      forwards.set(forward.id, { ...forward, listen: { ...forward.listen, port: bound } })
      return bound
    },
    removeForward: async id => {
      forwards.delete(id)
      await order({ type: 'unforward', id })
    },
    drain: (instance, within) => order({ type: 'drain', instance, within }),
    cut: environment => order({ type: 'cut', environment }),
    flush: async () => void (await order({ type: 'flush' })),
    [Symbol.asyncDispose]: async () => {
      if (closed) return
      closed = true
      clearTimeout(restart)
      const thread = worker
      worker = undefined
      for (const controller of wakes.values()) controller.abort(new DayflyError('aborted', 'the gateway is closed'))
      for (const { reject } of pending.values()) reject(new DayflyError('aborted', 'the gateway was closed'))
      pending.clear()
      // The kernel closes its sockets with it.
      await thread?.terminate()
    },
  }
}
