/** Client of `dayfly-sensor`: starts it and speaks native/sensor/PROTOCOL.md with it. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { getSystemErrorName } from 'node:util'
import { settledWithin } from '../../base/abort.ts'
import { DayflyError, messageOf } from '../../base/errors.ts'
import type { SensedEvent, SensorCounts } from '../../model/kernel-event.ts'
import { createLineReader } from './lines.ts'
import type { AckLine, FailedLine, Line, PathKind, ReadyLine, SensedHash, SensedLosses, SensorFlags, Stranger, StrangerGone } from './protocol.ts'
import { apiVersion, checkCookie, encodeFlags, encodePath, schemaVersion } from './protocol.ts'

/** What the sensor answered to a command it could not carry out, or why no answer will come. */
export class SensorError extends DayflyError {
  /** Errno name, e.g. `ESRCH`. `EPIPE`: the sensor is gone. */
  readonly errno: string

  constructor(errno: string, message: string, cause?: unknown) {
    super('host', message, { cause })
    this.errno = errno
  }
}

/** Whoever is told. None of these may throw. In the order of the sensor's lines. */
export interface SensorListeners {
  /** Events as they came in one read, in the order in which the sensor saw them. */
  onEvents(events: readonly SensedEvent[]): void
  onHash?(hash: SensedHash): void
  onLosses?(losses: SensedLosses): void
  onStranger?(stranger: Stranger): void
  onStrangerGone?(gone: StrangerGone): void
}

export interface SensorOptions {
  /** Path of the dayfly-sensor binary. */
  readonly binary: string
  /** Bytes of the ring between kernel and sensor: a power of two. Default: the sensor's own, 16 MiB. */
  readonly ring?: number
  /** Bytes kept for a reader that is slow. Default: the sensor's own, 64 MiB. */
  readonly queue?: number
  /** Root of the cgroup2 hierarchy. Default: the sensor finds it. */
  readonly cgroup?: string
  /** Optional probes to do without. */
  readonly without?: readonly string[]
  /** Where its messages for people go: a file descriptor, or this process's own stderr (the default). */
  readonly stderr?: number | 'inherit' | 'ignore'
  /** ms until it must see. Default 60 000. */
  readonly readyPatience?: number
}

/** ms that loading may take, on the slowest of hosts. */
const usualReadyPatience = 60_000
/** ms to end at the end of its input; one that hangs is killed then. */
const endPatience = 2_000

/** Whose a pid namespace or process is. `root`: path of the container's root as the sensor sees it, to hash programs that have ended already. */
interface Registration {
  readonly cookie: number
  readonly flags?: SensorFlags
  readonly root?: string
}

/** Commands may be sent without waiting; they are carried out in order. Each rejects with SensorError, or `invalid` for what cannot be sent. */
export interface Sensor extends AsyncDisposable {
  readonly pid: number
  /** Which probes are attached, and which are not and why. */
  readonly facts: Omit<ReadyLine, 'type'>
  /**
   * `inode` of /proc/PID/ns/pid. Before its first program starts, all of it is seen. `pid`: a process of it that sees its mounts already, for flags about scripts; it needs
   * `root`, too.
   */
  registerNamespace(registration: Registration & { readonly inode: number; readonly pid?: number }): Promise<void>
  /** For containers in the daemon's own pid namespace. `startTime`: field 22 of /proc/PID/stat, compared when given. */
  registerProcess(registration: Registration & { readonly pid: number; readonly startTime?: number }): Promise<void>
  /** Resolves when all that was seen of it is told, to how much that was. Needed before its pid namespace's inode can be used again. */
  unregister(cookie: number): Promise<SensorCounts>
  setFlags(cookie: number, flags: SensorFlags): Promise<void>
  addPath(kind: PathKind, pattern: string): Promise<void>
  removePath(kind: PathKind, pattern: string): Promise<void>
  /** Of one cookie, or of all there were. All that they count is told before this resolves. */
  counts(cookie?: number): Promise<SensorCounts>
  /** Resolves when all that has happened until now is told. */
  sync(): Promise<void>
  /** Gives unknown pid namespaces, at least `level` below the daemon's own, a cookie of their own. 0: no more. */
  watch(level: number, flags?: SensorFlags): Promise<void>
  /** Resolves, once, with why the sensor ended. Never rejects. */
  readonly closed: Promise<SensorError>
}

const remedies: Readonly<Record<FailedLine['reason'], string>> = {
  btf: 'Use a kernel that is built with CONFIG_DEBUG_INFO_BTF: those of Debian 12 and 13 and Ubuntu 24.04 are.',
  permission: 'Run the daemon as root of the host, with CAP_BPF, CAP_PERFMON, CAP_NET_ADMIN and CAP_SYS_PTRACE.',
  kernel: 'Use a kernel of version 6.1 or newer, and report the message with `uname -a`.',
  memory: 'Free some memory on this host, or give the sensor a smaller ring.',
  usage: 'Correct the options that the sensor was given.',
}

interface Pending {
  readonly words: string
  readonly resolve: (ack: AckLine) => void
  readonly reject: (error: SensorError) => void
}

/** Starts the sensor and waits until it sees. It ends when it is disposed (killed, if need be) or this process ends. Rejects with a `host` error that says what to do. */
export const openSensor = async (options: SensorOptions, listeners: SensorListeners): Promise<Sensor> => {
  const child = spawn(options.binary, argumentsOf(options), { stdio: ['pipe', 'pipe', options.stderr ?? 'inherit'], detached: true })
  const exited = Promise.withResolvers<string>()
  child.once('exit', (code, signal) => exited.resolve(signal === null ? `exit code ${code}` : `killed by ${signal}`))
  child.once('error', error => exited.resolve(messageOf(error)))
  try {
    await once(child, 'spawn')
  } catch (error) {
    throw new DayflyError('host', `cannot start ${options.binary}: ${messageOf(error)}`, { remedy: 'Build it: sudo make sensor', cause: error })
  }
  const { pid, stdin, stdout } = child
  if (pid === undefined || stdin === null || stdout === null) throw new DayflyError('host', `${options.binary} was started without a pid or pipes`)

  const pending = new Map<number, Pending>()
  const closed = Promise.withResolvers<SensorError>()
  const ready = Promise.withResolvers<ReadyLine>()
  let ended: SensorError | undefined
  let lastTag = 0
  let corked = false

  const fail = (reason: SensorError): void => {
    if (ended !== undefined) return
    ended = reason
    for (const command of pending.values()) command.reject(new SensorError(reason.errno, `${command.words}: ${reason.message}`, reason))
    pending.clear()
    ready.reject(reason)
    closed.resolve(reason)
    stdin.destroy()
    stdout.destroy()
  }

  const onAck = (line: AckLine): void => {
    const command = pending.get(line.tag)
    if (command === undefined) throw new DayflyError('host', `an answer to a command that was not given (${line.tag})`)
    pending.delete(line.tag)
    if (line.errno === 0) command.resolve(line)
    else command.reject(new SensorError(getSystemErrorName(-line.errno), `${command.words}: ${line.message ?? getSystemErrorName(-line.errno)}`))
  }

  const onFailed = (line: FailedLine): void => {
    ready.reject(new DayflyError('host', `the sensor cannot see: ${line.message}`, { remedy: remedies[line.reason] ?? 'See its message.' }))
  }

  /** Events in a row are handed over together; a line of another kind comes between those that were before and those after it. */
  const onLines = (lines: readonly Line[]): void => {
    let events: SensedEvent[] = []
    const handOver = (): void => {
      if (events.length > 0) listeners.onEvents(events)
      events = []
    }
    for (const line of lines) {
      switch (line.type) {
        case 'ready':
          ready.resolve(line)
          break
        case 'failed':
          onFailed(line)
          break
        case 'ack':
          handOver()
          onAck(line)
          break
        case 'hash':
          handOver()
          listeners.onHash?.(line)
          break
        case 'losses':
          handOver()
          listeners.onLosses?.(line)
          break
        case 'stranger':
          handOver()
          listeners.onStranger?.(line)
          break
        case 'gone':
          handOver()
          listeners.onStrangerGone?.(line)
          break
        default:
          events.push(line)
      }
    }
    handOver()
  }

  const read = createLineReader(onLines)
  stdout.on('data', (chunk: Buffer) => {
    if (ended !== undefined) return
    try {
      read(chunk)
    } catch (error) {
      fail(new SensorError('EPROTO', `dayfly-sensor sent ${messageOf(error)}`, error))
    }
  })
  const onError = (error: Error): void => fail(new SensorError('EPIPE', `the connection to dayfly-sensor failed: ${error.message}`, error))
  stdout.on('error', onError)
  stdin.on('error', onError)
  // What it said before it ended is read first.
  stdout.on('close', () => void exited.promise.then(how => fail(new SensorError('EPIPE', `dayfly-sensor ended: ${how}`))))

  const ask = (...words: readonly (string | number)[]): Promise<AckLine> => {
    const text = words.join(' ')
    if (ended !== undefined) return Promise.reject(new SensorError(ended.errno, `${text}: ${ended.message}`, ended))
    const tag = ++lastTag
    const { promise, resolve, reject } = Promise.withResolvers<AckLine>()
    pending.set(tag, { words: text, resolve, reject })
    if (!corked) {
      corked = true
      stdin.cork()
      process.nextTick(() => {
        corked = false
        stdin.uncork()
      })
    }
    stdin.write(`${tag} ${text}\n`)
    return promise
  }

  const dispose = async (): Promise<void> => {
    fail(new SensorError('ECANCELED', 'dayfly-sensor was asked to end'))
    if (!(await settledWithin(exited.promise, endPatience))) child.kill('SIGKILL')
    await exited.promise
  }

  let facts: Omit<ReadyLine, 'type'>
  const { readyPatience = usualReadyPatience } = options
  const late = setTimeout(() => ready.reject(new DayflyError('host', `the sensor did not see within ${readyPatience} ms`)), readyPatience)
  try {
    const { type: _, ...said } = await ready.promise
    facts = said
    if (facts.api !== apiVersion || facts.schema !== schemaVersion) {
      const have = `${facts.api}.${facts.schema}`
      throw new DayflyError('host', `${options.binary} speaks version ${have}, not ${apiVersion}.${schemaVersion}`, {
        remedy: 'Build it again: sudo make sensor',
      })
    }
  } catch (error) {
    await dispose()
    throw error
  } finally {
    clearTimeout(late)
  }

  const tail = (registration: Registration): (string | number)[] => [
    checkCookie(registration.cookie),
    encodeFlags(registration.flags ?? {}),
    ...(registration.root === undefined ? [] : [encodePath(registration.root)]),
  ]
  const done = async (...words: readonly (string | number)[]): Promise<void> => {
    await ask(...words)
  }
  const counting = async (...words: readonly (string | number)[]): Promise<SensorCounts> => {
    const { counts } = await ask(...words)
    return counts ?? { emitted: {}, dropped: {}, filtered: {} }
  }

  return {
    pid,
    facts,
    registerNamespace: async registration => {
      const { pid: process, root, inode } = registration
      if (process !== undefined && root === undefined) throw new DayflyError('invalid', 'a process without a root', { field: 'root' })
      await done('namespace', inode, ...tail(registration), ...(process === undefined ? [] : [process]))
    },
    registerProcess: async registration => done('process', registration.pid, registration.startTime ?? 0, ...tail(registration)),
    unregister: async cookie => counting('unregister', checkCookie(cookie)),
    setFlags: async (cookie, flags) => done('flags', checkCookie(cookie), encodeFlags(flags)),
    addPath: async (kind, pattern) => done('path', kind, encodePath(pattern)),
    removePath: async (kind, pattern) => done('unpath', kind, encodePath(pattern)),
    counts: async cookie => counting('counts', cookie === undefined ? 0 : checkCookie(cookie)),
    sync: () => done('sync'),
    watch: (level, flags = {}) => done('watch', level, encodeFlags(flags)),
    closed: closed.promise,
    [Symbol.asyncDispose]: dispose,
  }
}

const argumentsOf = (options: SensorOptions): string[] => [
  ...(options.ring === undefined ? [] : ['--ring', String(options.ring)]),
  ...(options.queue === undefined ? [] : ['--queue', String(options.queue)]),
  ...(options.cgroup === undefined ? [] : ['--cgroup', options.cgroup]),
  ...(options.without === undefined || options.without.length === 0 ? [] : ['--without', options.without.join(',')]),
]
