/**
 * Whether what an instance reaches out to is opened by its policy. The firewall drops what is not, without a word to the process, so the kernel's event alone does
 * not tell. Names count by what the instance's own name server answered, from the events.
 */
import { BlockList, isIPv4, isIPv6 } from 'node:net'
import type { KernelEvent } from '../model/kernel-event.ts'
import type { Names } from './profile/names.ts'

export type Egress = 'listed' | 'unlisted'

/**
 * Networks in which nobody leaves: the host's own, links, multicast (that of IPv6 is how neighbours find each other), and the environments' (all of Dayfly's
 * slices; what is of another environment, the firewall keeps apart).
 */
const near = [
  ...(['127.0.0.0/8', '0.0.0.0/8', '10.208.0.0/12', '224.0.0.0/4', '255.255.255.255/32', '::1/128', '::/128', 'fe80::/10', 'ff00::/8'] as const),
]

const familyOf = (address: string): 'ipv4' | 'ipv6' | undefined => (isIPv4(address) ? 'ipv4' : isIPv6(address) ? 'ipv6' : undefined)

/** The networks among them, all others ignored. */
const blockList = (networks: readonly string[]): BlockList => {
  const list = new BlockList()
  for (const network of networks) {
    const [address = '', prefix] = network.split('/')
    const family = familyOf(address)
    if (family !== undefined) list.addSubnet(address, Math.min(Number(prefix ?? 128), family === 'ipv4' ? 32 : 128), family)
  }
  return list
}

const nearby = blockList(near)

/** `::ffff:192.0.2.1` → `192.0.2.1` */
const plain = (address: string): string => (address.startsWith('::ffff:') && address.includes('.') ? address.slice(7) : address)

/** `*.example.org` is every name below it but not itself. */
const domainFits = (pattern: string, name: string): boolean => (pattern.startsWith('*.') ? name.endsWith(pattern.slice(1)) : name === pattern)

interface Opening {
  readonly port: number | undefined
  readonly reaches: (address: string, names: readonly string[]) => boolean
}

/** `192.0.2.0/24`, `192.0.2.1/32:443`, `api.example.org`, `*.example.org:443`: IPv6 opens nothing, for the firewall lets none out. */
const openingOf = (entry: string): Opening => {
  const [to = '', port] = entry.toLowerCase().split(':')
  const isNetwork = isIPv4(to.split('/')[0] ?? '')
  const networks = blockList(isNetwork ? [to] : [])
  return {
    port: port === undefined ? undefined : Number(port),
    reaches: (address, names) => (isNetwork ? isIPv4(address) && networks.check(address) : names.some(name => domainFits(to, name))),
  }
}

/** What stands in `Subject.egress` where no policy says what may be reached: then nothing is listed, and nothing unlisted. */
export const anywhere = '*'

/** `entries` are those of `Subject.egress`. The answer is undefined for what does not leave. */
export const createEgress = (entries: readonly string[], names: Names): ((event: KernelEvent) => Egress | undefined) => {
  if (entries.includes(anywhere)) return () => undefined
  const openings = entries.map(openingOf)
  return event => {
    if (event.type !== 'connect' && event.type !== 'sendto') return undefined
    const { socket } = event
    if (socket?.remoteAddress === undefined || (socket.family !== 'inet' && socket.family !== 'inet6')) return undefined
    const address = plain(socket.remoteAddress)
    const family = familyOf(address)
    if (family === undefined || nearby.check(address, family)) return undefined
    const known = names.namesOf(address)
    return openings.some(({ port, reaches }) => (port === undefined || port === socket.remotePort) && reaches(address, known)) ? 'listed' : 'unlisted'
  }
}
