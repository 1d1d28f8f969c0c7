/** Answers that go on: JSON documents by line, and server-sent events that are taken up again where they broke off. */
import type { z } from 'zod'
import { EventView } from '../../../api/schemas/system.ts'
import type { Event } from '../../../model/event.ts'
import { ApiError, problemOf } from './errors.ts'
import { checked, pathOf, request } from './http.ts'

/** Lines of a body, without their ends. */
export async function* linesOf(response: Response): AsyncGenerator<string> {
  if (response.body === null) return
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader()
  let rest = ''
  try {
    for (;;) {
      const { done, value } = await reader.read()
      if (done) break
      const lines = (rest + value).split('\n')
      rest = lines.pop() ?? ''
      yield* lines
    }
    if (rest !== '') yield rest
  } finally {
    await reader.cancel().catch(() => undefined)
  }
}

/** Documents of `application/x-ndjson`. An error on the way is the last line, and thrown. */
export async function* documents<S extends z.ZodType>(schema: S, path: string, signal: AbortSignal, body?: object): AsyncGenerator<z.output<S>> {
  const response = await request(path, { signal, accept: 'application/x-ndjson', ...(body === undefined ? {} : { method: 'POST', body }) })
  for await (const line of linesOf(response)) {
    if (line === '') continue
    const document: unknown = JSON.parse(line)
    const result = schema.safeParse(document)
    if (result.success) yield result.data
    else throw problemOf(200, document) ?? checked(schema, document)
  }
}

const pause = (ms: number, signal: AbortSignal): Promise<void> =>
  new Promise(resolve => {
    const timer = setTimeout(resolve, ms)
    signal.addEventListener('abort', () => {
      clearTimeout(timer)
      resolve()
    })
  })

export type Connection = 'connecting' | 'live' | 'broken'

/**
 * Entries of the record as they come, until the signal. After a break it goes on behind the last one that came. Throws only what trying again does not mend:
 * not being signed in, or not being allowed to.
 *
 * Not an EventSource: that hears only types that it knows by name, and cannot tell why it was refused.
 */
export async function* follow(
  filter: { readonly environment?: string; readonly since?: number },
  onConnection: (state: Connection) => void,
  signal: AbortSignal,
): AsyncGenerator<Event> {
  let after: number | undefined
  let failures = 0
  while (!signal.aborted) {
    onConnection('connecting')
    try {
      const path = pathOf('/v1/events', {}, { follow: true, environment: filter.environment, since: filter.since, after })
      const response = await request(path, {
        signal,
        accept: 'text/event-stream',
        headers: after === undefined ? {} : { 'last-event-id': String(after) },
      })
      onConnection('live')
      failures = 0
      let data: string[] = []
      for await (const line of linesOf(response)) {
        if (line.startsWith('data:')) data.push(line.slice(5).trimStart())
        else if (line === '' && data.length > 0) {
          const event = EventView.safeParse(JSON.parse(data.join('\n')))
          data = []
          if (!event.success) continue
          after = event.data.cursor
          yield event.data
        }
      }
    } catch (error) {
      if (signal.aborted) return
      if (error instanceof ApiError && (error.status === 401 || error.status === 403 || error.status === 404)) throw error
    }
    if (signal.aborted) return
    onConnection('broken')
    failures += 1
    await pause(Math.min(10_000, 500 * 2 ** Math.min(failures, 5)), signal)
  }
}
