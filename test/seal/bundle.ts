/** A small environment that has ended, as a bundle of it would hold it: everything is made by the product's own parts but its story. */
import { createHash, generateKeyPairSync } from 'node:crypto'
import { activityGenesisText } from '../../src/model/activity.ts'
import type { NewEvent } from '../../src/model/event.ts'
import { dayfly } from '../../src/model/event.ts'
import { canonicalJson, entryText, genesisText } from '../../src/model/record.ts'
import type { PrunedStatement, Verification } from '../../src/model/seal.ts'
import type { Member } from '../../src/seal/bundle.ts'
import {
  blockLine,
  entryLine,
  forensicsMember,
  headMember,
  keyMember,
  logMember,
  memberNames,
  textMember,
  writeBundle,
} from '../../src/seal/bundle.ts'
import { signStatement } from '../../src/seal/dsse.ts'
import type { Entry } from '../../src/seal/facts.ts'
import { createRecordReader } from '../../src/seal/facts.ts'
import type { PublicKey } from '../../src/seal/keys.ts'
import { keyIdOf, pemOf } from '../../src/seal/keys.ts'
import { prunedStatement, recordStatement } from '../../src/seal/statement.ts'
import { readTar } from '../../src/seal/tar.ts'
import { verifyMembers } from '../../src/seal/verify.ts'

export const sha256 = (bytes: string | Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

export const makeKey = () => {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519')
  return { privateKey, id: keyIdOf(privateKey), publicKey: { id: keyIdOf(publicKey), key: publicKey } satisfies PublicKey, pem: pemOf(publicKey) }
}
export type Key = ReturnType<typeof makeKey>

export const environment = 'e0123456789a'
export const image = `sha256:${'ab'.repeat(32)}`

/** Entries with their hashes: `story` and the seal. */
export const chained = (story: readonly Pick<NewEvent, 'type' | 'instance' | 'data'>[], seal = true): Entry[] => {
  const entries: Entry[] = []
  let hash = sha256(genesisText(environment))
  const add = ({ type, instance, data }: Pick<NewEvent, 'type' | 'instance' | 'data'>): void => {
    const sequence = entries.length + 1
    const entry = {
      ...{ sequence, environment, time: 1_700_000_000_000 + sequence, type, actor: dayfly, reason: `because of ${sequence}`, data },
      ...(instance === undefined ? {} : { instance }),
    }
    hash = sha256(hash + entryText(entry))
    entries.push({ ...entry, hash })
  }
  for (const one of story) add(one)
  if (seal) add({ type: 'record.sealed', instance: undefined, data: { count: entries.length, hash } })
  return entries
}

export const logs = new Map([
  ['i000000000aa', '2023-11-14T22:13:20.000000001Z stdout F hello\n'],
  ['i000000000bb', ''],
  ['i000000000cc', '2023-11-14T22:13:20.000000001Z stderr F one\n2023-11-14T22:13:21.000000001Z stderr F two\n'],
])
export const access = '{"path":"/1"}\n{"path":"/2"}\n'
export const forensics = new Map([
  ['dump.json', '{"a":1}\n'],
  ['tree.json', '[]\n'],
])
const blocks = ['{"type":"exec"}\n{"type":"exit"}\n', '{"type":"sample"}\n']
/** Heads and blocks, and what the record says of them. */
export const activity = (() => {
  let hash = sha256(activityGenesisText(environment))
  const parts = blocks.map((bytes, index) => {
    const before = hash
    hash = sha256(before + sha256(bytes))
    const entries = bytes.split('\n').length - 1
    return { head: blockLine({ block: index + 1, bytes: bytes.length, entries, before, hash }), bytes }
  })
  const heads = parts.map(({ head }) => JSON.parse(head))
  return { parts, heads, text: parts.map(({ head, bytes }) => head + bytes).join(''), data: { blocks: blocks.length, entries: 3, hash } }
})()

export const story: readonly Pick<NewEvent, 'type' | 'instance' | 'data'>[] = [
  {
    ...{ type: 'environment.creating', instance: undefined },
    data: {
      name: 'shop',
      owner: 'anna',
      lease: { ttl: 1, idle: 1, retention: 1 },
      workloads: { web: { image, imageName: 'shop/web', kind: 'service' } },
    },
  },
  ...[...logs.keys()].map(instance => ({ type: 'instance.pending', instance, data: { workload: 'web' } })),
  { type: 'gateway.access_log', instance: undefined, data: { bytes: access.length, lines: 2, sha256: sha256(access), dropped: 0 } },
  { type: 'activity.kept', instance: undefined, data: activity.data },
  { type: 'environment.ended', instance: undefined, data: { cause: 'requested' } },
]

/** The envelope of the record's seal. */
export const statementText = (entries: readonly Entry[], key: Key): string => {
  const reader = createRecordReader(environment)
  for (const entry of entries) reader.push(entry)
  const facts = reader.facts()
  if (facts === undefined) throw new Error('this record is not whole')
  const digest = (text: string) => ({ bytes: text.length, digest: { sha256: sha256(text) } })
  const statement = recordStatement(facts, {
    images: [{ name: 'shop/web', digest: { sha256: image.slice(7) } }],
    logs: [...logs].map(([instance, text]) => ({ instance, ...digest(text) })),
    forensics: [...forensics].map(([name, text]) => ({ name, ...digest(text) })),
    signedAt: '2023-11-14T22:13:30.000Z',
  })
  return `${canonicalJson(signStatement(statement, key.privateKey))}\n`
}

/** What the daemon says that it has removed itself of that record. */
export const prunedText = (predicate: PrunedStatement['predicate'], key: Key, head = chained(story).at(-1)?.hash ?? ''): string =>
  `${canonicalJson(signStatement(prunedStatement(environment, head, predicate), key.privateKey))}\n`

/** Content by name, in the order of a bundle, without its manifest. */
export const contents = (key: Key, entries: readonly Entry[] = chained(story)): Map<string, string> =>
  new Map([
    [keyMember(key.id), key.pem],
    [memberNames.statement, statementText(entries, key)],
    [memberNames.record, entries.map(entryLine).join('')],
    ...[...logs].filter(([, text]) => text !== '').map(([instance, text]) => [logMember(instance), text] as const),
    [memberNames.access, access],
    [memberNames.activity, activity.text],
    ...[...forensics].map(([name, text]) => [forensicsMember(name), text] as const),
    [memberNames.inventory, '{"images":[]}\n'],
    [memberNames.reportJson, '{}\n'],
    [memberNames.reportHtml, '<!doctype html><title>shop</title>\n'],
  ])

const members = (texts: Iterable<readonly [string, string]>): Member[] => [
  headMember(environment),
  ...[...texts].map(([name, text]) => textMember(name, text)),
]

export const bundleOf = async (texts: Iterable<readonly [string, string]>, key: Key): Promise<Buffer> => {
  const parts: Uint8Array[] = []
  for await (const part of writeBundle(environment, members(texts), statement => signStatement(statement, key.privateKey))) parts.push(part)
  return Buffer.concat(parts)
}

/** As a file is read: in chunks that end anywhere. */
export async function* pieces(bytes: Buffer, length = 1000): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += length) yield bytes.subarray(at, at + length)
}

export const verify = (bundle: Buffer, keys: readonly PublicKey[], trust: 'given' | 'known' = 'given'): Promise<Verification> =>
  verifyMembers(readTar(pieces(bundle)), { keys, trust, expects: { what: 'bundle' } })

/** What the daemon asks of itself: no manifest. */
export const verifySealed = (texts: Iterable<readonly [string, string]>, keys: readonly PublicKey[]): Promise<Verification> => {
  const each = async function* () {
    for (const { name, size, content } of members(texts)) {
      yield {
        ...{ name, size },
        content: (async function* () {
          yield* content()
        })(),
      }
    }
  }
  return verifyMembers(each(), { keys, trust: 'known', expects: { what: 'sealed' } })
}
