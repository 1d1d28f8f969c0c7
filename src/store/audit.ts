/** The audit log in a table. What was pruned is remembered by the hash that the first entry continues. */
import { createHash } from 'node:crypto'
import { z } from 'zod'
import type { AuditBook, AuditPosition, NewAuditEntry } from '../model/audit.ts'
import { AuditEntry } from '../model/audit.ts'
import { canonicalJson } from '../model/record.ts'
import type { Row } from './rows.ts'

type Values = Record<string, string | number | null>

interface Tables {
  transaction<T>(work: () => T): T
  all(text: string, values?: Values): Row[]
  run(text: string, values: Values): unknown
  fact(name: string): string | undefined
  setFact(name: string, value: string): void
}

const Position = z.object({ sequence: z.int(), hash: z.string() })
/** Position of the last entry that was pruned. */
const prunedFact = 'audit.pruned'
const genesis = createHash('sha256').update('dayfly audit').digest('hex')
/** Entries that are read at once. */
const page = 1000

const hashOf = (before: string, entry: Omit<AuditEntry, 'hash'>): string =>
  createHash('sha256').update(before).update(canonicalJson(entry)).digest('hex')

const Data = AuditEntry.omit({ sequence: true, time: true, name: true, route: true, status: true, hash: true })

const entryOf = (row: Row): AuditEntry =>
  AuditEntry.parse({
    ...Data.parse(JSON.parse(String(row['data']))),
    ...{ sequence: row['sequence'], time: row['time'], name: row['name'], route: row['route'], status: row['status'], hash: row['hash'] },
  })

export const createAuditBook = ({ transaction, all, run, fact, setFact }: Tables): AuditBook => {
  const start = (): AuditPosition => Position.parse(JSON.parse(fact(prunedFact) ?? JSON.stringify({ sequence: 0, hash: genesis })))
  const counter = (): number => Number(all("SELECT seq FROM sqlite_sequence WHERE name = 'audit'")[0]?.['seq'] ?? 0)

  const appendOne = (entry: NewAuditEntry): void => {
    const [last] = all('SELECT sequence, hash FROM audit ORDER BY sequence DESC LIMIT 1')
    const sequence = counter() + 1
    const numbered = { ...entry, sequence }
    const { time, name, route, status, ...data } = entry
    run('INSERT INTO audit (sequence, time, name, route, status, data, hash) VALUES (:sequence, :time, :name, :route, :status, :data, :hash)', {
      ...{ sequence, time, name, route, status, data: JSON.stringify(data) },
      hash: hashOf(last === undefined ? start().hash : String(last['hash']), numbered),
    })
  }

  return {
    append: entries => transaction(() => entries.forEach(appendOne)),
    entries: ({ name = null, route = null, failed, since = 0, until = Number.MAX_SAFE_INTEGER, before = Number.MAX_SAFE_INTEGER, limit }) =>
      all(
        `SELECT * FROM audit WHERE (:name IS NULL OR name = :name) AND (:route IS NULL OR route = :route) AND (:failed IS NULL OR (status >= 400) = :failed)
           AND time >= :since AND time <= :until AND sequence < :before ORDER BY sequence DESC LIMIT :limit`,
        { name, route, failed: failed === undefined ? null : Number(failed), since, until, before, limit },
      ).map(entryOf),
    verify: (from = start()) => {
      const rows = all(`SELECT * FROM audit WHERE sequence > :after ORDER BY sequence LIMIT ${page}`, { after: from.sequence })
      let { sequence, hash } = from
      for (const row of rows) {
        sequence++
        try {
          const { hash: told, ...entry } = entryOf(row)
          hash = hashOf(hash, entry)
          if (told !== hash || entry.sequence !== sequence) return { kind: 'broken', sequence }
        } catch {
          return { kind: 'broken', sequence }
        }
      }
      if (rows.length === page) return { kind: 'going on', next: { sequence, hash } }
      // What is missing from the end is told by the counter, which does not go back.
      return counter() === sequence ? { kind: 'whole' } : { kind: 'broken', sequence: sequence + 1 }
    },
    prune: (before, most) =>
      transaction(() => {
        const [last] = all(
          `SELECT sequence, hash FROM audit WHERE time < :before OR sequence <= (SELECT max(sequence) FROM audit) - :most ORDER BY sequence DESC LIMIT 1`,
          { before, most },
        )
        if (last === undefined) return
        setFact(prunedFact, JSON.stringify({ sequence: Number(last['sequence']), hash: String(last['hash']) }))
        run('DELETE FROM audit WHERE sequence <= :sequence', { sequence: Number(last['sequence']) })
      }),
  }
}
