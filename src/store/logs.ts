/** Reading instance logs, while they are written and afterwards. Memory is bounded by one chunk and one record, however long the log. */
import type { FSWatcher } from 'node:fs'
import { watch } from 'node:fs'
import type { FileHandle } from 'node:fs/promises'
import { open } from 'node:fs/promises'
import { basename, dirname } from 'node:path'
import { errnoOf } from '../base/errors.ts'
import type { ReadLog } from '../model/log.ts'
import { createRecordParser, headerOf, longestRecord } from './log-records.ts'

const chunkSize = 64 * 1024
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

/**
 * Where the last `lines` lines begin. A line ends with a full record; partial records at the end are a line, too. Where both streams have a line open
 * at once, the first line may lack its beginning.
 */
const tailOffset = async (file: FileHandle, lines: number): Promise<number> => {
  const { size } = await file.stat()
  if (lines <= 0) return size
  let seen = 0
  let open = false
  let end = size
  let carried: Buffer = Buffer.alloc(0)
  for (let start = size; start > 0; ) {
    const length = Math.min(chunkSize, start)
    const block = Buffer.alloc(length)
    await file.read(block, 0, length, start - length)
    start -= length
    const bytes = Buffer.concat([block, carried])
    let to = bytes.length
    for (;;) {
      // The newline at `to - 1` ends the record; the one before it ends its predecessor.
      const before = to >= 2 ? bytes.lastIndexOf(10, to - 2) : -1
      if (before < 0 && start > 0) break
      const header = headerOf(bytes, before + 1, to)
      const counts = header && (!header.partial || (seen === 0 && !open))
      if (header?.partial && seen === 0) open = true
      if (counts) seen++
      if (counts && seen > lines) return start + to
      end = start + before + 1
      if (before < 0) break
      to = before + 1
    }
    carried = bytes.subarray(0, to)
    if (carried.length > longestRecord) return end
  }
  return 0
}

/**
 * The records of the log at `path`, as options say (see LogOptions). Following wakes by inotify at each write of the monitor; when `until` settles, what
 * was written before that is read to the end. A last record torn by a crash is given as far as it goes.
 */
export const readLog: ReadLog = async function* (path, { since = Number.NEGATIVE_INFINITY, tail, from, until, signal }) {
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

    const parser = createRecordParser()
    const buffer = Buffer.allocUnsafeSlow(chunkSize)
    let offset = from ?? (tail === undefined ? 0 : await tailOffset(file, tail))
    while (!signal.aborted) {
      const last = over
      const { bytesRead } = await file.read(buffer, 0, chunkSize, offset)
      offset += bytesRead
      if (bytesRead > 0) {
        for (const record of parser.push(Buffer.from(buffer.subarray(0, bytesRead)))) {
          if (record.time >= since) yield record
          if (signal.aborted) return
        }
      } else if (last) {
        const torn = parser.rest()
        if (torn && torn.time >= since) yield torn
        return
      } else await changes.next()
    }
  } finally {
    signal.removeEventListener('abort', changes.wake)
    await file?.close()
  }
}
