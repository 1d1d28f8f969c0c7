/**
 * A thread that reads activity, so that the daemon answers others meanwhile. It answers one question after another; one that takes too long fails, and the thread
 * with it. It is started for the first one.
 */
import { Worker } from 'node:worker_threads'
import { abortable, abortError } from '../../base/abort.ts'
import { DayflyError } from '../../base/errors.ts'
import type { Log } from '../../base/log.ts'
import type { ActivityAnswer, ActivityQuestion, AskedActivity, FromActivity } from './activity-messages.ts'

export interface ActivityCallsOptions {
  readonly stateDir: string
  readonly log: Log
  /** Of the thread, for who looks at the process. */
  readonly name: string
  /** ms for one answer, its waiting for others included. */
  readonly patience: number
  /** What to do about an answer that took too long. */
  readonly remedy: string
}

type AnswerTo<T extends ActivityQuestion['type']> = Extract<ActivityAnswer, { readonly type: T }>
const isAnswerTo = <T extends ActivityQuestion['type']>(answer: ActivityAnswer, type: T): answer is AnswerTo<T> => answer.type === type

export interface ActivityCalls extends AsyncDisposable {
  /** Rejects with `timeout`, `exhausted`, by the signal, and as the store throws. */
  ask<T extends ActivityQuestion['type']>(question: Extract<ActivityQuestion, { readonly type: T }>, signal?: AbortSignal): Promise<AnswerTo<T>>
}

/** Questions that may wait for each other. */
const mostWaiting = 64

/** One life of the thread. */
interface Life {
  readonly worker: Worker
  readonly waiting: Map<number, PromiseWithResolvers<ActivityAnswer>>
}

export const createActivityCalls = ({ stateDir, log, name, patience, remedy }: ActivityCallsOptions): ActivityCalls => {
  let life: Life | undefined
  let nextId = 1
  let closed = false

  const end = (ended: Life, error: DayflyError): void => {
    if (life === ended) life = undefined
    for (const { reject } of ended.waiting.values()) reject(error)
    ended.waiting.clear()
    void ended.worker.terminate()
  }

  const hear = ({ waiting, worker }: Life, said: FromActivity): void => {
    if ('problem' in said) {
      log.warn('what an instance did is damaged on the disk', { ...said.problem })
      return
    }
    const one = waiting.get(said.id)
    waiting.delete(said.id)
    if (waiting.size === 0) worker.unref()
    if ('answer' in said) one?.resolve(said.answer)
    else {
      const { code, message, field, remedy: given } = said.failure
      one?.reject(new DayflyError(code, message, { ...(field === undefined ? {} : { field }), ...(given === undefined ? {} : { remedy: given }) }))
    }
  }

  const start = (): Life => {
    const worker = new Worker(new URL('./activity-thread.ts', import.meta.url), {
      ...{ workerData: { stateDir }, name, env: {} },
      resourceLimits: { maxOldGenerationSizeMb: 512 },
    })
    const started: Life = { worker, waiting: new Map() }
    worker.on('message', (said: FromActivity) => hear(started, said))
    worker.on('error', error => end(started, new DayflyError('internal', 'a thread that reads activity has crashed', { cause: error })))
    worker.on('exit', () => end(started, new DayflyError('internal', 'a thread that reads activity has ended')))
    life = started
    return started
  }

  return {
    ask: async (question, signal) => {
      if (closed) throw new DayflyError('unreachable', 'the daemon is ending')
      if (signal?.aborted === true) throw abortError(signal)
      const at = life ?? start()
      if (at.waiting.size >= mostWaiting) {
        throw new DayflyError('exhausted', 'too many readings of activity are under way', { remedy: 'Try again in a while.' })
      }
      const waiting = Promise.withResolvers<ActivityAnswer>()
      const id = nextId++
      at.waiting.set(id, waiting)
      at.worker.ref()
      const timer = setTimeout(() => end(at, new DayflyError('timeout', `reading activity took longer than ${patience} ms`, { remedy })), patience)
      const asked: AskedActivity = { id, question }
      at.worker.postMessage(asked)
      try {
        const answer = await (signal === undefined ? waiting.promise : abortable(waiting.promise, signal))
        if (isAnswerTo(answer, question.type)) return answer
        throw new DayflyError('internal', `asked ${question.type}, the thread that reads activity answered ${answer.type}`)
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
