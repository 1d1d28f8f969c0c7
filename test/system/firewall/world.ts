/**
 * A host with three environments, in namespaces:
 *
 *   first  10.208.0.2  ── dfy0-1  10.208.0.1 ──┐
 *   second 10.208.0.66 ── dfy0-2  10.208.0.65 ─┤ host ── up0 192.0.2.1 ──── 192.0.2.2   outside, also 198.51.100.7, 169.254.169.254
 *   other  10.209.0.2  ── dfy1-0  10.209.0.1 ──┘   │  └── lan0 198.18.0.1 ── 198.18.0.2  neighbour: another network of the host
 *                                                  └── 203.0.113.9, an address of its own
 *
 * Everybody routes everything to the host, so that nothing but the firewall and forwarding decide. All listen on 80 and 443, TCP and UDP; the host also
 * by IPv6, on 86.
 */

import { until } from '../monitor/patience.ts'
import { setBridgeFilter } from './bridge-filter.ts'
import type { Space } from './space.ts'
import { makeSpace } from './space.ts'

export interface World extends AsyncDisposable {
  readonly host: Space
  readonly outside: Space
  readonly neighbour: Space
  readonly first: Space
  readonly second: Space
  readonly other: Space
  /**
   * Gives `first` and its bridge IPv6, which environments do not have, so that it can be seen refused. Tells the host's address that `first` sees. Taken
   * away at the end: IPv6 speaks without being asked, and would be counted.
   */
  speakIpv6(): Promise<Disposable & { readonly hostAddress: string }>
}

/** `bridgeFilter`: net.bridge.bridge-nf-call-iptables of the host. */
export const makeWorld = async (bridgeFilter: 0 | 1): Promise<World> => {
  await using stack = new AsyncDisposableStack()
  const space = async (): Promise<Space> => stack.use(await makeSpace())
  const [host, outside, neighbour, first, second, other] = await Promise.all([space(), space(), space(), space(), space(), space()])

  host.sh(setBridgeFilter(bridgeFilter))
  for (const each of [host, outside, neighbour, first, second, other]) {
    each.sh('echo 0 > /proc/sys/net/ipv6/conf/default/accept_dad; echo 1 > /proc/sys/net/ipv6/conf/default/disable_ipv6')
  }

  const uplink = (name: string, address: string, peer: Space): void => {
    host.ip(`link add ${name} type veth peer name eth0 netns ${peer.pid}`, `addr add ${address}.1/24 dev ${name}`, `link set ${name} up`)
    peer.ip(`addr add ${address}.2/24 dev eth0`, 'link set eth0 up', `route add default via ${address}.1`)
  }
  uplink('up0', '192.0.2', outside)
  uplink('lan0', '198.18.0', neighbour)
  outside.ip('addr add 198.51.100.7/32 dev lo', 'addr add 169.254.169.254/32 dev lo')
  host.ip('route add default via 192.0.2.2', 'addr add 203.0.113.9/32 dev lo')

  const environment = (bridge: string, network: string, gateway: number, instance: Space): void => {
    host.ip(
      `link add ${bridge} type bridge`,
      `addr add ${network}.${gateway}/26 dev ${bridge}`,
      `link set ${bridge} up`,
      `link add ${bridge}.0 type veth peer name eth0 netns ${instance.pid}`,
      `link set ${bridge}.0 master ${bridge}`,
      `link set ${bridge}.0 up`,
    )
    instance.ip(`addr add ${network}.${gateway + 1}/26 dev eth0`, 'link set eth0 up', `route add default via ${network}.${gateway}`)
  }
  environment('dfy0-1', '10.208.0', 1, first)
  environment('dfy0-2', '10.208.0', 65, second)
  environment('dfy1-0', '10.209.0', 1, other)

  const addresses = new Map([
    [host, ['192.0.2.1', '198.18.0.1', '203.0.113.9', '10.208.0.1', '10.208.0.65', '10.209.0.1']],
    [outside, ['192.0.2.2', '198.51.100.7', '169.254.169.254']],
    [neighbour, ['198.18.0.2']],
    [first, ['10.208.0.2']],
    [second, ['10.208.0.66']],
    [other, ['10.209.0.2']],
  ])
  // One by one: an answer of a UDP socket that is bound to all of them comes from any.
  for (const [listener, own] of addresses) {
    await Promise.all(
      own.flatMap(address => [80, 443].flatMap(port => [listener.listen('tcp', port, address), listener.listen('udp', port, address)])),
    )
  }
  await host.listen('tcp', 86, '::')
  const ipv6 = (on: boolean): void => {
    host.sh(`echo ${on ? 0 : 1} > /proc/sys/net/ipv6/conf/dfy0-1/disable_ipv6`)
    first.sh(`echo ${on ? 0 : 1} > /proc/sys/net/ipv6/conf/eth0/disable_ipv6`)
  }
  const speakIpv6: World['speakIpv6'] = async () => {
    ipv6(true)
    const linkLocal = (space: Space, device: string): Promise<string> =>
      until(
        `an IPv6 address of ${device}`,
        () => /inet6 (fe80:[0-9a-f:]+)/.exec(space.sh(`ip -6 addr show dev ${device} scope link -tentative`))?.[1],
      )
    await linkLocal(first, 'eth0')
    return { hostAddress: `${await linkLocal(host, 'dfy0-1')}%eth0`, [Symbol.dispose]: () => ipv6(false) }
  }
  const moved = stack.move()
  return { host, outside, neighbour, first, second, other, speakIpv6, [Symbol.asyncDispose]: () => moved[Symbol.asyncDispose]() }
}
