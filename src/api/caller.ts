/** Who has made a request, as the server asks for it. What knows credentials is not part of the API: apps/daemon/access. */
import type { IncomingHttpHeaders } from 'node:http'
import type { Socket } from 'node:net'
import type { Principal } from '../model/principal.ts'
import type { Access } from './authorization.ts'

export interface Asked {
  readonly method: string
  readonly headers: IncomingHttpHeaders
  /** Where it came from; empty for a unix socket. */
  readonly address: string
  readonly socket: Socket
  /** It asks to go on with another protocol. */
  readonly upgrade: boolean
}

/** Throws `unauthenticated`, `exhausted` (with `retryAfter`), `denied`. */
export type Authenticate = (asked: Asked, access: Access) => Principal | Promise<Principal>

/** What became of a call. */
export interface Called {
  /** Undefined: nobody was known by what they showed. */
  readonly principal: Principal | undefined
  readonly address: string
  /** The key of the matrix; of a path that leads nowhere empty. */
  readonly route: string
  /** What the path named. */
  readonly ref: string
  readonly status: number
  readonly code: string | undefined
  /** It only read. */
  readonly reads: boolean
}
