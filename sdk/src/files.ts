/** Files in a running instance. Paths are absolute; whatever is done is done inside, as one of its users. */
import type { Api } from './api.ts'
import { ConflictError, ExhaustedError, NotFoundError } from './errors.ts'
import type { FileChange, FileEntry } from './schemas.ts'

export interface FileOptions {
  /** As whom: a user of the instance. Default: its own. */
  readonly user?: string | undefined
  readonly signal?: AbortSignal | undefined
}

export interface ReadOptions extends FileOptions {
  readonly offset?: number | undefined
  /** Bytes, at most. */
  readonly limit?: number | undefined
}

export interface WriteOptions extends FileOptions {
  /** e.g. 0o755. Default: that of the file that is there, or 0o644. */
  readonly mode?: number | undefined
  /** `USER[:GROUP]`; takes the user root. */
  readonly owner?: string | undefined
  /** Make the folders above it that are missing. Default: true. */
  readonly parents?: boolean | undefined
}

export interface WatchHandle extends AsyncDisposable, AsyncIterable<FileChange> {
  stop(): Promise<void>
}

export interface Files {
  /** Its text, or with `format` its bytes, whole or as they come. */
  read(path: string, options?: ReadOptions & { readonly format?: 'text' }): Promise<string>
  read(path: string, options: ReadOptions & { readonly format: 'bytes' }): Promise<Uint8Array>
  read(path: string, options: ReadOptions & { readonly format: 'stream' }): Promise<AsyncIterable<Uint8Array>>
  /** All of it or nothing: what is given up on the way has changed nothing. */
  write(
    path: string,
    data: string | Uint8Array | AsyncIterable<Uint8Array>,
    options?: WriteOptions,
  ): Promise<{ path: string; bytes: number; sha256: string }>
  /** What is in a folder, by path; `depth` levels down (default 1). Throws `ExhaustedError` rather than leave some out. */
  list(path: string, options?: FileOptions & { readonly depth?: number; readonly limit?: number }): Promise<FileEntry[]>
  /** Links are told themselves. */
  getInfo(path: string, options?: FileOptions): Promise<FileEntry>
  exists(path: string, options?: FileOptions): Promise<boolean>
  /** With the folders above it. False: it is there already. */
  makeDir(path: string, options?: FileOptions & { readonly mode?: number }): Promise<boolean>
  /** A folder with all that is in it. */
  remove(path: string, options?: FileOptions): Promise<void>
  rename(path: string, to: string, options?: FileOptions): Promise<FileEntry>
  /** Changes in a folder, from the moment it resolves on. With `onChange`, or as an async iterator. */
  watch(
    path: string,
    options?: FileOptions & { readonly recursive?: boolean; readonly onChange?: (change: FileChange) => void },
  ): Promise<WatchHandle>
}

const octal = (mode: number | undefined): string | undefined => (mode === undefined ? undefined : mode.toString(8).padStart(3, '0'))

const collect = async (pieces: AsyncIterable<Uint8Array>): Promise<Uint8Array> => {
  const all: Uint8Array[] = []
  for await (const piece of pieces) all.push(piece)
  return new Uint8Array(Buffer.concat(all))
}

/** @internal */
export const createFiles = (api: Api, instance: () => Promise<string>): Files => {
  const at = async (tail = ''): Promise<string> => `/v1/instances/${encodeURIComponent(await instance())}/files${tail}`

  function read(path: string, options?: ReadOptions & { readonly format?: 'text' }): Promise<string>
  function read(path: string, options: ReadOptions & { readonly format: 'bytes' }): Promise<Uint8Array>
  function read(path: string, options: ReadOptions & { readonly format: 'stream' }): Promise<AsyncIterable<Uint8Array>>
  async function read(
    path: string,
    { format = 'text', offset, limit, user, signal }: ReadOptions & { readonly format?: 'text' | 'bytes' | 'stream' } = {},
  ): Promise<string | Uint8Array | AsyncIterable<Uint8Array>> {
    const content = await api.bytes({ method: 'GET', path: await at(), query: { path, offset, limit, user }, signal })
    if (format === 'stream') return content
    const bytes = await collect(content)
    return format === 'bytes' ? bytes : new TextDecoder().decode(bytes)
  }

  const getInfo: Files['getInfo'] = async (path, { user, signal } = {}) =>
    api.json({ method: 'GET', path: await at('/stat'), query: { path, user }, signal })

  return {
    read,
    write: async (path, data, { mode, owner, parents = true, user, signal } = {}) => {
      const bytes = typeof data === 'string' ? new TextEncoder().encode(data) : data
      return await api.json({ method: 'POST', path: await at(), query: { path, mode: octal(mode), owner, parents, user }, bytes, signal })
    },
    list: async (path, { depth = 1, limit = 10_000, user, signal } = {}) => {
      const query = { path, depth, limit, user }
      const { entries, more } = await api.json<{ entries: FileEntry[]; more: boolean }>({ method: 'GET', path: await at('/list'), query, signal })
      if (!more) return entries
      throw new ExhaustedError('exhausted', `${path} has more than ${limit} entries`, {
        field: 'limit',
        remedy: 'List a folder further down, or with less depth.',
      })
    },
    getInfo,
    exists: async (path, options) => {
      try {
        await getInfo(path, options)
        return true
      } catch (error) {
        if (error instanceof NotFoundError && error.field === 'path') return false
        throw error
      }
    },
    makeDir: async (path, { mode, user, signal } = {}) => {
      const body = { path, parents: true, ...(mode === undefined ? {} : { mode: octal(mode) }), ...(user === undefined ? {} : { user }) }
      try {
        return (await api.json<{ made: boolean }>({ method: 'POST', path: await at('/folder'), body, signal })).made
      } catch (error) {
        if (error instanceof ConflictError && (await getInfo(path, { user, signal })).type === 'folder') return false
        throw error
      }
    },
    remove: async (path, { user, signal } = {}) =>
      void (await api.json({ method: 'DELETE', path: await at(), query: { path, user, recursive: true }, signal })),
    rename: async (path, to, { user, signal } = {}) =>
      api.json({ method: 'POST', path: await at('/rename'), body: { path, to, ...(user === undefined ? {} : { user }) }, signal }),
    watch: async (path, { recursive = false, onChange, user, signal } = {}) => {
      const enough = new AbortController()
      const signals = signal === undefined ? enough.signal : AbortSignal.any([enough.signal, signal])
      const events = await api.events({ method: 'GET', path: await at('/watch'), query: { path, recursive, user }, signal: signals })
      const first = await events.next()
      if (first.done) throw new NotFoundError('not_found', `${path} is gone`, { field: 'path' })
      const changes = async function* (): AsyncGenerator<FileChange> {
        try {
          for await (const { data } of events) yield JSON.parse(data)
        } catch (error) {
          if (!enough.signal.aborted) throw error
        }
      }
      const all = changes()
      const heard =
        onChange === undefined
          ? undefined
          : (async () => {
              for await (const change of all) onChange(change)
            })()
      heard?.catch(() => {})
      const stop = async (): Promise<void> => {
        enough.abort()
        await heard?.catch(() => {})
      }
      return { stop, [Symbol.asyncDispose]: stop, [Symbol.asyncIterator]: () => all }
    },
  }
}
