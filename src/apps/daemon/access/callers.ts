/** Tokens, sessions and the audit log in the words of the API. */
import { setImmediate } from 'node:timers/promises'
import type { Callers } from '../../../api/services.ts'
import { DayflyError } from '../../../base/errors.ts'
import type { AuditBook } from '../../../model/audit.ts'
import type { Principal } from '../../../model/principal.ts'
import type { TokenBook } from '../../../model/token.ts'
import type { Audit } from './audit.ts'
import { cookieOf } from './authenticate.ts'
import type { Limits } from './limits.ts'
import { addressKey } from './limits.ts'
import type { Sessions } from './sessions.ts'
import { cookieName, sessionLife } from './sessions.ts'
import type { Tokens } from './tokens.ts'
import { principalOf } from './tokens.ts'

export interface CallersParts {
  readonly tokens: Tokens
  readonly sessions: Sessions
  readonly limits: Limits
  readonly audit: Audit
  readonly books: { readonly tokens: TokenBook; readonly audit: AuditBook }
  /** Where the console is reached. Opens that door where there is none yet. */
  readonly place: () => Promise<{ readonly origin: string; readonly fingerprint: string }>
}

/** A browser is never the owner: it cannot name this host's files. */
const inBrowser = (principal: Principal): Principal => ({
  ...principal,
  kind: 'session',
  role: principal.role === 'owner' ? 'admin' : principal.role,
})

const setCookie = (value: string, seconds: number): string => `${cookieName}=${value}; Path=/; Max-Age=${seconds}; HttpOnly; Secure; SameSite=Strict`

/** Of a long log, with others let in between. */
const brokenIn = async (book: AuditBook): Promise<{ verified: boolean; broken: number | null }> => {
  for (let step = book.verify(); ; step = book.verify(step.next)) {
    if (step.kind !== 'going on') return { verified: true, broken: step.kind === 'broken' ? step.sequence : null }
    await setImmediate()
  }
}

export const createCallers = ({ tokens, sessions, limits, audit, books, place }: CallersParts): Callers => {
  const tokenOf = ({ kind, name }: Principal): string | undefined =>
    kind === 'token' ? books.tokens.byName(name.slice('token:'.length))?.id : undefined
  const withText = ({ view, text }: ReturnType<Tokens['create']>) => ({ ...view, token: text })
  const codeOf = (principal: Principal): { readonly code: string; readonly expires: number } =>
    sessions.code(inBrowser(principal), tokenOf(principal))

  return {
    tokens: tokens.list,
    createToken: (request, by) => withText(tokens.create(request, by)),
    rotateToken: (ref, request) => withText(tokens.rotate(ref, request)),
    revokeToken: tokens.revoke,
    sessionCode: async principal => {
      if (principal.kind === 'session') {
        throw new DayflyError('denied', 'a session cannot make another one', { remedy: 'Use the command line: dayfly console' })
      }
      const { origin, fingerprint } = await place()
      const { code, expires } = codeOf(principal)
      return { code, expiresAt: expires, url: `${origin}/#code=${code}`, fingerprint }
    },
    openSession: (request, address) => {
      const from = addressKey(address)
      limits.mayTry(from)
      const token = 'token' in request ? tokens.known(request.token, address) : undefined
      const code = 'code' in request ? request.code : token && codeOf(principalOf(token)).code
      const opened = code === undefined ? undefined : sessions.open(code)
      if (opened === undefined) {
        limits.failed(from)
        throw new DayflyError('unauthenticated', 'the code is not good: it was used, is too old, or is mistyped', {
          field: 'code' in request ? 'code' : 'token',
          remedy: 'Get another: dayfly console',
        })
      }
      return { principal: opened.principal, cookie: setCookie(opened.secret, sessionLife / 1000) }
    },
    closeSession: cookies => {
      const secret = cookieOf({ cookie: cookies })
      if (secret !== undefined) sessions.close(secret)
      return setCookie('', 0)
    },
    audit: async ({ verify, ...filter }) => {
      audit.flush()
      const entries = books.audit.entries(filter)
      const next = entries.length < filter.limit ? null : (entries.at(-1)?.sequence ?? null)
      return { entries, next, ...(verify ? await brokenIn(books.audit) : { verified: false, broken: null }) }
    },
  }
}
