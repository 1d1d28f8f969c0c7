/** An instance in the fake kernel with its monitor: stdio into the log, exit status, hard deadline, execs. */
import { appendFileSync, writeFileSync } from 'node:fs'
import type { Agenda } from '../../base/agenda.ts'
import type { Clock } from '../../base/clock.ts'
import { DayflyError } from '../../base/errors.ts'
import type { InstanceRequest } from '../../engine/backend.ts'
import type { ExitStatus } from '../../model/instance.ts'
import type { ExecRequest, Session } from '../../model/session.ts'
import { createChannel } from './channel.ts'
import type { FileSystem } from './files.ts'
import { createFileSystem } from './files.ts'
import type { End } from './process.ts'
import { createProcess, scriptOf } from './process.ts'

export interface Machine {
  readonly id: string
  readonly environment: string
  readonly pid: number
  readonly state: 'created' | 'running' | 'exited' | 'gone'
  readonly exit: ExitStatus | undefined
  /** Settles when it has ended: with the status, or undefined when its monitor was killed. */
  readonly ended: Promise<ExitStatus | undefined>
  start(): void
  signal(name: string): void
  /** `abrupt`: SIGKILL at once then. */
  setDeadline(boot: number, abrupt?: boolean): void
  exec(request: ExecRequest): Session
  readonly files: FileSystem
  attach(): Session
  /** kill -9 of the monitor: its container dies with it, and nobody knows the status. */
  killMonitor(): void
  /** Everything ends, nothing is kept. */
  destroy(): void
}

export const createMachine = (
  clock: Clock,
  agenda: Agenda,
  request: InstanceRequest,
  secrets: ReadonlyMap<string, Uint8Array>,
  pid: number,
): Machine => {
  const { workload } = request
  const script = scriptOf(workload.command)
  if (!script) throw new DayflyError('command_not_found', `${workload.command[0]}: no such file in the image`, { field: 'command' })
  const { promise: ended, resolve } = Promise.withResolvers<ExitStatus | undefined>()
  const execs = new Set<(name: string) => void>()
  let state: Machine['state'] = 'created'
  let exit: ExitStatus | undefined
  let kept = 0
  let dropped = { bytes: 0, lines: 0 }
  let deadlinePassed = false
  let timer: Disposable | undefined

  const log = (stream: 'stdout' | 'stderr', data: Uint8Array): void => {
    const room = Math.max(0, workload.logLimit - kept)
    const fits = data.subarray(0, room)
    const over = data.subarray(room)
    kept += fits.length
    dropped = { bytes: dropped.bytes + over.length, lines: dropped.lines + over.filter(byte => byte === 10).length }
    const pieces: Uint8Array[] = []
    const time = new Date(clock.wall()).toISOString().replace('Z', '000000Z')
    for (let from = 0; from < fits.length; ) {
      const newline = fits.indexOf(10, from)
      const to = newline < 0 ? fits.length : newline
      pieces.push(Buffer.from(`${time} ${stream} ${newline < 0 ? 'P' : 'F'} `), fits.subarray(from, to), Buffer.from('\n'))
      from = to + 1
    }
    if (pieces.length > 0) appendFileSync(request.logPath, Buffer.concat(pieces))
  }

  const over = (status: ExitStatus | undefined): void => {
    if (state === 'exited' || state === 'gone') return
    timer?.[Symbol.dispose]()
    for (const signal of [...execs]) signal('SIGKILL')
    state = status ? 'exited' : 'gone'
    exit = status
    resolve(status)
  }

  const first = createProcess({
    ...{ clock, agenda, script, secrets, first: true, stdin: workload.stdin, env: workload.env },
    onOutput: (stream, data) => log(workload.tty ? 'stdout' : stream, data),
    onEnd: ({ code, signal, oom }) =>
      over({
        ...{ code, oom, ...(signal === undefined ? {} : { signal }) },
        ...{ cause: deadlinePassed ? 'deadline' : 'exit', endedAt: clock.wall(), droppedBytes: dropped.bytes, droppedLines: dropped.lines },
      }),
  })

  const setDeadline = (boot: number, abrupt = false): void => {
    timer?.[Symbol.dispose]()
    if (state !== 'created' && state !== 'running') return
    timer = agenda.at(boot, () => {
      deadlinePassed = true
      if (abrupt) return first.signal('SIGKILL')
      timer = agenda.at(boot + workload.grace, () => first.signal('SIGKILL'))
      first.signal(workload.stopSignal)
    })
  }

  writeFileSync(request.logPath, '', { flag: 'a', mode: 0o600 })
  setDeadline(request.deadline)

  return {
    id: request.id,
    environment: request.environment,
    pid,
    get state() {
      return state
    },
    get exit() {
      return exit
    },
    ended,
    start: () => {
      if (state !== 'created') throw new DayflyError('wrong_state', `the instance ${request.id} was started already`)
      state = 'running'
      first.start()
    },
    signal: name => {
      if (state === 'running') first.signal(name)
    },
    setDeadline,
    files: createFileSystem(),

    exec: ({ command, env, tty }) => {
      const found = scriptOf(command)
      if (!found) throw new DayflyError('command_not_found', `${command[0]}: no such file in the image`, { field: 'command' })
      const output = createChannel<{ stream: 'stdout' | 'stderr'; data: Uint8Array }>()
      const { promise, resolve: settleExit } = Promise.withResolvers<number>()
      const process = createProcess({
        ...{ clock, agenda, script: found, secrets, first: false, stdin: true, env: { ...workload.env, ...env } },
        onOutput: (stream, data) => output.push({ stream: tty ? 'stdout' : stream, data }),
        onEnd: ({ code }: End) => {
          execs.delete(process.signal)
          output.end()
          settleExit(code)
        },
      })
      execs.add(process.signal)
      process.start()
      return {
        write: process.write,
        drained: async () => {},
        resize: () => {},
        signal: process.signal,
        output,
        exit: promise,
        [Symbol.asyncDispose]: async () => process.signal('SIGHUP'),
      }
    },

    attach: () => {
      const output = createChannel<{ stream: 'stdout' | 'stderr'; data: Uint8Array }>()
      output.end()
      const exit = ended.then(status => {
        if (!status) throw new DayflyError('wrong_state', `the monitor of ${request.id} is gone`)
        return status.code
      })
      exit.catch(() => {}) // nobody has to look at it
      return {
        write: first.write,
        drained: async () => {},
        resize: () => {},
        signal: first.signal,
        output,
        exit,
        [Symbol.asyncDispose]: async () => {},
      }
    },

    killMonitor: () => over(undefined),
    destroy: () => {
      over(undefined)
      timer?.[Symbol.dispose]()
    },
  }
}
