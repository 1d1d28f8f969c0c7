/** The thread of the data plane. Started by create.ts. */
import { parentPort, workerData } from 'node:worker_threads'
import { DayflyError, messageOf } from '../base/errors.ts'
import type { Log, LogFields, LogLevel } from '../base/log.ts'
import type { Failure, FromPlane, Order, PlaneOptions, ToPlane } from './messages.ts'
import type { Plane } from './plane.ts'
import { createPlane } from './plane.ts'

if (parentPort === null) throw new Error('this is the thread of the gateway: it is started by create.ts')
const port = parentPort
const say = (message: FromPlane): void => port.postMessage(message)

const failureOf = (error: unknown): Failure => {
  if (!(error instanceof DayflyError)) return { code: 'internal', message: messageOf(error), field: undefined, remedy: undefined }
  const { code, message, field, remedy } = error
  return { code, message, field, remedy }
}

const logWith = (fields: LogFields): Log => {
  const entry =
    (level: LogLevel) =>
    (message: string, more: LogFields = {}): void =>
      say({ type: 'log', level, message, fields: { ...fields, ...more } })
  return { debug: entry('debug'), info: entry('info'), warn: entry('warn'), error: entry('error'), with: more => logWith({ ...fields, ...more }) }
}

const obey = async (plane: Plane, order: Order): Promise<number> => {
  switch (order.type) {
    case 'routes':
      plane.setRoutes(order.changes)
      return 0
    case 'forward':
      return plane.setForward(order.forward)
    case 'unforward':
      await plane.removeForward(order.id)
      return 0
    case 'drain':
      return plane.drain(order.instance, order.within)
    case 'cut':
      return plane.cut(order.environment)
    case 'flush':
      plane.flush()
      return 0
  }
}

const serve = async (options: PlaneOptions): Promise<void> => {
  const plane = await createPlane(options, {
    onWake: target => say({ type: 'wake', target }),
    onUnwake: target => say({ type: 'unwake', target }),
    onReport: report => say({ type: 'report', report }),
    log: logWith({}),
  })
  port.on('message', (message: ToPlane) => {
    if (message.type === 'woken') return plane.woken(message.target, message.error)
    const { number, order } = message
    obey(plane, order).then(
      value => say({ type: 'done', number, value }),
      (error: unknown) => say({ type: 'failed', number, error: failureOf(error) }),
    )
  })
  say({ type: 'ready', port: plane.port, tlsPort: plane.tlsPort })
}

const options: PlaneOptions = workerData
serve(options).catch((error: unknown) => say({ type: 'unable', error: failureOf(error) }))
