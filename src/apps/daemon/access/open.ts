/** Access over the network: who is let in, by which door, and what is written of it. */
import type { FastifyInstance } from 'fastify'
import type { HostCheck } from '../../../api/schemas/system.ts'
import type { ApiOptions } from '../../../api/server.ts'
import { createApi } from '../../../api/server.ts'
import type { Callers } from '../../../api/services.ts'
import type { Clock } from '../../../base/clock.ts'
import { DayflyError, errnoOf, messageOf } from '../../../base/errors.ts'
import type { Log } from '../../../base/log.ts'
import type { Address } from '../../../gateway/gateway.ts'
import type { AuditBook } from '../../../model/audit.ts'
import type { TokenBook } from '../../../model/token.ts'
import { createAudit } from './audit.ts'
import { createAuthenticate } from './authenticate.ts'
import { createCallers } from './callers.ts'
import type { CertificateFiles, Identity } from './certificate.ts'
import { openIdentity } from './certificate.ts'
import { createLimits } from './limits.ts'
import { tlsServer } from './listener.ts'
import { usualPort } from './place.ts'
import { createSessions } from './sessions.ts'
import { createTokens } from './tokens.ts'

/** A day before whose end a certificate is warned of. */
const warnBefore = 30 * 86_400_000

export interface AccessOptions {
  readonly stateDir: string
  readonly books: { readonly tokens: TokenBook; readonly audit: AuditBook }
  readonly clock: Clock
  readonly log: Log
  /** undefined: nowhere, until somebody asks for the console; then on the loopback. */
  readonly listen: Address | undefined
  readonly tls: CertificateFiles | undefined
}

type Api = Omit<ApiOptions, 'authenticate' | 'endOf' | 'onCall' | 'serverFactory' | 'peer'>

export interface Access extends AsyncDisposable {
  readonly callers: Callers
  /** Of the API over the socket. */
  readonly onCall: NonNullable<ApiOptions['onCall']>
  /** Whence the API can be served; listens at once where the operator says so. `adorn`: adds what is not of the API. */
  begin(api: Api, adorn: (app: FastifyInstance) => void): Promise<void>
  checks(): HostCheck[]
}

interface Open {
  readonly app: FastifyInstance
  readonly origin: string
  readonly identity: Identity
}

const originOf = (host: string, port: number): string => {
  if (host === '0.0.0.0' || host === '::') return `https://localhost:${port}`
  return host.includes(':') ? `https://[${host}]:${port}` : `https://${host}:${port}`
}

export const openAccess = ({ stateDir, books, clock, log, listen, tls }: AccessOptions): Access => {
  const tokens = createTokens(books.tokens, clock)
  const sessions = createSessions(clock, tokens.isGood)
  const limits = createLimits(clock)
  const audit = createAudit(books.audit, clock, log)
  let serving: { readonly api: Api; readonly adorn: (app: FastifyInstance) => void } | undefined
  let opening: Promise<Open> | undefined
  let open: Open | undefined

  const openAt = async ({ host, port }: Address): Promise<Open> => {
    if (serving === undefined) throw new DayflyError('unreachable', 'the daemon is not ready yet', { remedy: 'Try again in a while.' })
    const identity = await openIdentity(stateDir, host, tls, clock.wall())
    const authenticate = createAuthenticate({ tokens, sessions, limits })
    const endOf: ApiOptions['endOf'] = ({ name }) => (name.startsWith('token:') ? tokens.ending(name.slice('token:'.length)) : undefined)
    const app = createApi({ ...serving.api, authenticate, endOf, onCall: audit.note, serverFactory: tlsServer(identity) })
    serving.adorn(app)
    try {
      await app.listen({ host, port })
    } catch (error) {
      await app.close()
      const errno = errnoOf(error)
      if (errno !== 'EADDRINUSE' && errno !== 'EADDRNOTAVAIL' && errno !== 'EACCES') throw error
      throw new DayflyError(errno === 'EADDRINUSE' ? 'conflict' : 'invalid', `--listen: ${host}:${port} cannot be listened on: ${messageOf(error)}`, {
        ...{ field: '--listen', remedy: 'Choose another address or port.', cause: error },
      })
    }
    const at = app.server.address()
    const origin = originOf(host, typeof at === 'object' && at !== null ? at.port : port)
    log.info('the API listens', { origin, fingerprint: identity.fingerprint })
    open = { app, origin, identity }
    return open
  }

  /** On the loopback, at the usual port or, where that is taken, a free one. */
  const onLoopback = async (): Promise<Open> => {
    const host = '127.0.0.1'
    return await openAt({ host, port: usualPort }).catch((error: unknown) => {
      if (error instanceof DayflyError && error.code === 'conflict') return openAt({ host, port: 0 })
      throw error
    })
  }

  const place = async () => {
    opening ??= listen === undefined ? onLoopback() : openAt(listen)
    opening.catch(() => {
      opening = undefined
    })
    const { origin, identity } = await opening
    return { origin, fingerprint: identity.fingerprint }
  }

  return {
    callers: createCallers({ tokens, sessions, limits, audit, books, place }),
    onCall: audit.note,
    begin: async (api, adorn) => {
      serving = { api, adorn }
      if (listen !== undefined) await place()
    },
    checks: () => {
      if (open === undefined) return []
      const { origin, identity } = open
      const left = identity.expiresAt - clock.wall()
      const found = `${origin}, certificate sha256:${identity.fingerprint}, good until ${new Date(identity.expiresAt).toISOString().slice(0, 10)}`
      return left > warnBefore
        ? [{ name: 'listener', state: 'ok', found, remedy: null }]
        : [{ name: 'listener', state: 'warn', found, remedy: 'Renew the certificate, restart the daemon and tell whoever has pinned it.' }]
    },
    [Symbol.asyncDispose]: async () => {
      await opening?.then(
        ({ app }) => app.close(),
        () => {},
      )
      audit[Symbol.dispose]()
    },
  }
}
