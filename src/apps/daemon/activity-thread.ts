/** The thread that searches activity. Started by activity-search.ts. */
import { existsSync } from 'node:fs'
import { parentPort, workerData } from 'node:worker_threads'
import { DayflyError, messageOf } from '../../base/errors.ts'
import type { ActivityReader } from '../../store/activity/activity-store.ts'
import { openActivityReader } from '../../store/activity/open.ts'
import type { SearchAnswer, SearchFailure, SearchQuestion } from './activity-messages.ts'

if (parentPort === null) throw new Error('this is the thread that searches activity: it is started by activity-search.ts')
const port = parentPort
const say = (answer: SearchAnswer): void => port.postMessage(answer)
const { path }: { readonly path: string } = workerData

let reader: ActivityReader | undefined

/** undefined: nothing was ever kept on this host. */
const current = (): ActivityReader | undefined => {
  if (reader === undefined && existsSync(path)) reader = openActivityReader({ path, onProblem: problem => say({ type: 'problem', problem }) })
  return reader
}

const failureOf = (error: unknown): SearchFailure =>
  error instanceof DayflyError
    ? { code: error.code, message: error.message, field: error.field, remedy: error.remedy }
    : { code: 'internal', message: messageOf(error), field: undefined, remedy: undefined }

port.on('message', ({ id, filter }: SearchQuestion) => {
  try {
    say({ type: 'found', id, found: current()?.search(filter) ?? [] })
  } catch (error) {
    say({ type: 'failed', id, failure: failureOf(error) })
  }
})
