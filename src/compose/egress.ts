/** Destinations that egress is opened to, as `x-dayfly.egress` lists them. */
import { isIPv4 } from 'node:net'
import { parseNetwork } from '../model/network.ts'

/** No port: every port. */
export type Egress =
  | { readonly cidr: string; readonly port?: number }
  /** `wildcard`: the names below it (`*.example.com`), and not the domain itself. */
  | { readonly domain: string; readonly wildcard: boolean; readonly port?: number }

const label = /^[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?$/

const isDomain = (text: string): boolean => {
  const labels = text.split('.')
  // The last label of a name has a letter: `10.0.0` is an address that is cut off.
  return text.length <= 253 && labels.every(part => label.test(part)) && /[a-z]/.test(labels.at(-1) ?? '')
}

const portOf = (text: string): number | undefined => {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0
  return port >= 1 && port <= 65_535 ? port : undefined
}

/** The destination that an entry names, or what is wrong with it: `192.0.2.0/24:5432`, `192.0.2.7`, `registry.example.org`, `*.example.com:443`. */
export const parseEgress = (entry: string): Egress | string => {
  const text = entry
    .trim()
    .toLowerCase()
    .replace(/\.(?=$|:)/, '')
  if (text === '') return 'it is empty'
  if (/^[a-z]+:\/\//.test(text)) return 'a host name is expected, not a URL'
  if (text.includes('[') || text.split(':').length > 2) return 'IPv6 is not supported'
  const [host = '', portText] = text.split(':')
  const port = portText === undefined ? undefined : portOf(portText)
  if (portText !== undefined && port === undefined) return `${JSON.stringify(portText)} is no port from 1 to 65535`
  const at = port === undefined ? {} : { port }
  if (host.includes('/') || isIPv4(host)) {
    const cidr = host.includes('/') ? host : `${host}/32`
    return parseNetwork(cidr) === undefined
      ? `${JSON.stringify(host)} is no IPv4 network: an address with no bit set beyond its prefix, like 192.0.2.0/24`
      : { cidr, ...at }
  }
  if (host === '*') return '* alone would be every name; open 0.0.0.0/0 when that is meant'
  const wildcard = host.startsWith('*.')
  const domain = wildcard ? host.slice(2) : host
  return isDomain(domain) ? { domain, wildcard, ...at } : `${JSON.stringify(host)} is neither an IPv4 network nor a domain name`
}
