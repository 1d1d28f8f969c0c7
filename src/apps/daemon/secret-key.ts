/** The key by which contents of secrets are told apart without being kept: in the state folder, for the daemon's user alone. */
import { randomBytes } from 'node:crypto'
import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DayflyError, errnoOf } from '../../base/errors.ts'

const length = 32

/** `secret.key`, made when it is missing. Throws `host` for one that cannot be read or is no key. The folder is locked: nobody else makes one. */
export const secretKey = (stateDir: string): Uint8Array => {
  const path = join(stateDir, 'secret.key')
  try {
    const key = readFileSync(path)
    if (key.length === length) return key
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT')
      throw new DayflyError('host', `${path} cannot be read`, { cause: error, remedy: 'It belongs to root, mode 0600.' })
    const key = randomBytes(length)
    // On the disk before it has its name: an empty one after a power failure would keep every daemon from starting.
    writeFileSync(`${path}.new`, key, { mode: 0o600, flush: true })
    renameSync(`${path}.new`, path)
    return key
  }
  throw new DayflyError('host', `${path} is no key: it has not ${length} bytes`, {
    remedy: 'Remove it: a new one is made, and every workload with secrets is replaced when it is brought up again.',
  })
}
