/** How a monitor tells of its container's end: by an event while somebody is connected, and by the file `exit` in any case. */
import { existsSync, readFileSync } from 'node:fs'
import { DayflyError, errnoOf } from '../../base/errors.ts'
import type { MonitorConnection, MonitorEvent } from '../../host/native/monitor.ts'
import type { ExitStatus } from '../../model/instance.ts'
import type { CellPaths } from './layout.ts'

type ExitedEvent = Extract<MonitorEvent, { type: 'exited' }>

const toStatus = (event: Omit<ExitedEvent, 'type'>, oom: boolean): ExitStatus => ({
  code: event.code,
  ...(event.signal === 0 ? {} : { signal: event.signal }),
  oom,
  cause: event.cause,
  endedAt: event.time,
  droppedBytes: event.droppedBytes,
  droppedLines: event.droppedLines,
})

/** Reads `FOLDER/exit` (native/PROTOCOL.md). undefined: the monitor has not written it. */
export const readExit = (path: string, oomKilled: () => boolean): ExitStatus | undefined => {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined
    throw error
  }
  const fields = new Map(text.split('\n').map(line => [line.slice(0, line.indexOf(' ')), line.slice(line.indexOf(' ') + 1)]))
  const number = (name: string): number => {
    const value = Number(fields.get(name))
    if (!fields.has(name) || !Number.isSafeInteger(value)) throw new DayflyError('host', `${path} has no number "${name}"`)
    return value
  }
  return toStatus(
    {
      code: number('code'),
      signal: number('signal'),
      cause: fields.get('cause') === 'deadline' ? 'deadline' : 'exit',
      time: number('ended'),
      droppedBytes: number('dropped-bytes'),
      droppedLines: number('dropped-lines'),
    },
    oomKilled(),
  )
}

/**
 * Whether the container may have run. Only what a monitor that is dead has left says so for good: one that lives may have a start still before it. The
 * monitor makes the file before it lets the container go, and takes it away when it did not.
 */
export const mayHaveRun = (paths: Pick<CellPaths, 'exit' | 'exitReserved'>): boolean => existsSync(paths.exitReserved) || existsSync(paths.exit)

/**
 * Resolves when the container behind the connection has ended and its output is in the log; to undefined when its monitor died without leaving an
 * exit status. Call it before `bind` or `watch`, or the event may be missed. Never rejects.
 */
export const exitOf = async (monitor: MonitorConnection, path: string, oomKilled: () => boolean): Promise<ExitStatus | undefined> => {
  const exited = Promise.withResolvers<ExitedEvent | undefined>()
  using _subscription = monitor.subscribe(event => {
    if (event.type === 'exited') exited.resolve(event)
  })
  void monitor.closed.then(() => exited.resolve(undefined))
  const event = await exited.promise
  try {
    return event === undefined ? readExit(path, oomKilled) : toStatus(event, oomKilled())
  } catch {
    // What the monitor said is worth more than whether it was for want of memory; a file that cannot be read tells as little as none.
    return event === undefined ? undefined : toStatus(event, false)
  }
}
