/** From the headers of a request that came over the network to who asks. */
import type { IncomingHttpHeaders } from 'node:http'
import type { Asked, Authenticate } from '../../../api/caller.ts'
import { DayflyError } from '../../../base/errors.ts'
import type { Principal } from '../../../model/principal.ts'
import type { Limits } from './limits.ts'
import { addressKey } from './limits.ts'
import type { Sessions } from './sessions.ts'
import { cookieName } from './sessions.ts'
import type { Tokens } from './tokens.ts'
import { principalOf } from './tokens.ts'

export interface AuthenticateParts {
  readonly tokens: Pick<Tokens, 'known'>
  readonly sessions: Pick<Sessions, 'known'>
  readonly limits: Limits
}

/** For routes that anybody may call: they see nothing of anybody's. */
const stranger: Principal = { kind: 'session', name: '', role: 'viewer', teams: [] }

export const cookieOf = (headers: IncomingHttpHeaders): string | undefined =>
  headers.cookie
    ?.split(';')
    .map(pair => pair.trim().split('='))
    .find(([name]) => name === cookieName)?.[1]

const unauthenticated = (message: string): DayflyError =>
  new DayflyError('unauthenticated', message, { field: 'authorization', remedy: 'Send `Authorization: Bearer TOKEN`, of `dayfly token create`.' })

/** A page of another site can make a browser send its cookie, but neither this header nor a false origin. */
const assertOwnPage = ({ method, headers, upgrade }: Asked): void => {
  const safe = (method === 'GET' || method === 'HEAD') && !upgrade
  if (safe) return
  const origin = headers.origin
  const host = headers.host
  if (host === undefined || origin !== `https://${host}`) {
    throw new DayflyError('denied', 'origin: this is not a request of the console', {
      field: 'origin',
      remedy: 'Use a token outside of the console.',
    })
  }
  // WebSockets take no headers from a page; their origin says all.
  if (!upgrade && headers['x-dayfly-csrf'] !== '1') {
    throw new DayflyError('denied', 'x-dayfly-csrf: it is missing', { field: 'x-dayfly-csrf', remedy: 'Send `x-dayfly-csrf: 1`.' })
  }
}

export const createAuthenticate = ({ tokens, sessions, limits }: AuthenticateParts): Authenticate => {
  const known = (asked: Asked, address: string): Principal => {
    const { authorization } = asked.headers
    if (authorization !== undefined) {
      limits.mayTry(address)
      const token = tokens.known(/^Bearer +(\S+)$/i.exec(authorization)?.[1] ?? '', asked.address)
      if (token !== undefined) return principalOf(token)
      limits.failed(address)
      throw unauthenticated('the token is not good: it is mistyped, was revoked or has expired')
    }
    const cookie = cookieOf(asked.headers)
    if (cookie === undefined) throw unauthenticated('there is no token')
    limits.mayTry(address)
    const principal = sessions.known(cookie)
    if (principal === undefined) {
      limits.failed(address)
      throw unauthenticated('the session has ended')
    }
    assertOwnPage(asked)
    return principal
  }

  return (asked, access) => {
    const address = addressKey(asked.address)
    limits.take('address', address)
    if (access.reach === 'open') {
      limits.mayTry(address)
      return stranger
    }
    const principal = known(asked, address)
    limits.take('caller', principal.name)
    return principal
  }
}
