/**
 * How much an owner may have at once, and what the host keeps for itself. What is there is counted by the store, what was admitted and is not there yet by
 * claims, so a restart forgets nothing but the starts of the last minute. Without quotas nothing is counted.
 */
import { formatBytes } from '../base/bytes.ts'
import type { Clock } from '../base/clock.ts'
import type { EnvironmentSpec } from '../model/environment.ts'
import { teamOf } from '../model/principal.ts'
import type { WorkloadSpec } from '../model/workload.ts'
import type { Store } from './store.ts'

/** What is not given is not limited. */
export interface Quota {
  readonly environments?: number
  readonly instances?: number
  /** Sums of the limits of live instances: cores, bytes. */
  readonly cpus?: number
  readonly memory?: number
  /** Bytes on disk of what instances wrote and of volumes, as they were last measured. */
  readonly disk?: number
  readonly startsPerMinute?: number
}

export interface QuotaRules {
  /** For owners without their own. */
  readonly each: Quota
  readonly owners: Readonly<Record<string, Quota>>
  /** For teams without their own, beside their owners' quotas. */
  readonly eachTeam?: Quota
  readonly teams?: Readonly<Record<string, Quota>>
  /** Bytes that must stay free on the host: memory, and disk on each of its file systems. */
  readonly reserve: { readonly memory: number; readonly disk: number }
}

export interface HostRoom {
  /** Bytes that can be had now without taking them from anybody. */
  memory(): number
  /** Bytes of memory that there are in all. */
  readonly size: number
  /** The file systems that instances and what is known of them lie on, in bytes. */
  disks(): readonly { readonly name: string; readonly free: number; readonly size: number }[]
}

/** Why something would be too much now. */
export interface Excess {
  /** Whose room it would have to wait for. */
  readonly of: 'owner' | 'team' | 'host'
  readonly reason: string
  /** It alone is more than the owner may have, or than the host has: there will never be room. */
  readonly never: boolean
}

/**
 * Room for what was admitted, from that very moment. Disposing gives back what is not yet there; what runs by then keeps its memory promised for a while, for
 * it shows only as it is used.
 */
export interface Claim extends Disposable {
  /** It stands in the store, and is counted there. */
  written(): void
  ran(): void
}

/** Whose room something takes. */
export type Holding = Pick<EnvironmentSpec, 'owner' | 'team'>

/** A team among owners: none of these is called so. */
export const teamHolder = (team: string): string => `team:${team}`
export const holdersOf = (of: Holding): readonly [owner: string, team: string] => [of.owner, teamHolder(teamOf(of))]

/** What an owner, or a team as `teamHolder` names it, may have. */
export const quotaOf = ({ each, owners, eachTeam = {}, teams = {} }: Omit<QuotaRules, 'reserve'>, holder: string): Quota =>
  holder.startsWith('team:') ? (teams[holder.slice('team:'.length)] ?? eachTeam) : (owners[holder] ?? each)

export interface Quotas {
  /** Of another environment of the spec, with as few instances as it may have. */
  excessOf(spec: EnvironmentSpec): Excess | undefined
  /** Instances that are kept running count as starts when they begin, each by its own claim. */
  claim(spec: EnvironmentSpec): Claim
  /** Of one more instance of an environment that is there. */
  excessOfInstance(of: Holding, workload: WorkloadSpec): Excess | undefined
  claimInstance(of: Holding, workload: WorkloadSpec): Claim
}

export const noClaim: Claim = { written: () => {}, ran: () => {}, [Symbol.dispose]: () => {} }
export const noQuotas: Quotas = { excessOf: () => undefined, claim: () => noClaim, excessOfInstance: () => undefined, claimInstance: () => noClaim }

/** What runs shows in the host's memory after this long (ms). */
const settling = 5_000
/** A file system that is smaller keeps this part of it. */
const smallShare = 0.1

interface Amounts {
  readonly environments: number
  readonly instances: number
  readonly cpus: number
  readonly memory: number
  readonly disk: number
  readonly startsPerMinute: number
}

const measures = ['environments', 'instances', 'cpus', 'memory', 'disk', 'startsPerMinute'] as const
const words: Readonly<Record<keyof Amounts, (amount: number) => string>> = {
  environments: amount => `${amount} environments`,
  instances: amount => `${amount} instances`,
  cpus: amount => `${Math.round(amount * 100) / 100} CPUs`,
  memory: amount => `${formatBytes(amount)} of memory`,
  disk: amount => (Number.isFinite(amount) ? `${formatBytes(amount)} on disk` : 'more files on disk than can be counted'),
  startsPerMinute: amount => `${amount} starts a minute`,
}
const nothing: Amounts = { environments: 0, instances: 0, cpus: 0, memory: 0, disk: 0, startsPerMinute: 0 }

const sum = (left: Amounts, right: Amounts): Amounts => ({
  environments: left.environments + right.environments,
  instances: left.instances + right.instances,
  cpus: left.cpus + right.cpus,
  memory: left.memory + right.memory,
  disk: left.disk + right.disk,
  startsPerMinute: left.startsPerMinute + right.startsPerMinute,
})

/** The fewest instances that these have. */
const leastOf = (workloads: readonly WorkloadSpec[]): Amounts =>
  workloads.reduce((all, { limits, deployment }) => {
    const count = deployment?.scale.min ?? 1
    return sum(all, { ...nothing, instances: count, cpus: limits.cpus * count, memory: limits.memory * count, startsPerMinute: count })
  }, nothing)

const isKept = ({ deployment }: WorkloadSpec): boolean => deployment !== undefined

interface QuotaParts {
  readonly store: Pick<Store, 'held'>
  readonly clock: Clock
  readonly host: HostRoom
  /** Bytes that an owner's or a team's environments occupy, as far as they were measured. */
  readonly diskOf: (holder: string) => number
}

export const createQuotas = ({ reserve, ...rules }: QuotaRules, { store, clock, host, diskOf }: QuotaParts): Quotas => {
  /** Boot ms of each owner's starts in the last minute. */
  const starts = new Map<string, number[]>()
  /** `counted`: what the store does not count yet. `memory`: promised of the host's, up to `until` (boot ms). */
  const claims = new Set<{ readonly holders: readonly string[]; counted: Amounts; memory: number; until: number }>()

  const recent = (owner: string): number[] => {
    const those = (starts.get(owner) ?? []).filter(at => at > clock.boot() - 60_000)
    if (those.length === 0) starts.delete(owner)
    else starts.set(owner, those)
    return those
  }

  const usedBy = (owner: string): Amounts => {
    const held = { ...nothing, ...store.held(owner), disk: diskOf(owner), startsPerMinute: recent(owner).length }
    return [...claims].filter(({ holders }) => holders.includes(owner)).reduce((all, { counted }) => sum(all, counted), held)
  }

  const prune = (): void => {
    for (const claim of claims) if (claim.until <= clock.boot()) claims.delete(claim)
  }
  const promised = (): number => [...claims].reduce((all, { memory }) => all + memory, 0)

  const overOwn = (owner: string, more: Amounts): Omit<Excess, 'of'> | undefined => {
    const quota = quotaOf(rules, owner)
    const name = owner.replace(/^team:/, 'the team ')
    if (measures.every(measure => quota[measure] === undefined)) return undefined
    const hopeless = measures.find(measure => more[measure] > (quota[measure] ?? Number.POSITIVE_INFINITY))
    if (hopeless) {
      const limit = words[hopeless](quota[hopeless] ?? 0)
      return { reason: `${name} may have ${limit}, and this alone takes ${words[hopeless](more[hopeless])}`, never: true }
    }
    const used = usedBy(owner)
    for (const measure of measures) {
      const limit = quota[measure]
      // An owner whose limit was lowered below what is there keeps that: an instance of it that comes again takes no further environment.
      if (limit === undefined || (measure !== 'disk' && more[measure] === 0)) continue
      // What something will write is not known before: there has to be some room left.
      const fits = measure === 'disk' ? used.disk < limit : used[measure] + more[measure] <= limit
      if (fits) continue
      const takes = measure === 'disk' ? '' : `; this takes ${words[measure](more[measure])} more`
      return { reason: `${name} has ${words[measure](used[measure])} and may have ${words[measure](limit)}${takes}`, never: false }
    }
    return undefined
  }

  const overHost = (memory: number): Omit<Excess, 'of'> | undefined => {
    if (reserve.memory > 0) {
      const keeps = `keeps ${formatBytes(reserve.memory)} for itself; this takes ${formatBytes(memory)}`
      // In line it would hold up everybody for as long as it waits, and in vain.
      if (host.size - memory < reserve.memory) return { reason: `this host has ${formatBytes(host.size)} of memory and ${keeps}`, never: true }
      prune()
      const [there, taken] = [host.memory(), promised()]
      if (there - taken - memory < reserve.memory) {
        const also = taken === 0 ? '' : `, of which ${formatBytes(taken)} are promised to what is starting,`
        return { reason: `this host has ${formatBytes(there)} of memory left${also} and ${keeps}`, never: false }
      }
    }
    if (reserve.disk > 0) {
      for (const { name, free, size } of host.disks()) {
        const kept = Math.min(reserve.disk, size * smallShare)
        if (free >= kept) continue
        return { reason: `this host has ${formatBytes(free)} of disk left on ${name} and keeps ${formatBytes(kept)} for itself`, never: false }
      }
    }
    return undefined
  }

  const excess = (of: Holding, more: Amounts): Excess | undefined => {
    const [owner, team] = holdersOf(of)
    const own = overOwn(owner, more)
    if (own) return { of: 'owner', ...own }
    const teams = overOwn(team, more)
    if (teams) return { of: 'team', ...teams }
    const hosts = overHost(more.memory)
    return hosts && { of: 'host', ...hosts }
  }

  /** `now`: what stands in the store once it is written. `later`: what begins afterwards, by claims of its own. */
  const claimOf = (of: Holding, now: Amounts, later: Amounts): Claim => {
    prune()
    const holders = holdersOf(of)
    for (const holder of holders) starts.set(holder, [...recent(holder), ...Array.from({ length: now.startsPerMinute }, () => clock.boot())])
    const all = sum(now, later)
    // The starts are counted already.
    const claim = { holders, counted: { ...all, startsPerMinute: 0 }, memory: all.memory, until: Number.POSITIVE_INFINITY }
    claims.add(claim)
    return {
      written: () => {
        claim.counted = { ...later, startsPerMinute: 0 }
      },
      ran: () => {
        claim.counted = nothing
        claim.memory = now.memory
        claim.until = clock.boot() + settling
      },
      [Symbol.dispose]: () => {
        if (claim.until === Number.POSITIVE_INFINITY) claims.delete(claim)
      },
    }
  }

  const ofOne = ({ limits: { cpus, memory } }: WorkloadSpec): Amounts => ({ ...nothing, instances: 1, cpus, memory, startsPerMinute: 1 })

  return {
    excessOf: ({ workloads, ...of }) => excess(of, sum({ ...nothing, environments: 1 }, leastOf(Object.values(workloads)))),
    claim: ({ workloads, ...of }) => {
      const all = Object.values(workloads)
      const now = sum({ ...nothing, environments: 1 }, leastOf(all.filter(workload => !isKept(workload))))
      return claimOf(of, now, leastOf(all.filter(isKept)))
    },
    excessOfInstance: (of, workload) => excess(of, ofOne(workload)),
    claimInstance: (of, workload) => claimOf(of, ofOne(workload), nothing),
  }
}
