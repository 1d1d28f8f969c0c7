/** Wire schemas of tokens, sessions and the audit log. */
import { z } from 'zod'
import { AuditEntry } from '../../model/audit.ts'
import { Role, TeamName } from '../../model/principal.ts'

const hour = 3_600_000
const day = 24 * hour

const Lifetime = z
  .int()
  .min(60_000)
  .max(366 * day)
  .describe('Milliseconds from now, a minute to 366 days.')

export const TokenName = z
  .string()
  .regex(/^[a-zA-Z0-9]([a-zA-Z0-9._-]{0,61}[a-zA-Z0-9])?$/, 'letters, digits and inner dots, hyphens and underlines, at most 63')

export const CreateTokenRequest = z
  .strictObject({
    name: TokenName,
    role: Role,
    teams: z.array(TeamName).max(32).default([]).describe('Of viewers and developers at least one; of others none: they are of all teams.'),
    expires: Lifetime.default(90 * day),
  })
  .meta({ id: 'CreateTokenRequest' })
export type CreateTokenRequest = z.output<typeof CreateTokenRequest>
export type CreateTokenInput = z.input<typeof CreateTokenRequest>

export const RotateTokenRequest = z
  .strictObject({
    overlap: z
      .int()
      .min(0)
      .max(7 * day)
      .default(hour)
      .describe('How long the secret before stays good, in milliseconds.'),
    expires: Lifetime.optional().describe('Another end. Left out: it stays.'),
  })
  .meta({ id: 'RotateTokenRequest' })
export type RotateTokenRequest = z.output<typeof RotateTokenRequest>
export type RotateTokenInput = z.input<typeof RotateTokenRequest>

export const TokenView = z
  .object({
    id: z.string(),
    name: z.string(),
    role: Role,
    teams: z.union([z.literal('all'), z.array(z.string())]),
    state: z.enum(['active', 'expired', 'revoked']),
    madeBy: z.string(),
    madeAt: z.number(),
    expiresAt: z.number(),
    rotatedAt: z.number().nullable(),
    formerUntil: z.number().nullable().describe('Until when the secret before the last rotation is good.'),
    usedAt: z.number().nullable().describe('To the minute.'),
    usedFrom: z.string().nullable(),
    revokedAt: z.number().nullable(),
  })
  .meta({ id: 'Token' })
export type TokenView = z.infer<typeof TokenView>

export const TokenList = z.object({ tokens: z.array(TokenView) }).meta({ id: 'TokenList' })
export const NewTokenView = TokenView.extend({ token: z.string().describe('Shown now, and never again.') }).meta({ id: 'NewToken' })
export type NewTokenView = z.infer<typeof NewTokenView>

export const WhoamiView = z
  .object({
    kind: z.enum(['owner', 'token', 'session']),
    name: z.string(),
    role: z.union([Role, z.literal('owner')]),
    teams: z.union([z.literal('all'), z.array(z.string())]),
  })
  .meta({ id: 'Whoami' })
export type WhoamiView = z.infer<typeof WhoamiView>

export const SessionCodeView = z
  .object({
    code: z.string().describe('Good once, for two minutes.'),
    expiresAt: z.number(),
    url: z.string().describe('The console with the code in its fragment.'),
    fingerprint: z.string().describe("SHA-256 of the listener's certificate."),
  })
  .meta({ id: 'SessionCode' })
export type SessionCodeView = z.infer<typeof SessionCodeView>
export const OpenSessionRequest = z
  .union([z.strictObject({ code: z.string().min(1).max(128) }), z.strictObject({ token: z.string().min(1).max(128) })])
  .meta({ id: 'OpenSessionRequest' })
export type OpenSessionRequest = z.output<typeof OpenSessionRequest>

export const AuditEntryView = AuditEntry.meta({ id: 'AuditEntry' })
export const AuditList = z
  .object({
    entries: z.array(AuditEntryView),
    next: z.int().nullable().describe('`before` of the next page; null: these were the last there are.'),
    verified: z.boolean().describe('The whole log was looked at, as `verify` asks for.'),
    broken: z.int().nullable().describe('Then: sequence of the first entry that is not what was written; null when all are.'),
  })
  .meta({ id: 'AuditList' })
export type AuditList = z.infer<typeof AuditList>
