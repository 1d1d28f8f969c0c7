/**
 * Files in instances. All of it is done inside, as one of the instance's users, so a path leads nowhere that the instance could not go itself; and what is read and
 * changed is in the record.
 */
import { createHash } from 'node:crypto'
import { z } from 'zod'
import { settledWithin } from '../../base/abort.ts'
import { DayflyError } from '../../base/errors.ts'
import type { FileChange, Files } from '../../model/file.ts'
import type { Call, Reply, Route } from '../route.ts'
import { defineRoute, nothing } from '../route.ts'
import * as schemas from '../schemas/files.ts'
import type { Services } from '../services.ts'

const Ref = z.object({
  ref: z.string().min(1).describe('An id, a unique prefix of one of at least 4 characters, or the id or name of an environment with one instance.'),
})
const json = 'application/json'
const octets = 'application/octet-stream'

type AnyCall = Pick<Call<{ ref: string }, unknown, unknown>, 'params' | 'actor' | 'signal'>

/** Until the files are closed, they count among what is done at once. */
const open = (services: Services, { params, actor, signal }: AnyCall, user: string | undefined): Promise<Files & Disposable> =>
  services.lifecycle.files(params.ref, user, actor, signal)

const answered = (body: object): Reply => ({ kind: 'json', status: 200, body })

async function* closing<T>(files: Disposable, items: AsyncIterable<T>): AsyncGenerator<T> {
  using _files = files
  yield* items
}

async function* hashed(content: AsyncIterable<Uint8Array>, hash: { update(bytes: Uint8Array): unknown }): AsyncGenerator<Uint8Array> {
  const pieces = content[Symbol.asyncIterator]()
  try {
    for (;;) {
      const next = await pieces.next().catch((error: unknown) => {
        throw new DayflyError('disconnected', 'the body broke off', { field: 'body', cause: error })
      })
      if (next.done) return
      hash.update(next.value)
      yield next.value
    }
  } finally {
    await pieces.return?.()
  }
}

/** ms, and bytes, that what is refused is still taken: a connection that is closed on somebody who sends may lose its answer. */
const lingering = { time: 5_000, bytes: 64 * 1024 * 1024 }

const discard = async (content: AsyncIterable<Uint8Array>): Promise<void> => {
  const end = performance.now() + lingering.time
  let left = lingering.bytes
  const rest = (async () => {
    for await (const { length } of content) {
      left -= length
      if (left < 0 || performance.now() > end) return
    }
  })()
  await settledWithin(rest, lingering.time)
}

async function* numbered(files: Disposable, changes: AsyncIterable<FileChange>): AsyncGenerator<{ id: string; event: string; data: object }> {
  using _files = files
  let number = 0
  yield { id: '0', event: 'watching', data: {} }
  for await (const change of changes) yield { id: String(++number), event: change.type, data: change }
}

/** What comes is taken as it comes: nothing of it is held. */
const contentOf = ({ content, header }: Pick<Call<unknown, unknown, unknown>, 'content' | 'header'>): AsyncIterable<Uint8Array> => {
  if (header('idempotency-key') !== undefined) {
    throw new DayflyError('invalid', 'idempotency-key: a file is not kept for that', {
      field: 'idempotency-key',
      remedy: 'Write it again as it is: that does no harm.',
    })
  }
  if (content !== undefined) return content
  throw new DayflyError('invalid', `the body: is no ${octets}`, { field: 'body', remedy: `Send the bytes with content-type: ${octets}.` })
}

export const fileRoutes = (services: Services): Route[] => [
  defineRoute({
    method: 'GET',
    path: '/v1/instances/:ref/files',
    summary: 'Read a file of an instance',
    description: 'An ordinary file, byte for byte; links are followed within the instance. Written into the record, with the hash of what was read.',
    params: Ref,
    query: schemas.ReadQuery,
    body: nothing,
    answers: [{ status: 200, description: 'The bytes.', mediaType: octets }],
    handle: async call => {
      const { path, offset, limit, user } = call.query
      const files = await open(services, call, user)
      try {
        const { content } = await files.read(path, offset, limit)
        return { kind: 'bytes', mediaType: octets, bytes: closing(files, content) }
      } catch (error) {
        files[Symbol.dispose]()
        throw error
      }
    },
  }),
  defineRoute({
    method: 'POST',
    path: '/v1/instances/:ref/files',
    summary: 'Write a file of an instance, all of it or nothing',
    description: 'Until the last byte is there, the file is as it was before; a client that goes away earlier has changed nothing.',
    params: Ref,
    query: schemas.WriteQuery,
    body: nothing,
    takes: octets,
    answers: [{ status: 200, description: 'It is written.', mediaType: json, schema: schemas.WrittenView }],
    handle: async call => {
      const { path, mode, owner, parents, user } = call.query
      const content = contentOf(call)
      using files = await open(services, call, user)
      const hash = createHash('sha256')
      const bytes = await files.write(path, hashed(content, hash), { mode, owner, parents }).catch(async (error: unknown) => {
        await discard(content)
        throw error
      })
      return answered({ path, bytes, sha256: hash.digest('hex') })
    },
  }),
  defineRoute({
    method: 'DELETE',
    path: '/v1/instances/:ref/files',
    summary: 'Remove a file or folder of an instance',
    description: 'A link is removed itself.',
    params: Ref,
    query: schemas.RemoveQuery,
    body: nothing,
    answers: [{ status: 200, description: 'It is gone.', mediaType: json, schema: schemas.GoneView }],
    handle: async call => {
      const { path, recursive, user } = call.query
      using files = await open(services, call, user)
      return answered({ path, count: await files.remove(path, recursive) })
    },
  }),
  defineRoute({
    method: 'GET',
    path: '/v1/instances/:ref/files/stat',
    summary: 'What a path of an instance is',
    description: 'A link is told itself.',
    params: Ref,
    query: schemas.Place,
    body: nothing,
    answers: [{ status: 200, description: 'It.', mediaType: json, schema: schemas.FileView }],
    handle: async call => {
      using files = await open(services, call, call.query.user)
      return answered(await files.stat(call.query.path))
    },
  }),
  defineRoute({
    method: 'GET',
    path: '/v1/instances/:ref/files/list',
    summary: 'What is in a folder of an instance',
    description: 'By path. Folders that the user may not look into are left closed.',
    params: Ref,
    query: schemas.ListQuery,
    body: nothing,
    answers: [{ status: 200, description: 'The entries.', mediaType: json, schema: schemas.FileList }],
    handle: async call => {
      const { path, depth, limit, user } = call.query
      using files = await open(services, call, user)
      return answered(await files.list(path, Math.max(depth, 1), limit))
    },
  }),
  defineRoute({
    method: 'POST',
    path: '/v1/instances/:ref/files/folder',
    summary: 'Make a folder in an instance',
    params: Ref,
    query: nothing,
    body: schemas.MakeFolderRequest,
    answers: [{ status: 200, description: 'It is there.', mediaType: json, schema: schemas.MadeView }],
    handle: async call => {
      const { path, mode, owner, parents, user } = call.body
      using files = await open(services, call, user)
      const made = await files.makeFolder(path, { mode: mode === undefined ? undefined : Number.parseInt(mode, 8), owner, parents })
      return answered({ path, made })
    },
  }),
  defineRoute({
    method: 'POST',
    path: '/v1/instances/:ref/files/rename',
    summary: 'Rename a file or folder of an instance',
    description: 'A file that has the new name is replaced, as rename(2) does it.',
    params: Ref,
    query: nothing,
    body: schemas.RenameRequest,
    answers: [{ status: 200, description: 'It has the new name.', mediaType: json, schema: schemas.FileView }],
    handle: async call => {
      const { path, to, user } = call.body
      using files = await open(services, call, user)
      await files.rename(path, to)
      return answered(await files.stat(to))
    },
  }),
  defineRoute({
    method: 'GET',
    path: '/v1/instances/:ref/files/watch',
    summary: 'Changes of a file, or in a folder, of an instance, as they happen',
    description:
      'First an event `watching`: nothing after it is missed. Ends when what is watched is gone. It cannot be resumed: look anew, and watch again.',
    params: Ref,
    query: schemas.WatchQuery,
    body: nothing,
    answers: [{ status: 200, description: 'The data of each is a FileChange.', mediaType: 'text/event-stream', schema: schemas.ChangeOfFile }],
    handle: async call => {
      const { path, recursive, user } = call.query
      const files = await open(services, call, user)
      try {
        return { kind: 'events', events: numbered(files, await files.watch(path, recursive)) }
      } catch (error) {
        files[Symbol.dispose]()
        throw error
      }
    },
  }),
]
