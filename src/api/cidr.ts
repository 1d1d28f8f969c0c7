/** What `--allow` and the API take as an egress destination. */
import { DayflyError } from '../base/errors.ts'
import { parseNetwork } from '../model/network.ts'
import type { EgressRule } from '../model/workload.ts'

const remedy = 'Write an IPv4 network like 192.0.2.0/24, 192.0.2.7 or 192.0.2.0/24:443.'

/** What is wrong with an IPv4 network in CIDR notation, as the rest of a sentence, or undefined when nothing is. */
export const cidrFault = (cidr: string): string | undefined => {
  if (parseNetwork(cidr) !== undefined) return undefined
  const [address = '', prefixText = ''] = cidr.split('/')
  const host = parseNetwork(`${address}/32`)?.address
  const prefix = /^\d{1,2}$/.test(prefixText) ? Number(prefixText) : 33
  if (host === undefined || prefix > 32) return 'is not an IPv4 network'
  const network = prefix === 0 ? 0 : (host & (0xffffffff << (32 - prefix))) >>> 0
  return `has address bits beyond its prefix: the network is ${[24, 16, 8, 0].map(shift => (network >>> shift) & 255).join('.')}/${prefix}`
}

/** Parses `CIDR[:port]`, where a bare address means that one host. Throws `invalid` naming `field`. */
export const parseEgress = (text: string, field: string): EgressRule => {
  const fail = (fault: string): DayflyError => new DayflyError('invalid', `${field}: "${text}" ${fault}`, { field, remedy })
  const colon = text.indexOf(':')
  const network = colon < 0 ? text : text.slice(0, colon)
  const cidr = network.includes('/') ? network : `${network}/32`
  const fault = cidrFault(cidr)
  if (fault !== undefined) throw fail(fault)
  if (colon < 0) return { cidr }
  const portText = text.slice(colon + 1)
  const port = /^\d{1,5}$/.test(portText) ? Number(portText) : 0
  if (port < 1 || port > 65_535) throw fail('has a port that is not a number from 1 to 65535')
  return { cidr, port }
}
