/** What is open for a bridge, as elements of the sets in ruleset.ts. */
import { DayflyError } from '../../base/errors.ts'
import type { OpeningKind } from './ruleset.ts'

export interface EgressOpening {
  /** IPv4 network. */
  readonly cidr: string
  /** Of TCP and UDP. Without it: every protocol. */
  readonly port?: number | undefined
}

/** An element of the set `<kind><prefix>`; two of the same text are the same. */
export interface OpeningElement {
  readonly kind: OpeningKind
  readonly prefix: number
  /** `networks24 { "dfy0-1" . 192.0.2.0 }`, as it follows the table in a command. */
  readonly text: string
}

const octet = '(?:25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)'
const address = new RegExp(`^${octet}(?:\\.${octet}){3}$`)
const protocols = [6, 17] as const

const wrong = (field: string, message: string): DayflyError => new DayflyError('invalid', `${field}: ${message}`, { field })

const value = (text: string): number => text.split('.').reduce((sum, part) => sum * 256 + Number(part), 0)

const element = (kind: OpeningKind, prefix: number, ...key: readonly (string | number)[]): OpeningElement => ({
  kind,
  prefix,
  text: `${kind}${prefix} { ${key.join(' . ')} }`,
})

/** Throws `invalid` for what is no IPv4 network (bits set beyond the prefix make it none) or no port. `bridge` has been checked. */
export const elementsOf = (bridge: string, { cidr, port }: EgressOpening): OpeningElement[] => {
  const [network = '', length = '', ...rest] = cidr.split('/')
  const prefix = /^(?:3[0-2]|[12]?\d)$/.test(length) ? Number(length) : undefined
  if (prefix === undefined || rest.length > 0 || !address.test(network) || value(network) % 2 ** (32 - prefix) !== 0) {
    throw wrong('cidr', `"${cidr}" is not an IPv4 network like 192.0.2.0/24, without bits beyond its prefix`)
  }
  if (port === undefined) return [element('networks', prefix, `"${bridge}"`, network)]
  if (!Number.isInteger(port) || port < 1 || port > 65_535) throw wrong('port', `${port} is not a port from 1 to 65535`)
  return protocols.map(protocol => element('ports', prefix, `"${bridge}"`, network, protocol, port))
}

/** From the name of a set and the parts of an element's key as the kernel has them; undefined when it is no set of openings. */
export const elementFrom = (set: string, key: readonly (string | number)[]): OpeningElement | undefined => {
  const [, kind, length] = /^(networks|ports)(\d+)$/.exec(set) ?? []
  const [bridge, ...rest] = key
  if (kind !== 'networks' && kind !== 'ports') return undefined
  return element(kind, Number(length), `"${bridge ?? ''}"`, ...rest)
}
