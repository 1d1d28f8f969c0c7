/** Who asks, tokens, sessions of browsers, and the log of who asked what. */
import { z } from 'zod'
import { DayflyError } from '../../base/errors.ts'
import { Flag } from '../parameters.ts'
import type { Route } from '../route.ts'
import { defineRoute, nothing } from '../route.ts'
import {
  AuditList,
  CreateTokenRequest,
  NewTokenView,
  OpenSessionRequest,
  RotateTokenRequest,
  SessionCodeView,
  TokenList,
  TokenView,
  WhoamiView,
} from '../schemas/access.ts'
import type { Services } from '../services.ts'
import { whoamiView } from '../views.ts'

const TokenRef = z.object({ id: z.string().min(1).max(128).describe('Its id or name.') })
const Whole = z
  .string()
  .regex(/^\d{1,15}$/, 'must be a whole number')
  .transform(Number)

const usualEntries = 100
const mostEntries = 1000

export const accessRoutes = (services: Services): Route[] => [
  defineRoute({
    method: 'GET',
    path: '/v1/whoami',
    summary: 'Who asks, and what they may see',
    params: nothing,
    query: nothing,
    body: nothing,
    answers: [{ status: 200, description: 'The caller.', mediaType: 'application/json', schema: WhoamiView }],
    handle: async ({ principal }) => ({ kind: 'json', status: 200, body: whoamiView(principal) }),
  }),
  defineRoute({
    method: 'GET',
    path: '/v1/tokens',
    summary: 'List tokens, oldest first',
    description: 'Those that were revoked or have expired are shown for 90 days.',
    params: nothing,
    query: nothing,
    body: nothing,
    answers: [{ status: 200, description: 'The tokens, without what is secret.', mediaType: 'application/json', schema: TokenList }],
    handle: async () => ({ kind: 'json', status: 200, body: { tokens: services.callers.tokens() } }),
  }),
  defineRoute({
    method: 'POST',
    path: '/v1/tokens',
    summary: 'Make a token',
    params: nothing,
    query: nothing,
    body: CreateTokenRequest,
    once: true,
    answers: [
      { status: 201, description: 'The token: its text is shown now, and never again.', mediaType: 'application/json', schema: NewTokenView },
    ],
    handle: async ({ body, actor }) => ({ kind: 'json', status: 201, body: services.callers.createToken(body, actor.name) }),
  }),
  defineRoute({
    method: 'POST',
    path: '/v1/tokens/:id/rotate',
    summary: 'Give a token another secret',
    description: 'The one before stays good for the overlap, so that nothing fails while the new one is brought where it is used.',
    params: TokenRef,
    query: nothing,
    body: RotateTokenRequest,
    once: true,
    answers: [
      { status: 200, description: 'The token: its text is shown now, and never again.', mediaType: 'application/json', schema: NewTokenView },
    ],
    handle: async ({ params, body }) => ({ kind: 'json', status: 200, body: services.callers.rotateToken(params.id, body) }),
  }),
  defineRoute({
    method: 'DELETE',
    path: '/v1/tokens/:id',
    summary: 'Revoke a token',
    description: 'At once, and with it the sessions that were opened by it. Revoking it again changes nothing.',
    params: TokenRef,
    query: nothing,
    body: nothing,
    answers: [{ status: 200, description: 'The token.', mediaType: 'application/json', schema: TokenView }],
    handle: async ({ params }) => ({ kind: 'json', status: 200, body: services.callers.revokeToken(params.id) }),
  }),
  defineRoute({
    method: 'POST',
    path: '/v1/session/code',
    summary: 'Make a one-time code for a browser',
    description:
      'The page exchanges it for a session of the same rights; of the local owner for that of an admin. Where the daemon listens nowhere yet, it does so on the loopback from then on.',
    params: nothing,
    query: nothing,
    body: nothing,
    once: true,
    answers: [
      { status: 201, description: 'The code, and the address of the console with it.', mediaType: 'application/json', schema: SessionCodeView },
    ],
    handle: async ({ principal }) => ({ kind: 'json', status: 201, body: await services.callers.sessionCode(principal) }),
  }),
  defineRoute({
    method: 'POST',
    path: '/v1/session',
    summary: 'Exchange a one-time code, or a token, for a session',
    description: 'Answers with a cookie that no script can read, good for 12 hours.',
    params: nothing,
    query: nothing,
    body: OpenSessionRequest,
    once: true,
    answers: [{ status: 201, description: 'Who is signed in.', mediaType: 'application/json', schema: WhoamiView }],
    handle: async ({ body, address }) => {
      const { principal, cookie } = services.callers.openSession(body, address)
      return { kind: 'json', status: 201, body: whoamiView(principal), headers: { 'set-cookie': cookie } }
    },
  }),
  defineRoute({
    method: 'DELETE',
    path: '/v1/session',
    summary: 'End the session of the cookie',
    params: nothing,
    query: nothing,
    body: nothing,
    answers: [{ status: 200, description: 'Who was signed in.', mediaType: 'application/json', schema: WhoamiView }],
    handle: async ({ principal, header }) => {
      if (principal.kind !== 'session') {
        throw new DayflyError('wrong_state', 'there is no session: a token was used, or the socket', {
          remedy: 'Revoke a token with dayfly token revoke.',
        })
      }
      const cookie = services.callers.closeSession(header('cookie') ?? '')
      return { kind: 'json', status: 200, body: whoamiView(principal), headers: { 'set-cookie': cookie } }
    },
  }),
  defineRoute({
    method: 'GET',
    path: '/v1/audit',
    summary: 'Who has called what, newest first',
    description:
      'Calls over the network, also those that were refused, and calls about access over the socket. Reads of the same thing within a minute are one entry.',
    params: nothing,
    query: z.strictObject({
      name: z.string().min(1).max(256).optional().describe('Who: `token:ci`, a user of the host.'),
      route: z.string().min(1).max(256).optional().describe('As in the matrix: `POST /v1/environments`.'),
      failed: z
        .enum(['true', 'false'])
        .transform(text => text === 'true')
        .optional()
        .describe('Only what was refused or failed; or only what was not.'),
      since: Whole.optional().describe('Wall ms: at or after it.'),
      until: Whole.optional().describe('Wall ms: at or before it.'),
      before: Whole.optional().describe('Goes on before this entry: `next` of the answer before.'),
      verify: Flag.describe('Hold the whole log against its hashes.'),
      limit: Whole.pipe(z.int().min(1).max(mostEntries)).default(usualEntries).describe(`At most so many, up to ${mostEntries}.`),
    }),
    body: nothing,
    answers: [{ status: 200, description: 'The entries.', mediaType: 'application/json', schema: AuditList }],
    handle: async ({ query }) => ({ kind: 'json', status: 200, body: await services.callers.audit(query) }),
  }),
]
