/** The activity store's file. A change of the tables is another version: the file holds nothing that cannot be thrown away, but it is never read by guessing. */
import { closeSync, existsSync, openSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { DayflyError } from '../../base/errors.ts'

/** Written to, so that there is something whose commit makes all before it durable. */
const syncedTable = 'CREATE TABLE synced (count INTEGER NOT NULL) STRICT; INSERT INTO synced VALUES (0);'

const tables = `
  -- What is kept of each environment. What was pruned reaches up to the pruned head.
  CREATE TABLE environment (
    number         INTEGER PRIMARY KEY AUTOINCREMENT,
    id             TEXT NOT NULL UNIQUE,
    blocks         INTEGER NOT NULL,
    entries        INTEGER NOT NULL,
    hash           TEXT NOT NULL,
    pruned_blocks  INTEGER NOT NULL DEFAULT 0,
    pruned_entries INTEGER NOT NULL DEFAULT 0,
    pruned_hash    TEXT,
    -- By the writer's key: that it was this installation that has pruned.
    pruned_mac     TEXT
  ) STRICT;

  CREATE TABLE origin (
    number      INTEGER PRIMARY KEY,
    instance    TEXT NOT NULL UNIQUE,
    environment TEXT NOT NULL,
    workload    TEXT NOT NULL,
    image       TEXT NOT NULL,
    image_name  TEXT NOT NULL,
    owner       TEXT NOT NULL
  ) STRICT;
  CREATE INDEX origin_environment ON origin (environment);

  -- Environments that are purged, whose blocks are still to be removed.
  CREATE TABLE purged (environment INTEGER PRIMARY KEY) STRICT;

  -- The position of the next entry, which no other one has ever had.
  CREATE TABLE next (position INTEGER NOT NULL) STRICT;
  INSERT INTO next VALUES (1);

${syncedTable}

  -- Entries have positions one after another; a block is named by that of its first one.
  CREATE TABLE block (
    position    INTEGER PRIMARY KEY,
    environment INTEGER NOT NULL,
    number      INTEGER NOT NULL,
    entries     INTEGER NOT NULL,
    first       REAL NOT NULL,
    last        REAL NOT NULL,
    hash        TEXT NOT NULL,
    data        BLOB NOT NULL
  ) STRICT;
  CREATE UNIQUE INDEX block_number ON block (environment, number);

  -- What is in the index: all blocks from the position \`first\` up to \`last\`. Of \`entries\` that were indexed, \`live\` ones are still there.
  CREATE TABLE segment (
    first   INTEGER PRIMARY KEY,
    last    INTEGER NOT NULL,
    number  INTEGER NOT NULL UNIQUE,
    bits    INTEGER NOT NULL,
    since   REAL NOT NULL,
    until   REAL NOT NULL,
    entries INTEGER NOT NULL,
    live    INTEGER NOT NULL
  ) STRICT;

  -- Buckets of posting lists (postings.ts): \`key\` is the segment's number * 65536 + the bucket's.
  CREATE TABLE posting (
    key  INTEGER PRIMARY KEY,
    data BLOB NOT NULL
  ) STRICT;
`

const version = 2
/** The one before. */
const formerVersion = 1
/** Reads \`Dfla\`. */
const applicationId = 0x44666c61

/** The one value of a pragma. */
export const pragma = (database: DatabaseSync, name: string): number => Number(Object.values(database.prepare(`PRAGMA ${name}`).get() ?? {})[0] ?? 0)

const check = (database: DatabaseSync, path: string): void => {
  if (pragma(database, 'application_id') !== applicationId) {
    throw new DayflyError('host', `${path} is a database of another program`, { remedy: 'Point --state-dir at a folder that Dayfly made.' })
  }
  const found = pragma(database, 'user_version')
  if (found !== version && found !== formerVersion) {
    throw new DayflyError('host', `${path} was written by another version of Dayfly`, { remedy: 'Use that Dayfly again, or move the file away.' })
  }
}

/** To write it. The file is made, for its owner only, when it is missing. */
export const openToWrite = (path: string): DatabaseSync => {
  if (!existsSync(path)) closeSync(openSync(path, 'ax', 0o600))
  const database = new DatabaseSync(path, { timeout: 1000 })
  try {
    if (Number(database.prepare('SELECT count(*) AS count FROM sqlite_schema').get()?.['count']) === 0) {
      database.exec(`PRAGMA page_size = ${pageSize}; PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL`)
      database.exec(`BEGIN IMMEDIATE; ${tables}; PRAGMA application_id = ${applicationId}; PRAGMA user_version = ${version}; COMMIT`)
    }
    check(database, path)
    if (pragma(database, 'user_version') === formerVersion) {
      database.exec(`BEGIN IMMEDIATE; ALTER TABLE environment ADD COLUMN pruned_mac TEXT; ${syncedTable} PRAGMA user_version = ${version}; COMMIT`)
    }
    // A power cut takes the last moments with it, and with them what was seen of instances that are gone with the power; a crash of the daemon takes nothing.
    database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA cache_size = -8000; PRAGMA journal_size_limit = 16777216')
    return database
  } catch (error) {
    database.close()
    throw error
  }
}

/** Blocks and buckets fit into few pages of this size. */
const pageSize = 8192

/** To read it, in any thread, while it is written. */
export const openToRead = (path: string): DatabaseSync => {
  const database = new DatabaseSync(path, { readOnly: true, timeout: 1000 })
  try {
    check(database, path)
    database.exec('PRAGMA cache_size = -16000')
    return database
  } catch (error) {
    database.close()
    throw error
  }
}
