/** Files of instances: who read and changed what is written into the record, and counts as activity. */
import { createHash } from 'node:crypto'
import { DayflyError } from '../base/errors.ts'
import type { Actor, NewEvent } from '../model/event.ts'
import type { Files } from '../model/file.ts'
import { mostBytes } from '../model/file.ts'
import type { Instance } from '../model/instance.ts'
import type { Backend } from './backend.ts'
import type { Lifecycle } from './lifecycle.ts'

export interface FilesOfInstances {
  /** To be closed by whoever opened it, when all is done. Rejects with `exhausted` while too much is under way in that instance. */
  open(instance: Instance, user: string | undefined, actor: Actor, signal: AbortSignal): Promise<Files & Disposable>
}

/** What may be under way in one instance at once: each is a process of it. */
const mostAtOnce = 16

export const createFilesOfInstances = (backend: Pick<Backend, 'files'>, lifecycle: Pick<Lifecycle, 'touch' | 'noteEventually'>): FilesOfInstances => {
  const open = new Map<string, number>()
  const leave = (id: string): void => {
    const left = (open.get(id) ?? 1) - 1
    if (left === 0) open.delete(id)
    else open.set(id, left)
  }

  const recorded = (files: Files, { id, environment }: Instance, actor: Actor): Files => {
    const note = (type: string, data: NewEvent['data']): void => {
      lifecycle.touch(environment)
      lifecycle.noteEventually({ environment, instance: id, type, actor, reason: 'asked for', data })
    }
    const changing = async <T>(operation: string, path: string, work: Promise<T>): Promise<T> => {
      try {
        return await work
      } catch (error) {
        note('file.failed', { operation, path, code: error instanceof DayflyError ? error.code : 'internal' })
        throw error
      }
    }
    return {
      stat: files.stat,
      list: files.list,
      read: async (path, offset, limit) => {
        const { entry, content } = await files.read(path, offset, limit)
        const read = async function* (): AsyncGenerator<Uint8Array> {
          const hash = createHash('sha256')
          let bytes = 0
          let complete = false
          try {
            for await (const piece of content) {
              hash.update(piece)
              bytes += piece.length
              yield piece
            }
            complete = true
          } finally {
            note('file.read', { path, offset, bytes, sha256: hash.digest('hex'), complete })
          }
        }
        return { entry, content: read() }
      },
      write: async (path, content, making) => {
        const hash = createHash('sha256')
        let taken = 0
        const hashed = async function* (): AsyncGenerator<Uint8Array> {
          for await (const piece of content) {
            taken += piece.length
            if (taken > mostBytes) {
              throw new DayflyError('exhausted', `a file of more than ${mostBytes} bytes`, {
                field: 'body',
                remedy: 'Write it in parts, or bring it with a volume that is seeded.',
              })
            }
            hash.update(piece)
            yield piece
          }
        }
        const bytes = await changing('write', path, files.write(path, hashed(), making))
        note('file.written', { path, bytes, sha256: hash.digest('hex') })
        return bytes
      },
      makeFolder: async (path, making) => {
        const made = await changing('make', path, files.makeFolder(path, making))
        if (made) note('file.made', { path })
        return made
      },
      remove: async (path, recursive) => {
        const count = await changing('remove', path, files.remove(path, recursive))
        note('file.removed', { path, count })
        return count
      },
      rename: async (from, to) => {
        await changing('rename', from, files.rename(from, to))
        note('file.renamed', { path: from, to })
      },
      watch: async (path, recursive) => {
        const changes = await files.watch(path, recursive)
        note('file.watched', { path, recursive })
        return changes
      },
    }
  }

  return {
    open: async (instance, user, actor, signal) => {
      const { id, environment, workload } = instance
      const already = open.get(id) ?? 0
      if (already >= mostAtOnce) {
        throw new DayflyError('exhausted', `${mostAtOnce} things are being done with the files of ${workload} already`, {
          field: 'ref',
          remedy: 'Wait for one of them, or end a watch.',
        })
      }
      open.set(id, already + 1)
      lifecycle.touch(environment)
      try {
        const files = await backend.files(id, user, signal)
        let closed = false
        return {
          ...recorded(files, instance, actor),
          [Symbol.dispose]: () => {
            if (!closed) leave(id)
            closed = true
          },
        }
      } catch (error) {
        leave(id)
        throw error
      }
    },
  }
}
