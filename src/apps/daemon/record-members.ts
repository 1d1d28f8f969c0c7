/** What is kept of an environment, as members of a bundle: read from the store and the files when their turn comes, in bounded memory. */
import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { setImmediate as turn } from 'node:timers/promises'
import { z } from 'zod'
import { errnoOf } from '../../base/errors.ts'
import type { Engine } from '../../engine/engine.ts'
import type { Store } from '../../engine/store.ts'
import type { Event } from '../../model/event.ts'
import { canonicalJson } from '../../model/record.ts'
import type { Envelope, PrunedStatement } from '../../model/seal.ts'
import { activityGenesisHash } from '../../seal/activity.ts'
import type { Member } from '../../seal/bundle.ts'
import { blockLine, entryLine, forensicsMember, headMember, keyMember, logMember, memberNames, textMember } from '../../seal/bundle.ts'
import type { RecordReader } from '../../seal/facts.ts'
import { createRecordReader } from '../../seal/facts.ts'
import { prunedStatement } from '../../seal/statement.ts'
import type { ActivityPlace } from '../../store/activity/activity-store.ts'
import type { ActivityArchive, ActivitySnapshot } from './activity-archive.ts'
import type { ActivitySearch } from './activity-search.ts'

/** Entries of one look: others get their turn in between. */
const page = 250

export interface RecordSources {
  readonly store: Store
  readonly logPath: Engine['logPath']
  readonly accessLogPath: Engine['accessLogPath']
  readonly evidencePath: Engine['evidencePath']
  readonly archive: Pick<ActivityArchive, 'snapshot'>
  readonly search: ActivitySearch['search']
  /** Whether this installation has removed that take of evidence itself, to stay within its budget. */
  readonly prunedEvidence: Engine['prunedEvidence']
}

/** A record in pages: others get their turn in between. */
export async function* entriesOf(store: Pick<Store, 'events'>, environment: string): AsyncGenerator<readonly Event[]> {
  for (let after = 0; ; ) {
    const entries = store.events({ environment, after, limit: page })
    const last = entries.at(-1)
    if (last === undefined) return
    yield entries
    after = last.cursor
    await turn()
  }
}

/** The whole record, read. */
export const readerOf = async (
  store: Pick<Store, 'events'>,
  environment: string,
  see: (entry: Event) => void = () => undefined,
): Promise<RecordReader> => {
  const reader = createRecordReader(environment)
  for await (const entries of entriesOf(store, environment)) {
    for (const entry of entries) {
      reader.push(entry)
      see(entry)
    }
  }
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

/** Up to and with the block of that number. */
const activityMember = async (activity: ActivitySnapshot, environment: string, before: string, last: number): Promise<Member[]> => {
  const heads = async function* (): AsyncGenerator<{ head: string; size: number }> {
    let previous = before
    for await (const { number, entries, hash, size } of activity.sizes(environment, last)) {
      yield { head: blockLine({ block: number, bytes: size, entries, before: previous, hash }), size }
      previous = hash
    }
  }
  let total = 0
  for await (const { head, size } of heads()) total += head.length + size
  const content = async function* (): AsyncGenerator<Uint8Array> {
    let previous = before
    for await (const { number, entries, hash, bytes } of activity.blocks(environment, last)) {
      yield Buffer.concat([Buffer.from(blockLine({ block: number, bytes: bytes.length, entries, before: previous, hash })), bytes])
      previous = hash
    }
  }
  return total === 0 ? [] : [{ name: memberNames.activity, size: total, content }]
}

const Evidence = z.looseObject({ decision: z.int(), files: z.array(z.looseObject({ name: z.string(), bytes: z.int(), sha256: z.string() })) })

export interface EvidenceFile {
  /** Below the folder of evidence. */
  readonly name: string
  readonly take: number
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
    for (const name of files.keys()) if (name.startsWith(`${decision}/`)) files.delete(name)
    for (const { name, bytes, sha256 } of taken) {
      files.set(`${decision}/${name}`, {
        ...{ name: `${decision}/${name}`, take: decision, bytes, sha256 },
        path: pathOf(environment, decision, name),
      })
    }
  }
  return [...files.values()].sort((left, right) => (left.name < right.name ? -1 : 1))
}

/** What of a sealed record this installation has removed itself, to stay within budgets; undefined: nothing. */
const prunedOf = async (
  { prunedEvidence }: RecordSources,
  environment: string,
  evidence: readonly EvidenceFile[],
  place: ActivityPlace | undefined,
): Promise<PrunedStatement['predicate'] | undefined> => {
  const gone = new Set<number>()
  for (const take of new Set(evidence.map(file => file.take))) if (await prunedEvidence(environment, take)) gone.add(take)
  const forensics = evidence.filter(({ take }) => gone.has(take)).map(({ name }) => name)
  const { blocks, entries, hash } = place?.pruned?.own === true ? place.pruned : { blocks: 0, entries: 0, hash: '' }
  if (blocks === 0 && forensics.length === 0) return undefined
  return { activity: blocks === 0 ? null : { blocks, entries, digest: { sha256: hash } }, forensics }
}

export interface SealedMembers {
  readonly environment: string
  /** Of the record, read before. */
  readonly reader: RecordReader
  /** Keys that sign what comes with it. */
  readonly keys: readonly string[]
  /** Signs what was removed; undefined: it is not told, for nothing is sealed. */
  readonly sign: ((statement: PrunedStatement) => Envelope) | undefined
}

/**
 * All that a seal binds, and the keys and the signature, as far as they are there. Activity is of one moment, which stays until all members were read: what is written
 * or pruned meanwhile changes nothing.
 */
export async function* sealedMembers(sources: RecordSources, { environment, reader, keys, sign }: SealedMembers): AsyncGenerator<Member> {
  const { store, logPath, accessLogPath, evidencePath } = sources
  await using activity = await sources.archive.snapshot()
  const place = await activity?.place(environment)
  const evidence = evidenceOf(reader, environment, evidencePath)
  const pruned = sign && (await prunedOf(sources, environment, evidence, place))
  yield headMember(environment)
  const signature = store.signatures.of(environment)
  const wanted = new Set([...keys, ...(signature === undefined ? [] : [signature.keyId])])
  const known = store.signatures.keys().filter(({ id }) => wanted.has(id))
  for (const { id, publicKey } of known.sort((left, right) => (left.id < right.id ? -1 : 1))) yield textMember(keyMember(id), publicKey)
  if (signature !== undefined) yield textMember(memberNames.statement, signature.envelope)
  if (sign !== undefined && pruned !== undefined) {
    yield textMember(memberNames.pruned, `${canonicalJson(sign(prunedStatement(environment, reader.head, pruned)))}\n`)
  }
  yield await recordMember(store, environment)
  for (const instance of store.instances(environment)) yield* await fileMember(logMember(instance.id), logPath(instance))
  yield* await fileMember(memberNames.access, accessLogPath(environment))
  if (activity !== undefined && place !== undefined) {
    // Of what is sealed no more than it binds.
    const last = reader.facts()?.activity?.blocks ?? (reader.sealed ? 0 : place.head.blocks)
    yield* await activityMember(activity, environment, place.pruned?.hash ?? activityGenesisHash(environment), last)
  }
  for (const { name, path } of evidence) yield* await fileMember(forensicsMember(name), path)
}
