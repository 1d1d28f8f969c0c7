/**
 * The ways into environments. The gateway is made when the first environment exposes something, or an ended one's names still answer: a daemon that only
 * runs commands listens nowhere.
 *
 *   engine ── statuses ──▶ routing ──▶ gateway ── reports ──▶ demand ── scale ──▶ engine
 *                                                       └──▶ traffic ──▶ record
 */
import { abortable } from '../../base/abort.ts'
import type { Clock } from '../../base/clock.ts'
import type { Log } from '../../base/log.ts'
import type { Audience } from '../../engine/audience.ts'
import type { Engine } from '../../engine/engine.ts'
import type { Store } from '../../engine/store.ts'
import type { Gateway, Report } from '../../gateway/gateway.ts'
import { createDemand } from './demand.ts'
import type { Doors } from './exposed.ts'
import { createGatewayPorts } from './gateway-ports.ts'
import { createGone, goneRoutes } from './gone.ts'
import type { GatewayPlace } from './options.ts'
import { createRouting, targetOf } from './routing.ts'
import { createTraffic } from './traffic.ts'

export interface DoorsOptions {
  readonly gateway: GatewayPlace
  readonly clock: Clock
  readonly log: Log
  /** Asked only once the engine is there. */
  readonly engine: () => Engine
  readonly store: Pick<Store, 'fact' | 'setFact' | 'environment' | 'environments'>
  /** CPU time that instances have used, in microseconds by id. */
  readonly usage: () => Promise<ReadonlyMap<string, { readonly cpu: number }>>
  /** Is told of all that comes in, too. */
  readonly onReport?: (report: Report) => void
}

export interface OpenDoors extends Doors, AsyncDisposable {
  readonly audience: Audience
  /** Before the engine adopts anything: takes up what a daemon before had. Names of environments that have ended answer again. */
  recall(): void
}

/** Environments that have ended answer 410 with their reason, the latest of them. */
const mostGone = 1_000
/** ms that the gateway has to tell the last of an environment before its record is sealed. */
const flushPatience = 2_000

export const createDoors = (options: DoorsOptions): OpenDoors => {
  const { log, engine, store } = options
  const { domains } = options.gateway
  let opening: Promise<Gateway> | undefined
  let gateway: Gateway | undefined
  const busy = new Set<Promise<unknown>>()
  const background = (what: string, work: Promise<unknown>): void => {
    busy.add(work)
    work.catch((error: unknown) => log.warn(`the gateway could not ${what}`, { error })).finally(() => busy.delete(work))
  }

  const hear = (report: Report): void => {
    const active = new Set<string>()
    for (const target of report.targets) {
      if (target.active) active.add(target.environment)
      demand.see(target)
    }
    traffic.see(report)
    options.onReport?.(report)
    for (const environment of active) engine().touch(environment)
  }

  const ports = createGatewayPorts(store, log)
  const open = (): Promise<Gateway> => {
    opening ??= ports
      .open(options.gateway, {
        onWake: (target, signal) => engine().wake(targetOf(target).environment, targetOf(target).workload, signal),
        onReport: hear,
        log,
      })
      .then(made => {
        gateway = made
        log.info('the gateway listens', { port: made.port, tlsPort: made.tlsPort })
        return made
      })
    opening.catch(() => {
      opening = undefined
    })
    return opening
  }

  const gone = createGone(store, log, mostGone)
  const routing = createRouting({ open, domains, ports, background })
  const demand = createDemand({
    ...{ clock: options.clock, log, usage: options.usage },
    scale: (environment, workload, wanted) => engine().scale(environment, workload, wanted),
  })
  const traffic = createTraffic({
    note: (...event) => engine().note(...event),
    accessLogPath: environment => engine().accessLogPath(environment),
    log,
  })

  /** `over`: an environment of which nothing is left. What the gateway was told before goes through `opening`, too, and so before this. */
  const flush = async (over?: string): Promise<void> => {
    if (opening === undefined) return
    const flushed = opening.then(async made => {
      if (over !== undefined) await made.cut(over)
      await made.flush()
    })
    try {
      await abortable(flushed, AbortSignal.timeout(flushPatience))
    } catch (error) {
      log.warn('the gateway did not tell the last of what it saw', { error })
    }
  }

  return {
    get httpPort() {
      return gateway?.port
    },
    tcpPort: routing.tcpPort,
    recall: () => {
      for (const environment of gone.recall()) routing.close(environment.id, goneRoutes(environment, domains))
      const living = new Set(store.environments({ ended: false }).map(({ id }) => id))
      ports.forget(id => living.has(targetOf(id).environment))
    },
    audience: {
      prepare: routing.prepare,
      statuses: (environment, workloads) => {
        routing.follow(environment, workloads)
        demand.follow(environment, workloads)
      },
      drain: async (instance, within) => {
        if (gateway) await gateway.drain(instance, within)
      },
      ending: async environment => {
        const last = goneRoutes(environment, domains)
        if (last.length > 0) for (const forgotten of gone.remember(environment)) routing.remove(forgotten)
        // Who waits is turned away now, and who is under way is cut: the record is to have them.
        routing.close(environment.id, last)
        await flush(environment.id)
        try {
          await traffic.close(environment.id)
        } catch (error) {
          // What keeps a file from being read must not keep an environment from ending.
          log.warn('the access log could not be read at the end of its environment', { environment: environment.id, error })
        }
      },
      ended: environment => {
        demand.forget(environment.id)
        traffic.forget(environment.id)
        routing.close(environment.id, goneRoutes(environment, domains))
      },
    },
    [Symbol.asyncDispose]: async () => {
      demand[Symbol.dispose]()
      await flush()
      await traffic[Symbol.asyncDispose]()
      await Promise.allSettled(busy)
      await gateway?.[Symbol.asyncDispose]()
    },
  }
}
