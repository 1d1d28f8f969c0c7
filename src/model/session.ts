export interface ExecRequest {
  readonly command: readonly string[]
  readonly env: Readonly<Record<string, string>>
  readonly user: string | undefined
  readonly workdir: string | undefined
  readonly tty: boolean
  readonly rows: number
  readonly columns: number
}

/** A running exec, or the attached first process. Closing it ends an exec with SIGHUP, and only detaches from a first process. */
export interface Session extends AsyncDisposable {
  /** null ends stdin. Buffers without limit: wait for `drained` between pieces. */
  write(stdin: Uint8Array | null): void
  /** Resolves when little of what was written still waits to be taken, or when the session has ended. */
  drained(): Promise<void>
  resize(rows: number, columns: number): void
  signal(name: string): void
  output: AsyncIterable<{ stream: 'stdout' | 'stderr'; data: Uint8Array }>
  /** Settles after the last output. */
  exit: Promise<number>
}
