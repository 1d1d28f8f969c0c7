/** The gateway's routes and forwards follow the workloads. */
import { abortable } from '../../base/abort.ts'
import { DayflyError } from '../../base/errors.ts'
import type { WorkloadStatus } from '../../engine/engine.ts'
import type { Endpoint, Forward, Gateway, Route } from '../../gateway/gateway.ts'
import type { Exposure } from '../../model/deployment.ts'
import type { Environment } from '../../model/environment.ts'
import type { GatewayPorts } from './gateway-ports.ts'
import { createHostClaims, namedExposures } from './host-names.ts'

/** A burst waits for instances that it has called for. */
const queue = 10_000

export const routeId = (environment: string, workload: string, port: number): string => `${environment}/${workload}/${port}`

type TcpExposure = Pick<Exposure, 'port' | 'published'>
/** With the port of this host: another one is another forward, opened before the one before is closed. */
const forwardId = (environment: string, workload: string, { port, published = 0 }: TcpExposure): string =>
  `tcp ${routeId(environment, workload, port)}/${published}`

/** Whom a route or a forward leads to, by its id. */
export const targetOf = (id: string): { readonly environment: string; readonly workload: string } => {
  const [environment = '', workload = ''] = id.replace(/^tcp /, '').split('/')
  return { environment, workload }
}

export interface RoutingOptions {
  /** The gateway, made at the first call. */
  readonly open: () => Promise<Gateway>
  readonly domains: readonly string[]
  readonly ports: GatewayPorts
  /** Work that nobody waits for; `what` for the log, if it fails. */
  readonly background: (what: string, work: Promise<unknown>) => void
}

export interface Routing {
  /** The port of this host that leads to a port of a workload by TCP; undefined while nothing listens for it. */
  tcpPort(environment: string, workload: string, port: number): number | undefined
  /** Takes the names and opens the ports that an environment asks for. Rejects when one cannot be had: then everything is as it was. */
  prepare(environment: Environment, signal: AbortSignal): Promise<void>
  follow(environment: Environment, workloads: readonly WorkloadStatus[]): void
  /** Closes an environment's ports and lets go of its names; from now on these routes answer for it. */
  close(environment: string, routes: readonly Route[]): void
  /** Takes away all routes of an environment. */
  remove(environment: string): void
}

const endpointsOf = ({ instances }: WorkloadStatus, port: number): Endpoint[] =>
  instances.flatMap(({ instance, health, paused }) => {
    const well = instance.state === 'running' && instance.wish === undefined && !paused && (health === 'none' || health === 'healthy')
    return well && instance.address !== undefined ? [{ instance: instance.id, host: instance.address, port }] : []
  })

const forwardOf = (environment: Environment, workload: string, exposure: TcpExposure, endpoints: readonly Endpoint[]): Forward => ({
  ...{ id: forwardId(environment.id, workload, exposure), environment: environment.id, workload, endpoints, queue },
  listen: { host: '127.0.0.1', port: exposure.published ?? 0 },
})

export const createRouting = ({ open, domains, ports, background }: RoutingOptions): Routing => {
  /** What the gateway was told last, by id. */
  const routes = new Map<string, { environment: string; text: string }>()
  const forwards = new Map<string, { environment: string; text: string; port: number | undefined }>()
  const claims = createHostClaims()

  const setRoute = (route: Route): void => {
    const text = JSON.stringify(route)
    if (routes.get(route.id)?.text === text) return
    routes.set(route.id, { environment: route.environment, text })
    background(
      'set a route',
      open()
        .then(gateway => gateway.setRoutes({ set: [route] }))
        .catch((error: unknown) => {
          // Not there: whoever asks for the same again has it tried again.
          if (routes.get(route.id)?.text === text) routes.delete(route.id)
          throw error
        }),
    )
  }
  const removeRoute = (id: string): void => {
    if (!routes.delete(id)) return
    background(
      'remove a route',
      open().then(gateway => gateway.setRoutes({ remove: [id] })),
    )
  }

  /** A port that nobody has chosen is the one that it had, where that is free. */
  const bind = async (gateway: Gateway, forward: Forward): Promise<number> => {
    if (forward.listen.port !== 0) return await gateway.setForward(forward)
    const before = ports.forward(forward.id)
    const listenAt = (port: number): Promise<number> => gateway.setForward({ ...forward, listen: { ...forward.listen, port } })
    const port = await (before === undefined
      ? listenAt(0)
      : listenAt(before).catch((error: unknown) => {
          if (error instanceof DayflyError && error.code === 'conflict') return listenAt(0)
          throw error
        }))
    if (forwards.has(forward.id)) ports.remember(forward.id, port)
    return port
  }
  const setForward = (forward: Forward): void => {
    const text = JSON.stringify(forward)
    const known = forwards.get(forward.id)
    if (known?.text === text) return
    forwards.set(forward.id, { environment: forward.environment, text, port: known?.port })
    background(
      `publish port ${forward.listen.port} of ${forward.workload}`,
      open()
        .then(async gateway => {
          const port = await bind(gateway, forward)
          const now = forwards.get(forward.id)
          if (now) now.port = port
        })
        .catch((error: unknown) => {
          if (forwards.get(forward.id)?.text === text) forwards.delete(forward.id)
          throw error
        }),
    )
  }
  const removeForward = (id: string): void => {
    if (!forwards.delete(id)) return
    ports.forget(other => other !== id)
    background(
      'stop publishing a port',
      open().then(gateway => gateway.removeForward(id)),
    )
  }

  return {
    tcpPort: (environment, workload, port) => {
      const prefix = `tcp ${routeId(environment, workload, port)}/`
      return [...forwards].findLast(([id]) => id.startsWith(prefix))?.[1].port
    },

    prepare: async (environment, signal) => {
      const exposed = Object.entries(environment.spec.workloads).flatMap(([workload, { deployment }]) =>
        (deployment?.expose ?? []).map(exposure => ({ workload, exposure })),
      )
      if (exposed.length === 0) return
      const unclaim = claims.claim(environment)
      const opened: string[] = []
      try {
        const gateway = await abortable(open(), signal)
        for (const { workload, exposure } of exposed) {
          if (exposure.protocol !== 'tcp') continue
          const forward = forwardOf(environment, workload, exposure, [])
          if (forwards.has(forward.id)) continue
          forwards.set(forward.id, { environment: environment.id, text: JSON.stringify(forward), port: undefined })
          opened.push(forward.id)
          const port = await abortable(bind(gateway, forward), signal)
          forwards.set(forward.id, { environment: environment.id, text: JSON.stringify(forward), port })
        }
      } catch (error) {
        for (const id of opened) removeForward(id)
        unclaim()
        throw error
      }
    },

    follow: (environment, workloads) => {
      const wanted = new Set<string>()
      const named = namedExposures(environment, domains)
      for (const status of workloads) {
        const deployment = environment.spec.workloads[status.name]?.deployment
        if (!deployment) continue
        const { target } = deployment.scale
        const concurrency = target && 'concurrency' in target ? { concurrency: target.concurrency } : {}
        for (const { workload, exposure, hosts } of named) {
          if (workload !== status.name) continue
          const id = routeId(environment.id, workload, exposure.port)
          wanted.add(id)
          const protocol = exposure.protocol === 'h2c' ? ('h2c' as const) : ('http1' as const)
          const endpoints = endpointsOf(status, exposure.port)
          setRoute({ ...{ id, environment: environment.id, workload, endpoints, queue, ...concurrency, hosts, protocol } })
        }
        for (const exposure of deployment.expose) {
          if (exposure.protocol !== 'tcp') continue
          const forward = { ...forwardOf(environment, status.name, exposure, endpointsOf(status, exposure.port)), ...concurrency }
          wanted.add(forward.id)
          setForward(forward)
        }
      }
      for (const [id, { environment: of }] of routes) if (of === environment.id && !wanted.has(id)) removeRoute(id)
      for (const [id, { environment: of }] of forwards) if (of === environment.id && !wanted.has(id)) removeForward(id)
    },

    close: (environment, last) => {
      claims.release(environment)
      for (const [id, { environment: of }] of forwards) if (of === environment) removeForward(id)
      ports.forget(id => targetOf(id).environment !== environment)
      for (const route of last) setRoute(route)
    },
    remove: environment => {
      for (const [id, { environment: of }] of routes) if (of === environment) removeRoute(id)
    },
  }
}
