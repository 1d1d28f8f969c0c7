/** Which of the host's name servers an instance can reach: those that its own egress rules open; and which its environment's resolver asks. */
import { readFileSync } from 'node:fs'
import { BlockList, isIPv4 } from 'node:net'
import { upstreamsIn } from '../../host/dns/upstreams.ts'
import { parseNetwork } from '../../model/network.ts'
import type { EgressRule } from '../../model/workload.ts'

export const nameserversIn = (resolvConf: string, egress: readonly EgressRule[]): string[] => {
  const open = new BlockList()
  for (const { cidr, port } of egress) {
    const [network = '', prefix = '32'] = cidr.split('/')
    if (port === undefined || port === 53) open.addSubnet(network, Number(prefix), 'ipv4')
  }
  return [...resolvConf.matchAll(/^\s*nameserver\s+(\S+)/gm)].flatMap(([, address = '']) =>
    isIPv4(address) && !address.startsWith('127.') && open.check(address, 'ipv4') ? [address] : [],
  )
}

export const nameserversWithin = (egress: readonly EgressRule[]): string[] => {
  if (egress.length === 0) return []
  try {
    return nameserversIn(readFileSync('/etc/resolv.conf', 'utf8'), egress)
  } catch {
    return [] // A host without name servers has none to lend.
  }
}

export const hostUpstreams = (): string[] => {
  try {
    return upstreamsIn(readFileSync('/etc/resolv.conf', 'utf8'))
  } catch {
    return []
  }
}

const privateNetworks = ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16']

/** Whether one of the networks has an address that is private. */
export const reachesPrivate = (egress: readonly EgressRule[]): boolean =>
  egress.some(({ cidr }) => {
    const open = parseNetwork(cidr)
    return privateNetworks.some(text => {
      const network = parseNetwork(text)
      if (open === undefined || network === undefined) return false
      const shift = 2 ** (32 - Math.min(open.prefix, network.prefix))
      return Math.floor(open.address / shift) === Math.floor(network.address / shift)
    })
  })
