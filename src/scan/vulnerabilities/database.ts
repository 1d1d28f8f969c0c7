/**
 * The file that the data is kept in. It is only ever written as a copy that then takes its name (see import.ts): whoever has it open reads the one that
 * was there, whole, until they open it again.
 */
import { DatabaseSync } from 'node:sqlite'
import { DayflyError, messageOf } from '../../base/errors.ts'

export const databaseName = 'vulnerabilities.sqlite'

/** Raised with every change of what is kept: a file of another version is of no use and made anew. */
const schemaVersion = 1
/** `DFVD`: it is one of ours. */
const applicationId = 0x44465644

export const formats = ['osv', 'debian', 'epss', 'kev', 'openvex'] as const
export type Format = (typeof formats)[number]

const schema = `
  CREATE TABLE source (
    id INTEGER PRIMARY KEY,
    location TEXT NOT NULL UNIQUE,
    format TEXT NOT NULL,
    etag TEXT,
    imported_at INTEGER NOT NULL,
    records INTEGER NOT NULL DEFAULT 0,
    withdrawn INTEGER NOT NULL DEFAULT 0,
    superseded INTEGER NOT NULL DEFAULT 0,
    bad INTEGER NOT NULL DEFAULT 0,
    faults TEXT NOT NULL DEFAULT '[]',
    newest INTEGER
  ) STRICT;
  CREATE TABLE coverage (source INTEGER NOT NULL, ecosystem INTEGER NOT NULL, newest INTEGER NOT NULL, PRIMARY KEY (source, ecosystem)) STRICT, WITHOUT ROWID;
  CREATE TABLE ecosystem (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;
  CREATE TABLE record (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    source INTEGER NOT NULL,
    name TEXT NOT NULL UNIQUE,
    modified INTEGER NOT NULL,
    withdrawn INTEGER NOT NULL,
    body TEXT NOT NULL
  ) STRICT;
  CREATE INDEX record_source ON record (source);
  CREATE TABLE affected (
    ecosystem INTEGER NOT NULL,
    name TEXT NOT NULL,
    record INTEGER NOT NULL,
    part INTEGER NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (ecosystem, name, record, part)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE epss (source INTEGER NOT NULL, cve TEXT NOT NULL, score REAL NOT NULL, PRIMARY KEY (cve, source)) STRICT, WITHOUT ROWID;
  CREATE TABLE kev (source INTEGER NOT NULL, cve TEXT NOT NULL, PRIMARY KEY (cve, source)) STRICT, WITHOUT ROWID;
  CREATE TABLE vex (source INTEGER NOT NULL, document TEXT NOT NULL) STRICT;
  PRAGMA user_version = ${schemaVersion};
  PRAGMA application_id = ${applicationId};
`

const remedy = 'Import the data again: `dayfly vulndb update` makes a new one.'

const numberOf = (value: unknown): number => (typeof value === 'number' ? value : Number.NaN)

const isOurs = (database: DatabaseSync): boolean =>
  numberOf(database.prepare('PRAGMA application_id').get()?.['application_id']) === applicationId &&
  numberOf(database.prepare('PRAGMA user_version').get()?.['user_version']) === schemaVersion

/** SQLite's codes for what is no fault of the file: no memory, input or output failed, disk full, cannot be opened. */
const hostFaults: ReadonlySet<number> = new Set([7, 10, 13, 14])

/** What SQLite throws, as a DayflyError that says what to do: `host` where the host is at fault, else the file is `corrupt`. */
export const databaseError = (error: unknown, path: string): DayflyError => {
  if (error instanceof DayflyError) return error
  const code = error instanceof Error && 'errcode' in error && typeof error.errcode === 'number' ? error.errcode & 0xff : undefined
  if (code !== undefined && hostFaults.has(code)) {
    return new DayflyError('host', `the vulnerability data in ${path} cannot be used: ${messageOf(error)}`, {
      remedy: 'See that the folder is readable and writable, and that its disk has space.',
      cause: error,
    })
  }
  return new DayflyError('corrupt', `the vulnerability data in ${path} cannot be read: ${messageOf(error)}`, { remedy, cause: error })
}

/** To be read only. Throws `corrupt` when it is no such file, or one of another version. */
export const openToRead = (path: string): DatabaseSync => {
  let database: DatabaseSync | undefined
  try {
    database = new DatabaseSync(path, { readOnly: true })
    if (!isOurs(database)) throw new DayflyError('corrupt', `${path} is no vulnerability data of this version of Dayfly`, { remedy })
    // The file never changes under its name, so it can be mapped; pages of it are the kernel's, not ours.
    database.exec('PRAGMA cache_size = -8192; PRAGMA mmap_size = 1073741824; PRAGMA trusted_schema = OFF')
    return database
  } catch (error) {
    database?.close()
    throw databaseError(error, path)
  }
}

/**
 * To be filled, nobody else knowing of it: without a journal, for what is not finished is thrown away. A file that is not there is made. Throws
 * `corrupt` for one that is damaged, not ours or of another version.
 */
export const openToFill = (path: string): DatabaseSync => {
  const database = new DatabaseSync(path)
  try {
    database.exec('PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -65536; PRAGMA temp_store = MEMORY')
    if (!isOurs(database)) database.exec(schema)
    const [check] = Object.values(database.prepare('PRAGMA quick_check(1)').get() ?? {})
    if (check !== 'ok') throw new DayflyError('corrupt', `the vulnerability data in ${path} is damaged: ${check}`, { remedy })
    return database
  } catch (error) {
    database.close()
    throw databaseError(error, path)
  }
}
