/**
 * Packages against the vulnerability data, in a thread: a hostile image names packages that take seconds, and meanwhile the daemon answers others. One image
 * after another; one that takes too long fails, and the thread with it. Who gets no answer knows nothing of the image, and denies it.
 */
import { Worker } from 'node:worker_threads'
import { abortable, abortError } from '../../base/abort.ts'
import { DayflyError, isErrorCode, messageOf } from '../../base/errors.ts'
import type { Matched } from './evidence.ts'
import type { Answer, Question } from './matching-messages.ts'

export interface MatchingOptions {
  /** Of the vulnerability data. It need not be there yet. */
  readonly folder: string
  /** For one image, from when the thread begins with it, ms: ten times what the worst one takes. */
  readonly patience?: number
  /** The thread's heap, MiB. */
  readonly memory?: number
}

export interface Matching extends AsyncDisposable {
  /**
   * What the data says about the packages. Rejects with `timeout`; with `exhausted` when they take more memory than the thread has; with `corrupt` for damaged data, or for
   * packages that no real image has; by the signal.
   */
  match(question: Omit<Question, 'id'>, signal?: AbortSignal): Promise<Matched>
  /** Has the thread ready before somebody waits for it. */
  warm(): void
  /** How often the thread was started. */
  readonly starts: number
}

/** Starting the thread may take this long, ms: it loads the code. */
const startPatience = 30_000
/** Images that may wait. */
const longestQueue = 1_000

interface Waiting {
  readonly question: Question
  settle(matched: Matched): void
  fail(error: DayflyError): void
}

/** One life of the thread. */
interface Life {
  readonly worker: Worker
  ready: boolean
  current: Waiting | undefined
  timer: NodeJS.Timeout | undefined
}

const failureOf = ({ code, message, remedy }: { code: string; message: string; remedy: string | undefined }): DayflyError =>
  new DayflyError(isErrorCode(code) ? code : 'internal', message, remedy === undefined ? {} : { remedy })

export const createMatching = ({ folder, patience = 20_000, memory = 512 }: MatchingOptions): Matching => {
  const queue: Waiting[] = []
  let life: Life | undefined
  let nextId = 1
  let starts = 0
  let closed = false

  /** What it was at fails; the others wait for the next thread. One that could not even start fails all: the next might not either. */
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
      if ('failure' in answer) current.fail(failureOf(answer.failure))
      else current.settle(answer.matched)
    }
    next()
  }

  const begin = (): Life => {
    starts++
    const worker = new Worker(new URL('./matching-thread.ts', import.meta.url), {
      workerData: { folder },
      resourceLimits: { maxOldGenerationSizeMb: memory },
      env: {},
    })
    const begun: Life = { worker, ready: false, current: undefined, timer: undefined }
    const late = new DayflyError('timeout', `the thread that reads vulnerability data did not start within ${startPatience} ms`)
    begun.timer = setTimeout(() => give(begun, late), startPatience).unref()
    worker.on('message', (answer: Answer) => heard(begun, answer))
    worker.on('error', error =>
      give(
        begun,
        new DayflyError('exhausted', `the packages could not be held against the vulnerability data: ${messageOf(error)}`, { cause: error }),
      ),
    )
    worker.on('exit', code => give(begun, new DayflyError('internal', `the thread that reads vulnerability data ended with ${code}`)))
    worker.unref()
    return begun
  }

  /** A host that has no memory or no threads left cannot start one. */
  const start = (): Life | undefined => {
    try {
      life = begin()
    } catch (error) {
      const why = new DayflyError('host', `the thread that reads vulnerability data cannot be started: ${messageOf(error)}`, { cause: error })
      for (const waiting of queue.splice(0)) waiting.fail(why)
    }
    return life
  }

  const next = (): void => {
    if (closed || queue.length === 0) {
      if (life?.current === undefined) life?.worker.unref()
      return
    }
    const at = life ?? start()
    // The process waits for what was asked, and for nothing else.
    at?.worker.ref()
    if (!at?.ready || at.current) return
    const waiting = queue.shift()
    if (!waiting) return
    at.current = waiting
    const late = new DayflyError('timeout', `its packages could not be held against the vulnerability data within ${patience} ms`)
    at.timer = setTimeout(() => give(at, late), patience)
    at.worker.postMessage(waiting.question)
  }

  const closing = (): DayflyError => new DayflyError('unreachable', 'the daemon is ending')

  return {
    match: (question, signal) => {
      if (closed) return Promise.reject(closing())
      if (signal?.aborted) return Promise.reject(abortError(signal))
      if (queue.length >= longestQueue)
        return Promise.reject(new DayflyError('exhausted', 'too many images wait to be held against vulnerability data'))
      const { promise, resolve, reject } = Promise.withResolvers<Matched>()
      const waiting: Waiting = { question: { ...question, id: nextId++ }, settle: resolve, fail: reject }
      queue.push(waiting)
      next()
      if (!signal) return promise
      const withdraw = (): void => {
        const place = queue.indexOf(waiting)
        if (place >= 0) queue.splice(place, 1)
      }
      signal.addEventListener('abort', withdraw, { once: true })
      return abortable(promise, signal).finally(() => signal.removeEventListener('abort', withdraw))
    },
    warm: () => {
      if (!closed && life === undefined) start()
    },
    get starts() {
      return starts
    },
    [Symbol.asyncDispose]: async () => {
      closed = true
      const last = life
      life = undefined
      clearTimeout(last?.timer)
      last?.current?.fail(closing())
      for (const waiting of queue.splice(0)) waiting.fail(closing())
      await last?.worker.terminate()
    },
  }
}
