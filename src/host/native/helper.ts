/** Client of `dayfly-helper`: starts it and speaks native/PROTOCOL.md with it. */
import { spawn as spawnProcess } from 'node:child_process'
import { once } from 'node:events'
import { DayflyError, messageOf } from '../../base/errors.ts'
import { createChannel, NativeError } from './channel.ts'

const protocolVersion = '1'

export interface ProcessIdentity {
  readonly pid: number
  /** Clock ticks after boot: field 22 of /proc/PID/stat. With the pid it names a process for ever. */
  readonly startTime: number
}

export interface SeccompSource {
  /** As for a rule's action. */
  readonly defaultAction: string
  /** libseccomp names: `x86_64`, `x86`, `x32`, `aarch64`. */
  readonly architectures: readonly string[]
  /** `ACTION NAME[,NAME...] [INDEX OP VALUE [VALUE2]]...`, see native/helper/seccomp.c. */
  readonly rules: readonly string[]
}

export interface CompiledSeccomp {
  /** An array of struct sock_filter, base64. */
  readonly program: string
  /** Names in the rules that this libseccomp does not know: calls that got the default action. */
  readonly unknown: readonly string[]
}

/** Every method rejects with NativeError: the helper's errno and message, or errno `EPIPE` when the helper has died. */
export interface Helper extends AsyncDisposable {
  readonly pid: number
  /** Versions of what it is linked with, e.g. `libseccomp 2.5.4`. */
  readonly libraries: readonly string[]
  joinCgroup(folders: readonly string[]): Promise<void>
  /** Starts a program that outlives helper and daemon. */
  spawn(program: string, args: readonly string[]): Promise<ProcessIdentity>
  /** A named pipe for the owner only. It may be there already. */
  pipeAdd(path: string): Promise<void>
  /** As `spawn`, with the named pipe `log` as stderr, which never blocks it, and which has a reader as long as it lives. */
  spawnLogging(log: string, program: string, args: readonly string[]): Promise<ProcessIdentity>
  /** `address` like `10.208.0.1/26`. errno `EEXIST` when the bridge was there. */
  bridgeAdd(name: string, address: string): Promise<void>
  /** Whether a port of a bridge reaches nothing but the bridge. errno `ENODEV` when there is no such port. */
  portIsolate(name: string, isolated: boolean): Promise<void>
  linkDelete(name: string): Promise<void>
  /** Commands as for `nft -f`, all or none of them. Resolves to the output; `terse`: text without the elements of sets. */
  nft(commands: string, output?: 'text' | 'json' | 'terse'): Promise<string>
  /** errno `ESRCH` when that process is gone, also when its pid is in use again. */
  kill(process: ProcessIdentity, signal: number): Promise<void>
  /**
   * The user id of whoever connected to a unix socket of this process: its descriptor, and its inode, which tells it from one that has the number later.
   * errno `ESTALE` or `EBADF` when it is closed.
   */
  peerUid(descriptor: number, inode: number): Promise<number>
  /** An extended attribute of what is open in this process under that descriptor; undefined when it has none of that name. A text of at most 255 bytes. */
  xattr(descriptor: number, name: string): Promise<string | undefined>
  /** To a unix socket of datagrams. errno `EAGAIN` when there is no room now. */
  sendDatagram(path: string, message: string): Promise<void>
  compileSeccomp(source: SeccompSource): Promise<CompiledSeccomp>
  /** Resolves, never rejects, when the helper has ended for whatever reason. */
  readonly closed: Promise<NativeError>
}

export interface HelperOptions {
  /** Path of the dayfly-helper binary. */
  readonly binary: string
  /** A command that execs the helper, e.g. `['ip', 'netns', 'exec', 'x']`. Default: none. */
  readonly wrapper?: readonly string[]
  /** Where its messages for people go: a file descriptor, or this process's own stderr (the default). */
  readonly stderr?: number | 'inherit'
}

const number = (text: string | undefined): number => {
  const value = Number(text)
  if (text === undefined || text === '' || !Number.isSafeInteger(value)) throw new DayflyError('host', `"${text ?? ''}" where a number was expected`)
  return value
}

const outputs = { text: '0', json: '1', terse: '2' } as const

/** Starts the helper. It ends when it is disposed or this process ends. Rejects with NativeError when it cannot be started or is of another version. */
export const spawnHelper = async (options: HelperOptions): Promise<Helper> => {
  const [command = options.binary, ...args] = [...(options.wrapper ?? []), options.binary]
  // A session of its own: a Ctrl-C at the daemon's terminal must not take the helper away while the daemon still cleans up.
  const child = spawnProcess(command, args, { stdio: ['pipe', 'pipe', options.stderr ?? 'inherit'], detached: true })
  const exited = Promise.withResolvers<string>()
  child.once('exit', (code, signal) => exited.resolve(signal === null ? `exit code ${code}` : `killed by ${signal}`))
  child.once('error', error => exited.resolve(messageOf(error)))
  try {
    await once(child, 'spawn')
  } catch (error) {
    throw new NativeError('ENOENT', `cannot start ${command}: ${messageOf(error)}`, error)
  }
  const { pid, stdin, stdout } = child
  if (pid === undefined || stdin === null || stdout === null) throw new NativeError('EIO', `${command} was started without a pid or pipes`)

  const channel = createChannel('dayfly-helper', stdout, stdin, fields => {
    throw new DayflyError('host', `an event (${fields[0] ?? ''}), which a helper never sends`)
  })
  void exited.promise.then(how => channel.fail(new NativeError('EPIPE', `dayfly-helper ended: ${how}`)))
  const ask = async (operation: string, ...parameters: readonly (string | number)[]): Promise<void> => {
    await channel.request(operation, ...parameters.map(String))
  }
  const identityFrom = async (operation: string, ...parameters: readonly string[]): Promise<ProcessIdentity> => {
    const [child, startTime] = (await channel.request(operation, ...parameters)).join(' ').split(' ')
    return { pid: number(child), startTime: number(startTime) }
  }
  const dispose = async (): Promise<void> => {
    channel.fail(new NativeError('ECANCELED', 'dayfly-helper was asked to end'))
    await exited.promise
  }

  let libraries: string[]
  try {
    const [version, ...rest] = await channel.request('hello')
    if (version !== protocolVersion)
      throw new NativeError('EPROTO', `${options.binary} speaks version ${version ?? ''} of the protocol, not ${protocolVersion}`)
    libraries = rest
  } catch (error) {
    await dispose()
    throw error
  }

  return {
    pid,
    libraries,
    joinCgroup: folders => ask('join-cgroup', ...folders),
    spawn: (program, parameters) => identityFrom('spawn', program, ...parameters),
    pipeAdd: path => ask('pipe-add', path),
    spawnLogging: (log, program, parameters) => identityFrom('spawn-logging', log, program, ...parameters),
    portIsolate: (name, isolated) => ask('port-isolate', name, isolated ? 1 : 0),
    bridgeAdd: (name, address) => ask('bridge-add', name, address),
    linkDelete: name => ask('link-del', name),
    nft: async (commands, output = 'text') => (await channel.request('nft', commands, outputs[output]))[0] ?? '',
    kill: (process, signal) => ask('kill', process.pid, process.startTime, signal),
    peerUid: async (descriptor, inode) => number((await channel.request('peer-uid', String(descriptor), String(inode)))[0]),
    xattr: async (descriptor, name) => {
      try {
        return (await channel.request('xattr', String(descriptor), name))[0] ?? ''
      } catch (error) {
        if (error instanceof NativeError && (error.errno === 'ENODATA' || error.errno === 'EOPNOTSUPP')) return undefined
        throw error
      }
    },
    sendDatagram: (path, message) => ask('datagram', path, message),
    compileSeccomp: async source => {
      const [program = '', unknown = ''] = await channel.request('seccomp', source.defaultAction, source.architectures.join(','), ...source.rules)
      return { program, unknown: unknown.split(' ').filter(name => name !== '') }
    },
    closed: channel.closed,
    [Symbol.asyncDispose]: dispose,
  }
}
