/** What is kept of an environment, as members of a bundle: read from the store and the files when their turn comes, in bounded memory. */
import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { z } from 'zod'
import { errnoOf } from '../../base/errors.ts'
import type { Engine } from '../../engine/engine.ts'
import type { Store } from '../../engine/store.ts'
import type { Event } from '../../model/event.ts'
import { activityGenesisHash } from '../../seal/activity.ts'
import type { Member } from '../../seal/bundle.ts'
import { blockLine, entryLine, forensicsMember, headMember, keyMember, logMember, memberNames, textMember } from '../../seal/bundle.ts'
import type { RecordReader } from '../../seal/facts.ts'
import { createRecordReader } from '../../seal/facts.ts'
import type { ActivityReader } from '../../store/activity/activity-store.ts'

const page = 1000

export interface RecordSources {
  readonly store: Store
  readonly logPath: Engine['logPath']
  readonly accessLogPath: Engine['accessLogPath']
  readonly evidencePath: Engine['evidencePath']
  /** Where instances are watched, and something is kept. */
  readonly activity: () => ActivityReader | undefined
}

/** A record in pages: others get their turn in between. */
export async function* entriesOf(store: Pick<Store, 'events'>, environment: string): AsyncGenerator<readonly Event[]> {
  for (let after = 0; ; ) {
    const entries = store.events({ environment, after, limit: page })
    const last = entries.at(-1)
    if (last === undefined) return
    yield entries
    after = last.cursor
    await new Promise(resolve => setImmediate(resolve))
  }
}

/** The whole record, read. */
export const readerOf = async (store: Pick<Store, 'events'>, environment: string): Promise<RecordReader> => {
  const reader = createRecordReader(environment)
  for await (const entries of entriesOf(store, environment)) for (const entry of entries) reader.push(entry)
  return reader
}

export const sizeOf = async (path: string): Promise<number> => {
  try {
    return (await stat(path)).size
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return 0
    throw error
  }
}

/** The first `size` bytes of a file. */
export const contentOf = (path: string, size: number): AsyncIterable<Uint8Array> =>
  createReadStream(path, { end: size - 1, highWaterMark: 256 * 1024 })

const fileMember = async (name: string, path: string): Promise<Member[]> => {
  const size = await sizeOf(path)
  return size === 0 ? [] : [{ name, size, content: () => contentOf(path, size) }]
}

/** Its entries as lines. Twice the same: a record only grows, and the size says where to end. */
const recordMember = async (store: Pick<Store, 'events'>, environment: string): Promise<Member> => {
  let size = 0
  let count = 0
  for await (const entries of entriesOf(store, environment)) {
    for (const entry of entries) size += Buffer.byteLength(entryLine(entry))
    count += entries.length
  }
  const content = async function* (): AsyncGenerator<Uint8Array> {
    let left = count
    for await (const entries of entriesOf(store, environment)) {
      const those = entries.slice(0, left)
      left -= those.length
      if (those.length > 0) yield Buffer.from(those.map(entryLine).join(''))
      if (left === 0) return
    }
  }
  return { name: memberNames.record, size, content }
}

const activityMember = async (activity: Pick<ActivityReader, 'blocks' | 'verify' | 'head'>, environment: string): Promise<Member[]> => {
  const before = activity.verify(environment, activity.head(environment), true).pruned?.hash ?? activityGenesisHash(environment)
  const lines = async function* (): AsyncGenerator<{ head: string; bytes: Buffer }> {
    let previous = before
    for (const { number, entries, hash, bytes } of activity.blocks(environment)) {
      yield { head: blockLine({ block: number, bytes: bytes.length, entries, before: previous, hash }), bytes }
      previous = hash
      await new Promise(resolve => setImmediate(resolve))
    }
  }
  let size = 0
  for await (const { head, bytes } of lines()) size += head.length + bytes.length
  const content = async function* (): AsyncGenerator<Uint8Array> {
    for await (const { head, bytes } of lines()) {
      yield Buffer.from(head)
      yield bytes
    }
  }
  return size === 0 ? [] : [{ name: memberNames.activity, size, content }]
}

const Evidence = z.looseObject({ decision: z.int(), files: z.array(z.looseObject({ name: z.string(), bytes: z.int(), sha256: z.string() })) })

export interface EvidenceFile {
  /** Below the folder of evidence. */
  readonly name: string
  readonly path: string
  readonly bytes: number
  readonly sha256: string
}

/** What `forensics.taken` entries say was taken, in the order of the names. A take is named by its last entry. */
export const evidenceOf = (reader: RecordReader, environment: string, pathOf: Engine['evidencePath']): EvidenceFile[] => {
  const files = new Map<string, EvidenceFile>()
  for (const { data } of reader.forensics) {
    const parsed = Evidence.safeParse(data)
    if (!parsed.success) continue
    const { decision, files: taken } = parsed.data
    for (const { name, bytes, sha256 } of taken) {
      files.set(`${decision}/${name}`, { name: `${decision}/${name}`, path: pathOf(environment, decision, name), bytes, sha256 })
    }
  }
  return [...files.values()].sort((left, right) => (left.name < right.name ? -1 : 1))
}

/** All that a seal binds, and the keys and the signature, as far as they are there. */
export async function* sealedMembers(sources: RecordSources, environment: string, keys: readonly string[] = []): AsyncGenerator<Member> {
  const { store, logPath, accessLogPath, evidencePath } = sources
  yield headMember(environment)
  const signature = store.signatures.of(environment)
  const wanted = new Set([...keys, ...(signature === undefined ? [] : [signature.keyId])])
  const known = store.signatures.keys().filter(({ id }) => wanted.has(id))
  for (const { id, publicKey } of known.sort((left, right) => (left.id < right.id ? -1 : 1))) yield textMember(keyMember(id), publicKey)
  if (signature !== undefined) yield textMember(memberNames.statement, signature.envelope)
  yield await recordMember(store, environment)
  for (const instance of store.instances(environment)) yield* await fileMember(logMember(instance.id), logPath(instance))
  yield* await fileMember(memberNames.access, accessLogPath(environment))
  const activity = sources.activity()
  if (activity !== undefined) yield* await activityMember(activity, environment)
  for (const { name, path } of evidenceOf(await readerOf(store, environment), environment, evidencePath)) {
    yield* await fileMember(forensicsMember(name), path)
  }
}
