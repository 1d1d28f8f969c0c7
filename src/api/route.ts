/** A route as data: what it takes and answers as zod schemas, so that checking, the OpenAPI document and the authorisation matrix see the same thing. */
import { z } from 'zod'
import type { Actor } from '../model/event.ts'
import type { Principal } from '../model/principal.ts'
import type { FrameStream } from './frame-stream.ts'
import { parseInput } from './issues.ts'
import type { ServerSent } from './server-sent.ts'

export type Method = 'GET' | 'POST' | 'DELETE'

/** What a handler returns; the server turns it into bytes. */
export type Reply =
  | { readonly kind: 'json'; readonly status: 200 | 201; readonly body: object; readonly headers?: Readonly<Record<string, string>> }
  /** One JSON document a line. An error on the way is the last line. */
  | { readonly kind: 'lines'; readonly lines: AsyncIterable<object> }
  /** Server-sent events. */
  | { readonly kind: 'events'; readonly events: AsyncIterable<ServerSent> }
  /** What no error can be part of: should one come up, the answer breaks off. */
  | { readonly kind: 'bytes'; readonly mediaType: string; readonly bytes: AsyncIterable<Uint8Array> }
  /** A page for a browser, with the Content-Security-Policy that it obeys. */
  | { readonly kind: 'page'; readonly html: string; readonly policy: string }
  /** A body of frames. */
  | { readonly kind: 'frames'; readonly frames: AsyncIterable<Buffer> }
  /** After `101 Switching Protocols`. An error on the way is an error frame. */
  | { readonly kind: 'stream'; readonly carry: (stream: FrameStream) => Promise<void> }

export interface Call<Params, Query, Body> {
  readonly params: Params
  readonly query: Query
  readonly body: Body
  /** Who asks, and what they may see. The services that a route was made with show it no more than that. */
  readonly principal: Principal
  /** Where the call came from; empty for the socket. */
  readonly address: string
  /** The same in words of the record. */
  readonly actor: Actor
  /** Aborted when the client is gone or the daemon stops. */
  readonly signal: AbortSignal
  /** The client asks to go on with frames. */
  readonly upgrade: boolean
  /** The same over a WebSocket: a frame is a message, of its kind and its payload. */
  readonly webSocket: boolean
  /** It wants this media type by its Accept header. */
  accepts(mediaType: string): boolean
  /** The bytes of a body that is `application/octet-stream`, to be iterated once; undefined for any other. */
  readonly content?: AsyncIterable<Uint8Array> | undefined
  /** Of a header, or undefined. */
  header(name: string): string | undefined
}

export type RawCall = Call<unknown, unknown, unknown>

/** One way in which a route answers, for the OpenAPI document. */
export interface Answer {
  readonly status: 101 | 200 | 201
  readonly description: string
  readonly mediaType?: string
  readonly schema?: z.ZodType
}

export interface Route {
  readonly method: Method
  /** `/metrics` is where everybody who scrapes looks for it. */
  readonly path: `/v1/${string}` | '/metrics'
  readonly summary: string
  readonly description?: string
  readonly params: z.ZodType
  readonly query: z.ZodType
  readonly body: z.ZodType
  /** The body is bytes, as they come: `content` of the call, and of any length. */
  readonly takes?: 'application/octet-stream'
  readonly answers: readonly Answer[]
  /** Its answer holds a secret: it is shown once and kept nowhere, also not for a repeated request. */
  readonly once?: true
  /** Checks the input and does the work. */
  handle(call: RawCall): Promise<Reply>
}

/** The matrix and the server know a route by this. */
export const routeKey = (route: Pick<Route, 'method' | 'path'>): string => `${route.method} ${route.path}`

interface Definition<P extends z.ZodType, Q extends z.ZodType, B extends z.ZodType> extends Omit<Route, 'params' | 'query' | 'body' | 'handle'> {
  readonly params: P
  readonly query: Q
  readonly body: B
  handle(call: Call<z.output<P>, z.output<Q>, z.output<B>>): Promise<Reply>
}

/** For a part that a route does not take. Whatever comes there is not looked at. */
export const nothing = z.unknown()

/** Input is checked in this order: path, query, body. A fault throws `invalid` before the handler is called. */
export const defineRoute = <P extends z.ZodType, Q extends z.ZodType, B extends z.ZodType>(definition: Definition<P, Q, B>): Route => ({
  ...definition,
  handle: async call =>
    await definition.handle({
      ...call,
      params: parseInput(definition.params, call.params, 'the path'),
      query: parseInput(definition.query, call.query, 'the query'),
      body: parseInput(definition.body, call.body, 'the body'),
    }),
})
