/**
 * Who has called what over the network, and how that ended: also what was refused. Calls over the daemon's own socket are not among them but where they are about
 * access: what they change is in the record of environments. Hash-chained, append-only, bounded: what is too old is removed from its beginning.
 */
import { z } from 'zod'

export const AuditEntry = z.object({
  /** From 1, without gaps. */
  sequence: z.int(),
  /** Wall ms; of several that are told together the first. */
  time: z.number(),
  /** `owner`, `token`, `session`; `stranger`: nobody was known by what they showed. */
  kind: z.enum(['owner', 'token', 'session', 'stranger']),
  name: z.string(),
  /** Address that the call came from; empty for the socket. */
  address: z.string(),
  /** `POST /v1/environments/:ref/extend`. */
  route: z.string(),
  /** What the path named; empty where it names nothing. */
  ref: z.string(),
  /** HTTP status of the answer, and the code of a failure. */
  status: z.int(),
  code: z.string().optional(),
  /** How many of the same there were until `until` (wall ms). */
  count: z.int(),
  until: z.number(),
  /** hex SHA-256 of the hash before and this entry's canonical JSON. */
  hash: z.string(),
})
export type AuditEntry = z.infer<typeof AuditEntry>
export type NewAuditEntry = Omit<AuditEntry, 'sequence' | 'hash'>

export interface AuditFilter {
  readonly name?: string | undefined
  readonly route?: string | undefined
  /** Of the status: what was refused or failed. */
  readonly failed?: boolean | undefined
  /** Wall ms. */
  readonly since?: number | undefined
  readonly until?: number | undefined
  /** Only entries with a smaller sequence: the next page. */
  readonly before?: number | undefined
  readonly limit: number
}

/** After this entry, whose hash the next one continues. */
export interface AuditPosition {
  readonly sequence: number
  readonly hash: string
}

export type AuditStep =
  | { readonly kind: 'going on'; readonly next: AuditPosition }
  /** Up to here all is what was written. */
  | { readonly kind: 'whole' }
  | { readonly kind: 'broken'; readonly sequence: number }

export interface AuditBook {
  append(entries: readonly NewAuditEntry[]): void
  /** Newest first. */
  entries(filter: AuditFilter): AuditEntry[]
  /** Some of it, from its beginning or where the step before has come to: whoever looks at a long log lets others in between. */
  verify(from?: AuditPosition): AuditStep
  /** Removes what is older than `before` (wall ms), and what is more than `most`, from the beginning. */
  prune(before: number, most: number): void
}
