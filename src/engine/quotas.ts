/**
 * How much an owner may have at once, and what the host keeps for itself. Counted from the store, so that a restart forgets nothing but the starts of
 * the last minute. Without quotas nothing is counted.
 */
import { formatBytes } from '../base/bytes.ts'
import type { Clock } from '../base/clock.ts'
import { DayflyError } from '../base/errors.ts'
import type { EnvironmentSpec } from '../model/environment.ts'
import { isLive } from '../model/instance.ts'
import type { WorkloadSpec } from '../model/workload.ts'
import type { Store } from './store.ts'

/** What is not given is not limited. */
export interface Quota {
  readonly environments?: number
  readonly instances?: number
  /** Sums of the limits of live instances: cores, bytes. */
  readonly cpus?: number
  readonly memory?: number
  readonly startsPerMinute?: number
}

export interface QuotaOptions {
  /** For owners without their own. */
  readonly each: Quota
  readonly owners: Readonly<Record<string, Quota>>
  /** Bytes of memory that must stay available on the host. */
  readonly reserve: number
  /** Bytes available on the host now. */
  readonly available: () => number
}

export interface Quotas {
  /** Throws `exhausted` naming what is over when another environment of the spec, with as few instances as it may have, would be too much. */
  admitEnvironment(spec: EnvironmentSpec): void
  /** Why one more instance of the workload would be too much now; undefined when it would not. What is admitted counts as a start. */
  refuseInstance(owner: string, workload: WorkloadSpec): string | undefined
}

export const noQuotas: Quotas = { admitEnvironment: () => {}, refuseInstance: () => undefined }

interface Amounts {
  readonly environments: number
  readonly instances: number
  readonly cpus: number
  readonly memory: number
  readonly startsPerMinute: number
}

const words: Readonly<Record<keyof Amounts, (amount: number) => string>> = {
  environments: amount => `${amount} environments`,
  instances: amount => `${amount} instances`,
  cpus: amount => `${Math.round(amount * 100) / 100} CPUs`,
  memory: amount => `${formatBytes(amount)} of memory`,
  startsPerMinute: amount => `${amount} starts a minute`,
}
const measures: readonly (keyof Amounts)[] = ['environments', 'instances', 'cpus', 'memory', 'startsPerMinute']

/** The fewest instances that it has. */
const leastOf = (spec: EnvironmentSpec): Amounts => {
  const sums = { environments: 1, instances: 0, cpus: 0, memory: 0, startsPerMinute: 0 }
  for (const { limits, deployment } of Object.values(spec.workloads)) {
    const count = deployment?.scale.min ?? 1
    sums.instances += count
    sums.cpus += limits.cpus * count
    sums.memory += limits.memory * count
    sums.startsPerMinute += count
  }
  return sums
}

export const createQuotas = (options: QuotaOptions, store: Store, clock: Clock): Quotas => {
  /** Boot ms of each owner's starts in the last minute. */
  const starts = new Map<string, number[]>()

  const recent = (owner: string): number[] => {
    const those = (starts.get(owner) ?? []).filter(at => at > clock.boot() - 60_000)
    starts.set(owner, those)
    return those
  }

  const usedBy = (owner: string): Amounts => {
    const sums = { environments: 0, instances: 0, cpus: 0, memory: 0, startsPerMinute: recent(owner).length }
    for (const { id, spec } of store.environments({ ended: false })) {
      if (spec.owner !== owner) continue
      sums.environments++
      for (const instance of store.instances(id)) {
        const limits = spec.workloads[instance.workload]?.limits
        if (!limits || !isLive(instance.state)) continue
        sums.instances++
        sums.cpus += limits.cpus
        sums.memory += limits.memory
      }
    }
    return sums
  }

  /** What would be over, in words. */
  const excess = (owner: string, more: Amounts): string | undefined => {
    const quota = options.owners[owner] ?? options.each
    if (measures.some(measure => quota[measure] !== undefined)) {
      const used = usedBy(owner)
      for (const measure of measures) {
        const limit = quota[measure]
        if (limit === undefined || used[measure] + more[measure] <= limit) continue
        return `${owner} has ${words[measure](used[measure])} and may have ${words[measure](limit)}; this takes ${words[measure](more[measure])} more`
      }
    }
    const left = options.available() - more.memory
    if (options.reserve === 0 || left >= options.reserve) return undefined
    return `this host has ${formatBytes(options.available())} of memory left and keeps ${formatBytes(options.reserve)} for itself; this takes ${formatBytes(more.memory)}`
  }

  return {
    admitEnvironment: spec => {
      const over = excess(spec.owner, leastOf(spec))
      if (over !== undefined) {
        throw new DayflyError('exhausted', over, { remedy: 'End an environment (dayfly down), ask for lower limits, or wait.' })
      }
      // Those that are kept running are counted as they start.
      const now = clock.boot()
      for (const { deployment } of Object.values(spec.workloads)) if (!deployment) recent(spec.owner).push(now)
    },
    refuseInstance: (owner, { limits }) => {
      const over = excess(owner, { environments: 0, instances: 1, cpus: limits.cpus, memory: limits.memory, startsPerMinute: 1 })
      if (over === undefined) recent(owner).push(clock.boot())
      return over
    },
  }
}
