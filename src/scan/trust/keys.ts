/** Public keys that somebody trusts, by name, and what they have signed. */
import type { KeyObject } from 'node:crypto'
import { createPublicKey, verify as verifySignature } from 'node:crypto'
import { DayflyError } from '../../base/errors.ts'

export interface TrustedKey {
  /** As policies name it: the file's name without `.pub` or `.pem`. */
  readonly name: string
  readonly key: KeyObject
}

const supported = ['ec', 'rsa', 'ed25519']
const curves = ['prime256v1', 'secp384r1', 'secp521r1']

/** A PEM public key. Throws `invalid` naming it: a private key has no business here, and a short one proves nothing. */
export const parseKey = (name: string, pem: string): TrustedKey => {
  const field = `the key ${name}`
  const refuse = (why: string): DayflyError =>
    new DayflyError('invalid', `${field} ${why}`, {
      field,
      remedy: 'Give the PEM of a public key: ECDSA on P-256, P-384 or P-521, RSA of 2048 bits or more, or Ed25519.',
    })
  if (/PRIVATE KEY-----/.test(pem)) throw refuse('is a private key')
  let key: KeyObject
  try {
    key = createPublicKey(pem)
  } catch {
    throw refuse('is not a public key in PEM')
  }
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = key
  if (type === undefined || !supported.includes(type)) throw refuse(`is of the type ${type ?? 'unknown'}`)
  if (type === 'ec' && !curves.includes(details?.namedCurve ?? '')) throw refuse(`is on the curve ${details?.namedCurve ?? 'unknown'}`)
  if (type === 'rsa' && (details?.modulusLength ?? 0) < 2048) throw refuse(`has ${details?.modulusLength ?? 0} bits`)
  return { name, key }
}

/** cosign's choices: ECDSA (DER) and RSA (PKCS#1 v1.5) over SHA-256, Ed25519 over the bytes themselves. */
export const isSignedBy = ({ key }: TrustedKey, bytes: Uint8Array, signature: Uint8Array): boolean => {
  try {
    return verifySignature(key.asymmetricKeyType === 'ed25519' ? null : 'sha256', bytes, key, signature)
  } catch {
    return false // not even the form of a signature
  }
}
