/** The playground's thread: it keeps nothing of what it is given, and may be ended at any instruction. Started by playground.ts. */
import { existsSync } from 'node:fs'
import { parentPort, workerData } from 'node:worker_threads'
import { DayflyError, messageOf } from '../../../base/errors.ts'
import type { ActivityReader } from '../../../store/activity/activity-store.ts'
import { openActivityReader } from '../../../store/activity/open.ts'
import type { Answer, Question, Result, Start } from './messages.ts'
import { tryPolicy } from './try-policy.ts'
import { listRules, tryRule } from './try-rule.ts'

const port = parentPort
if (port === null) throw new Error('this is a worker')

// Expressions fail by throwing, often thousands of times; nobody reads those stacks.
Error.stackTraceLimit = 0

const { activityPath }: Start = workerData
let reader: ActivityReader | undefined

/** A block that is damaged is left to `dayfly verify`. undefined: nothing was ever kept on this host. */
const activity = (): ActivityReader | undefined => {
  if (reader === undefined && existsSync(activityPath)) reader = openActivityReader({ path: activityPath, onProblem: () => {} })
  return reader
}

/** Which kind a question is of is known by its task's members. */
const resultOf = ({ task }: Question): Result[keyof Result] => {
  if ('policy' in task) return tryPolicy(task)
  return 'files' in task ? listRules(task) : tryRule(task, task.recorded === undefined ? undefined : activity())
}

const say = (answer: Answer): void => port.postMessage(answer)

port.on('message', (question: Question) => {
  const { id } = question
  try {
    say({ id, result: resultOf(question) })
  } catch (error) {
    const { code, field, remedy } = error instanceof DayflyError ? error : { code: 'internal' as const, field: undefined, remedy: undefined }
    say({ id, failure: { code, message: messageOf(error), field, remedy } })
  }
})
say({ ready: true })
