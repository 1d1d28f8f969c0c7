import { readFileSync } from 'node:fs'
import { uptime } from 'node:os'

/**
 * Two clocks. `wall` is for people and the record and may jump; `boot` only moves forward, counts suspend, is shared by every process
 * of this boot, and is what leases and deadlines are enforced on. A boot time means nothing in another boot: keep `bootId` beside it.
 */
export interface Clock {
  /** Milliseconds since the Unix epoch. */
  wall(): number
  /** Milliseconds since this machine booted (CLOCK_BOOTTIME). */
  boot(): number
  /** Names this boot of the machine. */
  readonly bootId: string
}

export const systemClock = (): Clock => ({
  wall: () => Date.now(),
  boot: () => Math.round(uptime() * 1000),
  bootId: readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim(),
})
