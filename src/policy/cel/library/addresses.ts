/** IP addresses and CIDRs, as the API server reads them: no zones, no IPv4 written as IPv6, no leading zeros. */
import { fn, method, opaque } from '../overloads.ts'
import type { Opaque, Value } from '../values.ts'
import { CelError } from '../values.ts'

type Family = 4 | 6
const width = (family: Family): bigint => (family === 4 ? 32n : 128n)

export class Ip implements Opaque {
  readonly opaque = 'net.IP'
  readonly family: Family
  readonly bits: bigint
  constructor(family: Family, bits: bigint) {
    this.family = family
    this.bits = bits
  }
  toString(): string {
    return this.family === 4 ? showV4(this.bits) : showV6(this.bits)
  }
  equals(other: Opaque): boolean {
    return other instanceof Ip && other.family === this.family && other.bits === this.bits
  }
}

export class Cidr implements Opaque {
  readonly opaque = 'net.CIDR'
  readonly ip: Ip
  readonly prefix: number
  constructor(ip: Ip, prefix: number) {
    this.ip = ip
    this.prefix = prefix
  }
  toString(): string {
    return `${this.ip.toString()}/${this.prefix}`
  }
  equals(other: Opaque): boolean {
    return other instanceof Cidr && other.ip.equals(this.ip) && other.prefix === this.prefix
  }
}

const showV4 = (bits: bigint): string => [24n, 16n, 8n, 0n].map(shift => (bits >> shift) & 255n).join('.')

/** RFC 5952: the longest run of two zero groups or more is left out. */
const showV6 = (bits: bigint): string => {
  const groups = Array.from({ length: 8 }, (_, at) => Number((bits >> BigInt(112 - 16 * at)) & 0xffffn))
  let best = { from: -1, length: 1 }
  for (let from = 0; from < 8; from++) {
    let length = 0
    while (from + length < 8 && groups[from + length] === 0) length++
    if (length > best.length) best = { from, length }
  }
  const hex = groups.map(group => group.toString(16))
  if (best.from < 0) return hex.join(':')
  return `${hex.slice(0, best.from).join(':')}::${hex.slice(best.from + best.length).join(':')}`
}

const parseV4 = (text: string): bigint | undefined => {
  const parts = text.split('.')
  if (parts.length !== 4 || !parts.every(part => /^(0|[1-9]\d{0,2})$/.test(part) && Number(part) < 256)) return undefined
  return parts.reduce((bits, part) => (bits << 8n) | BigInt(part), 0n)
}

const parseV6 = (text: string): bigint | undefined => {
  const halves = text.split('::')
  if (halves.length > 2) return undefined
  const groupsOf = (half: string, last: boolean): bigint[] | undefined => {
    if (half === '') return []
    const groups: bigint[] = []
    const parts = half.split(':')
    for (const [at, part] of parts.entries()) {
      if (last && at === parts.length - 1 && part.includes('.')) {
        const v4 = parseV4(part)
        if (v4 === undefined) return undefined
        groups.push(v4 >> 16n, v4 & 0xffffn)
      } else if (/^[0-9a-fA-F]{1,4}$/.test(part)) groups.push(BigInt(`0x${part}`))
      else return undefined
    }
    return groups
  }
  const [before, after] = halves
  const left = groupsOf(before ?? '', halves.length === 1)
  const right = after === undefined ? [] : groupsOf(after, true)
  if (!left || !right) return undefined
  const missing = 8 - left.length - right.length
  if (halves.length === 1 ? missing !== 0 : missing < 1) return undefined
  return [...left, ...Array<bigint>(missing).fill(0n), ...right].reduce((bits, group) => (bits << 16n) | group, 0n)
}

const isMapped = (bits: bigint): boolean => bits >> 32n === 0xffffn

/** undefined: it is no address. */
export const parseIp = (text: string): Ip | undefined => {
  if (text.length > 64) return undefined
  const v4 = text.includes(':') ? undefined : parseV4(text)
  if (v4 !== undefined) return new Ip(4, v4)
  const v6 = text.includes(':') ? parseV6(text) : undefined
  return v6 === undefined || isMapped(v6) ? undefined : new Ip(6, v6)
}

/** undefined: it is no CIDR. */
export const parseCidr = (text: string): Cidr | undefined => {
  const [address = '', prefix = '', ...rest] = text.split('/', 3)
  const ip = rest.length > 0 ? undefined : parseIp(address)
  if (!ip || !/^(0|[1-9]\d{0,2})$/.test(prefix) || Number(prefix) > Number(width(ip.family))) return undefined
  return new Cidr(ip, Number(prefix))
}

const ip = (text: string): Ip => {
  const parsed = parseIp(text)
  if (!parsed) throw new CelError(`${JSON.stringify(text.slice(0, 60))} is no IP address`)
  return parsed
}

const cidr = (text: string): Cidr => {
  const parsed = parseCidr(text)
  if (!parsed) throw new CelError(`${JSON.stringify(text.slice(0, 60))} is no CIDR`)
  return parsed
}

const i = (value: Value): Ip => opaque(Ip, value)
const c = (value: Value): Cidr => opaque(Cidr, value)

const network = (of: Ip, prefix: number): bigint => {
  const host = width(of.family) - BigInt(prefix)
  return (of.bits >> host) << host
}
const contains = (range: Cidr, address: Ip): boolean =>
  range.ip.family === address.family && network(address, range.prefix) === network(range.ip, range.prefix)
const containsCidr = (range: Cidr, other: Cidr): boolean => range.prefix <= other.prefix && contains(range, other.ip)
const within = (address: Ip, ...ranges: string[]): boolean => ranges.some(range => contains(cidr(range), address))

const isGlobalUnicast = (address: Ip): boolean =>
  address.bits !== 0n && !within(address, '127.0.0.0/8', '::1/128', '224.0.0.0/4', 'ff00::/8', '169.254.0.0/16', 'fe80::/10', '255.255.255.255/32')

/** Of IPv6 whatever its flags are: ff02, ff12, … */
const isLinkLocalMulticast = ({ family, bits }: Ip): boolean => (family === 4 ? bits >> 8n === 0xe00000n : ((bits >> 112n) & 0xff0fn) === 0xff02n)

const canonical = (text: string): boolean => ip(text).toString() === text

export const addresses = [
  fn('ip', ['string'], 'net.IP', ip, { constant: true }),
  fn('isIP', ['string'], 'bool', text => parseIp(text) !== undefined),
  fn('ip.isCanonical', ['string'], 'bool', canonical),
  fn('string', ['net.IP'], 'string', value => i(value).toString()),
  method('family', ['net.IP'], 'int', value => BigInt(i(value).family)),
  method('isUnspecified', ['net.IP'], 'bool', value => i(value).bits === 0n),
  method('isLoopback', ['net.IP'], 'bool', value => within(i(value), '127.0.0.0/8', '::1/128')),
  method('isLinkLocalMulticast', ['net.IP'], 'bool', value => isLinkLocalMulticast(i(value))),
  method('isLinkLocalUnicast', ['net.IP'], 'bool', value => within(i(value), '169.254.0.0/16', 'fe80::/10')),
  method('isGlobalUnicast', ['net.IP'], 'bool', value => isGlobalUnicast(i(value))),
  fn('cidr', ['string'], 'net.CIDR', cidr, { constant: true }),
  fn('isCIDR', ['string'], 'bool', text => parseCidr(text) !== undefined),
  fn('string', ['net.CIDR'], 'string', value => c(value).toString()),
  method('containsIP', ['net.CIDR', 'net.IP'], 'bool', (range, address) => contains(c(range), i(address))),
  method('containsIP', ['net.CIDR', 'string'], 'bool', (range, address) => contains(c(range), ip(address))),
  method('containsCIDR', ['net.CIDR', 'net.CIDR'], 'bool', (range, other) => containsCidr(c(range), c(other))),
  method('containsCIDR', ['net.CIDR', 'string'], 'bool', (range, other) => containsCidr(c(range), cidr(other))),
  method('ip', ['net.CIDR'], 'net.IP', range => c(range).ip),
  method('masked', ['net.CIDR'], 'net.CIDR', range => new Cidr(new Ip(c(range).ip.family, network(c(range).ip, c(range).prefix)), c(range).prefix)),
  method('prefixLength', ['net.CIDR'], 'int', range => BigInt(c(range).prefix)),
]
