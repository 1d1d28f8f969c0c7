/**
 * Which of a host's names, addresses and user ids belong to whom: pure arithmetic, no state. A *slice* is one daemon's share, so that up to 16
 * daemons live side by side on a host; a *slot* in it is one environment's. Two different (slice, slot) pairs never share a name, an address or an id.
 *
 *   addresses   10.(208 + slice).0.0/16 of a slice, cut into 1024 networks of 64 addresses
 *   user ids    from 0x20000000 to 0x5fffffff, 65,536 of them for each slot: beyond what /etc/subuid reaches with fewer than 8,000 users, below
 *               2^31, where programs that take ids for signed numbers go wrong
 *   interfaces  dfy<slice>-<slot> for the bridge, dfy<slice>-<slot>.<index> for an instance's end on it: at most 15 characters, the kernel's limit
 */
import { DayflyError } from '../../base/errors.ts'

export const sliceCount = 16
export const slotCount = 1024
/** User and group ids of one environment: enough for every id that images use. */
export const idsPerSlot = 65_536

/** The first of the host's ids that are of environments: all from here on, up to the last slot's. */
export const firstId = 0x2000_0000
const firstNetwork = 208
const addressesPerSlot = 64
/** Instances of one environment at once: 64 addresses less the network's own, the gateway and the broadcast address. */
export const instancesPerSlot = addressesPerSlot - 3

export interface Slot {
  readonly slice: number
  readonly slot: number
}

export interface SlotNetwork {
  readonly bridge: string
  /** `10.208.0.0/26`. */
  readonly subnet: string
  /** The bridge's own address, `10.208.0.1`. */
  readonly gateway: string
  readonly prefixLength: 26
}

export interface InstanceAddress {
  readonly address: string
  /** Locally administered, unique to this address. */
  readonly mac: string
  readonly hostInterface: string
}

export interface IdRange {
  /** First host id: what user 0 of the container is on the host. */
  readonly first: number
  readonly count: number
}

const within = (value: number, limit: number, field: string): number => {
  if (Number.isInteger(value) && value >= 0 && value < limit) return value
  throw new DayflyError('invalid', `${field}: ${value} is not a whole number from 0 to ${limit - 1}`, { field })
}

const check = ({ slice, slot }: Slot): void => {
  within(slice, sliceCount, 'slice')
  within(slot, slotCount, 'slot')
}

/** The fourth part of an address and what it is offset by: a slot's 64 addresses start at (slot & 3) * 64. */
const address = ({ slice, slot }: Slot, host: number): readonly [number, number, number, number] => [
  10,
  firstNetwork + slice,
  slot >> 2,
  (slot & 3) * addressesPerSlot + host,
]

/** What every interface name of a slice starts with. */
export const interfacePrefix = (slice: number): string => `dfy${within(slice, sliceCount, 'slice')}-`

/** Everything that a slice's environments can have as an address: `10.208.0.0/16`. */
export const sliceNetwork = (slice: number): string => `10.${firstNetwork + within(slice, sliceCount, 'slice')}.0.0/16`

/** The addresses of all slices of this host, `10.208.0.0/12`: where environments must not reach each other, whichever daemon made them. */
export const allSlices = '10.208.0.0/12'

/** Throws `invalid` for a slice or slot out of range, as everything here does. */
export const slotNetwork = (of: Slot): SlotNetwork => {
  check(of)
  return {
    bridge: `${interfacePrefix(of.slice)}${of.slot}`,
    subnet: `${address(of, 0).join('.')}/26`,
    gateway: address(of, 1).join('.'),
    prefixLength: 26,
  }
}

/** Address, MAC and interface name of an environment's instance number `index`, from 0 to `instancesPerSlot - 1`. */
export const instanceAddress = (of: Slot, index: number): InstanceAddress => {
  check(of)
  const parts = address(of, within(index, instancesPerSlot, 'index') + 2)
  return {
    address: parts.join('.'),
    // 02: locally administered, one receiver. df: ours among what else is locally administered.
    mac: [0x02, 0xdf, ...parts].map(part => part.toString(16).padStart(2, '0')).join(':'),
    hostInterface: `${interfacePrefix(of.slice)}${of.slot}.${index}`,
  }
}

export const slotIds = (of: Slot): IdRange => {
  check(of)
  return { first: firstId + (of.slice * slotCount + of.slot) * idsPerSlot, count: idsPerSlot }
}

/** The slot that an interface of ours belongs to, or undefined for a name that we never make. */
export const slotOfInterface = (name: string): Slot | undefined => {
  const match = /^dfy(0|[1-9]\d?)-(0|[1-9]\d{0,3})(?:\.(?:0|[1-9]\d?))?$/.exec(name)
  if (match === null) return undefined
  const slice = Number(match[1])
  const slot = Number(match[2])
  return slice < sliceCount && slot < slotCount ? { slice, slot } : undefined
}
