/** The API as functions: JSON, lines, server-sent events and frames. Whatever goes wrong is thrown as an error of errors.ts. */

import type { HttpRequest, HttpResponse } from '../../src/api/client/http.ts'
import { linesOf, request, textOf } from '../../src/api/client/http.ts'
import type { FrameStream } from '../../src/api/frame-stream.ts'
import { createFrameStream } from '../../src/api/frame-stream.ts'
import { framesProtocol } from '../../src/api/frames.ts'
import { fromProblem } from '../../src/api/problems.ts'
import type { Connection } from './connection.ts'
import { asOurs, DayflyError } from './errors.ts'

export type Query = Readonly<Record<string, string | number | boolean | readonly string[] | undefined>>

interface Asked {
  readonly method: HttpRequest['method']
  readonly path: string
  readonly query?: Query
  readonly body?: object
  readonly bytes?: Uint8Array | AsyncIterable<Uint8Array>
  readonly headers?: Readonly<Record<string, string>>
  readonly signal?: AbortSignal | undefined
}

export interface ServerSent {
  readonly id: string
  readonly event: string
  readonly data: string
}

export interface Api {
  readonly connection: Connection
  json<T>(asked: Asked): Promise<T>
  /** To be iterated once. */
  bytes(asked: Asked): Promise<AsyncIterable<Uint8Array>>
  /** Documents, one a line; one with an error is thrown. */
  lines<T extends object>(asked: Asked): AsyncGenerator<T>
  /** Once the answer has begun. */
  events(asked: Asked): Promise<AsyncGenerator<ServerSent>>
  frames(path: string, body: object, signal?: AbortSignal): Promise<FrameStream>
}

const withQuery = (path: string, query: Query = {}): string => {
  const pairs = Object.entries(query).flatMap(([name, value]) => {
    if (value === undefined) return []
    return (typeof value === 'object' ? value : [String(value)]).map(each => `${name}=${encodeURIComponent(each)}`)
  })
  return pairs.length === 0 ? path : `${path}?${pairs.join('&')}`
}

const problemIn = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

async function* ours<T>(items: AsyncIterable<T>): AsyncGenerator<T> {
  try {
    yield* items
  } catch (error) {
    throw asOurs(error)
  }
}

async function* serverSent(response: HttpResponse): AsyncGenerator<ServerSent> {
  let [id, event, data] = ['', 'message', '']
  for await (const line of linesOf(response)) {
    if (line.startsWith('id: ')) id = line.slice(4)
    else if (line.startsWith('event: ')) event = line.slice(7)
    else if (line.startsWith('data: ')) data += line.slice(6)
    else if (line === '' && data !== '') {
      if (event === 'error') throw fromProblem(problemIn(data))
      yield { id, event, data }
      event = 'message'
      data = ''
    }
  }
}

export const createApi = (connection: Connection): Api => {
  const send = async ({ path, query, headers, ...asked }: Asked): Promise<HttpResponse> => {
    try {
      const { socketPath, connect } = connection
      const response = await request({ ...asked, socketPath, connect, path: withQuery(path, query), headers: { ...connection.headers, ...headers } })
      if (response.status < 400) return response
      throw fromProblem(problemIn(await textOf(response)))
    } catch (error) {
      throw asOurs(error)
    }
  }
  return {
    connection,
    json: async asked => {
      const text = await textOf(await send(asked)).catch((error: unknown) => {
        throw asOurs(error)
      })
      return JSON.parse(text)
    },
    bytes: async asked => ours((await send(asked)).body),
    lines: async function* <T extends object>(asked: Asked) {
      for await (const line of ours(linesOf(await send(asked)))) {
        if (line === '') continue
        const document: T = JSON.parse(line)
        if ('error' in document) throw asOurs(fromProblem(document.error))
        yield document
      }
    },
    events: async asked => ours(serverSent(await send(asked))),
    frames: async (path, body, signal) => {
      const response = await send({ method: 'POST', path, body, signal, headers: { connection: 'Upgrade', upgrade: framesProtocol } })
      if (response.status !== 101) throw new DayflyError('internal', `${connection.name} did not go on with frames`)
      return createFrameStream(response.socket)
    },
  }
}

/** Whether to try again: nobody was there, or went away in the middle. */
export const isBroken = (error: unknown): boolean => error instanceof DayflyError && (error.code === 'unreachable' || error.code === 'disconnected')
