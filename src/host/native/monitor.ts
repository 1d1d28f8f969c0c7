/** Client of `dayfly-monitor`, one connection. See native/PROTOCOL.md for what each operation does and in which order they are allowed. */
import type { Socket } from 'node:net'
import { createConnection } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { DayflyError, errnoOf, messageOf } from '../../base/errors.ts'
import type { Channel } from './channel.ts'
import { createChannel, NativeError } from './channel.ts'
import type { NativeSession } from './session.ts'
import { createSession } from './session.ts'

export type MonitorEvent =
  | { readonly type: 'started' /** Wall clock, ms. */; readonly time: number }
  | {
      readonly type: 'exited'
      readonly code: number
      /** 0 for none. */
      readonly signal: number
      readonly cause: 'exit' | 'deadline'
      /** Wall clock, ms. */
      readonly time: number
      readonly droppedBytes: number
      readonly droppedLines: number
      /** Bytes over its network, all of its life; undefined where the monitor does not tell. */
      readonly traffic?: { readonly received: number; readonly sent: number }
    }

export type MonitorStatus =
  | { readonly state: 'setup' }
  | { readonly state: 'created' | 'running'; readonly pid: number }
  | { readonly state: 'exited'; readonly code: number; readonly signal: number }

export interface MonitorNetwork {
  readonly bridge: string
  readonly hostInterface: string
  /** `10.208.0.2/26`. */
  readonly address: string
  readonly gateway: string
  readonly mac: string
}

export interface MonitorOverlay {
  /** Folder names below FOLDER/layers, uppermost first. */
  readonly lower: readonly string[]
  readonly upper: string
  readonly work: string
  readonly durability: 'volatile' | 'durable'
}

/** Ids as they are on disk, and as which ids of the host they are then seen. */
export interface IdMap {
  readonly disk: number
  readonly seen: number
  readonly count: number
}

export interface MonitorMount {
  /** It is then at FOLDER/mounts/NUMBER. */
  readonly number: number
  /** Absolute, with no symbolic link in it: errno `ELOOP`. A folder or a file: errno `EINVAL`. */
  readonly source: string
  /** A folder in it, '' for itself. errno `EXDEV` when it leads out. */
  readonly subpath: string
  readonly access: 'ro' | 'rw'
  /** undefined: owners are seen as they are on disk. */
  readonly ids: { readonly users: readonly IdMap[]; readonly groups: readonly IdMap[] } | undefined
}

export interface MonitorCopy {
  /** Absolute path, with no symbolic link in it. */
  readonly volume: string
  /** What to copy, in the image. */
  readonly target: string
  /** `again`: an earlier copy may have been cut off. */
  readonly when: 'empty' | 'again'
  /** The container's ids. */
  readonly first: number
  readonly count: number
}

export interface MonitorCreate {
  readonly runtime: 'crun' | 'runsc'
  readonly binary: string
  readonly stateFolder: string
  readonly id: string
  readonly io: 'tty' | 'pipes'
  readonly stdin: 'stdin' | 'null'
}

/**
 * Every method rejects with NativeError: the monitor's errno and message, or errno `EPIPE` when the monitor is gone. Methods may be called without
 * waiting for the one before: the monitor does them in order, and what is called in one turn leaves in one write.
 */
export interface MonitorConnection extends AsyncDisposable {
  bind(): Promise<void>
  namespaces(mode: 'hybrid' | 'plain'): Promise<void>
  network(network: MonitorNetwork): Promise<void>
  cgroup(folders: readonly string[]): Promise<void>
  idmap(layersFolder: string, firstHostId: number, count: number): Promise<void>
  overlay(overlay: MonitorOverlay): Promise<void>
  mount(mount: MonitorMount): Promise<void>
  copy(copy: MonitorCopy): Promise<void>
  /** `name` below /proc/sys/net: `core/somaxconn`. */
  sysctl(name: string, value: string): Promise<void>
  /** Makes room for a limit; `name` like `nofile`. errno `EPERM` when this host does not let it. */
  rlimit(name: string, hard: number | 'unlimited'): Promise<void>
  secret(name: string, uid: number, gid: number, content: Uint8Array): Promise<void>
  /** Resolves to the host pid of the first process. */
  create(create: MonitorCreate): Promise<number>
  hostname(name: string): Promise<void>
  /** `limit` in bytes. */
  log(path: string, limit: number): Promise<void>
  /** `at` on the boot clock, ms; `grace` in ms. */
  deadline(at: number, grace: number, stopSignal: number): Promise<void>
  /** Resolves to the wall clock, ms, of the start. */
  start(): Promise<number>
  status(): Promise<MonitorStatus>
  signal(number: number): Promise<void>
  kill(): Promise<void>
  watch(): Promise<void>
  quit(): Promise<void>
  /** Turns this connection into the command's session: nothing else may be under way on it, or be asked of it afterwards. */
  exec(processFile: string, io: 'tty' | 'pipes', rows: number, columns: number): Promise<NativeSession>
  /** As `exec`, for the first process; its output is in the log, not in the session. */
  attach(): Promise<NativeSession>
  /** Events come after `bind` or `watch`; subscribe before them. Dispose to unsubscribe. */
  subscribe(listener: (event: MonitorEvent) => void): Disposable
  /** Resolves, never rejects, when the connection has ended for whatever reason. */
  readonly closed: Promise<NativeError>
}

const integer = (text: string | undefined): number => {
  const value = Number(text)
  if (text === undefined || text === '' || !Number.isSafeInteger(value)) throw new DayflyError('host', `"${text ?? ''}" where a number was expected`)
  return value
}

const cause = (text: string | undefined): 'exit' | 'deadline' => {
  if (text !== 'exit' && text !== 'deadline') throw new DayflyError('host', `"${text ?? ''}" as the cause of an exit`)
  return text
}

const parseEvent = ([type, ...args]: string[]): MonitorEvent => {
  if (type === 'started') return { type, time: integer(args[0]) }
  if (type !== 'exited') throw new DayflyError('host', `an unknown event ${type ?? ''}`)
  return {
    type,
    code: integer(args[0]),
    signal: integer(args[1]),
    cause: cause(args[2]),
    time: integer(args[3]),
    droppedBytes: integer(args[4]),
    droppedLines: integer(args[5]),
    ...(args[6] === undefined ? {} : { traffic: { received: integer(args[6]), sent: integer(args[7]) } }),
  }
}

const parseStatus = (fields: readonly string[]): MonitorStatus => {
  // The state and its numbers come as one field or as several.
  const [state, first, second] = fields.join(' ').split(' ')
  switch (state) {
    case 'setup':
      return { state }
    case 'created':
    case 'running':
      return { state, pid: integer(first) }
    case 'exited':
      return { state, code: integer(first), signal: integer(second) }
    default:
      throw new DayflyError('host', `a monitor in the unknown state ${state ?? ''}`)
  }
}

const mapText = (maps: readonly IdMap[] = []): string => maps.map(({ disk, seen, count }) => `${disk} ${seen} ${count}`).join(',')

const openSocket = async (path: string): Promise<Socket> => {
  const opened = Promise.withResolvers<void>()
  const socket = createConnection({ path }, opened.resolve)
  socket.once('error', opened.reject)
  try {
    await opened.promise
    return socket
  } finally {
    socket.off('error', opened.reject)
  }
}

/** Tries until the monitor listens or `patience` is over. */
const openWhenListening = async (path: string, patience: number, signal: AbortSignal | undefined): Promise<Socket> => {
  const end = performance.now() + patience
  for (let pause = 1; ; pause = Math.min(pause * 2, 50)) {
    signal?.throwIfAborted()
    try {
      return await openSocket(path)
    } catch (error) {
      const errno = errnoOf(error) ?? 'EIO'
      const mayStillCome = errno === 'ENOENT' || errno === 'ECONNREFUSED' || errno === 'EAGAIN'
      if (!mayStillCome || performance.now() >= end) throw new NativeError(errno, `cannot reach the monitor at ${path}: ${messageOf(error)}`, error)
    }
    await sleep(pause, undefined, signal === undefined ? {} : { signal })
  }
}

const createConnectionOver = (socket: Socket, channel: Channel, listeners: Set<(event: MonitorEvent) => void>): MonitorConnection => {
  const ask = async (operation: string, ...args: readonly (string | number)[]): Promise<void> => {
    await channel.request(operation, ...args.map(String))
  }
  const startSession = async (operation: string, ...args: readonly string[]): Promise<NativeSession> => {
    const created = createSession(socket, channel.closed)
    await channel.upgrade(operation, args, () => created.receive)
    return created.session
  }

  return {
    bind: () => ask('bind'),
    namespaces: mode => ask('namespaces', mode),
    network: to => ask('network', to.bridge, to.hostInterface, to.address, to.gateway, to.mac),
    cgroup: folders => ask('cgroup', ...folders),
    idmap: (layersFolder, firstHostId, count) => ask('idmap', layersFolder, firstHostId, count),
    overlay: of => ask('overlay', of.lower.join(':'), of.upper, of.work, of.durability),
    mount: of => ask('mount', of.number, of.source, of.subpath, of.access, mapText(of.ids?.users), mapText(of.ids?.groups)),
    copy: of => ask('copy', of.volume, of.target, of.when, of.first, of.count),
    sysctl: (name, value) => ask('sysctl', name, value),
    rlimit: (name, hard) => ask('rlimit', name, hard),
    secret: (name, uid, gid, content) =>
      ask('secret', name, uid, gid, Buffer.from(content.buffer, content.byteOffset, content.byteLength).toString('base64')),
    create: async of => integer((await channel.request('create', of.runtime, of.binary, of.stateFolder, of.id, of.io, of.stdin))[0]),
    hostname: name => ask('hostname', name),
    log: (path, limit) => ask('log', path, limit),
    deadline: (at, grace, stopSignal) => ask('deadline', at, grace, stopSignal),
    start: async () => integer((await channel.request('start'))[0]),
    status: async () => parseStatus(await channel.request('status')),
    signal: number => ask('signal', number),
    kill: () => ask('kill'),
    watch: () => ask('watch'),
    quit: () => ask('quit'),
    exec: (processFile, io, rows, columns) => startSession('exec', processFile, io, String(rows), String(columns)),
    attach: () => startSession('attach'),
    subscribe(listener) {
      listeners.add(listener)
      return { [Symbol.dispose]: () => void listeners.delete(listener) }
    },
    closed: channel.closed,
    async [Symbol.asyncDispose]() {
      channel.fail(new NativeError('ECANCELED', 'this side closed the connection to the monitor'))
      await channel.closed
    },
  }
}

/**
 * Connects to a monitor's socket. `patience`: how long, in ms, to wait for a monitor that is just being born to listen (default 0). `signal` ends
 * the attempt, not the connection. Rejects with NativeError (`ENOENT`, `ECONNREFUSED`: there is no monitor).
 */
export const connectMonitor = async (socketPath: string, options: { patience?: number; signal?: AbortSignal } = {}): Promise<MonitorConnection> => {
  const { patience = 0, signal } = options
  const socket = await openWhenListening(socketPath, patience, signal)
  const listeners = new Set<(event: MonitorEvent) => void>()
  const channel = createChannel(`the monitor at ${socketPath}`, socket, socket, fields => {
    const event = parseEvent(fields)
    for (const listener of listeners) listener(event)
  })
  return createConnectionOver(socket, channel, listeners)
}
