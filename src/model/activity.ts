/**
 * What is kept of what instances do: kernel events and samples of what they use. It is much more than the record of decisions, so it is kept in blocks beside
 * it; the record binds them by their hashes (`activity.kept`), so that it can be proven that none was removed or changed.
 */
import { z } from 'zod'
import type { KernelEvent } from './kernel-event.ts'

/** What an instance uses: one at its beginning, each second, and one at its end. Sums are since its creation. */
export const Sample = z.object({
  type: z.literal('sample'),
  time: z.number(),
  environment: z.string(),
  instance: z.string(),
  /** µs of processor time. */
  cpu: z.number(),
  /** Bytes now, and the most there ever were; undefined where the host does not say. */
  memory: z.number(),
  memoryPeak: z.number().optional(),
  processes: z.number().optional(),
  /** Bytes read from and written to block devices. */
  read: z.number().optional(),
  written: z.number().optional(),
  /** Bytes received and sent over its network. */
  received: z.number().optional(),
  sent: z.number().optional(),
})
export type Sample = z.infer<typeof Sample>

export type Activity = KernelEvent | Sample

/** Of whom it is, for the search. Known before the first entry of an instance. */
export interface ActivityOrigin {
  readonly environment: string
  readonly instance: string
  readonly workload: string
  /** Digest, and the name that was asked for. */
  readonly image: string
  readonly imageName: string
  readonly owner: string
}

/**
 * What the hash before an environment's first block is the hash of. A block's hash is the hex SHA-256 of the hash before it followed by the hex SHA-256 of the block's
 * bytes: a line for each entry, which is its canonical JSON (model/record.ts) and a newline.
 */
export const activityGenesisText = (environment: string): string => `dayfly activity of ${environment}`

/** All that is said must fit. */
export interface ActivityFilter {
  /** Wall clock, ms: from and up to, both included. */
  readonly since?: number
  readonly until?: number
  readonly environment?: string
  /** Any of these ids. */
  readonly environments?: readonly string[]
  readonly instance?: string
  readonly workload?: string
  /** Digest or name. */
  readonly image?: string
  readonly owner?: string
  readonly types?: readonly string[]
  /** A program's path or its last name, or what the process calls itself. */
  readonly process?: string
  /** Address of either side, or a name that was asked for. */
  readonly address?: string
  readonly port?: number
  /** Of the file, or the second one's; what ends with `/` stands for all below that folder. */
  readonly path?: string
  /** Words that all occur in its arguments, paths, names and addresses, in any order. */
  readonly text?: string
  /** Newest first unless this is set. */
  readonly oldestFirst?: boolean
  /** Position to go on from: what the answer before said. */
  readonly after?: number
  /** At most, 1000 by default. */
  readonly limit?: number
}

export interface Found {
  /** Grows with each entry that is kept, over all environments: nearly their order in time. */
  readonly position: number
  readonly activity: Activity
}

/** Head of an environment's blocks: what the record binds. `hash` is hex SHA-256 over the hash before and the block's bytes. */
export interface ActivityHead {
  readonly blocks: number
  readonly entries: number
  readonly hash: string
}
