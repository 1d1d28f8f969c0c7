/**
 * Which trusted keys vouch for an image. Pure: it is given what a registry says and the keys, and looks nothing up. A signature counts when one of the
 * keys made it over bytes that name this image's digest; everything else is a problem, which denies nothing by itself. No certificate and no
 * transparency log is consulted: who holds a key's private half is trusted for as long as the key is.
 */
import { createHash } from 'node:crypto'
import type { Bundle } from '@sigstore/bundle'
import { bundleFromJSON } from '@sigstore/bundle'
import { toSignedEntity, Verifier } from '@sigstore/verify'
import { z } from 'zod'
import { DayflyError } from '../../base/errors.ts'
import type { SignedDocument } from './documents.ts'
import { parseJson } from './json.ts'
import type { TrustedKey } from './keys.ts'
import { isSignedBy } from './keys.ts'
import type { Said } from './statement.ts'
import { readStatement } from './statement.ts'

export interface KeySignature {
  /** The trusted key's name. */
  readonly key: string
  /** It signed the image itself. Who only attests something of it (what is in it, how it was scanned) does not say that it may run. */
  readonly signed: boolean
  readonly attestations: readonly Said[]
}

export interface Verification {
  /** By key, each once: it signed the image, or attested something of it. */
  readonly signatures: readonly KeySignature[]
  /** Why documents did not count, each a sentence. */
  readonly problems: readonly string[]
}

/** What one document proves: the keys that vouch by it, and what they say beyond that. */
interface Proof {
  readonly keys: readonly string[]
  readonly said: Said | undefined
}

const SimpleSigning = z.object({
  critical: z.object({
    type: z.string().regex(/^(cosign|atomic) container (image )?signature$/),
    image: z.object({ 'docker-manifest-digest': z.string() }),
  }),
})

const Envelope = z.object({
  payloadType: z.string(),
  payload: z.base64(),
  signatures: z
    .array(z.object({ sig: z.base64() }))
    .min(1)
    .max(64),
})

/** The predicate by which `cosign sign` writes a signature as a bundle. */
const signatureType = 'https://sigstore.dev/cosign/sign/v1'

const noKey = (what: string): DayflyError => new DayflyError('corrupt', `${what} is signed by no trusted key`)

/** Bytes that a DSSE signature covers: its type cannot be taken for another. */
const preAuthentication = (type: string, payload: Buffer): Buffer =>
  Buffer.concat([Buffer.from(`DSSEv1 ${Buffer.byteLength(type)} ${type} ${payload.length} `), payload])

const proveSimpleSigning = (
  document: Extract<SignedDocument, { kind: 'simple-signing' }>,
  keys: readonly TrustedKey[],
  digest: string,
  what: string,
): Proof => {
  const signature = Buffer.from(document.signature, 'base64')
  const signers = keys.filter(key => isSignedBy(key, document.payload, signature))
  if (signers.length === 0) throw noKey(what)
  const read = SimpleSigning.safeParse(parseJson(document.payload, what))
  if (!read.success) throw new DayflyError('corrupt', `${what} is no signature of a container image`)
  if (read.data.critical.image['docker-manifest-digest'] !== digest) throw new DayflyError('corrupt', `${what} is of another image`)
  return { keys: signers.map(({ name }) => name), said: undefined }
}

const proveEnvelope = (bytes: Buffer, keys: readonly TrustedKey[], digest: string, what: string): Proof => {
  const read = Envelope.safeParse(parseJson(bytes, what))
  if (!read.success) throw new DayflyError('corrupt', `${what} is no DSSE envelope`)
  const payload = Buffer.from(read.data.payload, 'base64')
  const covered = preAuthentication(read.data.payloadType, payload)
  const signers = keys.filter(key => read.data.signatures.some(({ sig }) => isSignedBy(key, covered, Buffer.from(sig, 'base64'))))
  if (signers.length === 0) throw noKey(what)
  return { keys: signers.map(({ name }) => name), said: readStatement(read.data.payloadType, payload, digest, what) }
}

/** With a key there is no certificate to be judged by a time, so timestamps and log entries prove nothing here and are left out. */
const isBundleSignedBy = (bundle: Bundle, { key }: TrustedKey): boolean => {
  const none = { certificateAuthorities: [], timestampAuthorities: [], tlogs: [], ctlogs: [] }
  const material = { ...none, publicKey: () => ({ publicKey: key, validFor: () => true }) }
  try {
    const entity = toSignedEntity(bundle)
    new Verifier(material, { tlogThreshold: 0, ctlogThreshold: 0, timestampThreshold: 0 }).verify({ ...entity, timestamps: [], tlogEntries: [] })
    return true
  } catch {
    return false
  }
}

const readBundle = (bytes: Buffer, what: string): Bundle => {
  const json = parseJson(bytes, what)
  try {
    return bundleFromJSON(json)
  } catch {
    throw new DayflyError('corrupt', `${what} is no Sigstore bundle`)
  }
}

const proveBundle = (bytes: Buffer, keys: readonly TrustedKey[], digest: string, what: string): Proof => {
  const bundle = readBundle(bytes, what)
  if (bundle.verificationMaterial.content?.$case !== 'publicKey') throw new DayflyError('corrupt', `${what} is signed by a certificate, not by a key`)
  const { content } = bundle
  if (content.$case === 'messageSignature') {
    // A signature over the digest's own bytes says nothing of what they are; only the statement of a DSSE envelope names the image.
    throw new DayflyError('corrupt', `${what} signs a blob, not an image`)
  }
  const signers = keys.filter(key => isBundleSignedBy(bundle, key))
  if (signers.length === 0) throw noKey(what)
  const { payloadType, payload } = content.dsseEnvelope
  return { keys: signers.map(({ name }) => name), said: readStatement(payloadType, payload, digest, what) }
}

const prove = (document: SignedDocument, keys: readonly TrustedKey[], digest: string, what: string): Proof => {
  if (document.kind === 'simple-signing') return proveSimpleSigning(document, keys, digest, what)
  if (document.kind === 'envelope') return proveEnvelope(document.envelope, keys, digest, what)
  return proveBundle(document.bundle, keys, digest, what)
}

const bytesOf = (document: SignedDocument): Buffer =>
  document.kind === 'simple-signing' ? document.payload : document.kind === 'envelope' ? document.envelope : document.bundle

const words = { 'simple-signing': 'the signature', envelope: 'the attestation', bundle: 'the bundle' } as const

/** `digest`: of the image's manifest. Never throws. */
export const verify = (digest: string, documents: readonly SignedDocument[], keys: readonly TrustedKey[]): Verification => {
  const found = new Map<string, { signed: boolean; readonly attestations: Said[] }>()
  const problems: string[] = []
  for (const document of documents) {
    const what = `${words[document.kind]} ${createHash('sha256').update(bytesOf(document)).digest('hex').slice(0, 12)}`
    try {
      const { keys: signers, said } = prove(document, keys, digest, what)
      for (const name of signers) {
        const by = found.get(name) ?? { signed: false, attestations: [] }
        found.set(name, by)
        if (said === undefined || said.type === signatureType) by.signed = true
        else by.attestations.push(said)
      }
    } catch (error) {
      problems.push(error instanceof DayflyError ? error.message : `${what} cannot be read`)
    }
  }
  return { signatures: [...found].map(([key, by]) => ({ key, ...by })), problems }
}
