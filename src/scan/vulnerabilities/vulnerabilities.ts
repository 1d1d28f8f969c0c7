/**
 * The vulnerability data of a folder: what is in it, and what it says about packages. It is brought in by `importVulnerabilities`, by whatever process; who
 * has it open sees the new data at the next call.
 */
import { statSync } from 'node:fs'
import { join } from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import { errnoOf } from '../../base/errors.ts'
import type { Distribution, Package } from '../../model/package.ts'
import type { Format } from './database.ts'
import { databaseError, databaseName, formats, openToRead } from './database.ts'
import type { Lookup } from './lookup.ts'
import { lookupIn } from './lookup.ts'
import type { Matched } from './match.ts'
import { matchPackages } from './match.ts'
import type { RecordFacts } from './rows.ts'
import { recordOf } from './rows.ts'
import type { VexIndex, VexStatement } from './vex.ts'
import { vexIndex, vexStatements } from './vex.ts'

export interface SourceStatus {
  /** Folder, file or URL. */
  readonly location: string
  readonly format: Format
  readonly records: number
  /** Of them, those that were withdrawn: they match nothing. */
  readonly withdrawn: number
  /** Left out, for another source has a newer one of the same name. */
  readonly superseded: number
  /** Could not be understood. */
  readonly bad: number
  /** Why, the first 50. */
  readonly faults: readonly string[]
  /** Wall ms of the newest it says; undefined where it says nothing of it. */
  readonly newest: number | undefined
  /** Wall ms. */
  readonly importedAt: number
}

export interface VulnerabilityStatus {
  readonly path: string
  /** Advisories of all sources. */
  readonly records: number
  /** What there is data about: `Debian:12`, `npm`, …; each with the wall ms of its newest. */
  readonly ecosystems: readonly { readonly name: string; readonly newest: number }[]
  readonly sources: readonly SourceStatus[]
  /** Wall ms of the newest of all advisories; undefined where there are none. */
  readonly newest: number | undefined
  /** ms since then. */
  readonly age: number | undefined
}

export interface MatchOptions {
  /** How the image or folder may be called in VEX documents: `pkg:oci/app@sha256:…`, `sha256:…`. */
  readonly products?: readonly string[]
  /** Statements beside those that were imported. */
  readonly vex?: readonly VexStatement[]
}

export interface Vulnerabilities extends Disposable {
  /** Changes with the data; undefined where there is none. A verdict that was made with another one is out of date. */
  readonly version: string | undefined
  /** `now` is wall ms. Throws `corrupt` when the file is damaged. Without data all packages are named as problems. */
  match(packages: readonly Package[], distribution: Distribution | undefined, now: number, options?: MatchOptions): Matched
  status(now: number): VulnerabilityStatus
  /** What is said of a vulnerability by any of these names: the likeliest exploitation (EPSS, 0–1), and what an advisory calls it. Throws `corrupt`. */
  about(names: readonly string[]): About
}

export interface About {
  readonly epss: number | undefined
  readonly title: string | undefined
}

interface Opened {
  readonly version: string
  readonly database: DatabaseSync
  readonly lookup: () => Lookup
  readonly statements: readonly VexStatement[]
  readonly vex: VexIndex
}

const noLookup: Lookup = { ecosystems: [], candidates: () => [], record: () => undefined, epss: () => undefined, isExploited: () => false }
const noVex: VexIndex = () => undefined

const numberOf = (value: unknown): number => (typeof value === 'number' ? value : 0)
const isFormat = (value: unknown): value is Format => formats.some(format => format === value)

/** The file is another one after every import, for it is renamed over: its inode and time tell. */
const versionOf = (path: string): string | undefined => {
  try {
    const { ino, mtimeNs, size } = statSync(path, { bigint: true })
    return `${ino}-${mtimeNs}-${size}`
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined
    throw error
  }
}

const statementsIn = (database: DatabaseSync): VexStatement[] =>
  database
    .prepare('SELECT document FROM vex ORDER BY source, rowid')
    .all()
    .flatMap(({ document }) => vexStatements(JSON.parse(String(document))))

const faultsIn = (value: unknown): string[] => {
  const json: unknown = typeof value === 'string' ? JSON.parse(value) : []
  return Array.isArray(json) ? json.map(String) : []
}

const sourcesIn = (database: DatabaseSync): SourceStatus[] =>
  database
    .prepare('SELECT * FROM source ORDER BY location')
    .all()
    .map(row => ({
      location: String(row['location']),
      format: isFormat(row['format']) ? row['format'] : 'osv',
      records: numberOf(row['records']),
      withdrawn: numberOf(row['withdrawn']),
      superseded: numberOf(row['superseded']),
      bad: numberOf(row['bad']),
      faults: faultsIn(row['faults']),
      newest: typeof row['newest'] === 'number' ? row['newest'] : undefined,
      importedAt: numberOf(row['imported_at']),
    }))

const recordNamed = (database: DatabaseSync, name: string): RecordFacts | undefined => {
  const row = database.prepare('SELECT name, modified, body FROM record WHERE name = ?').get(name)
  return row && recordOf(String(row['name']), numberOf(row['modified']), String(row['body']))
}

/** Opens the data in `folder`, which need not have any yet. Nothing is written. */
export const openVulnerabilities = (folder: string): Vulnerabilities => {
  const path = join(folder, databaseName)
  let opened: Opened | undefined

  const close = (): void => {
    opened?.database.close()
    opened = undefined
  }

  const current = (): Opened | undefined => {
    const version = versionOf(path)
    if (opened && opened.version === version) return opened
    close()
    if (version === undefined) return undefined
    const database = openToRead(path)
    try {
      const statements = statementsIn(database)
      opened = { version, database, lookup: lookupIn(database), statements, vex: vexIndex(statements) }
    } catch (error) {
      database.close()
      throw databaseError(error, path)
    }
    return opened
  }

  const reading = <T>(work: (data: Opened | undefined) => T): T => {
    const data = current()
    try {
      return work(data)
    } catch (error) {
      throw databaseError(error, path)
    }
  }

  return {
    get version() {
      return versionOf(path)
    },
    match: (packages, distribution, now, { products = [], vex = [] } = {}) =>
      reading(data =>
        matchPackages(packages, distribution, {
          lookup: data?.lookup() ?? noLookup,
          vex: vex.length > 0 ? vexIndex([...(data?.statements ?? []), ...vex]) : (data?.vex ?? noVex),
          products,
          now,
        }),
      ),
    about: names =>
      reading(data => {
        if (data === undefined) return { epss: undefined, title: undefined }
        const lookup = data.lookup()
        const scores = names.flatMap(name => lookup.epss(name) ?? [])
        const titles = names.flatMap(name => recordNamed(data.database, name)?.summary || [])
        return { epss: scores.length > 0 ? Math.max(...scores) : undefined, title: titles[0] }
      }),
    status: now =>
      reading(data => {
        const sources = data ? sourcesIn(data.database) : []
        const ecosystems = (data?.lookup().ecosystems ?? [])
          .map(({ name, newest }) => ({ name, newest }))
          .toSorted((left, right) => (left.name < right.name ? -1 : 1))
        const newest = ecosystems.length > 0 ? Math.max(...ecosystems.map(ecosystem => ecosystem.newest)) : undefined
        const records = data ? numberOf(data.database.prepare('SELECT count(*) AS count FROM record WHERE withdrawn = 0').get()?.['count']) : 0
        return { path, records, ecosystems, sources, newest, age: newest === undefined ? undefined : Math.max(0, now - newest) }
      }),
    [Symbol.dispose]: close,
  }
}
