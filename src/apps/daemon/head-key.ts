/**
 * The key by which this installation knows what it has written itself: heads of records, keys that signed, what gave way to budgets. `<state>/head.key` is no part of
 * the databases, so whoever can change those, or puts others in their place, gets nothing signed. See docs/record.md, Keys and trust.
 */
import { join } from 'node:path'
import { newKey, readKeyFile, writeKeyFile } from './key-file.ts'

export interface HeadKey {
  readonly key: Uint8Array
  /** There was none: what the store holds is taken for its own. */
  readonly fresh: boolean
  /** Writes a fresh one, once the store has taken over what it holds: a daemon that is killed before does it all again. */
  keep(): void
}

const pathOf = (stateDir: string): string => join(stateDir, 'head.key')
const without = 'what the store holds then is taken for what this installation has written'

/** Throws `host` for a file that cannot be read or is no key. */
export const openHeadKey = (stateDir: string): HeadKey => {
  const known = readKeyFile(pathOf(stateDir), without)
  const key = known ?? newKey()
  return {
    key,
    fresh: known === undefined,
    keep: () => {
      if (known === undefined) writeKeyFile(pathOf(stateDir), key)
    },
  }
}

/** For the other threads of a daemon that has opened it. undefined: none has. Throws as openHeadKey. */
export const readHeadKey = (stateDir: string): Uint8Array | undefined => readKeyFile(pathOf(stateDir), without)
