/** Terminals in a running instance. */
import type { Api } from './api.ts'
import { openProcess } from './commands.ts'

export interface PtyOptions {
  readonly cols: number
  readonly rows: number
  readonly onData: (data: Uint8Array) => void
  /** Default: bash where there is one, else sh. */
  readonly command?: readonly string[] | undefined
  readonly cwd?: string | undefined
  readonly envs?: Readonly<Record<string, string>> | undefined
  readonly user?: string | undefined
  readonly signal?: AbortSignal | undefined
}

/** A terminal with a command in it. Disposing hangs it up. */
export interface PtyHandle extends AsyncDisposable {
  sendInput(data: string | Uint8Array): Promise<void>
  resize(size: { readonly cols: number; readonly rows: number }): void
  /** Resolves with the exit code. */
  wait(): Promise<number>
  /** SIGKILL; resolves when it has ended. */
  kill(): Promise<void>
}

export interface Pty {
  create(options: PtyOptions): Promise<PtyHandle>
}

const shell = ['/bin/sh', '-c', 'if command -v bash >/dev/null 2>&1; then exec bash -i; else exec sh -i; fi']

/** @internal */
export const createPty = (api: Api, instance: () => Promise<string>): Pty => ({
  create: async ({ cols, rows, onData, command, cwd, envs, user, signal }) => {
    const running = await openProcess(api, await instance(), {
      words: command ?? shell,
      envs: envs ?? {},
      ...{ cwd, user, signal },
      terminal: { rows, columns: cols },
      onOutput: (_stream, data) => onData(data),
    })
    return {
      sendInput: data => running.write(typeof data === 'string' ? new TextEncoder().encode(data) : data),
      resize: size => running.resize(size.rows, size.cols),
      wait: () => running.exited,
      kill: async () => {
        running.signal('SIGKILL')
        await running.exited.catch(() => {})
      },
      [Symbol.asyncDispose]: async () => {
        running.close()
        await running.exited.catch(() => {})
      },
    }
  },
})
