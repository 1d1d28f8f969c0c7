import { open } from 'node:fs/promises'
import { DayflyError } from '../../base/errors.ts'
import { run } from './process.ts'

/**
 * flock(2) on a file, which is made when missing. Waits for it, until the signal. Held until it is disposed of or this process dies: the kernel
 * knows no stale lock. Node has no flock: flock(1) locks the open file description that this process shares with it, and ends.
 */
export const lockFile = async (path: string, kind: 'shared' | 'exclusive', signal?: AbortSignal): Promise<AsyncDisposable> => {
  const file = await open(path, 'a', 0o600)
  try {
    const { code, stderr } = await run('flock', [`--${kind}`, '3'], { signal, descriptors: [file.fd] }, 'Install the package util-linux.')
    if (code !== 0) throw new DayflyError('host', `cannot lock ${path}: ${stderr.trim()}`)
  } catch (error) {
    await file.close()
    throw error
  }
  return { [Symbol.asyncDispose]: () => file.close() }
}
