/** Who talked to whom: from the kernel's events, and from what the record says of the gateway and of closed egress. */
import { z } from 'zod'
import type { Event } from '../model/event.ts'
import type { KernelEvent } from '../model/kernel-event.ts'
import type { ReportPeer, Some } from '../model/report.ts'

type Found = { -readonly [K in keyof ReportPeer]: ReportPeer[K] }

export interface PeerList {
  seeKernel(event: KernelEvent): void
  seeRecord(event: Pick<Event, 'type' | 'instance' | 'time' | 'data'>): void
  list(): Some<ReportPeer>
}

const protocols: Readonly<Record<number, string>> = { 1: 'icmp', 6: 'tcp', 17: 'udp', 58: 'icmpv6', 132: 'sctp' }
/** A connection that does not wait is under way, not failed. */
const inProgress = -115

const Denied = z.looseObject({ destination: z.string(), port: z.int().optional(), protocol: z.string(), count: z.int() })
const Traffic = z.looseObject({ workload: z.string(), requests: z.int(), failed: z.int() })

export interface Place {
  readonly instance: string
  readonly workload: string
}

/** `places`: whose an IPv4 address in the environment's networks is. */
export const createPeerList = (most: number, workloadOf: (instance: string) => string | null, places: ReadonlyMap<string, Place>): PeerList => {
  const peers = new Map<string, Found>()
  let left = 0

  const note = (one: Omit<ReportPeer, 'count' | 'failed' | 'first' | 'last'>, time: number, count: number, failed: number): void => {
    const key = `${one.kind} ${one.instance} ${one.workload} ${one.peer} ${one.port} ${one.protocol}`
    const known = peers.get(key)
    if (known !== undefined) {
      known.count += count
      known.failed += failed
      known.last = Math.max(known.last, time)
      known.first = Math.min(known.first, time)
    } else if (peers.size >= most) left++
    else peers.set(key, { ...one, count, failed, first: time, last: time })
  }

  return {
    seeKernel: event => {
      const { instance, socket, time, result, type, count = 1 } = event
      const workload = workloadOf(instance)
      if (type === 'dns') {
        if (event.path === undefined) return
        const refused = /^(NXDOMAIN|REFUSED|SERVFAIL)$/.test(event.detail ?? '')
        note(
          { kind: 'name', instance, workload, peer: event.path, peerInstance: null, port: null, protocol: 'dns' },
          time,
          count,
          refused ? count : 0,
        )
        return
      }
      if ((type !== 'connect' && type !== 'sendto' && type !== 'accept') || socket === undefined) return
      if ((socket.family !== 'inet' && socket.family !== 'inet6') || socket.remoteAddress === undefined) return
      const incoming = type === 'accept'
      const failed = result < 0 && result !== inProgress ? count : 0
      const port = (incoming ? socket.localPort : socket.remotePort) ?? null
      const protocol = protocols[socket.protocol] ?? `protocol ${socket.protocol}`
      const peerInstance = places.get(socket.remoteAddress)?.instance ?? null
      note({ kind: incoming ? 'in' : 'out', instance, workload, peer: socket.remoteAddress, peerInstance, port, protocol }, time, count, failed)
    },
    seeRecord: ({ type, instance = null, time, data }) => {
      if (type === 'egress.denied') {
        const parsed = Denied.safeParse(data)
        if (!parsed.success) return
        const { destination, port = null, protocol, count } = parsed.data
        const workload = instance === null ? null : workloadOf(instance)
        note({ kind: 'denied', instance, workload, peer: destination, peerInstance: null, port, protocol }, time, count, count)
      }
      if (type === 'gateway.traffic') {
        const parsed = Traffic.safeParse(data)
        if (!parsed.success) return
        const { workload, requests, failed } = parsed.data
        note({ kind: 'gateway', instance: null, workload, peer: 'gateway', peerInstance: null, port: null, protocol: 'http' }, time, requests, failed)
      }
    },
    list: () => ({ items: [...peers.values()].sort((one, other) => one.first - other.first), more: left }),
  }
}
