/** The HTTP server: routes, checks, authorisation, errors and upgrades. What the routes do is in routes/. */
import type { IncomingMessage, RequestListener, Server } from 'node:http'
import { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import Fastify from 'fastify'
import { DayflyError } from '../base/errors.ts'
import type { Log } from '../base/log.ts'
import type { Actor } from '../model/event.ts'
import type { Principal } from '../model/principal.ts'
import type { Replies } from '../model/reply.ts'
import type { Access } from './authorization.ts'
import { authorization, mayCall } from './authorization.ts'
import { createBoundRoutes } from './bound-routes.ts'
import type { Authenticate, Called } from './caller.ts'
import type { FrameStream } from './frame-stream.ts'
import { createFrameStream } from './frame-stream.ts'
import { encodeJson, frameKind, framesMediaType, framesProtocol } from './frames.ts'
import { handleOnce } from './idempotency.ts'
import { problemMediaType, problemOf, toDayflyError } from './problems.ts'
import type { RawCall, Reply, Route } from './route.ts'
import { routeKey } from './route.ts'
import { apiRoutes } from './routes/all.ts'
import type { ServerSent } from './server-sent.ts'
import { beat, beatEvery, withBeats } from './server-sent.ts'
import type { Services } from './services.ts'
import { acceptWebSocket } from './web-socket.ts'

/** Requests are small, but for secrets. */
const bodyLimit = 8 * 1024 * 1024

export interface ApiOptions {
  readonly services: Services
  /** What was answered to requests with an idempotency key. */
  readonly replies: Replies
  readonly log: Log
  /** The name of whoever is at the other end of a connection; asked for each as soon as it is there. Left out: the services' owner. */
  readonly peer?: (socket: Socket) => Promise<string>
  /** Says who asks. Left out: whoever can open the socket is its owner. */
  readonly authenticate?: Authenticate
  /** Aborted when the caller's rights end before what they have under way. */
  readonly endOf?: (principal: Principal) => AbortSignal | undefined
  /** Told of each call that is over, or goes on as a stream. */
  readonly onCall?: (called: Called) => void
  /** Makes the server. Left out: one that speaks in the clear, for a unix socket. */
  readonly serverFactory?: (handler: RequestListener) => Server
  /** Aborted when the daemon stops: ends what would go on for as long as its client listens. */
  readonly stopping: AbortSignal
}

/** Who may call this route. Throws when the matrix does not know it. */
const accessOf = (route: Route): Access => {
  const access = authorization[routeKey(route)]
  if (access === undefined) throw new DayflyError('internal', `${routeKey(route)} is not in the authorisation matrix`)
  return access
}

/** Ready to listen; whoever closes it ends its connections. */
export const createApi = ({ services, replies, log, peer = async () => services.owner, stopping, ...options }: ApiOptions): FastifyInstance => {
  const { onCall = () => {}, authenticate = async ({ socket }) => ({ kind: 'owner', name: await peer(socket), role: 'owner', teams: 'all' }) } =
    options
  const sockets = new Set<Duplex>()
  const routeFor = createBoundRoutes(services)
  const callers = new WeakMap<FastifyRequest, Principal>()
  const report = (message: string, error: unknown): void => log.error('a request failed', { message, error })
  const tell = (request: FastifyRequest, status: number, code?: string): void =>
    onCall({ ...calledBy(request), principal: callers.get(request), status, code })
  const fail = (error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply => {
    const problem = toDayflyError(fromFastify(error), report)
    tell(request, problem.status, problem.code)
    for (const [name, value] of Object.entries(guards)) reply.raw.setHeader(name, value)
    if (problem.code === 'unauthenticated') reply.raw.setHeader('www-authenticate', 'Bearer realm="dayfly"')
    if ('retryAfter' in problem) reply.raw.setHeader('retry-after', String(problem.retryAfter))
    return reply.code(problem.status).type(problemMediaType).send(problemOf(problem))
  }
  const app = Fastify({
    bodyLimit,
    forceCloseConnections: true,
    // Before a route is found: an address that is none.
    frameworkErrors: (error, request, reply) => fail(error, request, reply),
    logger: false,
    routerOptions: { maxParamLength: 1024 },
    ...(options.serverFactory === undefined ? {} : { serverFactory: options.serverFactory }),
  })

  for (const route of apiRoutes(services, services.about.version)) {
    const access = accessOf(route)
    const key = routeKey(route)
    app.route({
      method: route.method,
      url: route.path,
      // Before the body is read: a stranger's is not.
      onRequest: async (request, reply) => {
        for (const [name, value] of Object.entries(guards)) reply.raw.setHeader(name, value)
        const { method, headers, socket } = request.raw
        const asked = { method: method ?? '', headers, socket, address: socket.remoteAddress ?? '', upgrade: upgrades.has(request.raw) }
        const principal = await authenticate(asked, access)
        callers.set(request, principal)
        if (!mayCall(principal, access)) {
          const remedy = access.roles.length === 0 ? 'Call it on the host itself, over its socket.' : `It is for ${access.roles.join(', ')}.`
          throw new DayflyError('denied', `${key} is not for the role ${principal.role}`, { remedy })
        }
      },
      handler: async (request, reply) => {
        const principal = callers.get(request)
        const bound = principal && routeFor(principal, key)
        if (principal === undefined || bound === undefined) throw new DayflyError('internal', `${key} was called by nobody`)
        const end = options.endOf?.(principal)
        const call = callOf(request, reply, principal, end === undefined ? [stopping] : [stopping, end])
        const replied = await handleOnce(bound, call, `${principal.kind} ${principal.name}`, replies)
        tell(request, replied.kind === 'json' ? replied.status : replied.kind === 'stream' ? 101 : 200)
        return await answer(replied, request, reply, call.signal, report)
      },
    })
  }

  // Not read ahead of the route that takes it: nothing but what is under way is held.
  app.addContentTypeParser('application/octet-stream', (_request, payload, done) => done(null, payload))

  app.setNotFoundHandler(async request => {
    throw new DayflyError('not_found', `there is no ${request.method} ${request.url.split('?')[0]}`, {
      remedy: 'GET /v1/openapi.json names every route.',
    })
  })
  app.setErrorHandler(async (error, request, reply) => await fail(error, request, reply))

  // While it can still be told: a connection may be closed before its request is read.
  if (options.authenticate === undefined) app.server.on('connection', (socket: Socket) => void peer(socket))
  // Fastify knows nothing of upgrades: such a request takes the ordinary way through it with a response of its own, until its handler takes the socket.
  app.server.on('upgrade', (message: IncomingMessage, socket: Duplex, head: Buffer) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
    // A client that leaves while it is answered: nobody else listens, and an error that nobody hears ends the daemon.
    socket.on('error', () => {})
    if (head.length > 0) socket.unshift(head)
    const response = new ServerResponse(message)
    response.shouldKeepAlive = false
    upgrades.set(message, socket)
    response.assignSocket(message.socket)
    response.once('finish', () => socket.end())
    app.routing(message, response)
  })
  // Before the server closes: it waits for them, though it knows nothing else of them.
  app.addHook('preClose', async () => {
    for (const socket of sockets) socket.destroy()
  })
  return app
}

/** An answer of the API is no page, and nobody's to keep. */
const guards = {
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
} as const

/** Of what is told of a call, what the request says. */
const calledBy = (request: FastifyRequest): Pick<Called, 'address' | 'route' | 'ref' | 'reads'> => {
  const { url } = request.routeOptions
  const named: unknown = typeof request.params === 'object' && request.params !== null ? Object.values(request.params)[0] : undefined
  return {
    address: request.raw.socket.remoteAddress ?? '',
    route: url === undefined ? '' : `${request.method} ${url}`,
    ref: typeof named === 'string' ? named.slice(0, 256) : '',
    reads: request.method === 'GET' && !upgrades.has(request.raw),
  }
}

/** The socket of a request that asked for an upgrade: once its body is read, what comes on it is no longer HTTP. */
const upgrades = new WeakMap<IncomingMessage, Duplex>()

/** Whoever leaves it early leaves the connection whole: it is still to be answered on. To be iterated again for the rest. */
const piecesOf = (body: Readable): AsyncIterable<Uint8Array> => ({ [Symbol.asyncIterator]: () => body.iterator({ destroyOnReturn: false }) })

const callOf = (request: FastifyRequest, reply: FastifyReply, principal: Principal, ends: readonly AbortSignal[]): RawCall => {
  const gone = new AbortController()
  if (reply.raw.closed || reply.raw.destroyed) gone.abort()
  reply.raw.once('close', () => gone.abort())
  const actor: Actor = { kind: 'user', name: principal.name }
  const accept = request.headers.accept ?? ''
  return {
    params: request.params,
    query: request.query,
    body: request.body instanceof Readable ? {} : (request.body ?? {}),
    content: request.body instanceof Readable ? piecesOf(request.body) : undefined,
    principal,
    address: request.raw.socket.remoteAddress ?? '',
    actor,
    signal: AbortSignal.any([gone.signal, ...ends]),
    upgrade: upgrades.has(request.raw) && request.headers.upgrade?.toLowerCase() === framesProtocol,
    webSocket: upgrades.has(request.raw) && request.headers.upgrade?.toLowerCase() === 'websocket',
    accepts: mediaType => accept.split(',').some(part => part.split(';')[0]?.trim() === mediaType),
    header: name => {
      const value = request.headers[name]
      return typeof value === 'string' ? value : undefined
    },
  }
}

type Report = (message: string, error: unknown) => void

const line = (document: object): string => `${JSON.stringify(document)}\n`

const answer = async (reply: Reply, request: FastifyRequest, to: FastifyReply, signal: AbortSignal, report: Report): Promise<FastifyReply> => {
  switch (reply.kind) {
    case 'json':
      return await to
        .code(reply.status)
        .headers(reply.headers ?? {})
        .send(reply.body)
    case 'lines':
      return await stream(to, 'application/x-ndjson', reply.lines, signal, report, line, problem => line({ error: problem }))
    case 'events': {
      const text = (event: ServerSent | typeof beat): string =>
        event === beat ? ': alive\n\n' : `id: ${event.id}\nevent: ${event.event}\ndata: ${line(event.data)}\n`
      return await stream(
        to,
        'text/event-stream',
        withBeats(reply.events, beatEvery),
        signal,
        report,
        text,
        document => `event: error\ndata: ${line(document)}\n`,
      )
    }
    case 'frames':
      return await stream(
        to,
        framesMediaType,
        reply.frames,
        signal,
        report,
        frame => frame,
        document => encodeJson(frameKind.error, document),
      )
    case 'page':
      return await to
        .header('content-security-policy', reply.policy)
        .header('x-content-type-options', 'nosniff')
        .type('text/html; charset=utf-8')
        .send(reply.html)
    case 'bytes':
      to.hijack()
      to.raw.writeHead(200, { 'content-type': reply.mediaType, 'cache-control': 'no-store' })
      await pipeline(reply.bytes, to.raw).catch((error: unknown) => {
        if (!signal.aborted) report('a streamed answer broke off', error)
      })
      return to
    case 'stream':
      await carry(reply.carry, request, to, report)
      return to
  }
}

/** Sends items as they come, the headers at once. The status is out by then, so an error is the last thing in the body. */
const stream = async <T>(
  to: FastifyReply,
  mediaType: string,
  items: AsyncIterable<T>,
  signal: AbortSignal,
  report: Report,
  encode: (item: T) => string | Buffer,
  encodeError: (document: object) => string | Buffer,
): Promise<FastifyReply> => {
  const encoded = async function* (): AsyncGenerator<string | Buffer> {
    try {
      for await (const item of items) yield encode(item)
    } catch (error) {
      if (!signal.aborted) yield encodeError(problemOf(toDayflyError(error, report)))
    }
  }
  to.hijack()
  to.raw.writeHead(200, { 'content-type': mediaType, 'cache-control': 'no-store' })
  to.raw.flushHeaders()
  await pipeline(encoded(), to.raw).catch((error: unknown) => {
    if (!to.raw.destroyed) report('a streamed answer broke off', error)
  })
  return to
}

const carry = async (work: (stream: FrameStream) => Promise<void>, request: FastifyRequest, to: FastifyReply, report: Report): Promise<void> => {
  const socket = upgrades.get(request.raw)
  if (socket === undefined) throw new DayflyError('internal', 'a stream was answered to a request that asked for no upgrade')
  to.hijack()
  to.raw.detachSocket(request.raw.socket)
  if (request.headers.upgrade?.toLowerCase() !== 'websocket')
    socket.write(`HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: ${framesProtocol}\r\n\r\n`)
  const frames = request.headers.upgrade?.toLowerCase() === 'websocket' ? await acceptWebSocket(request.raw, socket) : createFrameStream(socket)
  try {
    await work(frames)
  } catch (error) {
    if (!frames.closed.aborted) await frames.send(encodeJson(frameKind.error, problemOf(toDayflyError(error, report))))
  } finally {
    frames.end()
  }
}

/** Fastify's own errors are about requests it could not read. */
const fromFastify = (error: unknown): unknown => {
  if (!(error instanceof Error) || !('statusCode' in error) || typeof error.statusCode !== 'number' || error.statusCode >= 500) return error
  const field = 'code' in error && error.code === 'FST_ERR_BAD_URL' ? 'path' : 'body'
  return new DayflyError('invalid', `the ${field}: ${error.message}`, { field, cause: error })
}
