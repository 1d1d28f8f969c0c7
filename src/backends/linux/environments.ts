/**
 * Environments of more than one instance: what these share, who of them reaches whom, the names they know each other by, and the names outside that they
 * may ask for. One that nobody has prepared, and that opens no domain, has nothing here and costs nothing.
 */
import type { Denied, EnvironmentRequest, NetworkName } from '../../engine/backend.ts'
import type { DomainTarget, ResolverSpec } from '../../host/dns/config.ts'
import { planDomains } from '../../host/dns/domains.ts'
import type { Resolvers } from '../../host/dns/resolvers.ts'
import type { Helper } from '../../host/native/helper.ts'
import type { Slot } from '../../host/network/slots.ts'
import { instanceAddress, slotNetwork } from '../../host/network/slots.ts'
import type { Firewall, Ports } from '../../host/nft/firewall.ts'
import type { EgressDomain, EgressRule } from '../../model/workload.ts'
import { coalesced } from './coalesced.ts'
import type { Denials } from './denials.ts'
import { createDenials } from './denials.ts'
import { hostUpstreams, reachesPrivate } from './nameservers.ts'
import type { Networks } from './networks.ts'
import type { ResourceStore } from './resources.ts'

/** An instance, as its environment's network knows it. */
export interface Member {
  readonly instance: string
  readonly index: number
  /** Names of networks; none: the one that all are on. */
  readonly networks: readonly string[]
  readonly egress: readonly EgressRule[]
  readonly domains: readonly EgressDomain[]
}

export interface Environments {
  prepare(request: EnvironmentRequest): Promise<void>
  setNames(environment: string, names: readonly NetworkName[]): Promise<void>
  /** Where the instance's names are resolved; undefined: nowhere of ours. */
  resolverOf(environment: string, domains: readonly EgressDomain[]): string | undefined
  /** Before its first instruction: it reaches then what it may, and no more. */
  admit(environment: string, member: Member): Promise<void>
  leave(environment: string, instance: string): void
  /** Whose an address on a bridge is; undefined: nobody's that names are resolved for. */
  at(bridge: string, address: string): { readonly environment: string; readonly instance: string } | undefined
  /** An instance of an earlier daemon. */
  adopt(environment: string, member: Member): void
  denied(environment: string): Promise<Denied[]>
  isolate(environment: string): Promise<void>
  /** Nothing of it is left. Its instances are gone. Idempotent. */
  remove(environment: string): Promise<void>
  /** Addresses that names had opened are closed again: they must be asked for anew. */
  refresh(): Promise<void>
  /** Name servers that somebody has ended are there again. To be called every few seconds. */
  revive(): Promise<void>
}

export interface EnvironmentsOptions {
  readonly networks: Networks
  readonly resources: ResourceStore
  readonly firewall: Firewall
  readonly helper: Helper
  readonly resolvers: Resolvers
}

interface State {
  readonly members: Map<string, Member>
  readonly denials: Denials
  /** undefined: it has not been prepared, and its instances are closed to each other. */
  internal: Readonly<Record<string, boolean>> | undefined
  /** undefined: an earlier daemon's, whose resolver still knows them. */
  names: readonly NetworkName[] | undefined
  /** What was told to the kernel last, so that what stays the same costs nothing. */
  inside: string
  openNames: { readonly key: string; readonly targets: ReadonlyMap<Ports, string> }
  /** What its resolver was told last; undefined: this daemon has told it nothing. */
  resolving: ResolverSpec | undefined
  /** Its resolver may have been ended by somebody. */
  doubted: boolean
  /** No name outside is resolved. */
  isolated: boolean
  /** It is being removed: nothing is begun for it any more. */
  ending: boolean
  readonly sync: () => Promise<void>
}

/** All are on it where an environment names no networks. */
const onlyNetwork = ''

export const createEnvironments = ({ networks, resources, firewall, helper, resolvers }: EnvironmentsOptions): Environments => {
  const states = new Map<string, State>()
  const isolated = new Set<string>()

  const slotOf = (environment: string): Slot | undefined => networks.environments().get(environment)

  /** `names`: when there is nothing of it here yet. */
  const stateOf = (environment: string, names: readonly NetworkName[] | undefined): State => {
    const known = states.get(environment)
    if (known !== undefined) return known
    const state: State = {
      ...{ members: new Map(), denials: createDenials(), internal: undefined, names, inside: '' },
      ...{ openNames: { key: '[]', targets: new Map() }, resolving: undefined, doubted: false, ending: false, isolated: isolated.has(environment) },
      sync: coalesced(async () => {
        const slot = slotOf(environment)
        if (slot === undefined || state.ending) return
        await setInside(slot, state)
        await setResolver(slot, state)
      }),
    }
    states.set(environment, state)
    return state
  }

  const networksOf = ({ networks }: Member): readonly string[] => (networks.length === 0 ? [onlyNetwork] : networks)

  const setInside = async (slot: Slot, state: State): Promise<void> => {
    const { internal } = state
    if (internal === undefined) return
    const { bridge, subnet, gateway } = slotNetwork(slot)
    const members = [...state.members.values()].map(member => {
      const { address, mac, hostInterface } = instanceAddress(slot, member.index)
      const egress = member.egress.length + member.domains.length > 0 && networksOf(member).some(name => internal[name] !== true)
      return { port: hostInterface, mac, address, networks: networksOf(member), egress }
    })
    const key = JSON.stringify(members)
    if (key === state.inside) return
    await firewall.setInside(bridge, { subnet, gateway, members })
    state.inside = key
  }

  const setResolver = async (slot: Slot, state: State): Promise<void> => {
    const { bridge, gateway } = slotNetwork(slot)
    const members = [...state.members.values()]
    const domains = state.isolated ? [] : planDomains(members.flatMap(member => member.domains))
    if (state.names === undefined || (state.internal === undefined && domains.length === 0)) return
    const lists = [...new Map(domains.map(({ ports }) => [JSON.stringify(ports), ports])).values()]
    const key = JSON.stringify(lists)
    if (key !== state.openNames.key) state.openNames = { key, targets: await firewall.openNames(bridge, lists) }
    const targets = new Map([...state.openNames.targets].map(([ports, nftset]) => [JSON.stringify(ports), nftset]))
    const spec: ResolverSpec = {
      listen: gateway,
      hosts: hostsOf(slot, state, state.names),
      domains: domains.map((domain): DomainTarget => ({ ...domain, nftset: targets.get(JSON.stringify(domain.ports)) ?? '' })),
      upstreams: domains.length === 0 ? [] : hostUpstreams(),
      privateAnswers: domains.length > 0 && reachesPrivate(members.flatMap(({ egress }) => egress)),
    }
    if (!state.doubted && JSON.stringify(spec) === JSON.stringify(state.resolving)) return
    if (state.resolving === undefined) await firewall.allowResolver(bridge, gateway)
    state.doubted = false
    await resolvers.of(bridge).ensure(spec)
    state.resolving = spec
  }

  /** By address; first comes what no other address has. A name of one network is known on all: where it leads, only its network's instances get. */
  const hostsOf = (slot: Slot, { members }: State, names: readonly NetworkName[]) =>
    [...members.values()].flatMap(({ instance, index }) => {
      const own = names.flatMap(({ name, instances }) => (instances.includes(instance) ? [name] : []))
      return own.length === 0 ? [] : [{ address: instanceAddress(slot, index).address, names: [instance, ...own] }]
    })

  /** Of one that has no network yet it is done as soon as there is one. */
  const closeOff = async (environment: string): Promise<void> => {
    const slot = slotOf(environment)
    if (slot !== undefined) await firewall.isolate(slotNetwork(slot).bridge)
  }

  const instanceAt = (slot: Slot, { members }: State, address: string): string | undefined =>
    [...members.values()].find(({ index }) => instanceAddress(slot, index).address === address)?.instance

  let listing: Promise<Awaited<ReturnType<Firewall['denied']>>> | undefined
  /** One listing tells of all environments: let those who ask at once share it. */
  const listDenied = (): Promise<Awaited<ReturnType<Firewall['denied']>>> => {
    listing ??= firewall.denied().finally(() => {
      listing = undefined
    })
    return listing
  }

  const countDenied = async (slot: Slot, state: State): Promise<void> => {
    const { bridge } = slotNetwork(slot)
    for (const { bridge: on, source, destination, protocol, port, packets } of await listDenied()) {
      if (on !== bridge) continue
      const known = protocol === 'tcp' || protocol === 'udp' || protocol === 'icmp' ? protocol : 'other'
      state.denials.observe({ instance: instanceAt(slot, state, source), destination, port, protocol: known }, source, packets)
    }
    if (state.resolving === undefined) return
    for (const { source, name, count } of resolvers.of(bridge).refused().names) {
      const instance = source === undefined ? undefined : instanceAt(slot, state, source)
      state.denials.add({ instance, destination: name, port: undefined, protocol: 'dns' }, source ?? '', count)
    }
  }

  return {
    prepare: async request => {
      const slot = await networks.reserve(request.id)
      if (isolated.has(request.id)) await closeOff(request.id)
      const state = stateOf(request.id, resources.of(request.id) === undefined ? [] : undefined)
      resources.prepare(request, slot)
      state.internal = Object.fromEntries(Object.entries(request.networks).map(([name, { internal }]) => [name, internal]))
      await state.sync()
    },
    setNames: async (environment, names) => {
      const state = stateOf(environment, names)
      state.names = names
      await state.sync()
    },
    resolverOf: (environment, domains) => {
      const slot = slotOf(environment)
      const has = states.get(environment)?.internal !== undefined || domains.length > 0
      return slot === undefined || !has ? undefined : slotNetwork(slot).gateway
    },
    admit: async (environment, member) => {
      if (isolated.has(environment)) await closeOff(environment)
      await networks.allow(environment, member.egress)
      const slot = slotOf(environment)
      if (slot === undefined || (states.get(environment) === undefined && member.domains.length === 0)) return
      const state = stateOf(environment, [])
      // Now, so that it fails this one only and not whoever comes at the same time.
      planDomains([...state.members.values(), member].flatMap(({ domains }) => domains))
      state.members.set(member.instance, member)
      try {
        await state.sync()
        if (state.internal !== undefined) await helper.portIsolate(instanceAddress(slot, member.index).hostInterface, false)
      } catch (error) {
        state.members.delete(member.instance)
        throw error
      }
    },
    leave: (environment, instance) => void states.get(environment)?.members.delete(instance),
    at: (bridge, address) => {
      for (const [environment, state] of states) {
        const slot = slotOf(environment)
        if (slot === undefined || slotNetwork(slot).bridge !== bridge) continue
        const instance = instanceAt(slot, state, address)
        return instance === undefined ? undefined : { environment, instance }
      }
      return undefined
    },
    adopt: (environment, member) => {
      const prepared = resources.of(environment) !== undefined
      if (prepared || member.domains.length > 0) stateOf(environment, undefined).members.set(member.instance, member)
    },
    denied: async environment => {
      const slot = slotOf(environment)
      if (slot === undefined) return []
      const state = stateOf(environment, [])
      await countDenied(slot, state)
      return state.denials.all()
    },
    isolate: async environment => {
      isolated.add(environment)
      await closeOff(environment)
      const state = states.get(environment)
      if (state === undefined) return
      state.isolated = true
      await state.sync()
    },
    remove: async environment => {
      const slot = slotOf(environment)
      const state = states.get(environment)
      if (state !== undefined) {
        state.ending = true
        await state.sync().catch(() => undefined)
      }
      // Before the rules go that it fills.
      if (slot !== undefined && (state !== undefined || resources.of(environment) !== undefined)) await resolvers.end(slotNetwork(slot).bridge)
      await resources.remove(environment)
      await networks.remove(environment)
      states.delete(environment)
      isolated.delete(environment)
    },
    revive: async () => {
      const resolving = [...states.values()].filter(state => state.resolving !== undefined)
      for (const state of resolving) state.doubted = true
      await Promise.all(resolving.map(state => state.sync()))
    },
    refresh: async () => {
      await Promise.all(
        [...states].map(async ([environment, state]) => {
          const slot = slotOf(environment)
          if (slot !== undefined && state.resolving !== undefined) await resolvers.of(slotNetwork(slot).bridge).refresh()
        }),
      )
    },
  }
}
