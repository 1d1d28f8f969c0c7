/** Hashes of programs come after their exec: they are put into the event that still waits to be written. */
import type { SensedHash } from '../../../host/sensor/protocol.ts'
import type { KernelEvent } from '../../../model/kernel-event.ts'

/** ms after which an exec has been written. */
const patience = 1_000

export interface Hashes {
  /** An exec without a hash. */
  await(event: KernelEvent): void
  found(hash: SensedHash): void
  /** `now`: wall ms. */
  expire(now: number): void
}

export const createHashes = (): Hashes => {
  const waiting = new Map<string, KernelEvent[]>()
  const keyOf = ({ pid, start, inode }: { pid: number; start: number; inode?: number | undefined }): string => `${pid} ${start} ${inode}`
  return {
    await: event => {
      if (event.type !== 'exec' || event.sha256 !== undefined || event.inode === undefined) return
      const key = keyOf(event)
      waiting.set(key, [...(waiting.get(key) ?? []), event])
    },
    found: hash => {
      const key = keyOf(hash)
      for (const event of waiting.get(key) ?? []) event.sha256 = hash.sha256
      waiting.delete(key)
    },
    expire: now => {
      for (const [key, events] of waiting) if (events.every(({ time }) => time < now - patience)) waiting.delete(key)
    },
  }
}
