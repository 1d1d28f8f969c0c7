import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { generateKeyPairSync } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { canonicalJson } from '../model/record.ts'
import { payloadType } from '../model/seal.ts'
import { openEnvelope, preAuthEncoding, signStatement } from './dsse.ts'
import { keyIdOf, pemOf, readPublicKeys } from './keys.ts'

const { privateKey, publicKey } = generateKeyPairSync('ed25519')
const key = { id: keyIdOf(publicKey), key: publicKey }
const statement = { _type: 'x', subject: [{ name: 'ü', digest: { sha256: '00' } }] }
const text = JSON.stringify(signStatement(statement, privateKey))

describe('an envelope', () => {
  test('encodes what is signed as the specification has it', () => {
    // The example of the DSSE protocol's own text.
    const found = preAuthEncoding('http://example.com/HelloWorld', Buffer.from('hello world'))
    assert.equal(found.toString(), 'DSSEv1 29 http://example.com/HelloWorld 11 hello world')
    assert.equal(preAuthEncoding('ü', Buffer.from('ä')).toString(), 'DSSEv1 2 ü 2 ä', 'lengths are of bytes')
  })

  test('is opened by its key, and by no other', () => {
    assert.deepEqual(openEnvelope(text, [key]), { payload: statement, key })
    const { publicKey: stranger } = generateKeyPairSync('ed25519')
    assert.ok('fault' in openEnvelope(text, [{ id: keyIdOf(stranger), key: stranger }]))
    assert.ok('fault' in openEnvelope(text, [{ id: key.id, key: stranger }]), 'the id alone proves nothing')
    assert.ok('fault' in openEnvelope(text, []))
  })

  test('with another payload, type, signature or shape is not opened', () => {
    const { payload, signatures } = JSON.parse(text)
    const [{ keyid }] = signatures
    const flipped = Buffer.from(payload, 'base64')
    flipped[5] = (flipped[5] ?? 0) ^ 1
    for (const bad of [
      { payload: flipped.toString('base64'), payloadType, signatures },
      { payload, payloadType: 'application/json', signatures },
      { payload, payloadType, signatures: [{ keyid, sig: Buffer.alloc(64).toString('base64') }] },
      { payload, payloadType, signatures: [] },
      { payload, payloadType, signatures, more: 1 },
      { payload: `${payload.slice(0, -1)}\n`, payloadType, signatures },
    ]) {
      assert.ok('fault' in openEnvelope(JSON.stringify(bad), [key]))
    }
    for (const bad of ['', '{', 'null', '[]', '"x"']) assert.ok('fault' in openEnvelope(bad, [key]))
  })

  test('is verified by openssl from the bytes that the specification names', () => {
    const folder = mkdtempSync(join(tmpdir(), 'dayfly-dsse-'))
    try {
      const { payload, signatures } = JSON.parse(text)
      const body = Buffer.from(payload, 'base64')
      assert.equal(body.toString(), canonicalJson(statement))
      const file = (name: string, content: string | Buffer): string => {
        writeFileSync(join(folder, name), content)
        return join(folder, name)
      }
      const message = file('message', Buffer.concat([Buffer.from(`DSSEv1 28 application/vnd.in-toto+json ${body.length} `), body]))
      const signature = file('signature', Buffer.from(signatures[0].sig, 'base64'))
      const pem = file('key.pem', pemOf(privateKey))
      const said = execFileSync('openssl', ['pkeyutl', '-verify', '-pubin', '-inkey', pem, '-rawin', '-in', message, '-sigfile', signature])
      assert.match(said.toString(), /Signature Verified Successfully/)
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
})

test('a file of keys is read whole or not at all', () => {
  const more = generateKeyPairSync('ed25519').publicKey
  assert.deepEqual(
    readPublicKeys(`older:\n${pemOf(more)}${pemOf(privateKey)}`, '--key').map(({ id }) => id),
    [keyIdOf(more), key.id],
  )
  const rsa = generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey
  for (const bad of [
    '',
    'no key',
    pemOf(rsa),
    pemOf(more).replace(/.{10}=?\n-----END/, '\n-----END'),
    `${pemOf(more)}-----BEGIN PUBLIC KEY-----\n`,
  ]) {
    assert.throws(() => readPublicKeys(bad, '--key'), { code: 'invalid', field: '--key' })
  }
})
