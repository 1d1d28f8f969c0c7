/** A token of the API as it is kept: without its secret, of which there is a digest only. */
import type { Role, Teams } from './principal.ts'

export interface Token {
  readonly id: string
  /** Unique among tokens that are not revoked. */
  readonly name: string
  readonly role: Role
  readonly teams: Teams
  /** hex SHA-256 of the secret. */
  readonly digest: string
  /** Of the secret before a rotation, which is good until then (wall ms). */
  readonly former: { readonly digest: string; readonly until: number } | undefined
  readonly madeBy: string
  /** Wall ms, all of them. */
  readonly madeAt: number
  readonly expiresAt: number
  readonly rotatedAt: number | undefined
  readonly usedAt: number | undefined
  readonly usedFrom: string | undefined
  readonly revokedAt: number | undefined
}

export interface TokenBook {
  /** Inserts or replaces. `conflict` with field `name` when another that is not revoked has its name. */
  put(token: Token): void
  token(id: string): Token | undefined
  /** The one that is not revoked. */
  byName(name: string): Token | undefined
  /** Oldest first. */
  all(): Token[]
  /** When and from where one was used last. */
  used(id: string, at: number, from: string): void
  /** Forgets those that were revoked, or have expired, before (wall ms). */
  prune(before: number): void
}
