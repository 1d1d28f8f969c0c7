/**
 * Egress by name, as text for nft: for each list of ports that names of a bridge are open on, a set that the bridge's resolver fills with addresses.
 *
 *   open-<bridge>-<ports>   addresses, each for the names' lifetime after it was last given out
 *   gap-<bridge>-<ports>    the same for the moment in which the resolver takes an address out of `open` and puts it back: the only way to begin its
 *                           time anew, for adding what is there changes nothing
 *   flows-<bridge>          connections that were begun while their address was open: they may go on when it no longer is. Of this bridge's life only,
 *                           where conntrack would remember those of the one before
 *   names-, remember-, replies-<bridge>   chains, found by the maps `naming` and `answering`: a packet costs the same however many bridges there are
 *
 * Names never open private addresses, whatever an answer says: what is inside a company is opened by network.
 */
import { DayflyError } from '../../base/errors.ts'

/** Ports of TCP and UDP, or all of both. */
export type Ports = 'all' | readonly number[]

/**
 * Seconds that an address stays open after it was last asked for outside. A resolver that keeps answers for up to 60 s, and tells clients to keep them
 * for up to 60 s, has it in use for 120 at most.
 */
export const defaultNameLifetime = 180

const gapLifetime = 5
/** Of a connection that nothing is said on: what TCP's own keep-alive waits by default, and a little. */
const flowLifetime = 7500

export const privateNetworks = ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '100.64.0.0/10', '192.0.0.0/24']

/** Two lists that are equal have the same key. Throws `invalid` for what is no port. */
export const portsKey = (ports: Ports): string => {
  if (ports === 'all') return 'all'
  const wrong = ports.find(port => !Number.isInteger(port) || port < 1 || port > 65_535)
  if (wrong !== undefined || ports.length === 0 || ports.length > 16) {
    throw new DayflyError('invalid', wrong === undefined ? `ports: ${ports.length} of them` : `port: ${wrong} is not a port from 1 to 65535`, {
      field: 'port',
      remedy: 'Name 1 to 16 ports from 1 to 65535.',
    })
  }
  return [...new Set(ports)].sort((left, right) => left - right).join('_')
}

const portsOf = (key: string): Ports => (key === 'all' ? 'all' : key.split('_').map(Number))

/** The bridge and list of ports that a set is for, or undefined for any other set. */
export const nameSetFrom = (set: string): { readonly bridge: string; readonly key: string } | undefined => {
  const [, bridge, key] = /^open-(.+)-(all|\d+(?:_\d+)*)$/.exec(set) ?? []
  return bridge === undefined || key === undefined ? undefined : { bridge, key }
}

const chainsOf = (bridge: string): readonly string[] => [`names-${bridge}`, `remember-${bridge}`, `replies-${bridge}`]

const setsOf = (bridge: string, key: string): readonly string[] => [`gap-${bridge}-${key}`, `open-${bridge}-${key}`]

/** Commands for a bridge whose names are open on these lists of ports; its chains must be empty or not there. */
export const nameRules = (table: string, bridge: string, keys: Iterable<string>, lifetime: number): string[] => {
  const lists = [...keys]
  const flow = 'ip saddr . ip daddr . meta l4proto . th sport . th dport'
  const rule = (chain: string, text: string): string => `add rule ${table} ${chain}-${bridge} ${text}`
  return [
    `add set ${table} flows-${bridge} { type ipv4_addr . ipv4_addr . inet_proto . inet_service . inet_service; size 16384; flags dynamic,timeout; timeout ${flowLifetime}s; }`,
    ...lists.flatMap(key =>
      setsOf(bridge, key).map(
        set => `add set ${table} ${set} { type ipv4_addr; size 8192; timeout ${set.startsWith('gap') ? gapLifetime : lifetime}s; }`,
      ),
    ),
    ...chainsOf(bridge).map(chain => `add chain ${table} ${chain}`),
    rule('names', 'meta l4proto != { tcp, udp } return'),
    rule('names', 'ip daddr @private return'),
    rule('names', `ct state established ${flow} @flows-${bridge} goto remember-${bridge}`),
    ...lists.flatMap(key => {
      const ports = portsOf(key)
      const dport = ports === 'all' ? '' : `th dport { ${ports.join(', ')} } `
      return setsOf(bridge, key).map(set => rule('names', `${dport}ip daddr @${set} goto remember-${bridge}`))
    }),
    // A full set ends only the rule that remembers.
    rule('remember', `update @flows-${bridge} { ${flow} }`),
    rule('remember', 'accept'),
    rule('replies', `ip daddr . ip saddr . meta l4proto . th dport . th sport @flows-${bridge} accept`),
    `add element ${table} naming { "${bridge}" : jump names-${bridge} }`,
    `add element ${table} answering { "${bridge}" : jump replies-${bridge} }`,
  ]
}

/** Commands that take away the rules of such a bridge, and with `sets` all it had. */
export const withoutNameRules = (table: string, bridge: string, keys: Iterable<string>, what: 'rules' | 'sets'): string[] => [
  ...['naming', 'answering'].map(map => `delete element ${table} ${map} { "${bridge}" }`),
  ...chainsOf(bridge).flatMap(chain => [`flush chain ${table} ${chain}`, ...(what === 'sets' ? [`delete chain ${table} ${chain}`] : [])]),
  ...(what === 'sets' ? [...withoutNameSets(table, bridge, keys), `delete set ${table} flows-${bridge}`] : []),
]

export const withoutNameSets = (table: string, bridge: string, keys: Iterable<string>): string[] =>
  [...keys].flatMap(key => setsOf(bridge, key).map(set => `delete set ${table} ${set}`))

/**
 * What a resolver is told to do with an address, as the value of dnsmasq's --nftset without the domain. dnsmasq runs `add element SET { ADDRESS }` for each
 * entry, in this order, before it answers. The third entry is two commands, the latter of which takes the address out of `open`: the fourth
 * then begins its time anew.
 */
export const nftsetOf = (table: string, bridge: string, key: string): string => {
  const [gap = '', open = ''] = setsOf(bridge, key)
  const add = (set: string): string => `4#${table.replace(' ', '#')}#${set}`
  return [add(gap), add(open), `${add('none')} { 0.0.0.0 }; delete element ${table} ${open}`, add(open)].join(',')
}
