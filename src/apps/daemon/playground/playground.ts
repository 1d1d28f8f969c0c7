/**
 * Tries policies and rules that somebody is writing, in a thread with little memory and a deadline: one question after another, and one that takes too long fails,
 * with the thread. Nothing of it is kept, and nothing in force depends on it.
 */
import { Worker } from 'node:worker_threads'
import { abortable, abortError } from '../../../base/abort.ts'
import { DayflyError, messageOf } from '../../../base/errors.ts'
import type { Answer, Kind, Question, Result, Start, Task } from './messages.ts'

export interface PlaygroundOptions {
  readonly activityPath: string
  /** For one question, from when the thread begins with it, ms. */
  readonly patience?: number
  /** The thread's heap, MiB. */
  readonly memory?: number
}

export interface Playground extends AsyncDisposable {
  /** Rejects with `timeout`, `exhausted`, or by the signal; then nobody waits for the answer, which may go on for the rest of its time. */
  ask<K extends Kind>(kind: K, task: Task[K], signal?: AbortSignal): Promise<Result[K]>
}

/** ms */
const usualPatience = 4_000
const startPatience = 30_000
/** A thread that nobody asks anything is ended after this long: its heap is tens of MiB. */
const idleFor = 120_000
const longestQueue = 32

interface Waiting {
  readonly question: Question
  settle(result: Result[Kind]): void
  fail(error: DayflyError): void
}

/** One life of the thread. */
interface Life {
  readonly worker: Worker
  ready: boolean
  current: Waiting | undefined
  timer: NodeJS.Timeout | undefined
}

export const createPlayground = ({ activityPath, patience = usualPatience, memory = 256 }: PlaygroundOptions): Playground => {
  const queue: Waiting[] = []
  let life: Life | undefined
  let nextId = 1
  let closed = false

  /** What it was at fails; the others wait for the next thread, unless it could not even start. */
  const give = (ended: Life, error: DayflyError): void => {
    if (life !== ended) return
    life = undefined
    clearTimeout(ended.timer)
    void ended.worker.terminate()
    ended.current?.fail(error)
    if (!ended.ready) for (const waiting of queue.splice(0)) waiting.fail(error)
    next()
  }

  const heard = (from: Life, answer: Answer): void => {
    if (life !== from) return
    clearTimeout(from.timer)
    if ('ready' in answer) from.ready = true
    else if (from.current?.question.id === answer.id) {
      const { current } = from
      from.current = undefined
      if ('result' in answer) current.settle(answer.result)
      else {
        const { code, message, field, remedy } = answer.failure
        current.fail(new DayflyError(code, message, { ...(field === undefined ? {} : { field }), ...(remedy === undefined ? {} : { remedy }) }))
      }
    }
    next()
  }

  const begin = (): Life => {
    const start: Start = { activityPath }
    const worker = new Worker(new URL('./thread.ts', import.meta.url), {
      ...{ workerData: start, name: 'dayfly-playground', env: {} },
      resourceLimits: { maxOldGenerationSizeMb: memory, maxYoungGenerationSizeMb: 32, stackSizeMb: 4 },
    })
    const begun: Life = { worker, ready: false, current: undefined, timer: undefined }
    const late = new DayflyError('timeout', `the playground did not start within ${startPatience} ms`)
    begun.timer = setTimeout(() => give(begun, late), startPatience)
    worker.on('message', (answer: Answer) => heard(begun, answer))
    worker.on('error', (error: unknown) => {
      const full = error instanceof Error && 'code' in error && error.code === 'ERR_WORKER_OUT_OF_MEMORY'
      give(
        begun,
        full
          ? new DayflyError('exhausted', `it takes more than ${memory} MiB of memory`)
          : new DayflyError('internal', messageOf(error), { cause: error }),
      )
    })
    worker.on('exit', () => give(begun, new DayflyError('internal', 'the thread of the playground has ended')))
    worker.unref()
    return begun
  }

  const next = (): void => {
    if (closed) return
    if (queue.length === 0) {
      const resting = life
      if (resting?.current !== undefined || resting === undefined) return
      resting.worker.unref()
      resting.timer = setTimeout(() => give(resting, new DayflyError('internal', 'nobody asks')), idleFor).unref()
      return
    }
    life ??= begin()
    const at = life
    at.worker.ref()
    if (!at.ready || at.current !== undefined) return
    clearTimeout(at.timer)
    const waiting = queue.shift()
    if (waiting === undefined) return
    at.current = waiting
    const late = new DayflyError('timeout', `it took longer than ${patience} ms and was given up`, { remedy: 'Make it simpler, or look at less.' })
    at.timer = setTimeout(() => give(at, late), patience)
    at.worker.postMessage(waiting.question)
  }

  return {
    ask: async <K extends Kind>(_kind: K, task: Task[K], signal?: AbortSignal): Promise<Result[K]> => {
      if (closed) throw new DayflyError('unreachable', 'the daemon is ending')
      if (signal?.aborted) throw abortError(signal)
      if (queue.length >= longestQueue) throw new DayflyError('exhausted', 'too many try something at once', { remedy: 'Try again in a while.' })
      const { promise, resolve, reject } = Promise.withResolvers<Result[K]>()
      // The thread answers a question by its kind.
      const waiting: Waiting = { question: { id: nextId++, task }, settle: result => resolve(result as Result[K]), fail: reject }
      queue.push(waiting)
      next()
      if (signal === undefined) return await promise
      try {
        return await abortable(promise, signal)
      } finally {
        // Who types on asks anew: what nobody waits for is not begun.
        const place = queue.indexOf(waiting)
        if (place >= 0) queue.splice(place, 1)
      }
    },
    [Symbol.asyncDispose]: async () => {
      closed = true
      const last = life
      life = undefined
      const error = new DayflyError('unreachable', 'the daemon is ending')
      for (const { fail } of queue.splice(0)) fail(error)
      clearTimeout(last?.timer)
      last?.current?.fail(error)
      await last?.worker.terminate()
    },
  }
}
