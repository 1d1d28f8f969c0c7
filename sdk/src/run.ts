/** One command in an environment of its own, and nothing is left. */
import { encodeFrame, encodeOutput, frameKind } from '../../src/api/frames.ts'
import { fromProblem } from '../../src/api/problems.ts'
import { createApi } from './api.ts'
import type { CommandResult } from './commands.ts'
import type { ConnectionOptions } from './connection.ts'
import { connectionOf } from './connection.ts'
import { asOurs, failure } from './errors.ts'
import type { EgressRule, EnvironmentInfo, Limits, RunRequest } from './schemas.ts'

export interface RunOptions extends ConnectionOptions {
  readonly envs?: Readonly<Record<string, string>> | undefined
  readonly cwd?: string | undefined
  readonly user?: string | undefined
  readonly stdin?: string | Uint8Array | undefined
  readonly onStdout?: ((text: string) => void) | undefined
  readonly onStderr?: ((text: string) => void) | undefined
  /** Longest life; then it is ended, and the exit code tells. Default: 1 hour. */
  readonly timeoutMs?: number | undefined
  /** Contents of files under /run/secrets, by name. Never stored. */
  readonly secrets?: Readonly<Record<string, string | Uint8Array>> | undefined
  readonly limits?: Limits | undefined
  readonly egress?: readonly EgressRule[] | undefined
  readonly runtime?: 'crun' | 'runsc' | undefined
  readonly metadata?: Readonly<Record<string, string>> | undefined
  readonly name?: string | undefined
  readonly readOnly?: boolean | undefined
  /** Ends it. */
  readonly signal?: AbortSignal | undefined
}

export interface RunResult extends CommandResult {
  /** As it ended: nothing of it is left but this, its record and its output. */
  readonly environment: EnvironmentInfo
}

const given = (values: Readonly<Record<string, unknown>>): object =>
  Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined))

const requestOf = (image: string, command: readonly string[] | undefined, options: RunOptions): RunRequest => {
  const { envs, cwd, user, stdin, timeoutMs, secrets = {}, limits, egress, runtime, metadata, name, readOnly } = options
  return {
    image,
    secrets: Object.fromEntries(Object.entries(secrets).map(([file, content]) => [file, Buffer.from(content).toString('base64')])),
    ...given({ command, env: envs, workdir: cwd, user, limits, egress, runtime, labels: metadata, name, readOnly }),
    ...(stdin === undefined ? {} : { stdin: true }),
    ...(timeoutMs === undefined ? {} : { lease: { ttl: timeoutMs } }),
  }
}

/** Runs a command (left out: the image's) to its end, whatever its exit code, and resolves when nothing of it is left. */
export const run = async (image: string, command?: readonly string[], options: RunOptions = {}): Promise<RunResult> => {
  const api = createApi(connectionOf(options))
  const { signal } = options
  const stream = await api.frames('/v1/environments', requestOf(image, command, options), signal)
  const decoders = { stdout: new TextDecoder(), stderr: new TextDecoder() }
  const texts = { stdout: '', stderr: '' }
  const tell = (name: 'stdout' | 'stderr', text: string): void => {
    if (text === '') return
    texts[name] += text
    ;(name === 'stdout' ? options.onStdout : options.onStderr)?.(text)
  }
  let started: string | undefined
  let exitCode: number | undefined
  try {
    if (options.stdin !== undefined) {
      for (const frame of encodeOutput(frameKind.stdin, Buffer.from(options.stdin))) void stream.send(frame)
      void stream.send(encodeFrame(frameKind.stdin, new Uint8Array(0)))
    }
    for await (const { kind, payload } of stream.frames) {
      if (kind === frameKind.stdout) tell('stdout', decoders.stdout.decode(payload, { stream: true }))
      else if (kind === frameKind.stderr) tell('stderr', decoders.stderr.decode(payload, { stream: true }))
      else if (kind === frameKind.error) throw fromProblem(JSON.parse(payload.toString()))
      else if (kind === frameKind.started) started = JSON.parse(payload.toString()).id
      else if (kind === frameKind.exit) exitCode = JSON.parse(payload.toString()).code
      else if (kind === frameKind.ended) {
        for (const name of ['stdout', 'stderr'] as const) tell(name, decoders[name].decode())
        return { exitCode: exitCode ?? 125, ...texts, environment: JSON.parse(payload.toString()) }
      }
    }
    throw failure('disconnected', 'the daemon went away while the command ran')
  } catch (error) {
    if (!signal?.aborted) throw asOurs(error)
    if (started !== undefined) await api.json({ method: 'DELETE', path: `/v1/environments/${started}`, query: { force: true } })
    throw failure('aborted', 'the command was given up')
  } finally {
    stream.end()
  }
}
