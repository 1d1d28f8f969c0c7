/** What an instance's name server told it: under which names it knows an address. From the events alone, so a replay knows the same. */
import type { KernelEvent } from '../../model/kernel-event.ts'

/** Addresses, and names of each: the newest are kept. */
const mostAddresses = 1024
const mostNames = 8

export interface Names {
  see(event: KernelEvent): void
  /** The newest last; none for an address that was never answered. */
  namesOf(address: string): readonly string[]
}

export const createNames = (): Names => {
  const names = new Map<string, readonly string[]>()
  return {
    see: event => {
      if (event.type !== 'dns' || event.path === undefined || event.detail === undefined) return
      const name = event.path.toLowerCase().replace(/\.$/, '')
      for (const address of event.detail.split(/[\s,]+/).slice(0, 32)) {
        const before = names.get(address) ?? []
        names.delete(address)
        names.set(address, [...before.filter(each => each !== name), name].slice(-mostNames))
        const [oldest] = names.size > mostAddresses ? names.keys() : []
        if (oldest !== undefined) names.delete(oldest)
      }
    },
    namesOf: address => names.get(address) ?? [],
  }
}
