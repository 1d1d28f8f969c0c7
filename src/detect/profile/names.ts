/** What an instance's name server told it: under which name it knows an address. From the events alone, so a replay knows the same. */
import type { KernelEvent } from '../../model/kernel-event.ts'

const most = 1024

export interface Names {
  see(event: KernelEvent): void
  nameOf(address: string): string | undefined
}

export const createNames = (): Names => {
  const names = new Map<string, string>()
  return {
    see: event => {
      if (event.type !== 'dns' || event.path === undefined || event.detail === undefined) return
      for (const address of event.detail.split(/[\s,]+/).slice(0, 32)) {
        names.delete(address)
        names.set(address, event.path.toLowerCase())
        const [oldest] = names.size > most ? names.keys() : []
        if (oldest !== undefined) names.delete(oldest)
      }
    },
    nameOf: address => names.get(address),
  }
}
