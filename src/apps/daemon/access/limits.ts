/**
 * How often somebody may ask. Two kinds of bounds: a token bucket for each token and each address, and growing delays for an address that shows credentials which are
 * not good. What is remembered is bounded: when there is too much of it, what has been idle longest goes first, and with it what has refilled anyway.
 */
import type { Clock } from '../../../base/clock.ts'
import { DayflyError } from '../../../base/errors.ts'

/** Of one token, and of one address whatever tokens it uses: calls at once, and a second. */
export const callerBurst = 400
export const callerRate = 100
export const addressBurst = 800
export const addressRate = 200
/** Failures that cost nothing: somebody mistypes. Each further one doubles the wait. */
const freeFailures = 5
const longestWait = 15 * 60_000
const firstWait = 1_000
/** Failures are forgotten after this long without one. */
const forgottenAfter = 60 * 60_000
const most = 20_000

/** How long to wait, in seconds as in Retry-After. */
export class TooManyCalls extends DayflyError {
  readonly retryAfter: number

  constructor(message: string, wait: number) {
    const seconds = Math.max(1, Math.ceil(wait / 1000))
    super('exhausted', message, { remedy: `Try again in ${seconds} s.` })
    this.retryAfter = seconds
  }
}

export interface Limits {
  /** Throws `TooManyCalls`. */
  take(kind: 'caller' | 'address', key: string): void
  /** Before credentials are looked at. Throws `TooManyCalls` while the address has to wait. */
  mayTry(address: string): void
  failed(address: string): void
}

/** A /64 of IPv6 is one machine's, or one customer's; of IPv4-mapped addresses the IPv4 one counts. */
export const addressKey = (address: string): string => {
  const plain = address.replace(/^::ffff:/, '').replace(/%.*$/, '')
  if (!plain.includes(':')) return plain
  const [head = '', tail] = plain.split('::')
  const left = head === '' ? [] : head.split(':')
  const right = tail === undefined || tail === '' ? [] : tail.split(':')
  const missing = tail === undefined ? 0 : 8 - left.length - right.length
  return [...left, ...Array.from({ length: missing }, () => '0'), ...right].slice(0, 4).join(':')
}

export const createLimits = (clock: Pick<Clock, 'boot'>): Limits => {
  const buckets = new Map<string, { left: number; at: number }>()
  const failures = new Map<string, { count: number; at: number }>()

  /** Maps keep the order of insertion: whoever is put in again is the youngest. */
  const touch = <T>(map: Map<string, T>, key: string, value: T): void => {
    map.delete(key)
    map.set(key, value)
    if (map.size > most) for (const oldest of map.keys().take(map.size - most)) map.delete(oldest)
  }

  const waitOf = (count: number): number => (count <= freeFailures ? 0 : Math.min(longestWait, firstWait * 2 ** (count - freeFailures - 1)))

  return {
    take: (kind, key) => {
      const [burst, rate] = kind === 'caller' ? [callerBurst, callerRate] : [addressBurst, addressRate]
      const name = `${kind} ${key}`
      const now = clock.boot()
      const known = buckets.get(name) ?? { left: burst, at: now }
      const left = Math.min(burst, known.left + ((now - known.at) / 1000) * rate)
      touch(buckets, name, { left: left < 1 ? left : left - 1, at: now })
      if (left < 1) throw new TooManyCalls('too many calls', ((1 - left) / rate) * 1000)
    },
    mayTry: address => {
      const known = failures.get(address)
      if (known === undefined) return
      const passed = clock.boot() - known.at
      if (passed >= forgottenAfter) failures.delete(address)
      else if (passed < waitOf(known.count))
        throw new TooManyCalls('too many credentials that were not good came from this address', waitOf(known.count) - passed)
    },
    failed: address => {
      const known = failures.get(address)
      const before = known === undefined || clock.boot() - known.at >= forgottenAfter ? 0 : known.count
      touch(failures, address, { count: Math.min(before + 1, 64), at: clock.boot() })
    },
  }
}
