/** The thread of sensing. Started by create.ts. */
import { join } from 'node:path'
import { parentPort, workerData } from 'node:worker_threads'
import type { Log, LogFields, LogLevel } from '../../../base/log.ts'
import { readHeadKey } from '../head-key.ts'
import { startEarly } from './early-sensor.ts'
import type { FromSensing, SensingOptions, ToSensing } from './messages.ts'

if (parentPort === null) throw new Error('this is the thread of sensing: it is started by create.ts')
const port = parentPort
const say = (message: FromSensing): void => port.postMessage(message)

const logWith = (fields: LogFields): Log => {
  const entry =
    (level: LogLevel) =>
    (message: string, more: LogFields = {}): void =>
      say({ type: 'log', level, message, fields: { ...fields, ...more } })
  return { debug: entry('debug'), info: entry('info'), warn: entry('warn'), error: entry('error'), with: more => logWith({ ...fields, ...more }) }
}

const log = logWith({})
const options: SensingOptions = workerData
const early = options.sensor === undefined ? undefined : startEarly(options.sensor)
// After the sensor: reading all of these takes as long as half of its start.
const [{ createDetector }, { openActivityStore }, { createPlane }] = await Promise.all([
  import('../../../detect/create.ts'),
  import('../../../store/activity/open.ts'),
  import('./plane.ts'),
])
const key = readHeadKey(options.stateDir)
const store = openActivityStore({
  path: join(options.stateDir, 'activity.sqlite'),
  // Vouches for what it prunes.
  ...(key === undefined ? {} : { key }),
  onProblem: ({ environment, block, message }) => log.warn('what an instance did is damaged on the disk', { environment, block, message }),
})
const detector = createDetector({ dayfly: false, files: [] })
const plane = createPlane({ options, early, store, detector, log, say })

const close = async (): Promise<void> => {
  await plane[Symbol.asyncDispose]()
  store[Symbol.dispose]()
  port.close()
}

port.on('message', (message: ToSensing) => {
  if (message.type === 'close') void close()
  else plane.hear(message)
})
say({ type: 'ready' })
