/** Child processes of the image store: bounded output, killed by a signal's abort, and over when the promise settles. */

import type { StdioOptions } from 'node:child_process'
import { spawn } from 'node:child_process'
import type { Writable } from 'node:stream'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { abortError } from '../../base/abort.ts'
import { DayflyError, errnoOf } from '../../base/errors.ts'

export interface RunOptions {
  readonly signal?: AbortSignal | undefined
  /** A descriptor or another process's output that becomes fd 0. Default: /dev/null. */
  readonly stdin?: number | Readable | undefined
  /** Bytes that are written to fd 0 instead. When they fail, the process is killed, and that failure is told. */
  readonly input?: AsyncIterable<Uint8Array> | undefined
  /** Descriptors, or pipes to other processes, that become fd 3, 4, … */
  readonly descriptors?: readonly (number | Writable)[]
  readonly env?: NodeJS.ProcessEnv
  /** Each line of stdout as it comes; stdout is then not collected. */
  readonly onLine?: (line: string) => void
  /** Gives stdout to this instead of collecting it. */
  readonly onSpawn?: (stdout: Readable) => void
}

export interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: Buffer
  /** The last 64 KiB. */
  readonly stderr: string
}

const maximumOutput = 8 * 1024 * 1024
const maximumMessages = 64 * 1024
const maximumLine = 16 * 1024

/** Resolves however the process ends. Rejects `host` when it cannot be started (with `install` as the remedy), `aborted` or `timeout` by the signal. */
export const run = (program: string, args: readonly string[], options: RunOptions = {}, install?: string): Promise<Ended> =>
  new Promise((resolve, reject) => {
    if (options.signal?.aborted) {
      reject(abortError(options.signal))
      return
    }
    const stdio: StdioOptions = [options.input === undefined ? (options.stdin ?? 'ignore') : 'pipe', 'pipe', 'pipe', ...(options.descriptors ?? [])]
    const child = spawn(program, args, { stdio, env: options.env ?? process.env })
    const output: Buffer[] = []
    let size = 0
    let tooMuch = false
    let line = ''
    let messages = ''
    const kill = (): void => {
      child.kill('SIGKILL')
    }
    options.signal?.addEventListener('abort', kill, { once: true })
    if (options.onSpawn && child.stdout) options.onSpawn(child.stdout)
    else {
      child.stdout?.on('data', (bytes: Buffer) => {
        if (options.onLine) {
          const lines = (line + bytes.toString('latin1')).split('\n')
          line = lines.pop() ?? ''
          tooMuch ||= line.length > maximumLine
          for (const each of lines) options.onLine(each)
        } else {
          size += bytes.length
          tooMuch ||= size > maximumOutput
          if (!tooMuch) output.push(bytes)
        }
        if (tooMuch) kill()
      })
    }
    child.stderr?.on('data', (bytes: Buffer) => {
      messages = (messages + bytes.toString('utf8')).slice(-maximumMessages)
    })
    let failure: Error | undefined
    let inputFailure: unknown
    if (options.input !== undefined && child.stdin !== null) {
      pipeline(Readable.from(options.input, { objectMode: false }), child.stdin).catch(error => {
        // One that ends without reading on says why by itself.
        if (errnoOf(error) === 'EPIPE' || errnoOf(error) === 'ERR_STREAM_PREMATURE_CLOSE') return
        inputFailure = error
        kill()
      })
    }
    child.on('error', error => {
      failure = error
      if (child.pid === undefined) settle(null, null)
    })
    const settle = (code: number | null, signal: NodeJS.Signals | null): void => {
      options.signal?.removeEventListener('abort', kill)
      if (options.signal?.aborted) reject(abortError(options.signal))
      else if (inputFailure !== undefined) reject(inputFailure)
      else if (child.pid === undefined) {
        const missing = errnoOf(failure) === 'ENOENT'
        const detail = { cause: failure, ...(missing && install !== undefined ? { remedy: install } : {}) }
        reject(new DayflyError('host', `${program} ${missing ? 'is not installed' : `cannot be started: ${failure?.message}`}`, detail))
      } else if (tooMuch) reject(new DayflyError('upstream', `${program} printed more than ${maximumOutput} bytes`))
      else resolve({ code, signal, stdout: Buffer.concat(output), stderr: messages })
    }
    child.on('close', settle)
  })
