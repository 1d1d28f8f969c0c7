/**
 * Brings data in. The database is copied, the copy is filled, synchronised and takes the name: whatever happens on the way, the one that was there stays.
 * One import at a time: the lock is the kernel's, and goes with the process.
 */
import { constants, existsSync } from 'node:fs'
import { chmod, copyFile, open, readdir, rename, rm, stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { z } from 'zod'
import { abortError, throwIfAborted } from '../../base/abort.ts'
import { DayflyError, exhaustionOf, messageOf } from '../../base/errors.ts'
import { makeFolderPath } from '../../base/folder.ts'
import type { Part } from './bundle.ts'
import { folderParts, mostBytes, readText, zipParts } from './bundle.ts'
import type { Format } from './database.ts'
import { databaseError, databaseName, openToFill } from './database.ts'
import { debianAdvisory } from './debian.ts'
import { formatOf } from './detect.ts'
import type { DownloadLimits } from './download.ts'
import { defaultLimits, download } from './download.ts'
import { parseJson } from './json.ts'
import { membersOf } from './json-members.ts'
import { advisoryOf } from './osv.ts'
import { firstBytes, isZip, plainChunks, plainLines, plainText } from './plain.ts'
import { vexStatements } from './vex.ts'
import type { Writer } from './writer.ts'
import { sweep, writeSource } from './writer.ts'

export interface ImportSource {
  /** A folder, a file, or an https:// URL (http:// from this host). What was imported from the same location before is replaced. */
  readonly location: string
  /** By what is in it when it is missing. */
  readonly format?: Format
}

export interface ImportOptions {
  /** Wall ms. */
  readonly now: number
  readonly signal: AbortSignal
  readonly limits?: Partial<DownloadLimits>
  /** Told now and then how many records there are. */
  readonly onProgress?: (location: string, records: number) => void
}

export interface ImportResult {
  readonly location: string
  /** It is what it was at the last import: nothing was done. */
  readonly unchanged: boolean
}

const isUrl = (location: string): boolean => /^[a-z][a-z0-9+.-]*:\/\//i.test(location)

/** SQLite is synchronous: now and then everything else gets its turn. */
const turn = (): Promise<void> => new Promise(resume => setImmediate(resume))
const recordsPerTurn = 100

/** `CVE-2024-1234`, and nothing longer than a name can be. */
const isCve = (text: string): boolean => text.length <= 32 && /^CVE-\d{4}-\d+$/.test(text)

type Pace = () => Promise<void> | undefined

const importParts = async (parts: AsyncIterable<Part>, writer: Writer, pace: Pace): Promise<void> => {
  for await (const { name, text, fault } of parts) {
    try {
      if (text === undefined) writer.fault(name, fault ?? 'it cannot be read')
      else writer.advisory(advisoryOf(parseJson(text)))
    } catch (error) {
      // What SQLite throws is no fault of the record.
      if (error instanceof Error && 'errcode' in error) throw error
      writer.fault(name, messageOf(error))
    }
    await pace()
  }
}

async function* onePart(path: string): AsyncGenerator<Part> {
  yield { name: path, text: await readText(path, mostBytes) }
}

const Kev = z.object({ vulnerabilities: z.array(z.object({ cveID: z.string() })).max(1_000_000), dateReleased: z.string().optional() })

/** Reads `path`; gives what else is known of how new it is (wall ms). */
const read: Readonly<Record<Format, (path: string, writer: Writer, pace: Pace, signal: AbortSignal, newest: number) => Promise<void>>> = {
  osv: async (path, writer, pace, signal) => {
    const folder = (await stat(path)).isDirectory()
    if (folder) await importParts(folderParts(path, signal), writer, pace)
    else await importParts(isZip(await firstBytes(path, 4)) ? zipParts(path, signal) : onePart(path), writer, pace)
  },
  debian: async (path, writer, pace, signal, newest) => {
    for await (const { keys, text } of membersOf(plainChunks(path, signal), 2, mostBytes)) {
      const [source = '', issue = ''] = keys
      try {
        writer.advisory(debianAdvisory(source, issue, parseJson(text), newest))
      } catch (error) {
        if (error instanceof Error && 'errcode' in error) throw error
        writer.fault(`${source} ${issue}`, messageOf(error))
      }
      await pace()
    }
  },
  epss: async (path, writer, pace, signal) => {
    for await (const line of plainLines(path, 4_096, signal)) {
      if (line === '' || line.startsWith('#') || line.startsWith('cve,')) continue
      const [cve = '', score = ''] = line.split(',')
      const value = /^[\d.eE-]{1,32}$/.test(score) ? Number(score) : Number.NaN
      if (isCve(cve) && value >= 0 && value <= 1) writer.epss(cve, value)
      else writer.fault(line.slice(0, 60), 'no CVE with a score')
      await pace()
    }
  },
  kev: async (path, writer, pace, signal) => {
    const parsed = Kev.safeParse(parseJson(await plainText(path, mostBytes, signal)))
    if (!parsed.success) throw new DayflyError('corrupt', `${path} is no KEV catalogue: ${parsed.error.issues[0]?.message}`)
    for (const { cveID } of parsed.data.vulnerabilities) {
      if (isCve(cveID)) writer.kev(cveID)
      else writer.fault(cveID.slice(0, 60), 'no CVE')
      await pace()
    }
  },
  openvex: async (path, writer, _pace, signal) => {
    const text = await plainText(path, mostBytes, signal)
    try {
      vexStatements(parseJson(text))
    } catch (error) {
      throw new DayflyError('corrupt', `${path} cannot be used: ${messageOf(error)}`, {
        field: 'source',
        remedy: 'Import a document by the OpenVEX specification.',
        cause: error,
      })
    }
    writer.vex(text)
  },
}

/** SQLite's code for what somebody else has locked. */
const busy = 5

const acquireLock = (folder: string): DatabaseSync => {
  const path = join(folder, 'import.lock')
  let lock: DatabaseSync | undefined
  try {
    makeFolderPath(folder, 0o700)
    lock = new DatabaseSync(path, { timeout: 0 })
    lock.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE')
    return lock
  } catch (error) {
    lock?.close()
    if (error instanceof Error && 'errcode' in error && error.errcode === busy) {
      throw new DayflyError('conflict', `vulnerability data is being imported into ${folder} already`, {
        remedy: 'Wait until that import is done.',
        cause: error,
      })
    }
    throw new DayflyError('host', `cannot import vulnerability data into ${folder}: ${messageOf(error)}`, {
      remedy: 'Name a folder that can be written.',
      cause: error,
    })
  }
}

const synchronised = async (path: string): Promise<void> => {
  await using file = await open(path, 'r')
  await file.sync()
}

const isTemporary = (name: string): boolean => name.startsWith(`${databaseName}.new`) || name.startsWith('download.')

/** What an import that died has left. Only the holder of the lock may. */
const clean = async (folder: string): Promise<void> => {
  for (const name of await readdir(folder)) if (isTemporary(name)) await rm(join(folder, name), { force: true })
}

const etagOf = (database: DatabaseSync, location: string): string | undefined => {
  const etag = database.prepare('SELECT etag FROM source WHERE location = ?').get(location)?.['etag']
  return typeof etag === 'string' ? etag : undefined
}

const importOne = async (
  database: DatabaseSync,
  folder: string,
  { location, format }: ImportSource,
  options: ImportOptions,
): Promise<ImportResult> => {
  const { now, signal } = options
  const url = isUrl(location)
  const place = url ? location : resolve(location)
  const path = url ? join(folder, 'download.new') : place
  const fetched = url ? await download(location, path, etagOf(database, place), signal, { ...defaultLimits, ...options.limits }) : undefined
  if (fetched === 'unchanged') {
    database.prepare('UPDATE source SET imported_at = ? WHERE location = ?').run(now, place)
    return { location: place, unchanged: true }
  }
  const kind = format ?? (await formatOf(path, signal))
  const { mtimeMs } = await stat(path)
  // A list that says no time of its own is as old as its file.
  const newest = Math.min(now, Math.trunc(url ? (fetched?.lastModified ?? now) : mtimeMs))
  const writer = writeSource(database, place, kind, now)
  let records = 0
  await read[kind](
    path,
    writer,
    () => {
      records++
      if (records % recordsPerTurn !== 0) return undefined
      throwIfAborted(signal)
      if (records % 5_000 === 0) options.onProgress?.(place, records)
      return turn()
    },
    signal,
    newest,
  )
  writer.finish(fetched?.etag, kind === 'osv' ? fetched?.lastModified : newest)
  if (url) await rm(path, { force: true })
  return { location: place, unchanged: false }
}

/**
 * Imports all `sources`, or none of them, into the database in `folder`, which is made when it is missing. Records that are bad are counted and named in
 * the status. Throws `invalid`, `not_found`, `corrupt`, `upstream`, `conflict` (another import is running), `aborted`, `host`.
 */
export const importVulnerabilities = async (
  folder: string,
  sources: readonly ImportSource[],
  options: ImportOptions,
): Promise<readonly ImportResult[]> => {
  using _lock = acquireLock(folder)
  const [path, next] = [join(folder, databaseName), join(folder, `${databaseName}.new`)]
  try {
    await clean(folder)
    if (existsSync(path)) await copyFile(path, next, constants.COPYFILE_FICLONE)
    const results = await fill(next, folder, sources, options)
    await chmod(next, 0o600)
    await synchronised(next)
    if (options.signal.aborted) throw abortError(options.signal)
    await rename(next, path)
    await synchronised(folder)
    return results
  } catch (error) {
    throw error instanceof DayflyError ? error : (exhaustionOf(error) ?? databaseError(error, next))
  } finally {
    await clean(folder)
  }
}

const fill = async (path: string, folder: string, sources: readonly ImportSource[], options: ImportOptions): Promise<readonly ImportResult[]> => {
  const opened = await openOrReplace(path)
  using database = opened
  database.exec('BEGIN')
  const results: ImportResult[] = []
  for (const source of sources) results.push(await importOne(database, folder, source, options))
  sweep(database)
  database.exec('COMMIT')
  database.exec('PRAGMA optimize')
  return results
}

/** A copy that is damaged, or of another version, is replaced by an empty one: nobody needs what is in it. */
const openOrReplace = async (path: string): Promise<DatabaseSync> => {
  try {
    return openToFill(path)
  } catch (error) {
    if (!(error instanceof DayflyError) || !existsSync(path)) throw error
    await rm(path, { force: true })
    return openToFill(path)
  }
}
