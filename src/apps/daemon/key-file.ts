/** Secret keys of the daemon: files in the state folder, for its user alone. The folder is locked: nobody else makes them. */
import { randomBytes } from 'node:crypto'
import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { DayflyError, errnoOf } from '../../base/errors.ts'

const length = 32

export const newKey = (): Uint8Array => randomBytes(length)

/** undefined: there is none. Throws `host` for one that cannot be read or is no key. `without`: what follows from its removal. */
export const readKeyFile = (path: string, without: string): Uint8Array | undefined => {
  try {
    const key = readFileSync(path)
    if (key.length === length) return key
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined
    throw new DayflyError('host', `${path} cannot be read`, { cause: error, remedy: 'It belongs to root, mode 0600.' })
  }
  throw new DayflyError('host', `${path} is no key: it has not ${length} bytes`, { remedy: `Remove it: a new one is made, and ${without}.` })
}

/** On the disk before it has its name: an empty one after a power failure would keep every daemon from starting. */
export const writeKeyFile = (path: string, key: Uint8Array): void => {
  writeFileSync(`${path}.new`, key, { mode: 0o600, flush: true })
  renameSync(`${path}.new`, path)
}
