/** The policies' thread: compiles them once, then answers one request after another. It may be ended at any instruction. */
import { parentPort, workerData } from 'node:worker_threads'
import { messageOf } from '../../base/errors.ts'
import type { AdmissionRequest } from '../decision.ts'
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

const sample: AdmissionRequest = {
  object: {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'sample', namespace: 'default', labels: { app: 'sample' } },
    spec: {
      containers: [
        { name: 'main', image: 'registry.example.com/sample:1', securityContext: { runAsNonRoot: true, capabilities: { drop: ['ALL'] } } },
      ],
      securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
      volumes: [{ name: 'data', emptyDir: {} }],
    },
  },
  operation: 'CREATE',
  namespace: 'default',
  namespaceLabels: {},
  userInfo: { username: '', groups: [] },
  instance: undefined,
  environment: undefined,
  images: {},
  now: 0,
}

/**
 * The first evaluations of a policy cost a hundred times as much as the later ones: the machine code for them is not there yet. No request should
 * pay for that. What the sample is told does not matter, and what it may cost is little.
 */
const warmUp = (): void => {
  const little = { expression: Math.min(limits.expression, 10_000), policy: Math.min(limits.policy, 50_000) }
  const end = performance.now() + 50
  for (let round = 0; round < 100 && performance.now() < end; round++) {
    const roots = requestValues(sample)
    for (const compiled of policies) evaluatePolicy(compiled, sample, roots, little)
  }
}

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
warmUp()
say({ ready: true })
