/**
 * Sessions of browsers. Whoever is known asks for a one-time code, opens the console with it in the address's fragment, which no server sees, and the page
 * exchanges it for a cookie. Both live in memory: a restart ends all sessions. Of secrets only digests are kept.
 */
import type { Clock } from '../../../base/clock.ts'
import { DayflyError } from '../../../base/errors.ts'
import type { Principal } from '../../../model/principal.ts'
import { digestOf, newSecret } from './credential.ts'

export const cookieName = '__Host-dayfly'
const codeLife = 120_000
export const sessionLife = 12 * 3_600_000
const most = 1_000

interface Kept {
  readonly principal: Principal
  /** Of the token that it was made with: it ends with it. */
  readonly token: string | undefined
  /** Boot ms. */
  readonly until: number
}

export interface Sessions {
  /** Throws `exhausted`. */
  code(principal: Principal, token: string | undefined): { readonly code: string; readonly expires: number }
  /** The secret of the cookie; undefined for a code that is not good (any more). */
  open(code: string): { readonly secret: string; readonly principal: Principal } | undefined
  known(secret: string): Principal | undefined
  close(secret: string): void
}

export const createSessions = (clock: Clock, isGood: (token: string) => boolean): Sessions => {
  const codes = new Map<string, Kept>()
  const sessions = new Map<string, Kept>()

  const prune = (kept: Map<string, Kept>): void => {
    for (const [digest, { until }] of kept) if (until <= clock.boot()) kept.delete(digest)
    if (kept.size >= most) throw new DayflyError('exhausted', 'too many sessions are open', { remedy: 'Close some, or wait until they have ended.' })
  }
  const good = (kept: Kept | undefined): kept is Kept =>
    kept !== undefined && kept.until > clock.boot() && (kept.token === undefined || isGood(kept.token))

  return {
    code: (principal, token) => {
      prune(codes)
      const code = newSecret()
      codes.set(digestOf(code), { principal, token, until: clock.boot() + codeLife })
      return { code, expires: clock.wall() + codeLife }
    },
    open: code => {
      const digest = digestOf(code)
      const found = codes.get(digest)
      codes.delete(digest)
      if (!good(found)) return undefined
      prune(sessions)
      const secret = newSecret()
      sessions.set(digestOf(secret), { ...found, until: clock.boot() + sessionLife })
      return { secret, principal: found.principal }
    },
    known: secret => {
      const found = sessions.get(digestOf(secret))
      return good(found) ? found.principal : undefined
    },
    close: secret => void sessions.delete(digestOf(secret)),
  }
}
