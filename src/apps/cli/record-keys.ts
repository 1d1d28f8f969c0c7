/** The keys that `dayfly verify` believes. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { DayflyError, messageOf } from '../../base/errors.ts'
import type { PublicKey } from '../../seal/keys.ts'
import { readPublicKeys } from '../../seal/keys.ts'
import type { Context } from './command.ts'

const field = '--key'

const read = (path: string): string => {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    throw new DayflyError('invalid', `${field}: ${path} cannot be read: ${messageOf(error)}`, {
      field,
      remedy: 'Name a file with what `dayfly export --public-key` printed.',
      cause: error,
    })
  }
}

export interface Trusted {
  readonly keys: readonly PublicKey[]
  readonly trust: 'given' | 'known'
}

/** Those of `--key` or $DAYFLY_RECORD_KEY, and nothing else; without them those of this host's daemon, where they may be read. */
export const trustedKeys = (paths: readonly string[], { env, stateDir }: Pick<Context, 'env' | 'stateDir'>): Trusted => {
  const named = env['DAYFLY_RECORD_KEY'] ?? ''
  const given = paths.length > 0 ? paths : named === '' ? [] : [named]
  if (given.length > 0) return { keys: given.flatMap(path => readPublicKeys(read(path), field)), trust: 'given' }
  const own = join(stateDir, 'record.pub')
  return { keys: existsSync(own) ? readPublicKeys(read(own), field) : [], trust: 'known' }
}
