/** The short form of a port: `[[IP:]HOST:]CONTAINER[/PROTOCOL]`, each of the ports a range or one. */
import { isIP } from 'node:net'

export interface ShortPort {
  readonly target: number
  /** A port or a range; absent: any free one. */
  readonly published?: string
  readonly hostIp?: string
  readonly protocol: string
}

type Range = readonly [first: number, last: number]

const rangeOf = (text: string): Range | undefined => {
  const [, first, last = first] = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(text) ?? []
  if (first === undefined || last === undefined) return undefined
  const range: Range = [Number(first), Number(last)]
  return range[0] <= range[1] && range[1] <= 65_535 ? range : undefined
}

/** `a:b:c` → the last two, and all before them (an address may have colons of its own). */
const parts = (text: string): { ip: string; host: string; container: string } => {
  const all = text.split(':')
  const container = all.at(-1) ?? ''
  return { ip: all.slice(0, -2).join(':'), host: all.length > 1 ? (all.at(-2) ?? '') : '', container }
}

const unbracketed = (ip: string): string => (ip.startsWith('[') && ip.endsWith(']') ? ip.slice(1, -1) : ip)

/** The ports that a short form stands for, or what is wrong with it. */
export const parsePort = (text: string): ShortPort[] | string => {
  const { ip, host, container } = parts(text)
  const [ports = '', protocol = ''] = container.split('/')
  const hostIp = unbracketed(ip)
  if (ip !== '' && isIP(hostIp) === 0) return `${JSON.stringify(ip)} is no IP address`
  if (ip === hostIp && isIP(ip) === 6) return 'an IPv6 address stands in brackets, like [::1]'
  if (ports === '') return 'there is no port'
  const targets = rangeOf(ports)
  if (targets === undefined) return `${JSON.stringify(ports)} is no port and no range of ports`
  const published = host === '' ? undefined : rangeOf(host)
  if (host !== '' && published === undefined) return `${JSON.stringify(host)} is no port and no range of ports`
  const lower = protocol === '' ? 'tcp' : protocol.toLowerCase()
  if (!['tcp', 'udp', 'sctp'].includes(lower)) return `${JSON.stringify(protocol)} is no protocol: tcp, udp or sctp`
  const [first, last] = targets
  if (published !== undefined && last !== first && published[1] - published[0] !== last - first) {
    return `the ranges ${host} and ${ports} differ in length`
  }
  const result: ShortPort[] = []
  for (let target = first; target <= last; target++) {
    const publishedHere =
      published === undefined ? undefined : first === last && published[0] !== published[1] ? host : String(published[0] + target - first)
    result.push({
      target,
      protocol: lower,
      ...(publishedHere === undefined ? {} : { published: publishedHere }),
      ...(hostIp === '' ? {} : { hostIp }),
    })
  }
  // In the order of their texts, as docker compose has them.
  return result.sort((left, right) => (String(left.target) < String(right.target) ? -1 : 1))
}
