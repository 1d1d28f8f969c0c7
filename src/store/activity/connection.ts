/** Statements on the activity store's file, prepared once, whose failures are the host's (`host`) or ours (`internal`). */
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { storeError } from '../errors.ts'
import type { Row } from './rows.ts'

type Values = readonly (string | number | null | Uint8Array)[]

export interface Connection extends Disposable {
  all(sql: string, ...values: Values): Row[]
  one(sql: string, ...values: Values): Row | undefined
  /** How many rows it changed. */
  run(sql: string, ...values: Values): number
  exec(sql: string): void
  /** All of it or nothing: `IMMEDIATE` to write, not within another one; `DEFERRED` to read what there is at one moment. */
  transaction<T>(kind: 'IMMEDIATE' | 'DEFERRED', work: () => T): T
}

export const connect = (open: () => DatabaseSync, path: string): Connection => {
  const mapped = <T>(work: () => T): T => {
    try {
      return work()
    } catch (error) {
      throw storeError(error, path)
    }
  }
  const database = mapped(open)
  const statements = new Map<string, StatementSync>()
  const prepared = (sql: string): StatementSync => {
    const known = statements.get(sql)
    if (known) return known
    const made = database.prepare(sql)
    statements.set(sql, made)
    return made
  }
  return {
    all: (sql, ...values) => mapped(() => prepared(sql).all(...values)),
    one: (sql, ...values) => mapped(() => prepared(sql).get(...values)),
    run: (sql, ...values) => mapped(() => Number(prepared(sql).run(...values).changes)),
    exec: sql => mapped(() => database.exec(sql)),
    transaction: (kind, work) => {
      // Within a snapshot, which is a transaction already.
      if (kind === 'DEFERRED' && database.isTransaction) return work()
      mapped(() => database.exec(`BEGIN ${kind}`))
      try {
        const result = work()
        mapped(() => database.exec('COMMIT'))
        return result
      } catch (error) {
        // A full disk has undone it already.
        if (database.isTransaction) mapped(() => database.exec('ROLLBACK'))
        throw error
      }
    },
    [Symbol.dispose]: () => {
      statements.clear()
      if (database.isOpen) database.close()
    },
  }
}
