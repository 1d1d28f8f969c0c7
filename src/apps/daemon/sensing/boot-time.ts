/** The wall time of what the kernel stamps with its boot clock. */
import { readFileSync } from 'node:fs'

/** ms: a smaller step of the wall clock is no reason to let two events change their order. */
const tolerance = 50
/** ms: resolution of /proc/uptime. */
const coarse = 10

const uptime = (): number => Number(readFileSync('/proc/uptime', 'latin1').split(' ')[0]) * 1000

export interface BootTime {
  /** Wall ms, with microseconds as its fraction, of µs since boot. */
  toWall(boot: number): number
  /** µs since boot. */
  now(): number
  /** Looks whether the wall clock was stepped: to be called every second or so. */
  adjust(): void
}

export const createBootTime = (): BootTime => {
  const monotonic = (): number => Number(process.hrtime.bigint()) / 1e6
  // A machine that never slept has no difference but what the kernel rounds off; of one that did, some 10 ms may be missing.
  const difference = uptime() - monotonic()
  const slept = Math.abs(difference) <= 2 * coarse ? 0 : difference
  const bootNow = (): number => monotonic() + slept
  let offset = Date.now() - bootNow()
  return {
    toWall: boot => Math.round((offset + boot / 1000) * 1000) / 1000,
    now: () => Math.round(bootNow() * 1000),
    adjust: () => {
      const now = Date.now() - bootNow()
      if (Math.abs(now - offset) > tolerance) offset = now
    },
  }
}
