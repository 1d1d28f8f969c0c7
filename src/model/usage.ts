/** What instances used, and what that costs. */
import { z } from 'zod'
import type { Teams } from './principal.ts'

const Amount = z.number().min(0)

/** Data of `instance.used`: from its first sample to its last. */
export const InstanceUsage = z.object({
  cpuSeconds: Amount,
  /** Its memory over time: what it held, GiB × seconds. */
  memoryGiBSeconds: Amount,
  /** Most bytes of memory there ever were. */
  peak: Amount,
  /** Bytes over its network. */
  sent: Amount,
  received: Amount,
  /** ms. */
  lifetime: Amount,
  samples: z.int().min(1),
  /** ms of it in which it used less than 1% of a core and nothing came in, and what it held then. */
  idle: Amount,
  idleGiBSeconds: Amount,
  /** Only of one that its environment's lease ended while it ran: bytes that it held, and when there was activity last (wall ms). */
  held: Amount.optional(),
  lastActivity: z.number().optional(),
})
export type InstanceUsage = z.infer<typeof InstanceUsage>
export const instanceUsedType = 'instance.used'

export const groupings = ['owner', 'environment', 'image', 'label', 'day'] as const
export type Grouping = (typeof groupings)[number]

export interface UsageQuestion {
  readonly by: Grouping
  /** Of `label`: its name. */
  readonly label?: string
  /** Only of environments of these. */
  readonly teams?: Teams
  /** Wall ms: only instances that ended from then on, and before. */
  readonly since?: number
  readonly until?: number
  /** How long something forgotten would have run on after its last activity (ms): what leases are compared with. */
  readonly forgottenFor: number
  readonly limit: number
}

export interface UsageSum {
  /** Owner, environment (id), image (digest), the label's value (empty: it has none), or day (UTC, `2030-01-31`). */
  readonly key: string
  /** What people call it: of environments and images. */
  readonly name: string
  readonly instances: number
  readonly environments: number
  readonly cpuSeconds: number
  readonly memoryGiBSeconds: number
  readonly sent: number
  readonly received: number
  readonly lifetime: number
  readonly idle: number
  readonly idleGiBSeconds: number
  /** GiB × seconds that would have been held on, had leases ended nothing. */
  readonly savedGiBSeconds: number
}

/** What a store sums up of the records' `instance.used`. */
export interface UsageBook {
  /** The greatest `memoryGiBSeconds` first; days in their order. `total` is of all, whatever the limit leaves out. */
  sums(question: UsageQuestion): { readonly rows: UsageSum[]; readonly total: UsageSum }
  /** Of one environment, by instance. */
  of(environment: string): ReadonlyMap<string, InstanceUsage>
}

export const PriceTable = z.strictObject({
  /** What amounts are in: `EUR`, `USD`, `credits`. */
  currency: z.string().regex(/^\p{L}{1,12}$/u, 'letters, at most 12'),
  /** A second of one core. */
  cpuSecond: Amount,
  /** A second of one GiB of memory. */
  gibSecond: Amount,
  /** A GiB that leaves. */
  egressGiB: Amount,
  /** ms. */
  forgottenFor: z
    .int()
    .min(0)
    .max(365 * 86_400_000),
})
export type PriceTable = z.infer<typeof PriceTable>

/** Of the order of what public clouds take for containers on demand. */
export const defaultPrices: PriceTable = {
  currency: 'USD',
  cpuSecond: 0.000_011_2,
  gibSecond: 0.000_001_24,
  egressGiB: 0.09,
  forgottenFor: 86_400_000,
}

export const Cost = z.object({
  cpu: z.number(),
  memory: z.number(),
  egress: z.number(),
  total: z.number(),
  idle: z.number().describe('The part of it that memory cost while nothing happened.'),
  saved: z.number().describe('What would have been spent on top, had leases ended nothing.'),
})
export type Cost = z.infer<typeof Cost>

const bytesPerGiB = 1024 ** 3

/** In the table's currency, not rounded. */
export const costOf = (
  used: Pick<UsageSum, 'cpuSeconds' | 'memoryGiBSeconds' | 'sent' | 'idleGiBSeconds' | 'savedGiBSeconds'>,
  prices: PriceTable,
): Cost => {
  const cpu = used.cpuSeconds * prices.cpuSecond
  const memory = used.memoryGiBSeconds * prices.gibSecond
  const egress = (used.sent / bytesPerGiB) * prices.egressGiB
  return {
    ...{ cpu, memory, egress, total: cpu + memory + egress },
    idle: used.idleGiBSeconds * prices.gibSecond,
    saved: used.savedGiBSeconds * prices.gibSecond,
  }
}
