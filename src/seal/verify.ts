/**
 * Whether a bundle is what a daemon sealed and exported: that nothing was removed, changed, added or reordered, and who says so. Whoever has the bundle and a
 * key can run it; it believes nothing that no key has signed, and reads what is hostile in bounded memory.
 */
import { createHash } from 'node:crypto'
import { DayflyError } from '../base/errors.ts'
import type { ActivityHead } from '../model/activity.ts'
import type { BundleStatement, Fault, PrunedStatement, RecordPredicate, Verification } from '../model/seal.ts'
import { BundleStatement as BundleSchema, PrunedStatement as PrunedSchema, RecordStatement as RecordSchema } from '../model/seal.ts'
import { checkAccessLog } from './access-log.ts'
import { checkActivity } from './activity.ts'
import { BundleHead, bundleVersion, keyMember, logMember, memberNames } from './bundle.ts'
import { openEnvelope } from './dsse.ts'
import type { RecordReader } from './facts.ts'
import { createRecordReader } from './facts.ts'
import type { PublicKey } from './keys.ts'
import { readPublicKeys } from './keys.ts'
import { readRecord } from './record.ts'
import { differences } from './statement.ts'
import type { TarMember } from './tar.ts'

export interface VerifyOptions {
  /** Keys that are trusted, and where they are from. */
  readonly keys: readonly PublicKey[]
  /** `given`: what another key has signed is a fault. `known`: it is unproven. */
  readonly trust: 'given' | 'known'
  /**
   * `bundle`: all of a bundle. `sealed`: the same without what only an export has: inventory, report, manifest. `open`: of an environment that is not sealed, or not
   * signed, yet, for the reason given.
   */
  readonly expects: { readonly what: 'bundle' | 'sealed' } | { readonly what: 'open'; readonly environment: string; readonly reason: string }
  /** Bytes of all members, at most: 64 GiB by default. */
  readonly most?: number
}

const mostMembers = 200_000
/** Bytes of members that are held in memory: envelopes, keys. */
const mostHeld = 64 * 1024 * 1024
const mostKey = 4096
const mostKeys = 64

const order: readonly string[] = [
  ...[
    memberNames.head,
    'keys/',
    memberNames.statement,
    memberNames.pruned,
    memberNames.record,
    'logs/',
    memberNames.access,
    memberNames.activity,
    'forensics/',
  ],
  ...[memberNames.inventory, memberNames.reportJson, memberNames.reportHtml, memberNames.manifest],
]
const rankOf = (name: string): number => {
  const folder = name.slice(0, name.indexOf('/') + 1)
  return order.indexOf(folder === '' ? name : folder)
}

const textOf = async (content: AsyncIterable<Uint8Array>, size: number, most: number): Promise<string> => {
  if (size > most) throw new DayflyError('corrupt', 'it is larger than any that is written')
  const parts: Uint8Array[] = []
  for await (const part of content) parts.push(part)
  return Buffer.concat(parts).toString()
}

/** One run over the members of one bundle. */
export const verifyMembers = async (members: AsyncIterable<TarMember>, options: VerifyOptions): Promise<Verification> => {
  const { expects } = options
  const open = expects.what === 'open'
  const faults: Fault[] = []
  const checked: { member: string; what: string }[] = []
  const unchecked: { member: string; reason: string }[] = []
  const digests: { name: string; sha256: string }[] = []
  const seen = new Set<string>()
  const inside: PublicKey[] = []
  const signers = new Set<string>()
  let environment: string | undefined = open ? expects.environment : undefined
  let reader: RecordReader | undefined
  let predicate: RecordPredicate | undefined
  let logs: ReadonlyMap<string, RecordPredicate['logs'][number]> = new Map()
  let forensics: ReadonlyMap<string, RecordPredicate['forensics'][number]> = new Map()
  let signedHead: string | undefined
  let pruned: PrunedStatement['predicate'] | undefined
  let rank = 0
  let last = ''
  let total = 0

  const fault = (member: string, message: string, sequence: number | null = null): undefined => {
    faults.push({ member, sequence, message })
  }
  const passed = (member: string, what: string): undefined => {
    checked.push({ member, what })
  }
  const skipped = (member: string, reason: string): undefined => {
    unchecked.push({ member, reason })
  }
  const isFaulty = (member: string): boolean => faults.some(one => one.member === member)

  /** The payload of an envelope that a key has signed which may: of those trusted, else (unless they were given) of the bundle's own. */
  const opened = (member: string, text: string): unknown => {
    const keys = options.trust === 'given' ? options.keys : [...options.keys, ...inside]
    const result = openEnvelope(text, keys)
    if ('fault' in result) {
      fault(member, result.fault)
      return undefined
    }
    signers.add(result.key.id)
    return result.payload
  }

  const readHead = (text: string): undefined => {
    const parsed = (() => {
      try {
        return BundleHead.safeParse(JSON.parse(text))
      } catch {
        return undefined
      }
    })()
    if (parsed?.success !== true) return fault(memberNames.head, 'it is no head of a bundle')
    if (parsed.data.version !== bundleVersion) {
      return fault(memberNames.head, `it is of version ${parsed.data.version}, which this Dayfly does not know (${bundleVersion})`)
    }
    environment = parsed.data.environment
  }

  const readKey = (name: string, text: string): undefined => {
    const [key, ...more] = readPublicKeys(text, name)
    if (key === undefined || more.length > 0 || keyMember(key.id) !== name) return fault(name, 'it is not the key that its name says')
    if (inside.length >= mostKeys) return fault(name, 'there are more keys than any bundle has')
    inside.push(key)
  }

  const readStatement = (text: string): undefined => {
    const payload = opened(memberNames.statement, text)
    if (payload === undefined) return undefined
    const parsed = RecordSchema.safeParse(payload)
    if (!parsed.success) return fault(memberNames.statement, 'what was signed is no statement about a record')
    const [subject] = parsed.data.subject
    if (environment !== undefined && subject.name !== environment)
      return fault(memberNames.statement, `it is of another environment, ${subject.name}`)
    predicate = parsed.data.predicate
    logs = new Map(predicate.logs.map(one => [logMember(one.instance), one]))
    forensics = new Map(predicate.forensics.map(one => [`forensics/${one.name}`, one]))
    signedHead = subject.digest.sha256
  }
  const readEntries = async (content: AsyncIterable<Uint8Array>): Promise<void> => {
    reader = createRecordReader(environment ?? '')
    const found = await readRecord(content, reader)
    const { count, head, sealed } = reader
    if (found !== undefined) {
      faults.push(found)
      return
    }
    if (!sealed && !open) return fault(memberNames.record, `it ends after ${count} entries without its seal`, count + 1)
    if (predicate !== undefined && head !== signedHead) {
      const sequence = count === predicate.entries ? null : Math.min(count, predicate.entries) + 1
      return fault(memberNames.record, `it has ${count} entries and ends otherwise than what was signed, which has ${predicate.entries}`, sequence)
    }
    const facts = reader.facts()
    for (const field of predicate === undefined || facts === undefined ? [] : differences(facts, predicate)) {
      fault(memberNames.statement, `its ${field} is not what the record says`)
    }
    if (predicate !== undefined && facts === undefined) fault(memberNames.record, 'it lacks its beginning or its end')
    passed(memberNames.record, `${count} entries${sealed ? ', sealed' : ''}`)
  }

  const readFile = async (
    { name, size, content }: TarMember,
    expected: { readonly bytes: number; readonly digest: { readonly sha256: string } } | undefined,
    of: string,
  ): Promise<void> => {
    if (open || predicate === undefined) return skipped(name, open ? expects.reason : 'no signature says what it has to be')
    if (expected === undefined) return fault(name, `it was added: the record has no such ${of}`)
    if (size !== expected.bytes) return fault(name, `it has ${size} bytes; ${expected.bytes} were signed`)
    const hash = createHash('sha256')
    for await (const part of content) hash.update(part)
    if (hash.digest('hex') !== expected.digest.sha256) return fault(name, 'it is not what was signed')
    passed(name, `${size} bytes`)
  }

  const readAccess = async (content: AsyncIterable<Uint8Array>, there: boolean): Promise<void> => {
    const name = memberNames.access
    if (reader === undefined || isFaulty(memberNames.record)) {
      if (there) skipped(name, 'the record that vouches for it is broken')
      return
    }
    const { fault: found, bytes, lines, rest } = await checkAccessLog(reader.marks, content)
    if (found === undefined) {
      if (there || bytes > 0) passed(name, `${lines} lines${rest > 0 ? `, and ${rest} bytes that nothing vouches for yet` : ''}`)
      return
    }
    const place = `bytes ${found.from} to ${found.to}`
    const what = { changed: `${place} are not what was written`, missing: `${place} are missing`, added: `${place} were added after the seal` }
    fault(name, what[found.what], found.sequence === 0 ? null : found.sequence)
  }

  const readActivity = async (content: AsyncIterable<Uint8Array>): Promise<void> => {
    const name = memberNames.activity
    if (open || predicate === undefined) return skipped(name, open ? expects.reason : 'no signature says what it has to be')
    if (predicate.activity === null) return fault(name, 'it was added: the record says that none was kept')
    const { blocks, entries, missing, fault: found } = await checkActivity(environment ?? '', predicate.activity, content)
    if (found !== undefined) return fault(name, found)
    if (missing !== undefined && !hasGivenWay(missing))
      return fault(name, `its first ${missing.blocks} blocks are missing, and no signature says that they gave way`)
    passed(name, `${entries} entries in ${blocks} blocks`)
    if (missing !== undefined) skipped(name, `its first ${missing.blocks} blocks are not there: the disk's budget had no room for them`)
  }

  /** Whether a signature says that all up to there, and no more, was removed by the daemon itself. */
  const hasGivenWay = ({ blocks, entries, hash }: ActivityHead): boolean => {
    const gone = pruned?.activity
    return gone?.blocks === blocks && gone.entries === entries && gone.digest.sha256 === hash
  }

  const readPruned = (text: string): undefined => {
    const name = memberNames.pruned
    const payload = opened(name, text)
    if (payload === undefined) return undefined
    const parsed = PrunedSchema.safeParse(payload)
    if (!parsed.success) return fault(name, 'what was signed is no statement about what was removed')
    const [subject] = parsed.data.subject
    if (subject.name !== environment || subject.digest.sha256 !== signedHead) return fault(name, 'it is of another record')
    pruned = parsed.data.predicate
  }

  const readManifest = (text: string): undefined => {
    const name = memberNames.manifest
    const payload = opened(name, text)
    if (payload === undefined) return undefined
    const parsed = BundleSchema.safeParse(payload)
    if (!parsed.success) return fault(name, 'what was signed is no statement about a bundle')
    if (parsed.data.predicate.environment !== environment) return fault(name, `it is of another environment, ${parsed.data.predicate.environment}`)
    compare(parsed.data)
  }
  const compare = ({ subject }: BundleStatement): void => {
    const before = faults.length
    const found = new Map(digests.map(({ name, sha256 }) => [name, sha256]))
    const listed = new Set(subject.map(({ name }) => name))
    const told = (name: string, message: string): void => {
      if (!isFaulty(name)) fault(name, message)
    }
    for (const { name, digest } of subject) {
      if (!found.has(name)) told(name, 'it is missing')
      else if (found.get(name) !== digest.sha256) told(name, 'it is not what was exported')
    }
    for (const { name } of digests) if (!listed.has(name)) told(name, 'it was added after the export')
    const inOrder = digests.length === subject.length && digests.every(({ name }, index) => name === subject[index]?.name)
    if (faults.length === before && !inOrder) fault(memberNames.manifest, 'members are in another order, or there twice')
    if (faults.length === before) passed(memberNames.manifest, `${digests.length} members`)
  }

  const readMember = async (member: TarMember): Promise<void> => {
    const { name, size, content } = member
    if (name === memberNames.head) return readHead(await textOf(content, size, mostKey))
    if (name.startsWith('keys/')) return readKey(name, await textOf(content, size, mostKey))
    if (name === memberNames.statement) return readStatement(await textOf(content, size, mostHeld))
    if (name === memberNames.pruned) return readPruned(await textOf(content, size, mostHeld))
    if (name === memberNames.record) return await readEntries(content)
    if (name.startsWith('logs/')) return await readFile(member, logs.get(name), 'instance')
    if (name === memberNames.access) return await readAccess(content, true)
    if (name === memberNames.activity) return await readActivity(content)
    if (name.startsWith('forensics/')) return await readFile(member, forensics.get(name), 'file')
    if (name === memberNames.manifest) return readManifest(await textOf(content, size, mostHeld))
    // Inventory and report are vouched for by the manifest alone.
  }

  const take = async (member: TarMember): Promise<void> => {
    const { name, size } = member
    const place = rankOf(name)
    if (place < 0) throw new DayflyError('corrupt', `the bundle has a member that none has: ${name}`)
    if (seen.has(name)) throw new DayflyError('corrupt', `the bundle has ${name} twice`)
    if (place < rank || (place === rank && (order[place] === 'keys/' || order[place] === 'forensics/') && name <= last)) {
      throw new DayflyError('corrupt', `the bundle has ${name} in another place than it was written`)
    }
    if (place > 0 && environment === undefined) throw new DayflyError('corrupt', 'the bundle does not say which environment it is of')
    total += size
    if (total > (options.most ?? 64 * 1024 ** 3) || seen.size >= mostMembers) throw new DayflyError('exhausted', 'the bundle is larger than is read')
    rank = place
    last = name
    seen.add(name)
    const hash = createHash('sha256')
    const source = member.content[Symbol.asyncIterator]()
    const content = (async function* (): AsyncGenerator<Uint8Array> {
      for (let next = await source.next(); next.done !== true; next = await source.next()) {
        hash.update(next.value)
        yield next.value
      }
    })()
    try {
      await readMember({ ...member, content })
    } catch (error) {
      if (!(error instanceof DayflyError)) throw error
      fault(name, error.message)
    }
    // What nobody wanted counts for the manifest all the same. The reader's own end is not the member's.
    for (let next = await source.next(); next.done !== true; next = await source.next()) hash.update(next.value)
    if (name !== memberNames.manifest) digests.push({ name, sha256: hash.digest('hex') })
  }

  try {
    for await (const member of members) await take(member)
  } catch (error) {
    if (!(error instanceof DayflyError)) throw error
    fault(last === '' ? 'bundle' : last, error.message)
    skipped('bundle', 'what comes after that was not looked at')
    return result()
  }

  const missing = (name: string, message = 'it is missing'): void => {
    if (!seen.has(name)) fault(name, message)
  }
  if (expects.what === 'bundle') missing(memberNames.head)
  if (!open) missing(memberNames.statement, 'it is missing: nobody has signed this record')
  missing(memberNames.record)
  for (const { instance, bytes } of predicate?.logs ?? []) {
    if (bytes > 0) missing(logMember(instance), `it is missing: ${bytes} bytes were signed`)
  }
  const given = new Set(pruned?.forensics)
  for (const { name, bytes } of predicate?.forensics ?? []) {
    const member = `forensics/${name}`
    if (!given.has(name)) missing(member, `it is missing: ${bytes} bytes were signed`)
    else if (!seen.has(member)) skipped(member, 'it is not there: the budget for evidence had no room for it')
  }
  if (!seen.has(memberNames.access)) await readAccess((async function* () {})(), false)
  if (!seen.has(memberNames.activity) && predicate !== undefined && (predicate.activity?.blocks ?? 0) > 0) {
    const { blocks = 0, entries = 0, digest } = predicate.activity ?? {}
    if (hasGivenWay({ blocks, entries, hash: digest?.sha256 ?? '' })) {
      skipped(memberNames.activity, `it is not there: the disk's budget had no room for its ${entries} entries`)
    } else fault(memberNames.activity, `it is missing: ${entries} entries were kept, and no signature says that they gave way`)
  }
  if (expects.what === 'bundle') missing(memberNames.manifest)
  if (open) skipped(memberNames.statement, expects.reason)
  return result()

  function result(): Verification {
    const trusted = new Set(options.keys.map(({ id }) => id))
    const own = [...signers].find(id => !trusted.has(id))
    const trust = signers.size === 0 ? 'none' : own === undefined ? options.trust : 'inside'
    if (trust === 'inside') {
      skipped('keys', `${own} is known from the bundle alone: that it is in one piece is proven, not who made it`)
    }
    return {
      environment: environment ?? '',
      verdict: faults.length > 0 ? 'broken' : open || trust === 'inside' || trust === 'none' ? 'unproven' : 'whole',
      sealed: reader?.sealed ?? false,
      key: [...signers][0] ?? null,
      trust,
      signedAt: predicate?.signedAt ?? null,
      ...{ checked, faults, unchecked },
    }
  }
}
