import assert from 'node:assert/strict'
import type { KeyObject } from 'node:crypto'
import { createHash, generateKeyPairSync, sign } from 'node:crypto'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import type { SignedDocument } from './documents.ts'
import { parseKey } from './keys.ts'
import { verify } from './verify.ts'

const digest = `sha256:${'a'.repeat(64)}`
const other = `sha256:${'b'.repeat(64)}`

interface Signer {
  readonly privateKey: KeyObject
  readonly publicKey: KeyObject
}
const p256 = generateKeyPairSync('ec', { namedCurve: 'prime256v1' })
const signers: Readonly<Record<string, Signer>> = {
  'P-256': p256,
  'P-384': generateKeyPairSync('ec', { namedCurve: 'secp384r1' }),
  RSA: generateKeyPairSync('rsa', { modulusLength: 2048 }),
  Ed25519: generateKeyPairSync('ed25519'),
}
const trusted = (name: string, { publicKey }: Signer) => parseKey(name, publicKey.export({ type: 'spki', format: 'pem' }).toString())
const signed = ({ privateKey }: Signer, bytes: Buffer): string =>
  sign(privateKey.asymmetricKeyType === 'ed25519' ? null : 'sha256', bytes, privateKey).toString('base64')

/** As `cosign sign --key` writes it. */
const simpleSigning = (signer: Signer, of = digest, type = 'cosign container image signature'): SignedDocument => {
  const critical = { identity: { 'docker-reference': 'registry.example.org/web' }, image: { 'docker-manifest-digest': of }, type }
  const payload = Buffer.from(JSON.stringify({ critical, optional: null }))
  return { kind: 'simple-signing', payload, signature: signed(signer, payload) }
}

const slsa = 'https://slsa.dev/provenance/v1'
const statement = (of = digest, version = 'v1') =>
  Buffer.from(
    JSON.stringify({
      _type: `https://in-toto.io/Statement/${version}`,
      subject: [{ name: 'web', digest: { sha256: of.slice('sha256:'.length) } }],
      predicateType: slsa,
      predicate: { buildDefinition: { buildType: 'x' } },
    }),
  )
const dsse = (signer: Signer, payload: Buffer, payloadType = 'application/vnd.in-toto+json') => {
  const covered = Buffer.concat([Buffer.from(`DSSEv1 ${payloadType.length} ${payloadType} ${payload.length} `), payload])
  return { payloadType, payload: payload.toString('base64'), signatures: [{ keyid: '', sig: signed(signer, covered) }] }
}
/** As `cosign attest --key` writes it. */
const attestation = (signer: Signer, payload = statement()): SignedDocument => ({
  kind: 'envelope',
  envelope: Buffer.from(JSON.stringify(dsse(signer, payload))),
})
/** As `cosign attest --new-bundle-format --key` writes it; `cosign sign` does, too, with a predicate of its own. */
const bundle = (signer: Signer, content: object = { dsseEnvelope: dsse(signer, statement()) }): SignedDocument => ({
  kind: 'bundle',
  bundle: Buffer.from(
    JSON.stringify({
      mediaType: 'application/vnd.dev.sigstore.bundle.v0.3+json',
      verificationMaterial: { publicKey: { hint: 'any' }, tlogEntries: [] },
      ...content,
    }),
  ),
})

const keys = [trusted('release', p256)]
const refused = (document: SignedDocument, why: RegExp) => {
  const { signatures, problems } = verify(digest, [document], keys)
  assert.deepEqual(signatures, [])
  assert.match(problems.join(), why)
}

describe('every kind of key, and every shape', () => {
  for (const [name, signer] of Object.entries(signers)) {
    test(name, () => {
      const trustedKeys = [trusted('other', generateKeyPairSync('ed25519')), trusted('release', signer)]
      const attested = [{ key: 'release', signed: false, attestations: [{ type: slsa, predicate: { buildDefinition: { buildType: 'x' } } }] }]
      assert.deepEqual(verify(digest, [simpleSigning(signer)], trustedKeys), {
        signatures: [{ key: 'release', signed: true, attestations: [] }],
        problems: [],
      })
      assert.deepEqual(verify(digest, [attestation(signer)], trustedKeys), { signatures: attested, problems: [] })
      assert.deepEqual(verify(digest, [bundle(signer)], trustedKeys), { signatures: attested, problems: [] })
    })
  }
})

test('who only attests something of an image has not signed it; a bundle that cosign sign writes is a signature', () => {
  const signing = Buffer.from(statement().toString().replace(slsa, 'https://sigstore.dev/cosign/sign/v1'))
  for (const document of [attestation(p256), bundle(p256)]) {
    assert.deepEqual(
      verify(digest, [document], keys).signatures.map(({ signed }) => signed),
      [false],
    )
  }
  const of = bundle(p256, { dsseEnvelope: dsse(p256, signing) })
  assert.deepEqual(verify(digest, [of], keys).signatures, [{ key: 'release', signed: true, attestations: [] }])
  assert.deepEqual(
    verify(digest, [attestation(p256), simpleSigning(p256)], keys).signatures.map(({ signed, attestations }) => [signed, attestations.length]),
    [[true, 1]],
  )
})

test('statements of both versions', () => {
  assert.equal(verify(digest, [attestation(p256, statement(digest, 'v0.1'))], keys).signatures.length, 1)
  refused(attestation(p256, statement(digest, 'v9')), /no in-toto statement/)
})

test('what is about another image is worth nothing here', () => {
  refused(simpleSigning(p256, other), /is of another image/)
  refused(attestation(p256, statement(other)), /is about another image/)
  refused(bundle(p256, { dsseEnvelope: dsse(p256, statement(other)) }), /is about another image/)
})

test('what another key signed, or nobody, is worth nothing', () => {
  const stranger = generateKeyPairSync('ec', { namedCurve: 'prime256v1' })
  for (const document of [simpleSigning(stranger), attestation(stranger), bundle(stranger)]) refused(document, /signed by no trusted key/)
  refused({ ...simpleSigning(p256), signature: '' } as SignedDocument, /signed by no trusted key/)
  assert.deepEqual(verify(digest, [simpleSigning(p256)], []).signatures, [])
})

test('a changed payload breaks its signature', () => {
  const good = simpleSigning(p256)
  assert.ok(good.kind === 'simple-signing')
  refused({ ...good, payload: Buffer.from(good.payload.toString().replace('web', 'eve')) }, /signed by no trusted key/)
  const envelope = dsse(p256, statement())
  const changed = { ...envelope, payload: statement(digest, 'v0.1').toString('base64') }
  refused({ kind: 'envelope', envelope: Buffer.from(JSON.stringify(changed)) }, /signed by no trusted key/)
})

test('one shape is not taken for another', () => {
  // The bytes of a statement, signed as they are, are no signature of an image; nor is an envelope of another type an attestation.
  const raw = statement()
  refused({ kind: 'simple-signing', payload: raw, signature: signed(p256, raw) }, /no signature of a container image/)
  refused({ kind: 'envelope', envelope: Buffer.from(JSON.stringify(dsse(p256, statement(), 'text/plain'))) }, /no in-toto statement/)
  const message = {
    messageDigest: { algorithm: 'SHA2_256', digest: createHash('sha256').update('x').digest('base64') },
    signature: signed(p256, Buffer.from('x')),
  }
  refused(bundle(p256, { messageSignature: message }), /signs a blob/)
  refused(simpleSigning(p256, digest, 'something else'), /no signature of a container image/)
})

test('of several signatures those that count are named, the others told', () => {
  const stranger = generateKeyPairSync('ed25519')
  const { signatures, problems } = verify(digest, [simpleSigning(stranger), simpleSigning(p256), attestation(p256)], keys)
  assert.deepEqual(
    signatures.map(({ key, attestations }) => [key, attestations.length]),
    [['release', 1]],
  )
  assert.equal(problems.length, 1)
})

test('hostile documents are problems, bounded ones', () => {
  refused({ kind: 'envelope', envelope: Buffer.from('['.repeat(1_000_000)) }, /nested deeper/)
  refused({ kind: 'bundle', bundle: Buffer.alloc(17 * 1024 * 1024, 0x20) }, /more than/)
  refused({ kind: 'envelope', envelope: Buffer.from([0xff, 0xfe]) }, /not JSON/)
  refused({ kind: 'bundle', bundle: Buffer.from('{"mediaType":1}') }, /no Sigstore bundle/)
})

test('no bytes make it throw or believe', () => {
  const document = fc.oneof(
    fc.uint8Array({ maxLength: 300 }).map((bytes): SignedDocument => ({ kind: 'envelope', envelope: Buffer.from(bytes) })),
    fc.json().map((text): SignedDocument => ({ kind: 'bundle', bundle: Buffer.from(text) })),
    fc.tuple(fc.json(), fc.string()).map(([text, signature]): SignedDocument => ({ kind: 'simple-signing', payload: Buffer.from(text), signature })),
  )
  fc.assert(fc.property(document, one => verify(digest, [one], keys).signatures.length === 0))
})

test('a flipped bit anywhere is worth nothing, or changes nothing that counts', () => {
  const good = bundle(p256)
  assert.ok(good.kind === 'bundle')
  const expected = JSON.stringify(verify(digest, [good], keys).signatures)
  fc.assert(
    fc.property(fc.nat(good.bundle.length - 1), fc.nat(7), (at, bit) => {
      const bytes = Buffer.from(good.bundle)
      bytes[at] = (bytes[at] ?? 0) ^ (1 << bit)
      const { signatures } = verify(digest, [{ kind: 'bundle', bundle: bytes }], keys)
      assert.ok(signatures.length === 0 || JSON.stringify(signatures) === expected)
    }),
  )
})

test('a key is a public one, and strong', () => {
  const pem = (key: KeyObject, type: 'spki' | 'pkcs8') => key.export({ type, format: 'pem' }).toString()
  assert.throws(() => parseKey('release', pem(p256.privateKey, 'pkcs8')), /the key release is a private key/)
  assert.throws(() => parseKey('weak', pem(generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey, 'spki')), /has 1024 bits/)
  assert.throws(() => parseKey('odd', pem(generateKeyPairSync('x25519').publicKey, 'spki')), /type x25519/)
  assert.throws(() => parseKey('none', 'hello'), /not a public key in PEM/)
})
