/**
 * The ways into environments: the gateway's routes follow the workloads, and demand that the gateway sees scales them. The gateway is made
 * when the first environment exposes something: a daemon that only runs commands listens nowhere.
 */

import { abortable } from '../../base/abort.ts'
import type { Clock } from '../../base/clock.ts'
import { DayflyError } from '../../base/errors.ts'
import type { Log } from '../../base/log.ts'
import type { Audience } from '../../engine/audience.ts'
import type { Engine, WorkloadStatus } from '../../engine/engine.ts'
import type { Scaling } from '../../engine/scaling.ts'
import { createScaling } from '../../engine/scaling.ts'
import { createGateway } from '../../gateway/create.ts'
import type { AccessEntry, Endpoint, Forward, Gateway, GatewayOptions, Report, Route } from '../../gateway/gateway.ts'
import type { Deployment, Exposure } from '../../model/deployment.ts'
import type { Environment } from '../../model/environment.ts'
import { createAccessLog } from './access-log.ts'
import type { Doors } from './exposed.ts'
import { hostLabel } from './exposed.ts'
import type { GatewayPlace } from './options.ts'

export interface DoorsOptions {
  readonly gateway: GatewayPlace
  readonly clock: Clock
  readonly log: Log
  /** Asked only once the engine is there. */
  readonly engine: () => Engine
  /** CPU time that instances have used, in microseconds by id. */
  readonly usage: () => Promise<ReadonlyMap<string, { readonly cpu: number }>>
}

export interface OpenDoors extends Doors, AsyncDisposable {
  readonly audience: Audience
}

const usualPort = 7878
/** Environments that have ended answer 410 with their reason, the latest of them. */
const mostGone = 1000
/** How often (ms) demand is looked at when nothing is reported, so that it can fall; and how often traffic is written into the record. */
const scaleInterval = 250
const recordInterval = 10_000
/** A burst waits for instances that it has called for. */
const queue = 10_000

/** Bytes of an environment's access log. */
const longestAccessLog = 64 * 1024 * 1024

const routeId = (environment: string, workload: string, port: number): string => `${environment}/${workload}/${port}`

/** With the port of this host: another one is another forward, opened before the one before is closed. */
const forwardId = (environment: string, workload: string, { port, published = 0 }: Pick<Exposure, 'port' | 'published'>): string =>
  `tcp ${routeId(environment, workload, port)}/${published}`

interface Scaled {
  readonly environment: string
  readonly workload: string
  readonly scalings: Scaling
  readonly deployment: Deployment
  readonly cores: number
  instances: readonly string[]
  /** In flight and waiting, by route. */
  readonly requests: Map<string, number>
  cpu: number
}

interface Traffic {
  requests: number
  failed: number
  bytesIn: number
  bytesOut: number
}

export const createDoors = (options: DoorsOptions): OpenDoors => {
  const { clock, log, engine } = options
  const { domains } = options.gateway
  let opening: Promise<Gateway> | undefined
  let gateway: Gateway | undefined
  const routes = new Map<string, { environment: string; text: string }>()
  const forwards = new Map<string, { environment: string; text: string; port: number | undefined }>()
  const gone: string[] = []
  const scaled = new Map<string, Scaled>()
  const traffic = new Map<string, Map<string, Traffic>>()
  const cpuBefore = new Map<string, number>()
  let measuredAt = clock.boot()
  const busy = new Set<Promise<unknown>>()
  const accessLog = createAccessLog(environment => engine().accessLogPath(environment), longestAccessLog)
  /** Environments whose access log is full. */
  const full = new Set<string>()

  const background = (what: string, work: Promise<unknown>): void => {
    busy.add(work)
    work.catch((error: unknown) => log.warn(`the gateway could not ${what}`, { error })).finally(() => busy.delete(work))
  }

  const createThere = async (hooks: Pick<GatewayOptions, 'onWake' | 'onReport' | 'log'>): Promise<Gateway> => {
    const { listen, ...place } = options.gateway
    if (listen) return await createGateway({ ...place, ...hooks, listen })
    try {
      return await createGateway({ ...place, ...hooks, listen: { host: '127.0.0.1', port: usualPort } })
    } catch (error) {
      if (!(error instanceof DayflyError) || error.code !== 'conflict') throw error
      return await createGateway({ ...place, ...hooks, listen: { host: '127.0.0.1', port: 0 } })
    }
  }

  const open = (): Promise<Gateway> => {
    opening ??= createThere({
      onWake: async (target, signal) => {
        const [environment = '', workload = ''] = target.replace(/^tcp /, '').split('/')
        await engine().wake(environment, workload, signal)
      },
      onReport: report => hear(report),
      log,
    }).then(made => {
      gateway = made
      log.info('the gateway listens', { port: made.port, tlsPort: made.tlsPort })
      return made
    })
    opening.catch(() => {
      opening = undefined
    })
    return opening
  }

  const hostsOf = (environment: Environment, workload: string, exposure: Exposure, first: boolean): string[] => {
    const label = hostLabel(workload)
    const names = first ? [label, `${label}-${exposure.port}`] : [`${label}-${exposure.port}`]
    return domains.flatMap(domain => names.map(name => `${name}.${environment.spec.name}.${domain}`))
  }

  const endpointsOf = ({ instances }: WorkloadStatus, port: number): Endpoint[] =>
    instances.flatMap(({ instance, health, paused }) => {
      const well = instance.state === 'running' && instance.wish === undefined && !paused && (health === 'none' || health === 'healthy')
      return well && instance.address !== undefined ? [{ instance: instance.id, host: instance.address, port }] : []
    })

  const setRoute = (route: Route): void => {
    const text = JSON.stringify(route)
    if (routes.get(route.id)?.text === text) return
    routes.set(route.id, { environment: route.environment, text })
    background(
      'set a route',
      open()
        .then(made => made.setRoutes({ set: [route] }))
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
      open().then(made => made.setRoutes({ remove: [id] })),
    )
  }

  const forwardOf = (
    environment: Environment,
    workload: string,
    { port, published }: Pick<Exposure, 'port' | 'published'>,
    endpoints: readonly Endpoint[],
  ): Forward => ({
    ...{ id: forwardId(environment.id, workload, { port, published }), environment: environment.id, workload, endpoints, queue },
    listen: { host: '127.0.0.1', port: published ?? 0 },
  })

  const statuses: Audience['statuses'] = (environment, workloads) => {
    const wanted = new Set<string>()
    for (const status of workloads) {
      const deployment = environment.spec.workloads[status.name]?.deployment
      if (!deployment) continue
      const { target } = deployment.scale
      const https = deployment.expose.filter(({ protocol }) => protocol !== 'tcp')
      for (const exposure of deployment.expose) {
        const id = routeId(environment.id, status.name, exposure.port)
        wanted.add(exposure.protocol === 'tcp' ? forwardId(environment.id, status.name, exposure) : id)
        const common = {
          ...{ environment: environment.id, workload: status.name, endpoints: endpointsOf(status, exposure.port), queue },
          ...(target && 'concurrency' in target ? { concurrency: target.concurrency } : {}),
        }
        if (exposure.protocol !== 'tcp') {
          const protocol = exposure.protocol === 'h2c' ? ('h2c' as const) : ('http1' as const)
          setRoute({ id, ...common, hosts: hostsOf(environment, status.name, exposure, exposure === https[0]), protocol })
          continue
        }
        const forward = forwardOf(environment, status.name, exposure, common.endpoints)
        const text = JSON.stringify(forward)
        const known = forwards.get(forward.id)
        if (known?.text === text) continue
        forwards.set(forward.id, { environment: environment.id, text, port: known?.port })
        background(
          `publish port ${exposure.published ?? 0} of ${status.name}`,
          open()
            .then(async made => {
              const port = await made.setForward(forward)
              const now = forwards.get(forward.id)
              if (now) now.port = port
            })
            .catch((error: unknown) => {
              if (forwards.get(forward.id)?.text === text) forwards.delete(forward.id)
              throw error
            }),
        )
      }
      follow(environment, status, deployment)
    }
    for (const [id, { environment: of }] of routes) if (of === environment.id && !wanted.has(id)) removeRoute(id)
    for (const [id, { environment: of }] of forwards) if (of === environment.id && !wanted.has(id)) removeForward(id)
  }

  const removeForward = (id: string): void => {
    if (!forwards.delete(id)) return
    background(
      'stop publishing a port',
      open().then(made => made.removeForward(id)),
    )
  }

  /** Workloads that scale are watched for as long as they are there. */
  const follow = (environment: Environment, status: WorkloadStatus, deployment: Deployment): void => {
    const key = `${environment.id}/${status.name}`
    if (!deployment.scale.target) {
      scaled.delete(key)
      return
    }
    const known = scaled.get(key)
    const instances = status.instances.filter(({ instance }) => instance.state === 'running').map(({ instance }) => instance.id)
    if (known && JSON.stringify(known.deployment.scale) === JSON.stringify(deployment.scale)) {
      known.instances = instances
      return
    }
    const cores = environment.spec.workloads[status.name]?.limits.cpus ?? 1
    const scalings = createScaling(deployment.scale)
    scaled.set(key, { environment: environment.id, workload: status.name, scalings, deployment, cores, instances, requests: new Map(), cpu: 0 })
  }

  const rescale = (one: Scaled): void => {
    const requests = [...one.requests.values()].reduce((sum, count) => sum + count, 0)
    const wanted = one.scalings.observe({ requests, cpu: one.cpu }, clock.boot())
    try {
      engine().scale(one.environment, one.workload, wanted)
    } catch (error) {
      log.debug('a workload could not be scaled: its environment is ending', { environment: one.environment, error })
    }
  }

  const hear = (report: Report): void => {
    const active = new Set<string>()
    for (const target of report.targets) {
      if (target.active) active.add(target.environment)
      const one = scaled.get(`${target.environment}/${target.workload}`)
      one?.requests.set(target.id, target.inFlight + target.waiting)
      if (one) rescale(one)
      count(target)
    }
    for (const environment of active) engine().touch(environment)
    if (report.access.length > 0) background('write the access log', writeAccess(report.access))
    if (report.accessDropped > 0) log.warn('access log entries were dropped: there were too many at once', { count: report.accessDropped })
  }

  const count = ({ environment, workload, finished, statuses: answers, bytesIn, bytesOut }: Report['targets'][number]): void => {
    if (finished === 0 && bytesIn === 0 && bytesOut === 0) return
    const those = traffic.get(environment) ?? new Map<string, Traffic>()
    traffic.set(environment, those)
    const known = those.get(workload) ?? { requests: 0, failed: 0, bytesIn: 0, bytesOut: 0 }
    known.requests += finished
    known.failed += Object.entries(answers).reduce((sum, [status, number]) => sum + (Number(status) >= 500 ? number : 0), 0)
    known.bytesIn += bytesIn
    known.bytesOut += bytesOut
    those.set(workload, known)
  }

  const writeTraffic = (environment: string): void => {
    const those = traffic.get(environment)
    traffic.delete(environment)
    for (const [workload, totals] of those ?? []) {
      engine().note(environment, 'gateway.traffic', `${totals.requests} requests to ${workload}`, { workload, ...totals })
    }
  }

  const writeAccess = async (entries: readonly AccessEntry[]): Promise<void> => {
    for (const [environment, count] of await accessLog.write(entries)) {
      if (full.has(environment)) continue
      full.add(environment)
      engine().note(environment, 'gateway.access_log_full', 'requests after this one are counted, but not in the access log', { dropped: count })
    }
  }

  /** Per cent of one instance's limit that each workload's instances have used since the last look. */
  const measure = async (): Promise<void> => {
    const those = [...scaled.values()].filter(({ deployment }) => deployment.scale.target && 'cpu' in deployment.scale.target)
    if (those.length === 0) return
    const used = await options.usage()
    const now = clock.boot()
    const elapsed = Math.max(1, now - measuredAt)
    measuredAt = now
    for (const one of those) {
      const micros = one.instances.reduce((sum, id) => {
        const before = cpuBefore.get(id)
        const current = used.get(id)?.cpu ?? 0
        return sum + (before === undefined ? 0 : Math.max(0, current - before))
      }, 0)
      one.cpu = (micros / 1000 / elapsed / one.cores) * 100
      rescale(one)
    }
    cpuBefore.clear()
    for (const [id, { cpu }] of used) cpuBefore.set(id, cpu)
  }

  const tick = setInterval(() => {
    for (const one of scaled.values()) if (one.deployment.scale.target && 'concurrency' in one.deployment.scale.target) rescale(one)
  }, scaleInterval)
  const measuring = setInterval(() => background('measure what instances use', measure()), scaleInterval * 4)
  const recording = setInterval(() => {
    for (const environment of [...traffic.keys()]) writeTraffic(environment)
  }, recordInterval)
  for (const timer of [tick, measuring, recording]) timer.unref()

  return {
    get httpPort() {
      return gateway?.port
    },
    tcpPort: (environment, workload, port) => {
      const prefix = `tcp ${routeId(environment, workload, port)}/`
      return [...forwards].findLast(([id]) => id.startsWith(prefix))?.[1].port
    },
    audience: {
      prepare: async (environment, signal) => {
        const exposed = Object.entries(environment.spec.workloads).flatMap(([workload, { deployment }]) =>
          (deployment?.expose ?? []).map(exposure => ({ workload, exposure })),
        )
        if (exposed.length === 0) return
        const made = await abortable(open(), signal)
        const opened: string[] = []
        for (const { workload, exposure } of exposed) {
          if (exposure.protocol !== 'tcp') continue
          const forward = forwardOf(environment, workload, exposure, [])
          if (forwards.has(forward.id)) continue
          forwards.set(forward.id, { environment: environment.id, text: JSON.stringify(forward), port: undefined })
          opened.push(forward.id)
          try {
            const port = await abortable(made.setForward(forward), signal)
            forwards.set(forward.id, { environment: environment.id, text: JSON.stringify(forward), port })
          } catch (error) {
            for (const id of opened) removeForward(id)
            throw error
          }
        }
      },
      statuses,
      drain: async (instance, within) => {
        if (gateway) await gateway.drain(instance, within)
      },
      ending: ({ id }) => writeTraffic(id),
      ended: ({ id, spec, reason }) => {
        accessLog.forget(id)
        full.delete(id)
        for (const [key, { environment }] of scaled) if (environment === id) scaled.delete(key)
        for (const [forward, { environment }] of forwards) if (environment === id) removeForward(forward)
        for (const [route, { environment, text }] of [...routes]) {
          if (environment !== id) continue
          const last: Route = JSON.parse(text)
          setRoute({ ...last, endpoints: [], gone: `The environment ${spec.name} has ended: ${reason}` })
          gone.push(route)
        }
        while (gone.length > mostGone) removeRoute(gone.shift() ?? '')
      },
    },
    [Symbol.asyncDispose]: async () => {
      for (const timer of [tick, measuring, recording]) clearInterval(timer)
      await Promise.allSettled(busy)
      await gateway?.[Symbol.asyncDispose]()
    },
  }
}
