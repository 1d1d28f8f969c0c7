/** The key by which contents of secrets are told apart without being kept: in the state folder, for the daemon's user alone. */
import { join } from 'node:path'
import { newKey, readKeyFile, writeKeyFile } from './key-file.ts'

/** `secret.key`, made when it is missing. Throws `host` for one that cannot be read or is no key. */
export const secretKey = (stateDir: string): Uint8Array => {
  const path = join(stateDir, 'secret.key')
  const known = readKeyFile(path, 'every workload with secrets is replaced when it is brought up again')
  if (known !== undefined) return known
  const key = newKey()
  writeKeyFile(path, key)
  return key
}
