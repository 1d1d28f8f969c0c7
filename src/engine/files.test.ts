import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { createFakeFiles, createFileSystem } from '../backends/fake/files.ts'
import { DayflyError } from '../base/errors.ts'
import type { Actor, NewEvent } from '../model/event.ts'
import type { Files } from '../model/file.ts'
import { mostBytes } from '../model/file.ts'
import type { Instance } from '../model/instance.ts'
import { createFilesOfInstances } from './files.ts'

const actor: Actor = { kind: 'user', name: 'kim' }
const usual = { mode: undefined, owner: undefined, parents: true }
const never = new AbortController().signal
const hashOf = (text: string): string => createHash('sha256').update(text).digest('hex')
const instance: Instance = {
  ...{ id: 'i1', environment: 'e1', workload: 'main', replica: 1, revision: 'r', state: 'running', reason: '', start: 'cold' },
  ...{ createdAt: 0, startedAt: 0, pid: 1, exit: undefined, address: undefined, origin: undefined, earlier: 0, streak: 0, wish: undefined },
}

async function* pieces(...texts: readonly string[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) yield Buffer.from(text)
}

const opened = async (change: (files: Files) => Partial<Files> = () => ({})) => {
  const noted: Pick<NewEvent, 'type' | 'data' | 'actor'>[] = []
  let touched = 0
  const system = createFileSystem()
  const made = createFilesOfInstances(
    {
      files: async (_id, _user, signal) => {
        const files = createFakeFiles(system, () => 0, signal)
        return { ...files, ...change(files) }
      },
    },
    {
      touch: () => {
        touched++
      },
      noteEventually: ({ type, data, actor: by }) => void noted.push({ type, data, actor: by }),
    },
  )
  return { made, noted, touched: () => touched, files: await made.open(instance, undefined, actor, never) }
}

test('what is read and changed is in the record, with hashes and by whom, and counts as activity', async () => {
  const { files, noted, touched } = await opened()
  await files.write('/tmp/one', pieces('first ', 'second'), usual)
  const { content } = await files.read('/tmp/one', 0, 1000)
  await Array.fromAsync(content)
  await files.rename('/tmp/one', '/tmp/two')
  await files.makeFolder('/tmp/three', usual)
  await files.makeFolder('/tmp/three', usual)
  await files.remove('/tmp/two', false)
  await files.stat('/tmp/three')
  assert.deepEqual(
    noted.map(({ type, data }) => ({ type, ...data })),
    [
      { type: 'file.written', path: '/tmp/one', bytes: 12, sha256: hashOf('first second') },
      { type: 'file.read', path: '/tmp/one', offset: 0, bytes: 12, sha256: hashOf('first second'), complete: true },
      { type: 'file.renamed', path: '/tmp/one', to: '/tmp/two' },
      { type: 'file.made', path: '/tmp/three' },
      { type: 'file.removed', path: '/tmp/two', count: 1 },
    ],
  )
  assert.ok(noted.every(event => event.actor === actor))
  assert.ok(touched() > noted.length)
})

test('a read that is left early is told as that, with what was seen of it', async () => {
  const { files, noted } = await opened(() => ({
    read: async () => ({
      entry: { path: '/big', type: 'file', mode: 0, uid: 0, gid: 0, size: 8, modifiedAt: 0, target: null },
      content: pieces('seen', 'unseen'),
    }),
  }))
  const { content } = await files.read('/big', 0, 100)
  for await (const piece of content) {
    assert.equal(Buffer.from(piece).toString(), 'seen')
    break
  }
  assert.deepEqual(noted[0]?.data, { path: '/big', offset: 0, bytes: 4, sha256: hashOf('seen'), complete: false })
})

test('what was tried and failed is told with its code', async () => {
  const { files, noted } = await opened()
  await assert.rejects(files.remove('/none', true), { code: 'not_found' })
  await assert.rejects(files.rename('/none', '/some'), { code: 'not_found' })
  assert.deepEqual(
    noted.map(({ type, data }) => [type, data['operation'], data['code']]),
    [
      ['file.failed', 'remove', 'not_found'],
      ['file.failed', 'rename', 'not_found'],
    ],
  )
})

test('a file has its bound, whoever writes it', async () => {
  const piece = Buffer.alloc(64 * 1024 * 1024)
  const { files, noted } = await opened(() => ({
    write: async (_path, content) => {
      let bytes = 0
      for await (const { length } of content) bytes += length
      return bytes
    },
  }))
  const endless = async function* (): AsyncGenerator<Uint8Array> {
    for (let sent = 0; sent <= mostBytes; sent += piece.length) yield piece
  }
  await assert.rejects(files.write('/tmp/endless', endless(), usual), { code: 'exhausted', field: 'body' })
  assert.deepEqual(noted[0]?.data, { operation: 'write', path: '/tmp/endless', code: 'exhausted' })
})

test('so much is done at once in one instance, and no more', async () => {
  const { made, files } = await opened()
  const open: Disposable[] = [files]
  for (let number = 1; number < 16; number++) open.push(await made.open(instance, undefined, actor, never))
  await assert.rejects(made.open(instance, undefined, actor, never), { code: 'exhausted', field: 'ref' })
  using _other = await made.open({ ...instance, id: 'i2' }, undefined, actor, never)
  files[Symbol.dispose]()
  files[Symbol.dispose]()
  using _one = await made.open(instance, undefined, actor, never)
  await assert.rejects(made.open(instance, undefined, actor, never), { code: 'exhausted' })
  for (const one of open) one[Symbol.dispose]()
})

test('what cannot be opened takes no place', async () => {
  const made = createFilesOfInstances(
    {
      files: async () => {
        throw new DayflyError('wrong_state', 'it is paused')
      },
    },
    { touch: () => {}, noteEventually: () => {} },
  )
  for (let number = 0; number < 40; number++) await assert.rejects(made.open(instance, undefined, actor, never), { code: 'wrong_state' })
})
