/** What a database says about names, each asked for once. */
import type { DatabaseSync } from 'node:sqlite'
import type { AffectedFacts, RecordFacts } from './rows.ts'
import { affectedOf, recordOf } from './rows.ts'

export interface Candidate extends AffectedFacts {
  readonly record: number
  readonly ecosystem: string
}

/** An ecosystem that there is data about. */
export interface Covered {
  readonly id: number
  readonly name: string
  /** Wall ms of the newest that any source says about it. */
  readonly newest: number
}

export interface Lookup {
  readonly ecosystems: readonly Covered[]
  candidates(ecosystem: Covered, name: string): readonly Candidate[]
  record(id: number): RecordFacts | undefined
  /** 0–1; undefined where nobody has computed it. */
  epss(cve: string): number | undefined
  isExploited(cve: string): boolean
}

const numberOf = (value: unknown): number => (typeof value === 'number' ? value : 0)
const stringOf = (value: unknown): string => (typeof value === 'string' ? value : '')

/** Rows as arrays: half the cost of objects. */
const rowsOf = (rows: readonly unknown[]): readonly (readonly unknown[])[] => rows.filter(Array.isArray)

export const lookupIn = (database: DatabaseSync): (() => Lookup) => {
  const ecosystems = database
    .prepare('SELECT id, name, max(newest) AS newest FROM coverage JOIN ecosystem ON ecosystem.id = coverage.ecosystem GROUP BY id')
    .all()
    .map(({ id, name, newest }) => ({ id: numberOf(id), name: stringOf(name), newest: numberOf(newest) }))
  const affected = database.prepare('SELECT record, body FROM affected WHERE ecosystem = ? AND name = ?')
  affected.setReturnArrays(true)
  const record = database.prepare('SELECT name, modified, body FROM record WHERE id = ?')
  const epss = database.prepare('SELECT max(score) AS score FROM epss WHERE cve = ?')
  const hasEpss = database.prepare('SELECT 1 AS found FROM epss LIMIT 1').get() !== undefined
  // Some thousand names: kept, for a question to SQLite costs more than the answer.
  const exploited = new Set(
    database
      .prepare('SELECT DISTINCT cve FROM kev')
      .all()
      .map(({ cve }) => stringOf(cve)),
  )

  // One for each match: what is kept is bounded by what was asked for.
  return () => {
    const known = new Map<string, readonly Candidate[]>()
    const records = new Map<number, RecordFacts | undefined>()
    return {
      ecosystems,
      candidates: ({ id, name: ecosystem }, name) => {
        const key = `${id} ${name}`
        const before = known.get(key)
        if (before) return before
        const found: Candidate[] = []
        for (const [record, body] of rowsOf(affected.all(id, name))) {
          const { ranges, versions, ratings, severity } = affectedOf(stringOf(body))
          found.push({ record: numberOf(record), ecosystem, ranges, versions, ratings, severity })
        }
        known.set(key, found)
        return found
      },
      record: id => {
        if (records.has(id)) return records.get(id)
        const row = record.get(id)
        const facts = row && recordOf(stringOf(row['name']), numberOf(row['modified']), stringOf(row['body']))
        records.set(id, facts)
        return facts
      },
      epss: cve => {
        const score = hasEpss ? epss.get(cve)?.['score'] : undefined
        return typeof score === 'number' ? score : undefined
      },
      isExploited: cve => exploited.has(cve),
    }
  }
}
