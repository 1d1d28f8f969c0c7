/** Which of the host's name servers an instance can reach: those that its own egress rules open. */
import { readFileSync } from 'node:fs'
import { BlockList, isIPv4 } from 'node:net'
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
