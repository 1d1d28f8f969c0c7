/** Tokens of the API in a table. */
import { z } from 'zod'
import { DayflyError } from '../base/errors.ts'
import { Role, TeamName } from '../model/principal.ts'
import type { Token, TokenBook } from '../model/token.ts'
import { isUniqueViolation } from './errors.ts'
import type { Row } from './rows.ts'

type Values = Record<string, string | number | null>

interface Tables {
  all(text: string, values?: Values): Row[]
  run(text: string, values: Values): unknown
}

const Moment = z.number().nullable()
const TokenRow = z.object({
  ...{ id: z.string(), name: z.string(), role: Role, teams: z.string(), digest: z.string(), former_digest: z.string().nullable() },
  ...{ former_until: Moment, made_by: z.string(), made_at: z.number(), expires_at: z.number(), rotated_at: Moment, used_at: Moment },
  ...{ used_from: z.string().nullable(), revoked_at: Moment },
})
const TeamsText = z.union([z.literal('all'), z.array(TeamName)])

/** A row that is not what this version writes is an error: nobody is let in by it. */
const tokenOf = (row: Row): Token => {
  const found = TokenRow.parse(row)
  const { former_digest: digest, former_until: until } = found
  return {
    ...{ id: found.id, name: found.name, role: found.role, teams: TeamsText.parse(JSON.parse(found.teams)), digest: found.digest },
    former: digest === null || until === null ? undefined : { digest, until },
    ...{ madeBy: found.made_by, madeAt: found.made_at, expiresAt: found.expires_at, rotatedAt: found.rotated_at ?? undefined },
    ...{ usedAt: found.used_at ?? undefined, usedFrom: found.used_from ?? undefined, revokedAt: found.revoked_at ?? undefined },
  }
}

const putSql = `INSERT INTO token (id, name, role, teams, digest, former_digest, former_until, made_by, made_at, expires_at, rotated_at, used_at, used_from, revoked_at)
  VALUES (:id, :name, :role, :teams, :digest, :formerDigest, :formerUntil, :madeBy, :madeAt, :expiresAt, :rotatedAt, :usedAt, :usedFrom, :revokedAt)
  ON CONFLICT (id) DO UPDATE SET digest = excluded.digest, former_digest = excluded.former_digest, former_until = excluded.former_until,
    expires_at = excluded.expires_at, rotated_at = excluded.rotated_at, revoked_at = excluded.revoked_at`

export const createTokenBook = ({ all, run }: Tables): TokenBook => ({
  put: ({ teams, former, ...token }) => {
    try {
      run(putSql, {
        ...{ id: token.id, name: token.name, role: token.role, teams: JSON.stringify(teams), digest: token.digest },
        ...{ formerDigest: former?.digest ?? null, formerUntil: former?.until ?? null, madeBy: token.madeBy, madeAt: token.madeAt },
        ...{ expiresAt: token.expiresAt, rotatedAt: token.rotatedAt ?? null, usedAt: token.usedAt ?? null, usedFrom: token.usedFrom ?? null },
        revokedAt: token.revokedAt ?? null,
      })
    } catch (error) {
      if (!isUniqueViolation(error instanceof Error ? error.cause : error)) throw error
      throw new DayflyError('conflict', `name: there is a token named ${token.name} already`, {
        field: 'name',
        remedy: `Choose another name, or revoke that one: dayfly token revoke ${token.name}`,
        cause: error,
      })
    }
  },
  token: id => all('SELECT * FROM token WHERE id = :id', { id }).map(tokenOf)[0],
  byName: name => all('SELECT * FROM token WHERE name = :name AND revoked_at IS NULL', { name }).map(tokenOf)[0],
  all: () => all('SELECT * FROM token ORDER BY rowid').map(tokenOf),
  used: (id, at, from) => void run('UPDATE token SET used_at = :at, used_from = :from WHERE id = :id', { id, at, from }),
  prune: before => void run('DELETE FROM token WHERE coalesce(revoked_at, expires_at) < :before', { before }),
})
