import { DayflyError, messageOf } from '../base/errors.ts'

/** SQLite's primary result codes that say something about the host, with what to do about them. */
const remedies: Readonly<Record<number, readonly [problem: string, remedy: string]>> = {
  3: ['its file may not be read or written', 'Run the daemon as the user who owns the state folder.'],
  5: [
    'it is in use by another process',
    'Another daemon has this state folder open: stop it, or give this one a folder of its own with --state-dir.',
  ],
  6: [
    'it is in use by another process',
    'Another daemon has this state folder open: stop it, or give this one a folder of its own with --state-dir.',
  ],
  7: ['there is no memory left', 'Free memory on this host.'],
  8: ['it is read-only', 'Make the state folder writable: check its file system (`findmnt`) and its owner.'],
  10: ['reading or writing its file failed', 'Check the disk that holds the state folder (`dmesg`), and that it has room.'],
  11: ['its file is damaged', 'Restore the state folder from a backup, or move it away to begin with an empty one.'],
  13: ['the disk is full', 'Free space on the file system that holds the state folder.'],
  14: ['its file cannot be opened', 'Check that the state folder exists, is writable and has room.'],
  26: ['its file is not a database', 'Point --state-dir at a folder that Dayfly made.'],
}

const cannotOpen = 14

/** SQLite's result code; a failed system call on its file counts as one that cannot be opened. */
const resultCode = (error: unknown): number | undefined => {
  if (error instanceof Error && 'errcode' in error && typeof error.errcode === 'number') return error.errcode
  return error instanceof Error && 'syscall' in error ? cannotOpen : undefined
}

/** SQLITE_CONSTRAINT_UNIQUE. */
export const isUniqueViolation = (error: unknown): boolean => resultCode(error) === 2067

/** What went wrong in SQLite as a DayflyError: `host` where the host is at fault, else `internal`. DayflyErrors stay what they are. */
export const storeError = (error: unknown, path: string): unknown => {
  const code = resultCode(error)
  if (code === undefined) return error
  const known = remedies[code & 0xff]
  if (!known) return new DayflyError('internal', `the store ${path}: ${messageOf(error)}`, { cause: error })
  return new DayflyError('host', `the store ${path} cannot be used: ${known[0]} (${messageOf(error)})`, { remedy: known[1], cause: error })
}
