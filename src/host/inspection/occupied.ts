/** How much folders occupy. By du: counting a million files in this process would hold up everything else in it. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { constants, setPriority } from 'node:os'
import { onAbort } from '../../base/abort.ts'

/**
 * Bytes on disk (blocks, so holes count for nothing), by folder; a file with several names counts once. One folder after another, with the lowest priority:
 * what has not been counted when `signal` aborts is missing, and so is what does not exist. Follows no link and leaves no file system.
 */
export const occupiedBytes = async (folders: readonly string[], signal: AbortSignal): Promise<ReadonlyMap<string, number>> => {
  const sizes = new Map<string, number>()
  if (folders.length === 0 || signal.aborted) return sizes
  const du = spawn('du', ['--summarize', '--one-file-system', '--block-size=1', '--null', '--files0-from=-'], {
    stdio: ['pipe', 'pipe', 'ignore'], // What goes away meanwhile is nobody's concern.
    env: { PATH: process.env['PATH'], LC_ALL: 'C' },
  })
  const closed = once(du, 'close')
  closed.catch(() => {}) // Waited for below.
  using _stop = onAbort(signal, () => void du.kill('SIGKILL'))
  if (du.pid !== undefined) lower(du.pid)
  du.stdin.on('error', () => {}) // It was stopped before it had read all.
  du.stdin.end(folders.map(folder => `${folder}\0`).join(''))
  let rest = ''
  for await (const piece of du.stdout.setEncoding('utf8')) {
    const lines = `${rest}${piece}`.split('\0')
    rest = lines.pop() ?? ''
    for (const line of lines) {
      const [, bytes, folder] = /^(\d+)\t(.*)$/s.exec(line) ?? []
      if (bytes !== undefined && folder !== undefined) sizes.set(folder, Number(bytes))
    }
  }
  await closed
  return sizes
}

const lower = (pid: number): void => {
  try {
    setPriority(pid, constants.priority.PRIORITY_LOW)
  } catch {
    // It has ended already.
  }
}
