/**
 * Names outside that may be resolved, and what their addresses open. `registry.example.org` is that one name; `*.example.com` is every name below
 * example.com, however deep, and not example.com itself (as in Kubernetes' network policies). Several entries for a name add up.
 *
 * A resolver forwards a name or does not; what it does with the addresses it decides for a name *and all below it*. So when a name and what is below
 * it are both open, for different ports, one of them would get what was meant for the other: that is refused here, and never guessed.
 */
import { domainToASCII } from 'node:url'
import { DayflyError } from '../../base/errors.ts'
import { stateSuffix } from './hosts.ts'

export interface DomainOpening {
  /** `registry.example.org` or `*.example.com`. */
  readonly domain: string
  /** Of TCP and UDP. undefined: all of both. */
  readonly port?: number | undefined
}

/** Sorted ports, or all of them. */
export type Ports = 'all' | readonly number[]

/** One entry of the resolver's configuration. */
export interface OpenDomain {
  /** Lower case, without a wildcard. */
  readonly domain: string
  /** Whether the name itself is resolved, and whether what is below it is. */
  readonly self: boolean
  readonly below: boolean
  readonly ports: Ports
}

const mostPorts = 16

const invalid = (field: string, message: string, remedy: string): DayflyError => new DayflyError('invalid', `${field}: ${message}`, { field, remedy })

const label = /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/

const parse = (written: string): { name: string; wildcard: boolean } => {
  const wildcard = written.startsWith('*.')
  const rest = (wildcard ? written.slice(2) : written).replace(/\.$/, '')
  const name = /^[\x21-\x7e]*$/.test(rest) ? rest.toLowerCase() : domainToASCII(rest)
  const labels = name.split('.')
  const fits = name.length <= 240 && labels.every(part => label.test(part)) && !/^\d+$/.test(labels.at(-1) ?? '') && !name.endsWith(stateSuffix)
  if (fits && (wildcard || labels.length > 1)) return { name, wildcard }
  throw invalid('domain', `"${written.slice(0, 80)}" is no domain`, 'Write it like registry.example.org, or *.example.com for all below example.com.')
}

const merge = (lists: readonly Ports[]): Ports | undefined => {
  if (lists.length === 0) return undefined
  if (lists.includes('all')) return 'all'
  return [...new Set(lists.flatMap(list => (list === 'all' ? [] : list)))].sort((left, right) => left - right)
}

/** Two lists that are equal have the same key. */
export const portsKey = (ports: Ports): string => (ports === 'all' ? 'all' : ports.join('_'))

/** Throws `invalid` for what is no domain or port, for more than 16 ports of a name, and for what no resolver can tell apart (see above). */
export const planDomains = (openings: readonly DomainOpening[]): OpenDomain[] => {
  const exact = new Map<string, Ports[]>()
  const wild = new Map<string, Ports[]>()
  for (const { domain, port } of openings) {
    if (port !== undefined && (!Number.isInteger(port) || port < 1 || port > 65_535))
      throw invalid('port', `${port} is not a port`, 'Use 1 to 65535.')
    const { name, wildcard } = parse(domain)
    const into = wildcard ? wild : exact
    into.set(name, [...(into.get(name) ?? []), port === undefined ? 'all' : [port]])
  }
  const wildOver = (name: string): Ports[] => [...wild].flatMap(([base, ports]) => (name.endsWith(`.${base}`) ? ports : []))

  return [...new Set([...exact.keys(), ...wild.keys()])].sort().map(domain => {
    const self = merge([...(exact.get(domain) ?? []), ...wildOver(domain)])
    const below = merge([...(wild.get(domain) ?? []), ...wildOver(domain)])
    const ports = self ?? below ?? []
    if (self !== undefined && below !== undefined && portsKey(self) !== portsKey(below)) {
      const tell = (list: Ports): string => (list === 'all' ? 'all ports' : `port ${list.join(', ')}`)
      throw invalid(
        'domain',
        `${domain} is open on ${tell(self)} and the names below it on ${tell(below)}: they cannot be told apart`,
        `Allow the same ports for ${domain} and *.${domain}.`,
      )
    }
    if (ports !== 'all' && ports.length > mostPorts)
      throw invalid('port', `${ports.length} ports of ${domain}`, `Name ${mostPorts} at most, or none for all.`)
    return { domain, self: self !== undefined, below: below !== undefined, ports }
  })
}
