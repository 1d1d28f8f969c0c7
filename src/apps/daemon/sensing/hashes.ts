/** Hashes of programs come after their exec: they are put into the event that still waits to be written. */
import type { SensedHash } from '../../../host/sensor/protocol.ts'
import type { KernelEvent } from '../../../model/kernel-event.ts'

/** ms after which an exec has been written. */
const patience = 1_000
/** Of all, and of one process: a workload that starts programs faster than they are hashed keeps nobody busy and fills no memory. Beyond, an exec has no hash. */
const mostWaiting = 10_000
const mostOfOne = 100

export interface Hashes {
  /** An exec without a hash. */
  await(event: KernelEvent): void
  found(hash: SensedHash): void
  /** `now`: wall ms. */
  expire(now: number): void
  /** How many execs wait. */
  readonly size: number
}

export const createHashes = (): Hashes => {
  const waiting = new Map<string, KernelEvent[]>()
  let size = 0
  const keyOf = ({ pid, start, inode }: { pid: number; start: number; inode?: number | undefined }): string => `${pid} ${start} ${inode}`
  const keep = (key: string, events: readonly KernelEvent[], kept: KernelEvent[]): void => {
    size -= events.length - kept.length
    if (kept.length === 0) waiting.delete(key)
    else waiting.set(key, kept)
  }
  return {
    await: event => {
      if (event.type !== 'exec' || event.sha256 !== undefined || event.inode === undefined || size >= mostWaiting) return
      const key = keyOf(event)
      const events = waiting.get(key)
      if (events === undefined) waiting.set(key, [event])
      else if (events.length < mostOfOne) events.push(event)
      else return
      size++
    },
    found: hash => {
      const key = keyOf(hash)
      const events = waiting.get(key) ?? []
      for (const event of events) event.sha256 = hash.sha256
      keep(key, events, [])
    },
    expire: now => {
      for (const [key, events] of waiting) {
        const kept = events.filter(({ time }) => time >= now - patience)
        if (kept.length < events.length) keep(key, events, kept)
      }
    },
    get size() {
      return size
    },
  }
}
