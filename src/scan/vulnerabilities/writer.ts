/** Writes what sources say into a database that is being filled. */
import type { DatabaseSync } from 'node:sqlite'
import type { Advisory } from './advisory.ts'
import { oneLine } from './advisory.ts'
import type { Format } from './database.ts'
import { affectedBody, recordBody } from './rows.ts'

/** How many bad records are named; all are counted. */
const mostFaults = 50

export interface Writer {
  /** An advisory takes the place of one of the same name that is not newer, whatever source that one is from. */
  advisory(advisory: Advisory): void
  epss(cve: string, score: number): void
  kev(cve: string): void
  vex(document: string): void
  /** Something that could not be understood: `where` is a file or an entry. */
  fault(where: string, why: string): void
  /** Ends the source; `newest` is what else is known of its age (wall ms), such as an HTTP Last-Modified. */
  finish(etag: string | undefined, newest: number | undefined): void
}

const integerOf = (value: unknown): number => (typeof value === 'bigint' || typeof value === 'number' ? Number(value) : 0)

/** Forgets all that this source has said before. */
const forget = (database: DatabaseSync, location: string): void => {
  const id = database.prepare('SELECT id FROM source WHERE location = ?').get(location)?.['id']
  if (id === undefined) return
  for (const table of ['coverage', 'record', 'epss', 'kev', 'vex']) database.prepare(`DELETE FROM ${table} WHERE source = ?`).run(integerOf(id))
  database.prepare('DELETE FROM source WHERE id = ?').run(integerOf(id))
}

/** Begins a source anew. `now` is wall ms: no record is newer than that, whatever it says. */
export const writeSource = (database: DatabaseSync, location: string, format: Format, now: number): Writer => {
  forget(database, location)
  const source = integerOf(
    database.prepare('INSERT INTO source (location, format, imported_at) VALUES (?, ?, ?)').run(location, format, now).lastInsertRowid,
  )
  const existing = database.prepare('SELECT id, modified FROM record WHERE name = ?')
  const remove = database.prepare('DELETE FROM record WHERE id = ?')
  const insertRecord = database.prepare('INSERT INTO record (source, name, modified, withdrawn, body) VALUES (?, ?, ?, ?, ?)')
  const insertAffected = database.prepare('INSERT INTO affected (ecosystem, name, record, part, body) VALUES (?, ?, ?, ?, ?)')
  const insertEcosystem = database.prepare('INSERT INTO ecosystem (name) VALUES (?)')
  const insertEpss = database.prepare('INSERT OR REPLACE INTO epss (source, cve, score) VALUES (?, ?, ?)')
  const insertKev = database.prepare('INSERT OR IGNORE INTO kev (source, cve) VALUES (?, ?)')
  const insertVex = database.prepare('INSERT INTO vex (source, document) VALUES (?, ?)')
  const ecosystems = new Map(
    database
      .prepare('SELECT id, name FROM ecosystem')
      .all()
      .map(({ id, name }) => [String(name), integerOf(id)]),
  )
  const coverage = new Map<number, number>()
  const counts = { records: 0, withdrawn: 0, superseded: 0, bad: 0 }
  const faults: string[] = []
  let newest = Number.NEGATIVE_INFINITY

  const ecosystemId = (name: string): number => {
    const known = ecosystems.get(name)
    if (known !== undefined) return known
    const id = integerOf(insertEcosystem.run(name).lastInsertRowid)
    ecosystems.set(name, id)
    return id
  }

  return {
    advisory: advisory => {
      const before = existing.get(advisory.id)
      if (before && integerOf(before['modified']) > advisory.modified) {
        counts.superseded++
        return
      }
      // What it affected is left without a record, and swept out at the end: ids are never used again.
      if (before) remove.run(integerOf(before['id']))
      const id = insertRecord.run(source, advisory.id, advisory.modified, Number(advisory.withdrawn), recordBody(advisory)).lastInsertRowid
      counts.records++
      // Go's own files have no time of their last change.
      const age = Math.min(advisory.modified > 0 ? advisory.modified : (advisory.published ?? 0), now)
      newest = Math.max(newest, age)
      if (advisory.withdrawn) counts.withdrawn++
      for (const [part, affected] of advisory.affected.entries()) {
        const ecosystem = ecosystemId(affected.ecosystem)
        coverage.set(ecosystem, Math.max(coverage.get(ecosystem) ?? Number.NEGATIVE_INFINITY, age))
        if (!advisory.withdrawn) insertAffected.run(ecosystem, affected.name, id, part, affectedBody(affected))
      }
    },
    epss: (cve, score) => {
      insertEpss.run(source, cve, score)
      counts.records++
    },
    kev: cve => {
      insertKev.run(source, cve)
      counts.records++
    },
    vex: document => {
      insertVex.run(source, document)
      counts.records++
    },
    fault: (where, why) => {
      counts.bad++
      if (faults.length < mostFaults) faults.push(oneLine(`${where}: ${why}`, 300))
    },
    finish: (etag, known) => {
      const least = known === undefined ? Number.NEGATIVE_INFINITY : Math.min(known, now)
      const insertCoverage = database.prepare('INSERT INTO coverage (source, ecosystem, newest) VALUES (?, ?, ?)')
      for (const [ecosystem, age] of coverage) insertCoverage.run(source, ecosystem, Math.max(age, least))
      const age = Math.max(newest, least)
      database
        .prepare('UPDATE source SET etag = ?, records = ?, withdrawn = ?, superseded = ?, bad = ?, faults = ?, newest = ? WHERE id = ?')
        .run(
          etag ?? null,
          counts.records,
          counts.withdrawn,
          counts.superseded,
          counts.bad,
          JSON.stringify(faults),
          Number.isFinite(age) ? Math.trunc(age) : null,
          source,
        )
    },
  }
}

/** Throws out what belongs to records that are gone. */
export const sweep = (database: DatabaseSync): void => {
  database.exec('DELETE FROM affected WHERE record NOT IN (SELECT id FROM record)')
}
