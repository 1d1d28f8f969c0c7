/**
 * Searches of what instances did, in a thread: the daemon answers others meanwhile. One after another; a search that takes too long fails, and the thread with
 * it. The thread is started for the first one.
 */
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { abortable, abortError } from '../../base/abort.ts'
import { DayflyError } from '../../base/errors.ts'
import type { Log } from '../../base/log.ts'
import type { ActivityFilter, Found } from '../../model/activity.ts'
import type { SearchAnswer } from './activity-messages.ts'

export interface ActivitySearchOptions {
  readonly stateDir: string
  readonly log: Log
  /** ms for one search, its waiting for others included. */
  readonly patience?: number
}

export interface ActivitySearch extends AsyncDisposable {
  /** See ActivityReader.search in store/activity. Nothing was ever kept: nothing is found. Rejects with `timeout`, `exhausted`, by the signal, and as the store throws. */
  search(filter: ActivityFilter, signal: AbortSignal): Promise<readonly Found[]>
}

/** Searches that may wait for each other. */
const mostWaiting = 64

interface Waiting {
  readonly settle: (found: readonly Found[]) => void
  readonly fail: (error: DayflyError) => void
}

/** One life of the thread. */
interface Life {
  readonly worker: Worker
  readonly waiting: Map<number, Waiting>
}

export const createActivitySearch = ({ stateDir, log, patience = 30_000 }: ActivitySearchOptions): ActivitySearch => {
  let life: Life | undefined
  let nextId = 1
  let closed = false

  const end = (ended: Life, error: DayflyError): void => {
    if (life === ended) life = undefined
    for (const { fail } of ended.waiting.values()) fail(error)
    ended.waiting.clear()
    void ended.worker.terminate()
  }

  const hear = ({ waiting, worker }: Life, answer: SearchAnswer): void => {
    if (answer.type === 'problem') {
      log.warn('what an instance did is damaged on the disk', { ...answer.problem })
      return
    }
    const one = waiting.get(answer.id)
    waiting.delete(answer.id)
    if (waiting.size === 0) worker.unref()
    if (answer.type === 'found') one?.settle(answer.found)
    else {
      const { code, message, field, remedy } = answer.failure
      one?.fail(new DayflyError(code, message, { ...(field === undefined ? {} : { field }), ...(remedy === undefined ? {} : { remedy }) }))
    }
  }

  const start = (): Life => {
    const worker = new Worker(new URL('./activity-thread.ts', import.meta.url), {
      ...{ workerData: { path: join(stateDir, 'activity.sqlite') }, name: 'dayfly-activity', env: {} },
      resourceLimits: { maxOldGenerationSizeMb: 512 },
    })
    const started: Life = { worker, waiting: new Map() }
    worker.on('message', (answer: SearchAnswer) => hear(started, answer))
    worker.on('error', error => end(started, new DayflyError('internal', 'the thread that searches activity has crashed', { cause: error })))
    worker.on('exit', () => end(started, new DayflyError('internal', 'the thread that searches activity has ended')))
    life = started
    return started
  }

  return {
    search: async (filter, signal) => {
      if (closed) throw new DayflyError('unreachable', 'the daemon is ending')
      if (signal.aborted) throw abortError(signal)
      const at = life ?? start()
      if (at.waiting.size >= mostWaiting) throw new DayflyError('exhausted', 'too many searches are under way', { remedy: 'Try again in a while.' })
      const { promise, resolve, reject } = Promise.withResolvers<readonly Found[]>()
      const id = nextId++
      at.waiting.set(id, { settle: resolve, fail: reject })
      at.worker.ref()
      const late = new DayflyError('timeout', `the search took longer than ${patience} ms`, { remedy: 'Narrow it by --since and --until.' })
      const timer = setTimeout(() => end(at, late), patience)
      at.worker.postMessage({ id, filter })
      try {
        return await abortable(promise, signal)
      } finally {
        clearTimeout(timer)
      }
    },
    [Symbol.asyncDispose]: async () => {
      closed = true
      const last = life
      if (!last) return
      end(last, new DayflyError('unreachable', 'the daemon is ending'))
      await last.worker.terminate()
    },
  }
}
