/** The HTTP server: routes, checks, authorisation, errors and upgrades. What the routes do is in routes/. */
import type { IncomingMessage } from 'node:http'
import { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import Fastify from 'fastify'
import { DayflyError } from '../base/errors.ts'
import type { Log } from '../base/log.ts'
import type { Actor } from '../model/event.ts'
import type { Role } from './authorization.ts'
import { authorization } from './authorization.ts'
import type { FrameStream } from './frame-stream.ts'
import { createFrameStream } from './frame-stream.ts'
import { encodeJson, frameKind, framesMediaType, framesProtocol } from './frames.ts'
import { errorDocument, toDayflyError } from './problems.ts'
import type { RawCall, Reply, Route } from './route.ts'
import { routeKey } from './route.ts'
import { apiRoutes } from './routes/all.ts'
import type { Services } from './services.ts'

/** Requests are small, but for secrets. */
const bodyLimit = 8 * 1024 * 1024

export interface ApiOptions {
  readonly services: Services
  readonly log: Log
  /** The name of whoever is at the other end of a connection; asked for each as soon as it is there. Left out: the services' owner. */
  readonly peer?: (socket: Socket) => Promise<string>
  /** Aborted when the daemon stops: ends what would go on for as long as its client listens. */
  readonly stopping: AbortSignal
}

/** Who may call this route. Throws when the matrix does not know it. */
const rolesOf = (route: Route): readonly Role[] => {
  const roles = authorization[routeKey(route)]
  if (roles === undefined) throw new DayflyError('internal', `${routeKey(route)} is not in the authorisation matrix`)
  return roles
}

/** Ready to listen; whoever closes it ends its connections. */
export const createApi = ({ services, log, peer = async () => services.owner, stopping }: ApiOptions): FastifyInstance => {
  const app = Fastify({ bodyLimit, forceCloseConnections: true, logger: false, routerOptions: { maxParamLength: 1024 } })
  const sockets = new Set<Duplex>()
  const report = (message: string, error: unknown): void => log.error('a request failed', { message, error })

  for (const route of apiRoutes(services, services.about.version)) {
    const roles = rolesOf(route)
    app.route({
      method: route.method,
      url: route.path,
      handler: async (request, reply) => {
        const role: Role = 'owner' // The socket's file mode has let nobody else in.
        if (!roles.includes(role)) throw new DayflyError('denied', `${routeKey(route)} is not for ${role}s`)
        const call = callOf(request, reply, await peer(request.raw.socket), stopping)
        return await answer(await route.handle(call), request, reply, call.signal, report)
      },
    })
  }

  app.setNotFoundHandler(async request => {
    throw new DayflyError('not_found', `there is no ${request.method} ${request.url.split('?')[0]}`, {
      remedy: 'GET /v1/openapi.json names every route.',
    })
  })
  app.setErrorHandler(async (error, _request, reply) => {
    const problem = toDayflyError(fromFastify(error), report)
    return await reply.code(problem.status).send(errorDocument(problem))
  })

  // While it can still be told: a connection may be closed before its request is read.
  app.server.on('connection', (socket: Socket) => void peer(socket))
  // Fastify knows nothing of upgrades: such a request takes the ordinary way through it with a response of its own, until its handler takes the socket.
  app.server.on('upgrade', (message: IncomingMessage, socket: Duplex, head: Buffer) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
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

/** The socket of a request that asked for an upgrade: once its body is read, what comes on it is no longer HTTP. */
const upgrades = new WeakMap<IncomingMessage, Duplex>()

const callOf = (request: FastifyRequest, reply: FastifyReply, name: string, stopping: AbortSignal): RawCall => {
  const gone = new AbortController()
  if (reply.raw.closed || reply.raw.destroyed) gone.abort()
  reply.raw.once('close', () => gone.abort())
  const actor: Actor = { kind: 'user', name }
  const accept = request.headers.accept ?? ''
  return {
    params: request.params,
    query: request.query,
    body: request.body ?? {},
    actor,
    signal: AbortSignal.any([gone.signal, stopping]),
    upgrade: upgrades.has(request.raw) && request.headers.upgrade?.toLowerCase() === framesProtocol,
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
      return await to.code(reply.status).send(reply.body)
    case 'lines':
      return await stream(to, 'application/x-ndjson', reply.lines, signal, report, line, line)
    case 'events': {
      const text = ({ id, event, data }: { id: string; event: string; data: object }): string => `id: ${id}\nevent: ${event}\ndata: ${line(data)}\n`
      return await stream(to, 'text/event-stream', reply.events, signal, report, text, document => `event: error\ndata: ${line(document)}\n`)
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
      if (!signal.aborted) yield encodeError(errorDocument(toDayflyError(error, report)))
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
  socket.write(`HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: ${framesProtocol}\r\n\r\n`)
  const frames = createFrameStream(socket)
  try {
    await work(frames)
  } catch (error) {
    if (!frames.closed.aborted) await frames.send(encodeJson(frameKind.error, errorDocument(toDayflyError(error, report))))
  } finally {
    frames.end()
  }
}

/** Fastify's own errors are about requests it could not read. */
const fromFastify = (error: unknown): unknown => {
  if (!(error instanceof Error) || !('statusCode' in error) || typeof error.statusCode !== 'number' || error.statusCode >= 500) return error
  return new DayflyError('invalid', `the body: ${error.message}`, { field: 'body', cause: error })
}
