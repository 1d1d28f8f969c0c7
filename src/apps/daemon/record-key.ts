/**
 * The key that signs records: `<state>/record.key`, made on the first start, for its owner alone. The public halves of it and of those before it are in
 * `<state>/record.pub`, for whoever is to verify.
 */
import type { KeyObject } from 'node:crypto'
import { createPrivateKey, generateKeyPairSync } from 'node:crypto'
import { closeSync, existsSync, fsyncSync, openSync, readFileSync, renameSync, statSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { DayflyError, errnoOf } from '../../base/errors.ts'
import type { Signatures } from '../../model/seal.ts'
import { keyIdOf, pemOf } from '../../seal/keys.ts'

export interface SigningKey {
  readonly id: string
  readonly key: KeyObject
}

const writeDurably = (path: string, text: string, mode: number): void => {
  const fresh = `${path}.new`
  const file = openSync(fresh, 'w', mode)
  try {
    writeSync(file, text)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
  renameSync(fresh, path)
}

const remedy = 'Put the right file back. Moved away, the daemon makes a new one: records that are signed stay proven by the old one.'

const readKey = (path: string): KeyObject | undefined => {
  try {
    const { mode, uid } = statSync(path)
    if ((mode & 0o077) !== 0 || uid !== process.getuid?.()) {
      throw new DayflyError('host', `${path} may be read or written by others: what it signs proves nothing`, {
        remedy: `Move it away, and the daemon makes a new one; or, if nobody has: chmod 600 ${path}`,
      })
    }
    const key = createPrivateKey(readFileSync(path))
    if (key.asymmetricKeyType !== 'ed25519') throw new DayflyError('host', `${path} holds no Ed25519 key`, { remedy })
    return key
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined
    if (error instanceof DayflyError) throw error
    throw new DayflyError('host', `${path} holds no key that can be read`, { remedy, cause: error })
  }
}

/** Made when it is missing. Every key there ever was stays in the store, and in `record.pub`, the one in use first. Throws `host` for a file that is none, or that others may read. */
export const openRecordKey = (stateDir: string, signatures: Signatures, now: number): SigningKey => {
  const path = join(stateDir, 'record.key')
  const known = readKey(path)
  const key = known ?? generateKeyPairSync('ed25519').privateKey
  if (known === undefined) writeDurably(path, key.export({ type: 'pkcs8', format: 'pem' }).toString(), 0o600)
  const id = keyIdOf(key)
  // Nothing is written that is there already: a daemon comes up on a full disk, too.
  if (!signatures.keys().some(one => one.id === id)) signatures.putKey({ id, publicKey: pemOf(key), madeAt: now })
  const all = signatures.keys().sort((left, right) => Number(right.id === id) - Number(left.id === id))
  const publicPath = join(stateDir, 'record.pub')
  const text = all.map(({ publicKey }) => publicKey).join('')
  if (!existsSync(publicPath) || readFileSync(publicPath, 'utf8') !== text) writeDurably(publicPath, text, 0o644)
  return { id, key }
}
