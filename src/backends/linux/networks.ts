/**
 * The networks of environments: which slot each has, and what was opened for it. One bridge and one set of rules per environment.
 *
 * The kernel takes some 35 ms to delete a bridge. So a slot that nobody has any more keeps its bridge, up to `mostIdle` of them, and the one that
 * has been idle the longest goes to the next environment: with no port on it and no rule for it, nothing is left there of who had it before.
 */
import { existsSync, readdirSync } from 'node:fs'
import { DayflyError } from '../../base/errors.ts'
import { NativeError } from '../../host/native/channel.ts'
import type { Helper } from '../../host/native/helper.ts'
import type { Slot } from '../../host/network/slots.ts'
import { instancesPerSlot, slotNetwork } from '../../host/network/slots.ts'
import type { Firewall } from '../../host/nft/firewall.ts'
import type { EgressRule } from '../../model/workload.ts'
import type { Slots } from './slots.ts'

export interface Networks {
  /** A slot with its bridge, of no environment yet. */
  open(): Promise<Slot>
  /** Takes away the rules and the slot. No instance is left in it. */
  close(slot: Slot): Promise<void>
  /**
   * The slot of an environment. undefined: it has none yet, and the caller is the one to `assign` it, or to `giveUp`; who asks meanwhile waits.
   */
  join(environment: string): Promise<Slot | undefined>
  assign(environment: string, slot: Slot, index: number): void
  /** The slot of an environment, which it keeps until it is removed, whether or not an instance is in it. */
  reserve(environment: string): Promise<Slot>
  isReserved(environment: string): boolean
  giveUp(environment: string): void
  /** Takes an assignment back. False when another has come to this network meanwhile: then it stays. */
  withdraw(environment: string, index: number): boolean
  /** An instance of an earlier daemon has this place; without an index: the environment has this slot reserved. */
  adopt(environment: string, slot: Slot, index?: number): void
  /** The next free place in an environment's network. Throws `exhausted`. */
  place(environment: string): number
  leave(environment: string, index: number): void
  allow(environment: string, rules: readonly EgressRule[]): Promise<void>
  /** Idempotent. */
  remove(environment: string): Promise<void>
  environments(): ReadonlyMap<string, Slot>
  /** Deletes the idle bridges. */
  clear(): Promise<void>
}

interface Network {
  readonly slot: Slot
  readonly taken: Set<number>
  reserved: boolean
  /** Under way, for whoever asks again. */
  removal: Promise<void> | undefined
}

const mostIdle = 128

/** An instance's end on the bridge goes with its network namespace, which the kernel takes down in its own time. */
const hasPorts = (bridge: string): boolean => readdirSync(`/sys/class/net/${bridge}/brif`).length > 0

/** `idle`: slots whose bridge an earlier daemon left, without rules. */
export const createNetworks = (helper: Helper, firewall: Firewall, slots: Slots, idle: Slot[]): Networks => {
  const networks = new Map<string, Network>()

  const coming = new Map<string, PromiseWithResolvers<void>>()
  const settle = (environment: string): void => {
    coming.get(environment)?.resolve()
    coming.delete(environment)
  }

  const known = (environment: string): Network => {
    const network = networks.get(environment)
    if (network === undefined) throw new DayflyError('internal', `environment ${environment} has no network`)
    return network
  }

  const close = async (slot: Slot): Promise<void> => {
    const { bridge } = slotNetwork(slot)
    await firewall.forget(bridge)
    if (idle.length < mostIdle) idle.push(slot)
    else await discard(slot)
  }

  const discard = async (slot: Slot): Promise<void> => {
    const { bridge } = slotNetwork(slot)
    await helper.linkDelete(bridge)
    // Once more: a last packet may have been counted.
    await firewall.forget(bridge)
    slots.release(slot)
  }

  const takeIdle = (): Slot | undefined => {
    const at = idle.findIndex(slot => !hasPorts(slotNetwork(slot).bridge))
    return at < 0 ? undefined : idle.splice(at, 1)[0]
  }

  const makeBridge = async (slot: Slot): Promise<void> => {
    const { bridge, gateway, prefixLength } = slotNetwork(slot)
    try {
      await helper.bridgeAdd(bridge, `${gateway}/${prefixLength}`)
    } catch (error) {
      throw error instanceof NativeError ? new DayflyError('host', `no network for an environment: ${error.message}`, { cause: error }) : error
    }
  }

  const open = async (): Promise<Slot> => {
    const recycled = takeIdle()
    if (recycled !== undefined) return recycled
    const slot = slots.allocate()
    try {
      await makeBridge(slot)
    } catch (error) {
      slots.release(slot)
      throw error
    }
    return slot
  }

  const join: Networks['join'] = async environment => {
    for (;;) {
      const slot = networks.get(environment)?.slot
      if (slot !== undefined) return slot
      const other = coming.get(environment)
      if (other === undefined) {
        coming.set(environment, Promise.withResolvers())
        return undefined
      }
      await other.promise
    }
  }

  return {
    open,
    close,
    join,
    reserve: async environment => {
      const before = networks.get(environment)
      // An earlier daemon's, whose bridge went with a restart of the host.
      if (before !== undefined && !existsSync(`/sys/class/net/${slotNetwork(before.slot).bridge}`)) await makeBridge(before.slot)
      try {
        const slot = (await join(environment)) ?? (await open())
        const network = networks.get(environment) ?? { slot, taken: new Set(), reserved: true, removal: undefined }
        network.reserved = true
        networks.set(environment, network)
        return slot
      } finally {
        settle(environment)
      }
    },
    isReserved: environment => networks.get(environment)?.reserved === true,
    assign: (environment, slot, index) => {
      networks.set(environment, { slot, taken: new Set([index]), reserved: false, removal: undefined })
      settle(environment)
    },
    giveUp: settle,
    withdraw: (environment, index) => {
      const network = networks.get(environment)
      return network?.reserved === false && network.taken.size === 1 && network.taken.has(index) && networks.delete(environment)
    },
    adopt: (environment, slot, index) => {
      const network = networks.get(environment) ?? { slot, taken: new Set(), reserved: false, removal: undefined }
      if (index === undefined) network.reserved = true
      else network.taken.add(index)
      networks.set(environment, network)
    },
    place: environment => {
      const { taken } = known(environment)
      const index = Array.from({ length: instancesPerSlot }, (_, candidate) => candidate).find(candidate => !taken.has(candidate))
      if (index === undefined) {
        throw new DayflyError('exhausted', `the environment has all the ${instancesPerSlot} instances its network has addresses for`)
      }
      taken.add(index)
      return index
    },
    leave: (environment, index) => {
      networks.get(environment)?.taken.delete(index)
    },
    allow: async (environment, rules) => {
      if (rules.length > 0) await firewall.allow(slotNetwork(known(environment).slot).bridge, rules)
    },
    remove: async environment => {
      const network = networks.get(environment)
      if (network === undefined) return
      network.removal ??= close(network.slot).then(
        () => void networks.delete(environment),
        error => {
          network.removal = undefined
          throw error
        },
      )
      await network.removal
    },
    environments: () => new Map([...networks].map(([environment, { slot }]) => [environment, slot])),
    clear: async () => {
      await Promise.all(idle.splice(0).map(discard))
    },
  }
}
