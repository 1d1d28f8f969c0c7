/**
 * What waits to be sent to a collector: bounded, and nobody waits for it. What finds no room, or is refused, or is tried in vain too often, is dropped and
 * counted; telemetry must never cost a start.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Log } from '../../base/log.ts'
import type { Signal } from './messages.ts'
import { requests } from './messages.ts'
import type { Destination } from './post.ts'
import { post } from './post.ts'
import { encodeProtobuf } from './protobuf.ts'
import type { Tree } from './tree.ts'

export interface ExporterOptions {
  readonly signal: Signal
  readonly destination: Destination
  readonly protocol: 'http/protobuf' | 'http/json'
  /** The whole request, of items that were offered. */
  readonly requestOf: (items: readonly Tree[]) => Tree
  readonly log: Log
  /** Items that wait at most. Default 2048. */
  readonly capacity?: number
  /** Items that are sent at once. Default 512. */
  readonly batch?: number
  /** ms that an item waits for others. Default 5000. */
  readonly delay?: number
  /** ms before the second attempt; then twice that. Default 1000. */
  readonly pause?: number
}

export interface Exporter extends AsyncDisposable {
  /** Takes an item, or counts it as dropped. Never throws, never waits. */
  offer(item: Tree): void
  /** Sends all that waits; resolves when that was tried. */
  flush(): Promise<void>
  readonly state: () => { readonly waiting: number; readonly sent: number; readonly dropped: number; readonly failure: string | undefined }
}

const mostAttempts = 5
/** ms that the end of the daemon waits for the last of it. */
const lastPatience = 2000

export const createExporter = ({ signal, destination, protocol, requestOf, log, ...limits }: ExporterOptions): Exporter => {
  const { capacity = 2048, batch = 512, delay = 5000, pause = 1000 } = limits
  const closer = new AbortController()
  let queue: Tree[] = []
  let sending: Promise<void> | undefined
  let timer: NodeJS.Timeout | undefined
  let sent = 0
  let dropped = 0
  let failure: string | undefined

  const bytesOf = (items: readonly Tree[]): Buffer => {
    const tree = requestOf(items)
    return protocol === 'http/json' ? Buffer.from(JSON.stringify(tree)) : encodeProtobuf(requests[signal], tree)
  }
  const mediaType = protocol === 'http/json' ? 'application/json' : 'application/x-protobuf'

  const sendBatch = async (items: readonly Tree[]): Promise<void> => {
    const bytes = bytesOf(items)
    for (let attempt = 1; ; attempt++) {
      const outcome = await post(destination, bytes, mediaType, closer.signal)
      if (outcome.failure === undefined) {
        if (failure !== undefined) log.info('telemetry arrives again', { signal })
        failure = undefined
        sent += items.length
        return
      }
      if (failure === undefined) log.warn('telemetry does not arrive', { signal, url: destination.url, error: outcome.failure })
      failure = outcome.failure
      if (!outcome.again || attempt >= mostAttempts || closer.signal.aborted) {
        dropped += items.length
        return
      }
      const grown = pause * 2 ** (attempt - 1) * (0.5 + Math.random() / 2)
      await sleep(outcome.after ?? grown, undefined, { ref: false, signal: closer.signal }).catch(() => {})
    }
  }

  const send = (): Promise<void> => {
    clearTimeout(timer)
    timer = undefined
    sending ??= (async () => {
      while (queue.length > 0) {
        const items = queue.slice(0, batch)
        queue = queue.slice(batch)
        try {
          await sendBatch(items)
        } catch (error) {
          dropped += items.length
          log.error('telemetry could not be written down', { signal, error })
        }
      }
    })().finally(() => {
      sending = undefined
      if (queue.length > 0) schedule()
    })
    return sending
  }
  const schedule = (): void => {
    timer ??= setTimeout(() => void send(), queue.length >= batch ? 0 : delay)
    timer.unref()
  }

  return {
    offer: item => {
      if (closer.signal.aborted || queue.length >= capacity) {
        dropped++
        return
      }
      queue.push(item)
      if (sending !== undefined) return
      if (queue.length >= batch && timer !== undefined) {
        clearTimeout(timer)
        timer = undefined
      }
      schedule()
    },
    flush: async () => {
      while (sending !== undefined || queue.length > 0) await send()
    },
    state: () => ({ waiting: queue.length, sent, dropped, failure }),
    [Symbol.asyncDispose]: async () => {
      const all = queue.length > 0 || sending !== undefined ? send() : Promise.resolve()
      await Promise.race([all, sleep(lastPatience, undefined, { ref: false })])
      closer.abort()
      clearTimeout(timer)
      dropped += queue.length
      queue = []
      await sending
    },
  }
}
