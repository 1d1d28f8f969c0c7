/** Demand that the gateway sees, or the processors, scales workloads. */
import type { Clock } from '../../base/clock.ts'
import type { Log } from '../../base/log.ts'
import type { WorkloadStatus } from '../../engine/engine.ts'
import type { Scaling } from '../../engine/scaling.ts'
import { createScaling } from '../../engine/scaling.ts'
import type { TargetReport } from '../../gateway/gateway.ts'
import type { Deployment } from '../../model/deployment.ts'
import type { Environment } from '../../model/environment.ts'

/** How often (ms) demand is looked at when nothing is reported, so that it can fall. */
const scaleInterval = 250
const measureInterval = 1_000

export interface DemandOptions {
  readonly clock: Clock
  readonly log: Log
  readonly scale: (environment: string, workload: string, wanted: number) => void
  /** CPU time that instances have used, in microseconds by id. */
  readonly usage: () => Promise<ReadonlyMap<string, { readonly cpu: number }>>
}

export interface Demand extends Disposable {
  /** Workloads that scale are watched for as long as they are there. */
  follow(environment: Environment, workloads: readonly WorkloadStatus[]): void
  see(target: TargetReport): void
  forget(environment: string): void
}

interface Scaled {
  readonly environment: string
  readonly workload: string
  readonly scaling: Scaling
  readonly scale: Deployment['scale']
  readonly cores: number
  instances: readonly string[]
  /** In flight and waiting, by route. */
  readonly requests: Map<string, number>
  /** Per cent of one instance's limit that all of them have used. */
  cpu: number
}

export const createDemand = ({ clock, log, scale, usage }: DemandOptions): Demand => {
  const scaled = new Map<string, Scaled>()
  const cpuBefore = new Map<string, number>()
  let measuredAt = clock.boot()

  const watch = (environment: Environment, status: WorkloadStatus): void => {
    const key = `${environment.id}/${status.name}`
    const workload = environment.spec.workloads[status.name]
    if (!workload?.deployment) return
    const wanted = workload.deployment.scale
    if (!wanted.target) return void scaled.delete(key)
    const known = scaled.get(key)
    const instances = status.instances.filter(({ instance }) => instance.state === 'running').map(({ instance }) => instance.id)
    if (known && JSON.stringify(known.scale) === JSON.stringify(wanted)) {
      known.instances = instances
      return
    }
    scaled.set(key, {
      ...{ environment: environment.id, workload: status.name, scaling: createScaling(wanted), scale: wanted },
      ...{ cores: workload.limits.cpus, instances, requests: new Map(), cpu: 0 },
    })
  }

  const rescale = (one: Scaled): void => {
    const requests = [...one.requests.values()].reduce((sum, count) => sum + count, 0)
    const wanted = one.scaling.observe({ requests, cpu: one.cpu }, clock.boot())
    try {
      scale(one.environment, one.workload, wanted)
    } catch (error) {
      log.debug('a workload could not be scaled: its environment is ending', { environment: one.environment, error })
    }
  }

  const measure = async (): Promise<void> => {
    const those = [...scaled.values()].filter(one => one.scale.target && 'cpu' in one.scale.target)
    if (those.length === 0) return
    const used = await usage()
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

  const looking = setInterval(() => {
    for (const one of scaled.values()) if (one.scale.target && 'concurrency' in one.scale.target) rescale(one)
  }, scaleInterval)
  const measuring = setInterval(() => {
    measure().catch((error: unknown) => log.warn('what instances use could not be measured', { error }))
  }, measureInterval)
  for (const timer of [looking, measuring]) timer.unref()

  return {
    follow: (environment, workloads) => {
      for (const status of workloads) watch(environment, status)
    },
    see: target => {
      const one = scaled.get(`${target.environment}/${target.workload}`)
      if (!one) return
      one.requests.set(target.id, target.inFlight + target.waiting)
      rescale(one)
    },
    forget: environment => {
      for (const [key, one] of scaled) if (one.environment === environment) scaled.delete(key)
    },
    [Symbol.dispose]: () => {
      for (const timer of [looking, measuring]) clearInterval(timer)
    },
  }
}
