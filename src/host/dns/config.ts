/**
 * What a resolver is told: a configuration that never changes while it runs, and two files that it reads again at SIGHUP, atomically and with its
 * cache emptied. Not --hostsdir: it costs one of the 128 inotify instances that a user has, and tells nobody when a change has been read.
 */
import { isIP, isIPv4 } from 'node:net'
import { DayflyError } from '../../base/errors.ts'
import type { OpenDomain } from './domains.ts'
import type { NamedAddress } from './hosts.ts'
import { hostsText, plainNames, stateSuffix } from './hosts.ts'

/** A domain with what is to be done with its addresses: a value for dnsmasq's --nftset, without the domain. */
export interface DomainTarget extends OpenDomain {
  readonly nftset: string
}

export interface ResolverSpec {
  /** The address it listens on, port 53: a bridge's own. */
  readonly listen: string
  readonly hosts: readonly NamedAddress[]
  readonly domains: readonly DomainTarget[]
  /** Name servers that allowed domains are asked of. None: allowed domains are refused as all others. */
  readonly upstreams: readonly string[]
  /**
   * Whether answers from outside may be private addresses (10/8, 172.16/12, 192.168/16, loopback, link-local). Only where the environment may
   * reach such networks anyway: names never open them, and an answer that lies about where a public name is must not lead there.
   */
  readonly privateAnswers: boolean
}

export interface ResolverFiles {
  readonly config: string
  readonly hosts: string
  readonly servers: string
}

export interface ResolverPlace {
  readonly config: string
  readonly hosts: string
  readonly servers: string
  /** The named pipe that it logs to. */
  readonly log: string
}

/** Longest time (s) that a client may keep an answer, and that the resolver keeps one: an address is asked for again within twice that. */
export const longestTtl = 60

/** dnsmasq reads lines of up to 1024 bytes. */
const longestLine = 1000

const ip = (address: string, of: string): string => {
  if (isIP(address) !== 0) return address
  throw new DayflyError('invalid', `${of}: "${address}" is not an IP address`, { field: of })
}

/** Throws `invalid` for addresses and names that are none. `user`: whom it becomes. */
export const resolverFiles = (spec: ResolverSpec, place: ResolverPlace, user: string): ResolverFiles => {
  if (!isIPv4(spec.listen)) throw new DayflyError('invalid', `listen: "${spec.listen}" is not an IPv4 address`, { field: 'listen' })
  const nftsets = spec.domains.map(({ domain, nftset }) => `nftset="/${domain}/${nftset}"`)
  const long = nftsets.find(line => line.length > longestLine)
  if (long !== undefined) throw new DayflyError('internal', `a line for the resolver is too long: ${long.slice(0, 120)}`)
  const upstreams = spec.upstreams.map(address => ip(address, 'upstreams'))
  return {
    config: `${[
      'port=53',
      `listen-address=${spec.listen}`,
      // Not bind-dynamic: that wakes every resolver of the host at every new interface.
      'bind-interfaces',
      'except-interface=lo',
      `user=${user}`,
      'keep-in-foreground',
      'pid-file=',
      // Nothing of the host: neither its names nor its servers, but what is in our files.
      'no-hosts',
      'no-resolv',
      'no-poll',
      `addn-hosts=${place.hosts}`,
      `servers-file=${place.servers}`,
      'domain-needed',
      'bogus-priv',
      'no-ident',
      'filter-AAAA',
      ...(spec.privateAnswers ? [] : ['stop-dns-rebind']),
      'local-ttl=0',
      `max-ttl=${longestTtl}`,
      `max-cache-ttl=${longestTtl}`,
      'cache-size=300',
      'log-queries=extra',
      'log-async=100',
      'log-facility=-',
      ...nftsets,
    ].join('\n')}\n`,
    hosts: hostsText(spec.hosts),
    servers: [
      ...plainNames(spec.hosts).map(name => `server=/${name}/\n`),
      `server=/${stateSuffix}/\n`,
      ...(upstreams.length === 0 ? [] : spec.domains.flatMap(domain => serverLines(domain, upstreams))),
    ].join(''),
  }
}

/** The longest match decides, and `*.a` is longer than `a`. A server without an address: answered from what is known here, which is nothing. */
const serverLines = ({ domain, self, below }: DomainTarget, upstreams: readonly string[]): string[] => [
  ...(self ? upstreams.map(address => `server=/${domain}/${address}\n`) : [`server=/${domain}/\n`]),
  ...(below ? upstreams.map(address => `server=/*.${domain}/${address}\n`) : [`server=/*.${domain}/\n`]),
]
