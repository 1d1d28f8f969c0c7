/**
 * What instances of one bridge may say to each other: a table of the bridge family, so that it does not matter whether the host lets bridged packets
 * pass its IP rules. It has a say only about ports that are in `members`; all others are isolated, and nothing gets from one to another.
 *
 *   from a port ──▶ prerouting  IPv4 and ARP only, from the port's own MAC and address: `bound`. Before the bridge learns the MAC
 *                     ├──▶ forward  to ports of instances that it shares a network with: `reach`. ARP too, and each port that a broadcast goes to
 *                     └──▶ input    not to other instances by way of the host's routing, which would be a way around `reach`
 *
 * Networks: instances that are on the same networks are a group. `group` tells that of a port, as a mark that lives in this hook only; `reach` tells which
 * ports a group may send to. An instance costs one element of the first and one for each group that reaches it.
 */
import { isIPv4 } from 'node:net'
import { DayflyError } from '../../base/errors.ts'

export interface Member {
  /** The instance's end on the bridge. */
  readonly port: string
  readonly mac: string
  readonly address: string
  /** Names of networks, of this bridge only. Members that share one reach each other; one without any reaches nobody. */
  readonly networks: readonly string[]
  /** Whether what is open for the bridge is open for it. */
  readonly egress: boolean
}

export interface Inside {
  /** `10.208.0.0/26`, of the prefix length that all bridges of the firewall have. */
  readonly subnet: string
  /** The bridge's own address. */
  readonly gateway: string
  readonly members: readonly Member[]
}

export interface BridgeTableShape {
  readonly table: string
  readonly mark: string
  /** IPv4 network of all environments. */
  readonly allSlices: string
}

/** Sets and maps of elements that belong to bridges: of the bridge table, and of the inet table. */
export const insideSets = ['members', 'bound', 'reach', 'gateways'] as const
export const insideMaps = ['group'] as const
export const insideInetSets = ['inside', 'internal'] as const

/** Commands that make the bridge table, nothing opened; also in one that is there and was flushed. */
export const bridgeRules = ({ table, mark, allSlices }: BridgeTableShape): string[] => {
  const chain = (name: string, hook: string, ...rules: readonly string[]): string[] => [
    `add chain ${table} ${name}${hook === '' ? '' : ` { ${hook}; policy accept; }`}`,
    ...rules.map(rule => `add rule ${table} ${name} ${rule}`),
  ]
  const bound = (address: string, mac: string): string => `iifname . ${mac} . ${address} @bound`
  return [
    `add table ${table} { comment "${mark}"; }`,
    `add set ${table} members { type ifname; }`,
    `add set ${table} bound { type ifname . ether_addr . ipv4_addr; }`,
    `add map ${table} group { type ifname : mark; }`,
    `add set ${table} reach { type mark . ifname; }`,
    `add set ${table} gateways { type ifname . ipv4_addr; }`,
    `add set ${table} refused { type ifname; size 4096; flags dynamic; }`,
    `add set ${table} denied { type ifname . ipv4_addr . ipv4_addr; size 2048; flags dynamic,timeout; timeout 1h; }`,
    `add set ${table} novel { type ifname; size 4096; flags dynamic,timeout; timeout 1h; }`,
    ...chain('refuse', '', 'add @refused { iifname counter }', 'drop'),
    ...chain(
      'separate',
      '',
      // Who wants to reach whom shows in ARP: without its answer nothing else is sent.
      'ether type arp iifname . arp saddr ip . arp daddr ip @denied goto refuse',
      'ether type arp add @novel { iifname limit rate 1/minute burst 64 packets } add @denied { iifname . arp saddr ip . arp daddr ip counter }',
      'goto refuse',
    ),
    ...chain(
      'entering',
      '',
      `ether type ip ${bound('ip saddr', 'ether saddr')} accept`,
      `ether type arp ${bound('arp saddr ip', 'ether saddr')} ${bound('arp saddr ip', 'arp saddr ether')} accept`,
      'goto refuse',
    ),
    ...chain('between', '', 'meta mark set iifname map @group', 'meta mark . oifname @reach accept', 'goto separate'),
    ...chain(
      'delivered',
      '',
      'ether type arp accept',
      'meta pkttype != host drop', // The host's copy of a broadcast.
      'iifname . ip daddr @gateways accept',
      `ip daddr ${allSlices} goto refuse`,
    ),
    ...chain('prerouting', 'type filter hook prerouting priority -300', 'iifname @members goto entering'),
    ...chain('forward', 'type filter hook forward priority -200', 'iifname @members goto between'),
    ...chain('input', 'type filter hook input priority -200', 'iifname @members goto delivered'),
  ]
}

const check = (fits: boolean, field: string, value: string, what: string): void => {
  if (!fits) throw new DayflyError('invalid', `${field}: "${value}" is not ${what}`, { field })
}

/** Elements, each as it follows `add element`: `bridge dayfly_0 opened { "dfy0-1" }`. Throws `invalid` for what is no address, MAC or port of the bridge. */
export const insideElements = (inet: string, table: string, bridge: string, inside: Inside): string[] => {
  const { subnet, gateway, members } = inside
  const network = subnet.split('/')[0] ?? ''
  check(isIPv4(network), 'subnet', subnet, 'an IPv4 network')
  check(isIPv4(gateway), 'gateway', gateway, 'an IPv4 address')
  for (const { port, mac, address } of members) {
    check(port.startsWith(`${bridge}.`) && /^[\w.-]{1,15}$/.test(port), 'port', port, `a port of ${bridge}`)
    check(/^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/.test(mac), 'mac', mac, 'a MAC address in lower case')
    check(isIPv4(address), 'address', address, 'an IPv4 address')
  }
  const groups = new Map<string, { mark: number; networks: readonly string[] }>()
  const signature = (networks: readonly string[]): string => JSON.stringify([...new Set(networks)].sort())
  for (const { networks } of members.toSorted((left, right) => (signature(left.networks) < signature(right.networks) ? -1 : 1))) {
    const key = signature(networks)
    if (!groups.has(key)) groups.set(key, { mark: groups.size + 1, networks })
  }
  return [
    `${inet} inside { "${bridge}" . ${network} }`,
    ...members.flatMap(({ port, mac, address, networks, egress }) => [
      `${table} members { "${port}" }`,
      `${table} gateways { "${port}" . ${gateway} }`,
      `${table} bound { "${port}" . ${mac} . ${address} }`,
      `${table} group { "${port}" : ${groups.get(signature(networks))?.mark ?? 0} }`,
      ...[...groups.values()].flatMap(group =>
        group.networks.some(name => networks.includes(name)) ? [`${table} reach { ${group.mark} . "${port}" }`] : [],
      ),
      ...(egress ? [] : [`${inet} internal { "${bridge}" . ${address} }`]),
    ]),
  ]
}

/** The bridge of an element of these sets, by the interface that is part of its key. */
export const bridgeOfKey = (key: readonly (string | number)[], prefix: string): string | undefined =>
  key.flatMap(part => (typeof part === 'string' && part.startsWith(prefix) ? [part.split('.')[0] ?? part] : []))[0]

/** As `insideElements` tells them, from how the kernel lists them. */
export const elementText = (
  table: string,
  set: string,
  key: readonly (string | number)[],
  value: string | number | undefined,
  prefix: string,
): string => {
  const parts = key.map(part => (typeof part === 'string' && part.startsWith(prefix) ? `"${part}"` : part))
  return `${table} ${set} { ${parts.join(' . ')}${value === undefined ? '' : ` : ${value}`} }`
}
