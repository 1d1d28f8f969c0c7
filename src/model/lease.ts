import { z } from 'zod'

/** The longest age a caller may ask for. A year-long "ephemeral" environment is a mistake, not a wish. */
export const maximumTtl = 7 * 86_400_000
export const defaultLease = { ttl: 3_600_000, idle: 1_800_000, retention: 30 * 86_400_000 } as const

/** Three clocks, all finite, in milliseconds. */
export const Lease = z.object({
  /** Maximum age of the environment. */
  ttl: z.int().min(1000).max(maximumTtl),
  /** Longest time without activity. */
  idle: z.int().min(1000).max(maximumTtl),
  /** How long the record is kept after the end. */
  retention: z
    .int()
    .min(0)
    .max(365 * 86_400_000),
  /** What idleness does: ends the environment (the default), or freezes its instances until the next request. */
  onIdle: z.enum(['end', 'pause']).optional(),
})
export type Lease = z.infer<typeof Lease>
