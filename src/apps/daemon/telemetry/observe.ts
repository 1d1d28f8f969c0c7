/** A server's requests: each is served with its own trace at hand, and counted when it is answered. */
import type { FastifyInstance } from 'fastify'
import type { Telemetry } from './open.ts'

/** Answers that go on for as long as somebody listens say nothing about how fast they were. */
const streamed = /^(text\/event-stream|application\/x-ndjson|application\/vnd\.dayfly)/

export const observe = (app: FastifyInstance, { starts, served }: Telemetry): void => {
  app.addHook('onRequest', (request, _reply, done) => {
    const header = (name: string): string | undefined => {
      const value = request.headers[name]
      return typeof value === 'string' ? value : undefined
    }
    starts.request(header, done)
  })
  app.addHook('onResponse', (request, reply, done) => {
    const media = String(reply.raw.getHeader('content-type') ?? '')
    const took = streamed.test(media) || reply.statusCode < 200 ? undefined : reply.elapsedTime
    served({ method: request.method, route: request.routeOptions.url ?? 'none', code: reply.statusCode, took })
    done()
  })
}
