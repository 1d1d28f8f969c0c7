/** The policies' thread: compiles them once, then answers one request after another. It may be ended at any instruction. */
import { parentPort, workerData } from 'node:worker_threads'
import { messageOf } from '../../base/errors.ts'
import { compilePolicy } from '../kubernetes/compile.ts'
import { evaluatePolicy } from '../kubernetes/evaluate.ts'
import { requestValues } from '../kubernetes/values.ts'
import type { Answer, Question, Start } from './messages.ts'
import { progressPlaces } from './messages.ts'

const port = parentPort
if (!port) throw new Error('this is a worker')

// Expressions fail by throwing, often thousands of times within one comprehension; nobody reads those stacks.
Error.stackTraceLimit = 0

const { set, limits, progress }: Start = workerData
const state = new Int32Array(progress)
const policies = set.policies.map(policy =>
  compilePolicy(policy, set, fault => {
    throw fault.error
  }),
)

const say = (answer: Answer): void => port.postMessage(answer)

const answer = ({ id, request }: Question): Answer => {
  const started = process.hrtime.bigint()
  try {
    const roots = requestValues(request)
    const rulings = policies.flatMap((compiled, at) => {
      Atomics.store(state, progressPlaces.policy, at)
      return evaluatePolicy(compiled, request, roots, limits)
    })
    return { id, rulings, microseconds: Number(process.hrtime.bigint() - started) / 1000 }
  } catch (error) {
    return { id, failure: messageOf(error) }
  }
}

port.on('message', (question: Question) => {
  const answered = answer(question)
  // Before the message: whoever measures the time sees at once that it is done.
  Atomics.store(state, progressPlaces.done, question.id)
  say(answered)
})
say({ ready: true })
