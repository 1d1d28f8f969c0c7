/** Attempts that were refused, each kind once with a count. Bounded: what finds no place is only in the totals. */
import type { ListedElement } from './listing.ts'

export interface Denied {
  readonly bridge: string
  readonly source: string
  readonly destination: string
  /** `arp`: another instance of the same environment, which shares no network with it. Others by name where IP has one in common use, or by number. */
  readonly protocol: string
  /** undefined for protocols without ports. */
  readonly port: number | undefined
  /** Since the entry came. It goes an hour after it came, whether or not more packets do. */
  readonly packets: number
}

const protocols: ReadonlyMap<number, string> = new Map([[1, 'icmp'], [2, 'igmp'], [6, 'tcp'], [17, 'udp'], [132, 'sctp']]) // biome-ignore format: a table

export const deniedSets = ['denied', 'denied_others'] as const

const protocolOf = (part: string | number | undefined): string => (typeof part === 'number' ? (protocols.get(part) ?? String(part)) : (part ?? ''))

/** Elements of the sets `denied` (also those of the bridge table) and `denied_others`. */
export const deniedFrom = (elements: readonly ListedElement[]): Denied[] =>
  elements.flatMap(({ key: [bridge, source, destination, protocol, port], packets }) =>
    typeof bridge !== 'string' || typeof source !== 'string' || typeof destination !== 'string'
      ? []
      : [
          {
            bridge: bridge.split('.')[0] ?? bridge,
            source,
            destination,
            protocol: protocol === undefined ? 'arp' : protocolOf(protocol),
            port: port === undefined ? undefined : Number(port),
            packets,
          },
        ],
  )
