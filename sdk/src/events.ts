/** The record as it is written: an async iterator that goes on where it was after a connection that broke. */
import type { Api } from './api.ts'
import { isBroken } from './api.ts'
import type { RecordEvent } from './schemas.ts'

export interface EventOptions {
  /** Only entries after this cursor. Default: from the beginning. */
  readonly after?: number | undefined
  readonly signal?: AbortSignal | undefined
  /** How often in a row a connection is tried that does not come about; 0.1 s, then each time twice as long, at most 5 s. Default: 20. */
  readonly retries?: number | undefined
}

const pause = (ms: number, signal: AbortSignal | undefined): Promise<void> =>
  new Promise(resolve => {
    const go = (): void => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', go)
      resolve()
    }
    const timer = setTimeout(go, ms)
    signal?.addEventListener('abort', go, { once: true })
  })

/**
 * Of one environment until its record is sealed, after which nothing comes; without one, of all of them, for ever. An abort ends it without an error.
 *
 * @internal
 */
export async function* events(
  api: Api,
  environment: string | undefined,
  { after, signal, retries = 20 }: EventOptions = {},
): AsyncGenerator<RecordEvent> {
  let last = after
  for (let failed = 0; ; ) {
    if (signal?.aborted) return
    try {
      const query = { environment, follow: true, after: last }
      for await (const { id, data } of await api.events({ method: 'GET', path: '/v1/events', query, signal })) {
        failed = 0
        const event: RecordEvent = JSON.parse(data)
        last = Number(id)
        yield event
        if (environment !== undefined && event.type === 'record.sealed') return
      }
      failed++
    } catch (error) {
      if (signal?.aborted) return
      if (!isBroken(error) || ++failed > retries) throw error
    }
    await pause(Math.min(100 * 2 ** failed, 5_000), signal)
  }
}
