/** What the record is told when something was not seen or not kept: the same words whoever of sensing finds out. */
import type { Testimony } from '../../../engine/witness.ts'

/** Wall ms. Nobody saw what it did between these; `reason`: where more is known than for how long. */
export const gapTestimony = (instance: string, from: number, to: number, reason?: string): Testimony => ({
  ...{ instance, type: 'sensor.gap', reason: reason ?? `for ${(Math.max(0, to - from) / 1000).toFixed(1)} s nobody saw what it did` },
  data: { from, to },
})

/** `code`: of a DayflyError, or `timeout`. `entries`: how many, where that is known. */
export const lostTestimony = (reason: string, code: string, entries?: number): Testimony => ({
  ...{ instance: undefined, type: 'activity.lost', reason },
  data: { ...(entries === undefined ? {} : { entries }), code },
})
