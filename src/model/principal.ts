/** Who asks: what the API knows of a caller before it does anything for them. */
import { z } from 'zod'

/**
 * What a token may do. `viewer`: read what is of its teams. `developer`: that, and make, change and end it. `operator`: the lifecycle of all teams, and the
 * host. `security`: read all teams, and findings, rules, evidence, blocked images. `admin`: everything, tokens included.
 */
export const Role = z.enum(['viewer', 'developer', 'operator', 'security', 'admin'])
export type Role = z.infer<typeof Role>

/** Roles of teams; the others are of all teams. */
export const teamRoles: readonly Role[] = ['viewer', 'developer']

export const TeamName = z
  .string()
  .regex(/^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?$/, 'lower-case letters, digits and inner hyphens, at most 32')
  // One label of a host name must not be taken for two, nor for what the gateway's domains begin with.
  .refine(name => !name.includes('--'), 'no two hyphens after each other')

/** Of environments whose specification names none. */
export const defaultTeam = 'default'
export const teamOf = ({ team }: { readonly team?: string | undefined }): string => team ?? defaultTeam

/** Whose environments somebody may see. */
export type Teams = readonly string[] | 'all'
export const isOf = (teams: Teams, team: string): boolean => teams === 'all' || teams.includes(team)

export interface Principal {
  /** `owner`: opened the unix socket, which its file mode decides. `session`: a browser, for whom a one-time code was made. */
  readonly kind: 'owner' | 'token' | 'session'
  /** As records name them: a user of the host, or `token:NAME`, which no user of the host can be called. */
  readonly name: string
  readonly role: Role | 'owner'
  readonly teams: Teams
}
