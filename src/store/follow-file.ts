/** The bytes of a file that grows, while it is written and afterwards. */
import type { FSWatcher } from 'node:fs'
import { watch } from 'node:fs'
import type { FileHandle } from 'node:fs/promises'
import { open } from 'node:fs/promises'
import { basename, dirname } from 'node:path'
import { errnoOf } from '../base/errors.ts'

export const chunkSize = 64 * 1024
/** How often to look when the kernel has no more inotify watches to give (ms). */
const lookEvery = 50

const openIfThere = async (path: string): Promise<FileHandle | undefined> => {
  try {
    return await open(path, 'r')
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined
    throw error
  }
}

interface Changes extends Disposable {
  /** Resolves at the next change, or at once if there was one since the last time. */
  next(): Promise<void>
  /** Makes the next `next` resolve. */
  wake(): void
  /** Looks at this path from now on, and no more at the one before. */
  watch(path: string, name?: string): void
}

const createChanges = (): Changes => {
  let changed = false
  let waiting = (): void => {}
  let watcher: FSWatcher | undefined
  let timer: NodeJS.Timeout | undefined
  const wake = (): void => {
    changed = true
    waiting()
  }
  const close = (): void => {
    watcher?.close()
    clearInterval(timer)
  }
  return {
    next: async () => {
      if (!changed) {
        await new Promise<void>(resolve => {
          waiting = resolve
        })
      }
      changed = false
    },
    wake,
    watch: (path, name) => {
      close()
      try {
        watcher = watch(path, (_, changedName) => {
          if (name === undefined || changedName === name) wake()
        })
        watcher.on('error', wake)
      } catch (error) {
        if (errnoOf(error) !== 'ENOENT' && errnoOf(error) !== 'ENOSPC' && errnoOf(error) !== 'EMFILE') throw error
        timer = setInterval(wake, lookEvery)
      }
      wake()
    },
    [Symbol.dispose]: close,
  }
}

export interface FollowFile {
  /** Byte to begin at. */
  readonly from: (file: FileHandle) => number | Promise<number>
  /** Follows until this settles, then gives what was written before that and ends. Without it: what is there now. */
  readonly until: Promise<unknown> | undefined
  /** Ends it, without an error. */
  readonly signal: AbortSignal
}

/** In chunks of at most 64 KiB. Following wakes by inotify at each write. A file that does not exist (yet) is empty. */
export async function* followFile(path: string, { from, until, signal }: FollowFile): AsyncGenerator<Buffer> {
  using changes = createChanges()
  let over = until === undefined
  const finish = (): void => {
    over = true
    changes.wake()
  }
  until?.then(finish, finish)
  signal.addEventListener('abort', changes.wake, { once: true })
  let file: FileHandle | undefined
  try {
    file = await openIfThere(path)
    if (!file && !over) {
      changes.watch(dirname(path), basename(path))
      for (file = await openIfThere(path); !file && !over && !signal.aborted; file = await openIfThere(path)) await changes.next()
      file ??= await openIfThere(path)
    }
    if (!file) return
    if (!over) changes.watch(path)

    const buffer = Buffer.allocUnsafeSlow(chunkSize)
    let offset = await from(file)
    while (!signal.aborted) {
      const last = over
      const { bytesRead } = await file.read(buffer, 0, chunkSize, offset)
      offset += bytesRead
      if (bytesRead > 0) yield Buffer.from(buffer.subarray(0, bytesRead))
      else if (last) return
      else await changes.next()
    }
  } finally {
    signal.removeEventListener('abort', changes.wake)
    await file?.close()
  }
}
