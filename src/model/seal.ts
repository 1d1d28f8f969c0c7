/**
 * What is signed of a record, and what became of checking it. A signature is a DSSE envelope around an in-toto Statement v1, so that tools of others can
 * read it; docs/record.md describes both for them.
 */
import { z } from 'zod'

export const statementType = 'https://in-toto.io/Statement/v1'
export const payloadType = 'application/vnd.in-toto+json'
/** Of the statement about a record, made at its seal, and of that about a bundle's members, made when it is exported. */
export const recordPredicateType = 'https://dayfly.dev/record/v1'
export const bundlePredicateType = 'https://dayfly.dev/bundle/v1'
/** Of what was removed of a sealed record to stay within budgets. */
export const prunedPredicateType = 'https://dayfly.dev/pruned/v1'

const Sha256 = z.string().regex(/^[0-9a-f]{64}$/)
const Digest = z.strictObject({ sha256: Sha256 })
const Count = z.int().min(0)

export const Envelope = z.strictObject({
  payload: z.base64(),
  payloadType: z.string(),
  signatures: z
    .array(z.strictObject({ keyid: z.string(), sig: z.base64() }))
    .min(1)
    .max(8),
})
export type Envelope = z.infer<typeof Envelope>

export const RecordPredicate = z.strictObject({
  environment: z.strictObject({ id: z.string(), name: z.string(), owner: z.string() }),
  /** RFC 3339. */
  createdAt: z.string(),
  endedAt: z.string(),
  cause: z.string().nullable(),
  /** All of them, the seal included, and how many of each type. */
  entries: Count,
  types: z.record(z.string(), Count),
  /** Of all instances that it had. */
  images: z.array(z.strictObject({ name: z.string(), digest: Digest })),
  /** Of each instance, in the order of their creation. One without output has an empty one. */
  logs: z.array(z.strictObject({ instance: z.string(), bytes: Count, digest: Digest })),
  /** null: nothing came through the gateway. */
  accessLog: z.strictObject({ bytes: Count, lines: Count, digest: Digest }).nullable(),
  /** Head of what was kept of kernel events and samples. null: nothing was. */
  activity: z.strictObject({ blocks: Count, entries: Count, digest: Digest }).nullable(),
  /** Files that were taken before a response. `name` is relative to the folder of the environment's forensics. */
  forensics: z.array(z.strictObject({ name: z.string(), bytes: Count, digest: Digest })),
  signedAt: z.string(),
})
export type RecordPredicate = z.infer<typeof RecordPredicate>

const Subject = z.strictObject({ name: z.string(), digest: Digest })

/** Its one subject is the environment, its digest the hash of the record's last entry. */
export const RecordStatement = z.strictObject({
  _type: z.literal(statementType),
  subject: z.tuple([Subject]),
  predicateType: z.literal(recordPredicateType),
  predicate: RecordPredicate,
})
export type RecordStatement = z.infer<typeof RecordStatement>

/** What a daemon has removed itself of what a record binds, before its retention was over. Its subject is that of the record's statement. */
export const PrunedStatement = z.strictObject({
  _type: z.literal(statementType),
  subject: z.tuple([Subject]),
  predicateType: z.literal(prunedPredicateType),
  predicate: z.strictObject({
    /** Head of the last block that is gone. null: none is. */
    activity: z.strictObject({ blocks: Count, entries: Count, digest: Digest }).nullable(),
    /** Files of evidence, named as in the record's statement. */
    forensics: z.array(z.string()),
  }),
})
export type PrunedStatement = z.infer<typeof PrunedStatement>

/** Its subjects are all other members of the bundle, in their order. */
export const BundleStatement = z.strictObject({
  _type: z.literal(statementType),
  subject: z.array(Subject).min(1),
  predicateType: z.literal(bundlePredicateType),
  predicate: z.strictObject({ environment: z.string() }),
})
export type BundleStatement = z.infer<typeof BundleStatement>

/** A key that signs records, or did. */
export interface RecordKey {
  /** Hex SHA-256 of its public half as SPKI in DER. */
  readonly id: string
  /** The public half, PEM. */
  readonly publicKey: string
  /** Wall ms. */
  readonly madeAt: number
}

export interface Signature {
  readonly environment: string
  readonly keyId: string
  /** An Envelope as JSON, as it was written. */
  readonly envelope: string
  /** Wall ms. */
  readonly signedAt: number
}

/** What a store keeps of signatures. */
export interface Signatures {
  /** At most `limit` environments whose record is sealed and not signed yet, the oldest seal first. */
  unsigned(limit: number): string[]
  /** `wrong_state` when the record is not sealed. A record that is signed stays as it is. */
  sign(signature: Signature): void
  of(environment: string): Signature | undefined
  /** Remembers a key for good. */
  putKey(key: RecordKey): void
  /** The newest first. Those alone that were put: not what somebody else has written into the store. */
  keys(): RecordKey[]
}

export const Fault = z.object({
  member: z.string().describe('The file, as a bundle has it: `record.ndjson`, `logs/<instance>.log`.'),
  sequence: z.int().nullable().describe('Position of the entry of the record.'),
  message: z.string(),
})
export type Fault = z.infer<typeof Fault>

export const Verification = z.object({
  environment: z.string(),
  verdict: z
    .enum(['whole', 'broken', 'unproven'])
    .describe('`unproven`: nothing is wrong, but nobody who is trusted vouches for it: it is not sealed yet, or its key is not known.'),
  sealed: z.boolean(),
  key: z.string().nullable().describe('Id of the key that signed it.'),
  trust: z
    .enum(['given', 'known', 'inside', 'none'])
    .describe('Where the key comes from: the caller, the daemon or this host, only the bundle itself; or it is not signed.'),
  signedAt: z.string().nullable(),
  checked: z.array(z.object({ member: z.string(), what: z.string() })),
  faults: z.array(Fault),
  unchecked: z.array(z.object({ member: z.string(), reason: z.string() })),
})
export type Verification = z.infer<typeof Verification>
