/**
 * Policies of users' files, evaluated in a thread of their own. A request that takes longer than it may is refused, and the thread with it: it is ended
 * and started again, and the requests behind it are answered by the next one. Nothing that goes wrong here is an answer in the request's favour.
 */
import { Worker } from 'node:worker_threads'
import { abortable } from '../../base/abort.ts'
import { messageOf } from '../../base/errors.ts'
import type { AdmissionRequest } from '../decision.ts'
import { speaksOfImages } from '../kubernetes/compile.ts'
import type { CostLimits } from '../kubernetes/evaluate.ts'
import type { PolicySet } from '../kubernetes/schema.ts'
import type { Ruling } from '../policy.ts'
import type { Answer, Question } from './messages.ts'
import { progressPlaces } from './messages.ts'

/** What came of a request. `failure`: it could not be decided; the policy at fault, where that is known. */
export type WorkerOutcome =
  | { readonly rulings: readonly Ruling[]; readonly microseconds: number }
  | { readonly failure: string; readonly policy: string | undefined }

export interface PolicyWorker extends AsyncDisposable {
  /** Resolves always, but rejects when the signal aborts. */
  evaluate(request: AdmissionRequest, signal?: AbortSignal): Promise<WorkerOutcome>
  /** How often the thread was started. */
  readonly starts: number
}

export interface WorkerLimits {
  /** One request over all policies, ms. */
  readonly milliseconds: number
  /** The thread's heap, MiB. */
  readonly memory: number
  readonly cost: CostLimits
}

/** Starting the thread may take this long, ms: it loads the code and compiles the policies. */
const startLimit = 30_000
/** Requests that may wait. */
const longestQueue = 10_000

interface Waiting {
  readonly question: Question
  readonly settle: (outcome: WorkerOutcome) => void
}

/** One life of the thread. */
interface Life {
  readonly worker: Worker
  readonly state: Int32Array
  ready: boolean
  current: Waiting | undefined
  timer: NodeJS.Timeout | undefined
  over: boolean
}

export const createPolicyWorker = (set: PolicySet, limits: WorkerLimits): PolicyWorker => {
  const queue: Waiting[] = []
  const withImages = speaksOfImages(set)
  let life: Life | undefined
  let nextId = 1
  let starts = 0
  /** In a row, without an answer between them: a thread that cannot even start is not started forever. */
  let failures = 0
  let closed = false

  const end = async (ended: Life): Promise<void> => {
    ended.over = true
    clearTimeout(ended.timer)
    if (life === ended) life = undefined
    await ended.worker.terminate()
  }

  /** The thread is gone or is to go: what it was at is refused, the others wait for the next one. */
  const give = (ended: Life, failure: string): void => {
    if (ended.over) return
    const { current } = ended
    const index = Atomics.load(ended.state, progressPlaces.policy)
    ended.current = undefined
    failures = current ? 0 : failures + 1
    void end(ended)
    current?.settle({ failure, policy: set.policies[index]?.metadata.name })
    if (failures >= 3) {
      failures = 0
      for (const waiting of queue.splice(0)) waiting.settle({ failure: `the policies' thread cannot be started: ${failure}`, policy: undefined })
    }
    if (queue.length > 0) next()
  }

  const late = (at: Life, id: number, graces: number): void => {
    if (at.current?.question.id !== id) return
    // It may be this thread that was busy: the answer is there and only waits to be read.
    if (Atomics.load(at.state, progressPlaces.done) === id && graces > 0) {
      at.timer = setTimeout(() => late(at, id, graces - 1), limits.milliseconds)
      return
    }
    give(at, `it was not decided within ${limits.milliseconds} ms`)
  }

  const begin = (): Life => {
    starts++
    const progress = new SharedArrayBuffer(8)
    const worker = new Worker(new URL('./thread.ts', import.meta.url), {
      workerData: { set, limits: limits.cost, progress },
      resourceLimits: { maxOldGenerationSizeMb: limits.memory, maxYoungGenerationSizeMb: 32, stackSizeMb: 4 },
      env: {},
      execArgv: [],
    })
    const begun: Life = { worker, state: new Int32Array(progress), ready: false, current: undefined, timer: undefined, over: false }
    begun.timer = setTimeout(() => give(begun, `the thread did not start within ${startLimit} ms`), startLimit)
    worker.on('message', (answer: Answer) => heard(begun, answer))
    worker.on('messageerror', error => give(begun, `its answer could not be read: ${messageOf(error)}`))
    worker.on('error', error => give(begun, `the thread failed: ${messageOf(error)}`))
    worker.on('exit', code => give(begun, `the thread ended with ${code}`))
    worker.unref()
    return begun
  }

  const heard = (from: Life, answer: Answer): void => {
    if (from.over) return
    clearTimeout(from.timer)
    if ('ready' in answer) {
      from.ready = true
      next()
      return
    }
    const { current } = from
    if (current?.question.id !== answer.id) return
    from.current = undefined
    failures = 0
    current.settle(
      'failure' in answer ? { failure: answer.failure, policy: undefined } : { rulings: answer.rulings, microseconds: answer.microseconds },
    )
    next()
  }

  const next = (): void => {
    if (closed || queue.length === 0) {
      life?.worker.unref()
      return
    }
    const at = life ?? start()
    if (!at) return
    // A process waits for what was asked, and for nothing else.
    at.worker.ref()
    if (!at.ready || at.current) return
    const waiting = queue.shift()
    if (!waiting) return
    at.current = waiting
    const { id } = waiting.question
    try {
      at.worker.postMessage(waiting.question)
    } catch (error) {
      at.current = undefined
      waiting.settle({ failure: `the request cannot be given to the policies: ${messageOf(error)}`, policy: undefined })
      next()
      return
    }
    at.timer = setTimeout(() => late(at, id, 20), limits.milliseconds)
  }

  const evaluate = (request: AdmissionRequest, signal?: AbortSignal): Promise<WorkerOutcome> => {
    if (closed) return Promise.resolve({ failure: 'the policies are closed', policy: undefined })
    if (queue.length >= longestQueue) return Promise.resolve({ failure: 'too many requests wait for a decision', policy: undefined })
    const { promise, resolve } = Promise.withResolvers<WorkerOutcome>()
    const waiting = { question: { id: nextId, request: withImages ? request : { ...request, images: {} } }, settle: resolve }
    nextId = nextId >= 0x7fffffff ? 1 : nextId + 1
    queue.push(waiting)
    next()
    if (!signal) return promise
    const withdraw = (): void => {
      const place = queue.indexOf(waiting)
      if (place >= 0) queue.splice(place, 1)
    }
    signal.addEventListener('abort', withdraw, { once: true })
    return abortable(promise, signal).finally(() => signal.removeEventListener('abort', withdraw))
  }

  /** A host that has no memory or no threads left cannot start one: that is an answer too. */
  const start = (): Life | undefined => {
    try {
      life = begin()
    } catch (error) {
      for (const waiting of queue.splice(0))
        waiting.settle({ failure: `the policies' thread cannot be started: ${messageOf(error)}`, policy: undefined })
    }
    return life
  }

  // Loading the code takes a tenth of a second: that is not for the first request to wait for.
  start()

  return {
    evaluate,
    get starts() {
      return starts
    },
    [Symbol.asyncDispose]: async () => {
      closed = true
      const last = life
      for (const waiting of queue.splice(0)) waiting.settle({ failure: 'the policies are closed', policy: undefined })
      last?.current?.settle({ failure: 'the policies are closed', policy: undefined })
      if (last) await end(last)
    },
  }
}
