/**
 * A bundle: all that is kept of an environment in one tar archive, in this order:
 *
 *   bundle.json              format, version, environment
 *   keys/<key id>.pem        public keys that signed what follows. They are what the bundle says of itself: trust comes from elsewhere
 *   statement.dsse.json      the envelope that was made when the record was sealed
 *   pruned.dsse.json         an envelope around what the daemon has removed to stay within budgets, where it has
 *   record.ndjson            the record: an entry a line, as canonical JSON
 *   logs/<instance>.log      output, in CRI's format, of each instance that had any
 *   access.ndjson            the access log, where there is one
 *   activity.ndjson          kernel events and samples: blocks, each after a line that says its number, bytes, entries and hashes
 *   forensics/<name>         files that were taken before a response
 *   inventory.json           what is known of the images: packages and vulnerabilities, as of the export
 *   report.json · report.html
 *   manifest.dsse.json       an envelope around the digests of all members before it, made by the export
 *
 * Nothing in it depends on when or where it is made: what is known being the same, so are the bytes.
 */
import { createHash } from 'node:crypto'
import { z } from 'zod'
import { canonicalJson } from '../model/record.ts'
import type { BundleStatement, Envelope } from '../model/seal.ts'
import { bundlePredicateType, statementType } from '../model/seal.ts'
import type { Entry } from './facts.ts'
import { recordMember } from './facts.ts'
import { tarEnd, tarHeader, tarPadding } from './tar.ts'

export const bundleVersion = 1
export const BundleHead = z.strictObject({ format: z.literal('dayfly-bundle'), version: z.int(), environment: z.string().regex(/^[a-z0-9]{1,64}$/) })

export const memberNames = {
  head: 'bundle.json',
  statement: 'statement.dsse.json',
  pruned: 'pruned.dsse.json',
  record: recordMember,
  access: 'access.ndjson',
  activity: 'activity.ndjson',
  inventory: 'inventory.json',
  reportJson: 'report.json',
  reportHtml: 'report.html',
  manifest: 'manifest.dsse.json',
} as const
export const keyMember = (id: string): string => `keys/${id}.pem`
export const logMember = (instance: string): string => `logs/${instance}.log`
export const forensicsMember = (name: string): string => `forensics/${name}`

/** The line of an entry, as its record in a bundle has it. */
export const entryLine = (entry: Entry): string => {
  const { sequence, environment, instance, time, type, actor, reason, data, hash } = entry
  return `${canonicalJson({ sequence, environment, instance, time, type, actor, reason, data, hash })}\n`
}

/** What stands before a block of activity. */
export const BlockHead = z.strictObject({
  block: z.int().min(1),
  bytes: z.int().min(0),
  entries: z.int().min(0),
  before: z.string().regex(/^[0-9a-f]{64}$/),
  hash: z.string().regex(/^[0-9a-f]{64}$/),
})
export type BlockHead = z.infer<typeof BlockHead>
export const blockLine = (head: BlockHead): string => `${canonicalJson(head)}\n`

/** A member before it is written. Its content is opened only when its turn has come, and must be of that size. */
export interface Member {
  readonly name: string
  readonly size: number
  content(): AsyncIterable<Uint8Array> | Iterable<Uint8Array>
}

export const textMember = (name: string, text: string): Member => {
  const bytes = Buffer.from(text)
  return { name, size: bytes.length, content: () => [bytes] }
}

export const headMember = (environment: string): Member =>
  textMember(memberNames.head, `${canonicalJson({ format: 'dayfly-bundle', version: bundleVersion, environment })}\n`)

export const manifestOf = (environment: string, members: readonly { readonly name: string; readonly sha256: string }[]): BundleStatement => ({
  _type: statementType,
  subject: members.map(({ name, sha256 }) => ({ name, digest: { sha256 } })),
  predicateType: bundlePredicateType,
  predicate: { environment },
})

/** The bytes of a bundle of these members, in their order, and of the manifest that `sign` makes of their digests. Throws `host` when a file is not as long as it was. */
export async function* writeBundle(
  environment: string,
  members: AsyncIterable<Member> | Iterable<Member>,
  sign: (statement: BundleStatement) => Envelope,
): AsyncGenerator<Uint8Array> {
  const digests: { name: string; sha256: string }[] = []
  for await (const { name, size, content } of members) {
    yield tarHeader(name, size)
    const hash = createHash('sha256')
    let written = 0
    for await (const chunk of content()) {
      hash.update(chunk)
      written += chunk.length
      if (written > size) break
      yield chunk
    }
    if (written !== size) throw new Error(`${name} has changed while it was exported`)
    yield tarPadding(size)
    digests.push({ name, sha256: hash.digest('hex') })
  }
  const manifest = textMember(memberNames.manifest, `${canonicalJson(sign(manifestOf(environment, digests)))}\n`)
  yield tarHeader(manifest.name, manifest.size)
  for await (const chunk of manifest.content()) yield chunk
  yield tarPadding(manifest.size)
  yield tarEnd()
}
