import type { NativeSession } from '../../../src/host/native/session.ts'

export interface Taken {
  readonly stdout: string
  readonly stderr: string
  readonly code: number
}

/** Everything a session puts out, and how it ends. */
export const take = async (session: NativeSession): Promise<Taken> => {
  const streams = { stdout: [] as Uint8Array[], stderr: [] as Uint8Array[] }
  for await (const { stream, data } of session.output) streams[stream].push(data)
  return {
    stdout: Buffer.concat(streams.stdout).toString('latin1'),
    stderr: Buffer.concat(streams.stderr).toString('latin1'),
    code: await session.exit,
  }
}
