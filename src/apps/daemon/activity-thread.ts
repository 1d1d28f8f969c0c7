/** A thread that reads activity. Started by activity-calls.ts. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { parentPort, workerData } from 'node:worker_threads'
import { DayflyError, messageOf } from '../../base/errors.ts'
import type { ActivityBlock, ActivityReader } from '../../store/activity/activity-store.ts'
import type { ActivityReaderOptions } from '../../store/activity/open.ts'
import { openActivityReader } from '../../store/activity/open.ts'
import type { ActivityAnswer, ActivityFailure, ActivityQuestion, AskedActivity, FromActivity } from './activity-messages.ts'
import { readHeadKey } from './head-key.ts'

if (parentPort === null) throw new Error('this is a thread that reads activity: it is started by activity-calls.ts')
const port = parentPort
const say = (said: FromActivity): void => port.postMessage(said)
const { stateDir }: { readonly stateDir: string } = workerData
const path = join(stateDir, 'activity.sqlite')

/** Of one answer: others wait for their turn, and the daemon for each message. */
const mostBlocks = 256
const mostBytes = 1024 * 1024

let reader: ActivityReader | undefined
const snapshots = new Map<number, ActivityReader>()

/** undefined: nothing was ever kept on this host. */
const open = (options: Pick<ActivityReaderOptions, 'snapshot'>): ActivityReader | undefined => {
  if (!existsSync(path)) return undefined
  const key = readHeadKey(stateDir)
  return openActivityReader({ ...options, path, onProblem: problem => say({ problem }), ...(key === undefined ? {} : { key }) })
}

const snapshotOf = (snapshot: number): ActivityReader => {
  const found = snapshots.get(snapshot)
  if (found === undefined) throw new DayflyError('internal', 'what was being read is closed: its thread has ended meanwhile')
  return found
}

function* some(blocks: Iterable<ActivityBlock>, last: number, mostOfBytes: number): Generator<ActivityBlock> {
  let [count, bytes] = [0, 0]
  for (const block of blocks) {
    if (block.number > last || count >= mostBlocks || bytes >= mostOfBytes) return
    yield block
    count++
    bytes += block.bytes.length
  }
}

const answerTo = (question: ActivityQuestion): ActivityAnswer => {
  const { type } = question
  switch (type) {
    case 'search':
      reader ??= open({})
      return { type, found: reader?.search(question.filter) ?? [] }
    case 'open': {
      const opened = open({ snapshot: true })
      if (opened !== undefined) snapshots.set(question.snapshot, opened)
      return { type, there: opened !== undefined }
    }
    case 'place':
      return { type, place: snapshotOf(question.snapshot).place(question.environment) }
    case 'blocks': {
      const { snapshot, environment, after, last } = question
      return { type, blocks: [...some(snapshotOf(snapshot).blocks(environment, after), last, mostBytes)] }
    }
    case 'sizes': {
      const { snapshot, environment, after, last } = question
      const blocks = some(snapshotOf(snapshot).blocks(environment, after), last, Number.POSITIVE_INFINITY)
      return { type, blocks: Array.from(blocks, ({ number, entries, hash, bytes }) => ({ number, entries, hash, size: bytes.length })) }
    }
    case 'verify': {
      const { snapshot, environment, head, from } = question
      return { type, progress: snapshotOf(snapshot).verifySome(environment, head, mostBlocks, from) }
    }
    case 'close':
      snapshots.get(question.snapshot)?.[Symbol.dispose]()
      snapshots.delete(question.snapshot)
      return { type }
  }
}

const failureOf = (error: unknown): ActivityFailure =>
  error instanceof DayflyError
    ? { code: error.code, message: error.message, field: error.field, remedy: error.remedy }
    : { code: 'internal', message: messageOf(error), field: undefined, remedy: undefined }

port.on('message', ({ id, question }: AskedActivity) => {
  try {
    say({ id, answer: answerTo(question) })
  } catch (error) {
    say({ id, failure: failureOf(error) })
  }
})
