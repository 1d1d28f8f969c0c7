/**
 * The rules of one daemon's table, as text for nft. `EgressOpening`s are no rules but elements of hash sets, one pair of sets for each prefix length
 * in use: an opening costs one element whatever is open already (measured: 0.13 to 0.19 ms among 2,000 others, where an interval set takes 36 ms to
 * delete from and a chain per bridge 2 ms to add), a bridge with nothing open costs nothing, and networks that overlap do not disturb each other.
 *
 *   from a bridge ──▶ prerouting  IPv4 only, source routed by that bridge, not to the host's own address, not to a closed network: before any
 *                        │        translation of the host, so that a port it publishes is as closed as its address
 *                        │      translated  only to what is open, by the address after translation: here, because without IPv4 forwarding a packet
 *                        │        goes no further, and would be dropped without being counted
 *                        ├──▶ input    only answers to what the host asked
 *                        └──▶ forward  as in translated, for rewrites that come later. Every packet, not only the first of a connection
 *   to a bridge ──────▶ forward  only answers from what is open
 *
 * A bridge in `isolated` is as one that nothing was opened for.
 *
 * That a connection is established is never enough: addresses are used again, and the next environment at an address must not inherit what conntrack
 * remembers of the one before it.
 */

import { privateNetworks } from './names.ts'

export interface TableShape {
  readonly slice: number
  /** What the names of this slice's bridges start with. */
  readonly bridgePrefix: string
  /** Whose table it is, a word that fits into a comment. */
  readonly mark: string
  /** IPv4 network of the slice's environments, and that of all slices. */
  readonly sliceNetwork: string
  readonly allSlices: string
  /** Netmask of every bridge's network. */
  readonly mask: string
}

/** What no opening opens, beside the slices: link-local with most clouds' metadata, Alibaba's and Oracle's metadata, and what is no address of one host. */
const closed = ['169.254.0.0/16', '100.100.100.200', '192.0.0.192', '0.0.0.0/8', '127.0.0.0/8', '224.0.0.0/4', '240.0.0.0/4']
/** Azure's: name server and metadata at once. */
const azure = '168.63.129.16'

/** How often a bridge may add a kind of refused attempt. */
const novelty = 'limit rate 1/minute burst 64 packets'

export const tablePrefix = 'dayfly_'
export const tableOf = (slice: number): string => `inet ${tablePrefix}${slice}`
export const bridgeTableOf = (slice: number): string => `bridge ${tablePrefix}${slice}`

/** 24 → 255.255.255.0 */
export const maskOf = (prefix: number): string => {
  const bits = prefix === 0 ? 0 : (0xffffffff << (32 - prefix)) >>> 0
  return [24, 16, 8, 0].map(shift => (bits >>> shift) & 255).join('.')
}

export type OpeningKind = 'networks' | 'ports'

/** Commands that make the set of a kind and prefix length, and the rules that look into it: once in each direction. */
export const openingSet = (table: string, kind: OpeningKind, prefix: number): string[] => {
  const name = `${kind}${prefix}`
  const ports = kind === 'ports'
  const type = ports ? 'ifname . ipv4_addr . inet_proto . inet_service' : 'ifname . ipv4_addr'
  const out = `iifname . ip daddr & ${maskOf(prefix)}${ports ? ' . meta l4proto . th dport' : ''}`
  const back = `oifname . ip saddr & ${maskOf(prefix)}${ports ? ' . meta l4proto . th sport' : ''}`
  return [
    `add set ${table} ${name} { type ${type}; }`,
    `add rule ${table} opened ${out} @${name} accept`,
    `add rule ${table} answered ${back} @${name} accept`,
  ]
}

/**
 * Commands that make the table, nothing opened; also in one that is there and was flushed, which keeps what is in its sets. They fail with EEXIST in one
 * whose sets are defined otherwise.
 */
export const baseRules = ({ slice, bridgePrefix, mark, sliceNetwork, allSlices, mask }: TableShape): string[] => {
  const table = tableOf(slice)
  const ours = `"${bridgePrefix}*"`
  const chain = (name: string, hook: string, ...rules: readonly string[]): string[] => [
    `add chain ${table} ${name}${hook === '' ? '' : ` { ${hook}; policy accept; }`}`,
    ...rules.map(rule => `add rule ${table} ${name} ${rule}`),
  ]
  return [
    `add table ${table} { comment "${mark}"; }`,
    `add set ${table} closed { type ipv4_addr; flags interval; elements = { ${[allSlices, ...closed].join(', ')} }; }`,
    // The packet path adds a bridge's element with its first refused packet.
    `add set ${table} refused { type ifname; size 4096; flags dynamic; }`,
    `add set ${table} widened { type ifname; }`,
    // Bridges that nothing gets out of, whatever is open.
    `add set ${table} isolated { type ifname; }`,
    // Bridges with a resolver, and its address. Bridges that are open inside, and their networks. Instances that have no egress.
    ...['resolvers', 'inside', 'internal'].map(name => `add set ${table} ${name} { type ifname . ipv4_addr; }`),
    `add set ${table} askers { type ipv4_addr; size 16384; flags dynamic,timeout; timeout 1m; }`,
    `add set ${table} private { type ipv4_addr; flags interval; elements = { ${privateNetworks.join(', ')} }; }`,
    `add set ${table} none { type ipv4_addr; elements = { 0.0.0.0 }; }`,
    `add map ${table} naming { type ifname : verdict; }`,
    `add map ${table} answering { type ifname : verdict; }`,
    `add set ${table} denied { type ifname . ipv4_addr . ipv4_addr . inet_proto . inet_service; size 4096; flags dynamic,timeout; timeout 1h; }`,
    `add set ${table} denied_others { type ifname . ipv4_addr . ipv4_addr . inet_proto; size 1024; flags dynamic,timeout; timeout 1h; }`,
    `add set ${table} novel { type ifname; size 4096; flags dynamic,timeout; timeout 1h; }`,
    ...chain(
      'refuse_others',
      '',
      'iifname . ip saddr . ip daddr . meta l4proto @denied_others drop',
      `add @novel { iifname ${novelty} } add @denied_others { iifname . ip saddr . ip daddr . meta l4proto counter }`,
      'drop',
    ),
    // A full set ends only the rule that counts: the drop is a rule of its own.
    ...chain(
      'refuse',
      '',
      'add @refused { iifname counter }',
      'meta nfproto != ipv4 drop',
      'meta l4proto != { tcp, udp } goto refuse_others',
      // Being found counts. A bridge has 64 new entries at once and one a minute, so that none can leave no place for the others.
      'iifname . ip saddr . ip daddr . meta l4proto . th dport @denied drop',
      `add @novel { iifname ${novelty} } add @denied { iifname . ip saddr . ip daddr . meta l4proto . th dport counter }`,
      'drop',
    ),
    ...chain(
      'host',
      '',
      'iifname . ip daddr @resolvers meta l4proto { tcp, udp } th dport 53 accept',
      'ct state established ct direction reply accept',
      'ct state related meta l4proto icmp accept',
      'goto refuse',
    ),
    ...chain('opened', ''),
    ...chain('answered', ''),
    ...chain(
      'entering',
      '',
      'meta nfproto != ipv4 goto refuse',
      'fib saddr . iif oif missing goto refuse',
      `ip saddr != ${sliceNetwork} goto refuse`,
      // Only where the host passes bridged packets through here: what the bridge table let through. See inside.ts.
      `iifname . ip daddr & ${mask} @inside fib daddr type != local accept`,
      // Late segments of closed connections, mostly. Not translated, so they must not leave; no attempt, so they are not counted.
      'ct state invalid drop',
      'fib daddr type local goto host',
      'fib daddr type != unicast goto refuse',
      'ip daddr @closed goto refuse',
    ),
    ...chain(
      'leaving',
      '',
      `iifname . ip daddr & ${mask} @inside accept`,
      'ip daddr @closed goto refuse',
      `ip daddr ${azure} th dport != 53 goto refuse`,
      'iifname @isolated goto refuse',
      'iifname . ip saddr @internal goto refuse',
      'jump opened',
      'iifname vmap @naming',
      'goto refuse',
    ),
    ...chain(
      'arriving',
      '',
      'oifname @isolated drop',
      'ct state established ct direction reply jump answered',
      'ct state established ct direction reply oifname vmap @answering',
      'ct state related meta l4proto icmp accept',
      'drop',
    ),
    // A resolver works outside the limits of those who ask.
    ...chain(
      'asking',
      '',
      'iifname . ip daddr @resolvers meta l4proto { tcp, udp } th dport 53 add @askers { ip saddr limit rate over 1000/second burst 2000 packets } goto refuse',
    ),
    // After conntrack (-200) and before destinations are translated (-100).
    ...chain('prerouting', 'type filter hook prerouting priority -150', `iifname ${ours} goto entering`),
    // After translations, whose chains all run at -100 whatever priority they name. A stateless rewrite that comes later meets forward.
    ...chain('translated', 'type filter hook prerouting priority 0', `iifname ${ours} fib daddr type != local goto leaving`),
    ...chain('input', 'type filter hook input priority 0', `iifname ${ours} jump asking`, `iifname ${ours} goto host`),
    ...chain(
      'forward',
      'type filter hook forward priority 0',
      `iifname ${ours} goto leaving`,
      `oifname ${ours} goto arriving`,
      // See forwarding.ts: the host must not become a router for anybody but environments. What it publishes itself passes.
      `iifname @widened ip daddr != ${allSlices} ct state new ct status & dnat == 0 drop`,
    ),
    ...chain('postrouting', 'type nat hook postrouting priority 100', `iifname ${ours} oifname != ${ours} masquerade`),
  ]
}
