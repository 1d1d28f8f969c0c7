/** Commands in a running instance. */
import type { FrameStream } from '../../src/api/frame-stream.ts'
import { encodeFrame, encodeOutput, encodeResize, frameKind } from '../../src/api/frames.ts'
import { fromProblem } from '../../src/api/problems.ts'
import type { Api } from './api.ts'
import { asOurs, CommandExitError, failure } from './errors.ts'

export interface CommandResult {
  /** 128+n for signal n. */
  readonly exitCode: number
  readonly stdout: string
  readonly stderr: string
}

export interface CommandOptions {
  readonly cwd?: string | undefined
  readonly envs?: Readonly<Record<string, string>> | undefined
  /** `USER[:GROUP]`. Default: the instance's. */
  readonly user?: string | undefined
  /** What its standard input gets; then that ends. Left out, it is open for `sendInput` of a background command, and empty otherwise. */
  readonly stdin?: string | Uint8Array | undefined
  /** Text as it comes; characters are never cut. */
  readonly onStdout?: ((text: string) => void) | undefined
  readonly onStderr?: ((text: string) => void) | undefined
  /** After so long the command is killed, and `TimeoutError` thrown. 0: never. Default: 60 s; of a background command never. */
  readonly timeoutMs?: number | undefined
  /** Kills the command. */
  readonly signal?: AbortSignal | undefined
}

/** A command that runs. Disposing kills it. */
export interface CommandHandle extends AsyncDisposable {
  readonly command: string
  /** What there is so far. */
  readonly stdout: string
  readonly stderr: string
  /** undefined while it runs. */
  readonly exitCode: number | undefined
  /** Resolves when it has ended with 0; else throws `CommandExitError`. */
  wait(): Promise<CommandResult>
  sendInput(data: string | Uint8Array): Promise<void>
  /** Its standard input ends. */
  closeInput(): void
  /** A signal by name. */
  signal(name: string): void
  /** SIGKILL; resolves when it has ended. False: it had ended already. */
  kill(): Promise<boolean>
}

export interface Commands {
  /** Runs a line of shell (`/bin/sh -c`), or the words of a command, to its end; throws `CommandExitError` where that is another than 0. */
  run(command: string | readonly string[], options?: CommandOptions & { readonly background?: false }): Promise<CommandResult>
  /** Begins it. It is hung up when this program ends. */
  run(command: string | readonly string[], options: CommandOptions & { readonly background: true }): Promise<CommandHandle>
  /** Those that were begun here and run. */
  list(): readonly CommandHandle[]
}

/** @internal */
export interface ProcessOptions {
  readonly words: readonly string[]
  readonly envs: Readonly<Record<string, string>>
  readonly cwd: string | undefined
  readonly user: string | undefined
  readonly terminal: { readonly rows: number; readonly columns: number } | undefined
  readonly onOutput: (stream: 'stdout' | 'stderr', data: Uint8Array) => void
  readonly signal: AbortSignal | undefined
}

/** @internal */
export interface Process {
  readonly exited: Promise<number>
  write(data: Uint8Array): Promise<void>
  closeInput(): void
  resize(rows: number, columns: number): void
  signal(name: string): void
  /** Hangs it up. */
  close(): void
}

/**
 * Once the daemon has taken the request; what keeps the command from starting is told by `exited`.
 *
 * @internal
 */
export const openProcess = async (api: Api, instance: string, options: ProcessOptions): Promise<Process> => {
  const { words, envs, cwd, user, terminal } = options
  const stream = await api.frames(
    `/v1/instances/${encodeURIComponent(instance)}/exec`,
    {
      command: [...words],
      env: { ...(terminal === undefined ? {} : { TERM: 'xterm-256color' }), ...envs },
      tty: terminal !== undefined,
      ...(terminal === undefined ? {} : terminal),
      ...(cwd === undefined ? {} : { workdir: cwd }),
      ...(user === undefined ? {} : { user }),
    },
    options.signal,
  )
  const exited = exitOf(stream, options.onOutput, options.signal)
  exited.catch(() => {}) // Whoever does not ask for it is not to fall over it.
  return {
    exited,
    write: async data => {
      for (const frame of encodeOutput(frameKind.stdin, data)) await stream.send(frame)
    },
    closeInput: () => void stream.send(encodeFrame(frameKind.stdin, new Uint8Array(0))),
    resize: (rows, columns) => void stream.send(encodeResize(rows, columns)),
    signal: name => void stream.send(encodeFrame(frameKind.signal, new TextEncoder().encode(name))),
    close: () => stream.end(),
  }
}

const exitOf = async (stream: FrameStream, onOutput: ProcessOptions['onOutput'], signal: AbortSignal | undefined): Promise<number> => {
  try {
    for await (const { kind, payload } of stream.frames) {
      if (kind === frameKind.stdout) onOutput('stdout', payload)
      else if (kind === frameKind.stderr) onOutput('stderr', payload)
      else if (kind === frameKind.error) throw fromProblem(JSON.parse(payload.toString()))
      else if (kind === frameKind.exit) {
        const { code }: { code: number } = JSON.parse(payload.toString())
        return code
      }
    }
  } catch (error) {
    throw signal?.aborted ? failure('aborted', 'the command was given up') : asOurs(error)
  } finally {
    stream.end()
  }
  throw signal?.aborted ? failure('aborted', 'the command was given up') : failure('disconnected', 'the daemon went away while the command ran')
}

/** @internal */
export const wordsOf = (command: string | readonly string[]): readonly string[] =>
  typeof command === 'string' ? ['/bin/sh', '-c', command] : command

/** A default command has this long, ms. */
const usualTimeout = 60_000

const begin = async (api: Api, instance: string, command: string | readonly string[], options: CommandOptions): Promise<CommandHandle> => {
  const decoders = { stdout: new TextDecoder(), stderr: new TextDecoder() }
  const texts = { stdout: '', stderr: '' }
  const tell = (stream: 'stdout' | 'stderr', text: string): void => {
    if (text === '') return
    texts[stream] += text
    ;(stream === 'stdout' ? options.onStdout : options.onStderr)?.(text)
  }
  const running = await openProcess(api, instance, {
    words: wordsOf(command),
    envs: options.envs ?? {},
    cwd: options.cwd,
    user: options.user,
    terminal: undefined,
    onOutput: (stream, data) => tell(stream, decoders[stream].decode(data, { stream: true })),
    signal: options.signal,
  })
  const name = typeof command === 'string' ? command : command.join(' ')
  let exitCode: number | undefined
  let late = false
  const { timeoutMs = 0 } = options
  const timer =
    timeoutMs > 0
      ? setTimeout(() => {
          late = true
          running.signal('SIGKILL')
        }, timeoutMs)
      : undefined
  const ended = running.exited
    .then(code => {
      for (const stream of ['stdout', 'stderr'] as const) tell(stream, decoders[stream].decode())
      exitCode = code
      if (late)
        throw failure(
          'timeout',
          `${name}: did not end within ${timeoutMs} ms, and was killed`,
          'timeoutMs',
          'Give it more time with timeoutMs, or run it in the background.',
        )
      return code
    })
    .finally(() => clearTimeout(timer))
  ended.catch(() => {})
  if (options.stdin !== undefined) {
    // Not waited for: it may be more than the command reads before it answers.
    void running.write(typeof options.stdin === 'string' ? new TextEncoder().encode(options.stdin) : options.stdin).then(running.closeInput)
  }
  const kill = async (): Promise<boolean> => {
    if (exitCode !== undefined) return false
    running.signal('SIGKILL')
    await ended.catch(() => {})
    return true
  }
  return {
    command: name,
    get stdout() {
      return texts.stdout
    },
    get stderr() {
      return texts.stderr
    },
    get exitCode() {
      return exitCode
    },
    wait: async () => {
      const result = { exitCode: await ended, ...texts }
      if (result.exitCode !== 0) throw new CommandExitError(name, result)
      return result
    },
    sendInput: data => running.write(typeof data === 'string' ? new TextEncoder().encode(data) : data),
    closeInput: running.closeInput,
    signal: running.signal,
    kill,
    [Symbol.asyncDispose]: async () => void (await kill()),
  }
}

/** @internal */
export const createCommands = (api: Api, instance: () => Promise<string>): Commands => {
  const running = new Set<CommandHandle>()
  const start = async (command: string | readonly string[], options: CommandOptions): Promise<CommandHandle> => {
    const handle = await begin(api, await instance(), command, options)
    running.add(handle)
    void handle
      .wait()
      .catch(() => {})
      .finally(() => running.delete(handle))
    return handle
  }
  function run(command: string | readonly string[], options?: CommandOptions & { readonly background?: false }): Promise<CommandResult>
  function run(command: string | readonly string[], options: CommandOptions & { readonly background: true }): Promise<CommandHandle>
  async function run(
    command: string | readonly string[],
    { background = false, ...options }: CommandOptions & { readonly background?: boolean } = {},
  ): Promise<CommandResult | CommandHandle> {
    if (background) return await start(command, options)
    const handle = await start(command, { stdin: '', timeoutMs: usualTimeout, ...options })
    return await handle.wait()
  }
  return { run, list: () => [...running] }
}
