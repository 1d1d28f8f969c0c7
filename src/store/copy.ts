/** A copy of a database while it is in use, as it is at one moment. */
import { chmodSync, closeSync, openSync } from 'node:fs'
import { backup, DatabaseSync } from 'node:sqlite'

/** Pages that are copied before others may write again. */
const pagesAtOnce = 512

/**
 * By the connection that writes it, so that what it writes meanwhile is in the copy, too, and nothing begins anew. In a thread; the connection's own statements
 * wait for a step of it at most. `path` must not be there; the copy is for its owner only.
 */
export const copyOwn = async (database: DatabaseSync, path: string): Promise<void> => {
  closeSync(openSync(path, 'wx', 0o600))
  await backup(database, path, { rate: pagesAtOnce })
  settle(path)
}

/** Of a file that another connection writes: all of it at once, which in write-ahead mode keeps nobody from writing. */
export const copyOther = async (from: string, path: string): Promise<void> => {
  closeSync(openSync(path, 'wx', 0o600))
  const database = new DatabaseSync(from, { readOnly: true, timeout: 10_000 })
  try {
    await backup(database, path, { rate: 2 ** 30 })
  } finally {
    database.close()
  }
  settle(path)
}

/** One file, without others beside it. */
const settle = (path: string): void => {
  chmodSync(path, 0o600)
  const copy = new DatabaseSync(path)
  try {
    copy.exec('PRAGMA journal_mode = DELETE')
  } finally {
    copy.close()
  }
}

/** What is wrong with a file as a database of ours; undefined: nothing. */
export const faultOf = (path: string): string | undefined => {
  const database = new DatabaseSync(path, { readOnly: true })
  try {
    const ask = (pragma: string): unknown[] =>
      database
        .prepare(`PRAGMA ${pragma}`)
        .all()
        .map(row => Object.values(row)[0])
    const [said] = ask('integrity_check(1)')
    if (said !== 'ok') return String(said)
    // A file that is empty, or too short to be one, is a database without anything.
    return ask('application_id')[0] === 0 ? 'it is no database of Dayfly' : undefined
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  } finally {
    database.close()
  }
}
