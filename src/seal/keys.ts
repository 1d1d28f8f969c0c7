/** Keys that sign records: Ed25519, named by what they are. */
import type { KeyObject } from 'node:crypto'
import { createHash, createPublicKey } from 'node:crypto'
import { DayflyError } from '../base/errors.ts'

export interface PublicKey {
  /** Hex SHA-256 of the key as SPKI in DER. */
  readonly id: string
  readonly key: KeyObject
}

const prefix = '-----BEGIN PUBLIC KEY-----'
const block = /-----BEGIN PUBLIC KEY-----[A-Za-z0-9+/=\s]{1,4096}-----END PUBLIC KEY-----/g
/** A file of keys that are more than one daemon ever had. */
const mostKeys = 1000

/** The id of a key, or of the public half of a private one. */
export const keyIdOf = (key: KeyObject): string => {
  const half = key.type === 'private' ? createPublicKey(key) : key
  return createHash('sha256')
    .update(half.export({ type: 'spki', format: 'der' }))
    .digest('hex')
}

export const pemOf = (key: KeyObject): string => {
  const half = key.type === 'private' ? createPublicKey(key) : key
  return half.export({ type: 'spki', format: 'pem' }).toString()
}

/** All public keys of a PEM text. Throws `invalid` naming `field` when there is none, or one that is not Ed25519. */
export const readPublicKeys = (text: string, field: string): PublicKey[] => {
  const remedy = 'Name a file with what `dayfly export --public-key` printed.'
  const blocks = text.match(block) ?? []
  if (blocks.length === 0 || blocks.length > mostKeys || text.split(prefix).length - 1 !== blocks.length) {
    throw new DayflyError('invalid', `${field}: that is no file of public keys (PEM)`, { field, remedy })
  }
  return blocks.map(pem => {
    const key = (() => {
      try {
        return createPublicKey(pem)
      } catch (error) {
        throw new DayflyError('invalid', `${field}: a public key in it cannot be read`, { field, remedy, cause: error })
      }
    })()
    if (key.asymmetricKeyType !== 'ed25519') {
      throw new DayflyError('invalid', `${field}: a key in it is ${key.asymmetricKeyType}; records are signed with Ed25519`, { field, remedy })
    }
    return { id: keyIdOf(key), key }
  })
}
