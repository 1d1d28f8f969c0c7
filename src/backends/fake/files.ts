/** Files of an instance in the fake kernel: folders, files and their modes in memory. There are no links, and everybody may do everything. */
import { posix } from 'node:path'
import { DayflyError } from '../../base/errors.ts'
import type { FileChange, FileEntry, Files, Making } from '../../model/file.ts'
import { createChannel } from './channel.ts'

interface Node {
  readonly type: 'file' | 'folder'
  readonly mode: number
  readonly content: Buffer
  readonly modifiedAt: number
}

export type Tree = Map<string, Node>

export interface FileSystem {
  readonly tree: Tree
  readonly watchers: Set<(change: FileChange) => void>
}

export const createFileSystem = (): FileSystem => ({
  tree: new Map(['/', '/tmp', '/etc'].map(path => [path, { type: 'folder', mode: 0o755, content: Buffer.alloc(0), modifiedAt: 0 }])),
  watchers: new Set(),
})

const failure = (code: 'not_found' | 'invalid' | 'conflict', message: string): DayflyError => new DayflyError(code, message, { field: 'path' })

export const createFakeFiles = ({ tree, watchers }: FileSystem, now: () => number, signal: AbortSignal): Files => {
  const at = (path: string): Node => {
    const node = tree.get(path)
    if (node === undefined) throw failure('not_found', `open ${path}: No such file or directory`)
    return node
  }
  const tell = (type: FileChange['type'], path: string): void => {
    for (const watcher of [...watchers]) watcher({ type, path })
  }
  const entryOf = (path: string, { type, mode, content, modifiedAt }: Node): FileEntry => ({
    ...{ path, type, mode, modifiedAt, target: null, uid: 0, gid: 0 },
    size: content.length,
  })
  const below = (path: string): string[] => [...tree.keys()].filter(key => key.startsWith(path === '/' ? '/' : `${path}/`) && key !== '/')
  const put = (path: string, node: Omit<Node, 'modifiedAt'>): void => {
    const before = tree.has(path)
    tree.set(path, { ...node, modifiedAt: now() })
    if (!before) tell('create', path)
  }
  const makeParents = (path: string, parents: boolean): void => {
    const folder = posix.dirname(path)
    if (!tree.has(folder) && parents) {
      makeParents(folder, true)
      put(folder, { type: 'folder', mode: 0o755, content: Buffer.alloc(0) })
    }
    if (at(folder).type !== 'folder') throw failure('invalid', `${folder} is no folder`)
  }
  const fileAt = (path: string): Node => {
    const node = at(path)
    if (node.type === 'folder') throw failure('invalid', `${path} is a folder`)
    return node
  }

  return {
    stat: async given => entryOf(posix.resolve(given), at(posix.resolve(given))),
    list: async (given, depth, limit) => {
      const path = posix.resolve(given)
      if (at(path).type !== 'folder') throw failure('invalid', `${path} is no folder`)
      const levels = (key: string): number => posix.relative(path, key).split('/').length
      const found = below(path)
        .filter(key => levels(key) <= depth)
        .sort()
      return { entries: found.slice(0, limit).map(key => entryOf(key, at(key))), more: found.length > limit }
    },
    read: async (given, offset, limit) => {
      const path = posix.resolve(given)
      const node = fileAt(path)
      const content = async function* (): AsyncGenerator<Uint8Array> {
        yield node.content.subarray(offset, offset + limit)
      }
      return { entry: entryOf(path, node), content: content() }
    },
    write: async (given, content, { mode, parents }: Making) => {
      const path = posix.resolve(given)
      makeParents(path, parents)
      if (tree.get(path)?.type === 'folder') throw failure('invalid', `${path} is a folder`)
      const bytes = Buffer.concat(await Array.fromAsync(content))
      put(path, { type: 'file', mode: mode ?? tree.get(path)?.mode ?? 0o644, content: bytes })
      tell('write', path)
      return bytes.length
    },
    makeFolder: async (given, { mode, parents }) => {
      const path = posix.resolve(given)
      if (tree.has(path)) {
        if (parents && at(path).type === 'folder') return false
        throw failure('conflict', `make the folder ${path}: File exists`)
      }
      makeParents(path, parents)
      put(path, { type: 'folder', mode: mode ?? 0o755, content: Buffer.alloc(0) })
      return true
    },
    remove: async (given, recursive) => {
      const path = posix.resolve(given)
      at(path)
      const gone = [path, ...below(path)]
      if (gone.length > 1 && !recursive) throw failure('conflict', `remove ${path}: Directory not empty`)
      for (const key of gone) tree.delete(key)
      tell('remove', path)
      return gone.length
    },
    rename: async (from, to) => {
      const [old, next] = [posix.resolve(from), posix.resolve(to)]
      const node = at(old)
      makeParents(next, false)
      for (const key of below(old)) {
        tree.set(next + key.slice(old.length), at(key))
        tree.delete(key)
      }
      tree.delete(old)
      tell('rename', old)
      put(next, node)
    },
    watch: async (given, recursive) => {
      const path = posix.resolve(given)
      at(path)
      const changes = createChannel<FileChange>()
      const watcher = (change: FileChange): void => {
        const relative = posix.relative(path, change.path)
        if (!relative.startsWith('..') && (recursive || !relative.includes('/'))) changes.push(change)
      }
      watchers.add(watcher)
      const end = (): void => {
        watchers.delete(watcher)
        changes.end()
      }
      if (signal.aborted) end()
      else signal.addEventListener('abort', end, { once: true })
      return changes
    },
  }
}
