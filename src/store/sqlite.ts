/**
 * The store in one SQLite file, written ahead (WAL) and synchronised at checkpoints: a crash of the daemon loses nothing, a power cut at most the
 * last moments, in which case no instance is left either.
 *
 * One process owns the file. SQLite's exclusive locking holds a POSIX lock on it, which the kernel drops when the process dies, however it dies.
 * (Never open and close the file by other means in this process: that would drop the lock.)
 */
import { closeSync, existsSync, openSync } from 'node:fs'
import type { StatementSync } from 'node:sqlite'
import { DatabaseSync } from 'node:sqlite'
import type { Clock } from '../base/clock.ts'
import { DayflyError } from '../base/errors.ts'
import type { EnvironmentFilter, EventFilter, Store } from '../engine/store.ts'
import { presentPerPlace } from '../engine/store.ts'
import type { Environment } from '../model/environment.ts'
import type { Actor, Event, NewEvent } from '../model/event.ts'
import type { Instance } from '../model/instance.ts'
import { instanceUsedType } from '../model/usage.ts'
import type { Head } from './chain.ts'
import { entryHash, firstBroken, genesisHash, sealedType } from './chain.ts'
import { isUniqueViolation, storeError } from './errors.ts'
import { createInventory } from './inventory.ts'
import type { Row } from './rows.ts'
import { createEnvironmentRows, eventOf, eventRow, instanceOf, instanceRow } from './rows.ts'
import { migrate } from './schema.ts'
import { createSignatures } from './signatures.ts'
import { createUsageBook, noteUsage } from './usage.ts'

export interface SqliteOptions {
  /** The file, made with mode 0600 when it is missing; or `:memory:`. */
  readonly path: string
  /** Time stamps the record. */
  readonly clock: Clock
  /** How long to wait for another process to let go of the file (ms); a daemon that is just ending. Default 1000. */
  readonly patience?: number
  /** Gets the connection, to configure it further: tests make a small disk of it. */
  readonly onOpen?: (database: DatabaseSync) => void
}

const upsert = (table: string, columns: readonly string[], changing: readonly string[]): string =>
  `INSERT INTO ${table} (${columns.join(', ')}) VALUES (${columns.map(column => `:${column}`).join(', ')})
   ON CONFLICT (id) DO UPDATE SET ${changing.map(column => `${column} = excluded.${column}`).join(', ')}`

const environmentChanging = ['state', 'reason', 'cause', 'ended_at', 'expires_at', 'ttl_deadline', 'last_activity']
const environmentColumns = ['id', 'name', 'owner', 'spec', 'created_at', 'boot_id', 'created_boot', ...environmentChanging]
const instanceChanging = ['state', 'reason', 'started_at', 'pid', 'start', 'exit', 'wish', 'address']
const instanceColumns = [
  ...['id', 'environment', 'workload', 'replica', 'revision', 'created_at', 'origin', 'earlier', 'streak'],
  ...instanceChanging,
]
export const presentSql = 'SELECT * FROM instance WHERE environment = :of AND past = 0 ORDER BY rowid'
/** Another one of a place is gone: which of that place are history from now on. */
const agePlaceSql = `UPDATE instance SET past = 1
  WHERE past = 0 AND environment = :environment AND workload = :workload AND replica = :replica AND state = 'removed' AND (wish IS 'retired' OR id NOT IN (
    SELECT id FROM instance
    WHERE past = 0 AND environment = :environment AND workload = :workload AND replica = :replica AND state = 'removed' AND wish IS NOT 'retired'
    ORDER BY rowid DESC LIMIT ${presentPerPlace}))`
export const heldSql = `SELECT count(DISTINCT environment.id) AS environments, count(instance.environment) AS instances,
    coalesce(sum(instance.origin ->> '$.cpus'), 0) AS cpus, coalesce(sum(instance.origin ->> '$.memory'), 0) AS memory
  FROM environment LEFT JOIN instance ON instance.environment = environment.id AND instance.state IN ('pending', 'created', 'running')
  WHERE environment.owner = :owner AND environment.state <> 'ended'`
const eventColumns = ['environment', 'sequence', 'instance', 'time', 'type', 'actor_kind', 'actor_name', 'reason', 'data', 'hash']

/** Ids are ASCII: everything that starts with the prefix is at least it and less than it with a byte beyond ASCII's. */
const idsSql = (table: string): string => `SELECT id FROM ${table} WHERE id >= :prefix AND id < :prefix || x'7f' ORDER BY id LIMIT :limit`

const openDatabase = (path: string, patience: number): DatabaseSync => {
  if (path !== ':memory:' && !existsSync(path)) closeSync(openSync(path, 'ax', 0o600))
  const database = new DatabaseSync(path, { timeout: patience, enableForeignKeyConstraints: true })
  try {
    database.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; BEGIN EXCLUSIVE; COMMIT')
    migrate(database, path)
    return database
  } catch (error) {
    database.close()
    throw error
  }
}

/** Opens the store, bringing its tables up to date. Throws `host` when another process has it open, or a newer Dayfly wrote it. */
export const openStore = ({ path, clock, patience = 1000, onOpen }: SqliteOptions): Store => {
  const mapped = <T>(work: () => T): T => {
    try {
      return work()
    } catch (error) {
      throw storeError(error, path)
    }
  }
  const database = mapped(() => openDatabase(path, patience))
  onOpen?.(database)
  let depth = 0

  /** SQLite undoes a whole transaction when a write fails (a full disk): nothing after it in that transaction may then be kept alone. */
  const guarded = <T>(work: () => T): T => {
    if (depth > 0 && !database.isTransaction) {
      throw new DayflyError('host', `the store ${path} undid the transaction after a failed write`, { remedy: 'See the failure before this one.' })
    }
    return mapped(work)
  }

  const { rowOf, environmentOf } = createEnvironmentRows()
  const statements = new Map<string, StatementSync>()
  const sql = (text: string): StatementSync => {
    const known = statements.get(text)
    if (known) return known
    const made = database.prepare(text)
    statements.set(text, made)
    return made
  }
  const all = (text: string, values: Record<string, string | number | null> = {}): Row[] => guarded(() => sql(text).all(values))
  const one = (text: string, values: Record<string, string | number | null> = {}): Row | undefined => guarded(() => sql(text).get(values))
  const ids = (text: string, values: Record<string, string | number>): string[] => all(text, values).map(row => String(row['id']))

  const run = (text: string, values: Record<string, string | number | null>): number => guarded(() => Number(sql(text).run(values).lastInsertRowid))

  const transaction = <T>(work: () => T): T => {
    const [begin, commit, undo] =
      depth === 0
        ? ['BEGIN IMMEDIATE', 'COMMIT', 'ROLLBACK']
        : [`SAVEPOINT nested${depth}`, `RELEASE nested${depth}`, `ROLLBACK TO nested${depth}; RELEASE nested${depth}`]
    guarded(() => sql(begin).run())
    depth++
    try {
      const result = work()
      guarded(() => sql(commit).run())
      return result
    } catch (error) {
      if (database.isTransaction) mapped(() => database.exec(undo))
      throw error
    } finally {
      depth--
    }
  }

  const head = (environment: string): Head | undefined => {
    const row = one('SELECT count, hash, sealed FROM record WHERE environment = :environment', { environment })
    return row && { count: Number(row['count']), hash: String(row['hash']), sealed: row['sealed'] === 1 }
  }

  const append = (event: NewEvent, seal: boolean): Event => {
    const before = head(event.environment) ?? { count: 0, hash: genesisHash(event.environment), sealed: false }
    if (before.sealed) throw new DayflyError('wrong_state', `the record of ${event.environment} is sealed`)
    const data = seal ? { count: before.count, hash: before.hash } : event.data
    const entry = { ...event, data, sequence: before.count + 1, time: clock.wall() }
    const hash = entryHash(before.hash, entry)
    const written = guarded(() => {
      const insert = sql(`INSERT INTO event (${eventColumns.join(', ')}) VALUES (${eventColumns.map(column => `:${column}`).join(', ')})`)
      const { lastInsertRowid } = insert.run(eventRow({ ...entry, hash }))
      sql(
        `INSERT INTO record (environment, count, hash, sealed) VALUES (:environment, :count, :hash, :sealed)
         ON CONFLICT (environment) DO UPDATE SET count = excluded.count, hash = excluded.hash, sealed = excluded.sealed`,
      ).run({ environment: entry.environment, count: entry.sequence, hash, sealed: seal ? 1 : 0 })
      return lastInsertRowid
    })
    if (entry.type === instanceUsedType) noteUsage({ run }, entry)
    return { ...entry, hash, cursor: Number(written) }
  }

  const environment = (id: string): Environment | undefined => {
    const row = one('SELECT * FROM environment WHERE id = :id', { id })
    return row && environmentOf(row)
  }

  const eventsSql = (filter: EventFilter): [text: string, values: Record<string, string | number>] => {
    const conditions = [
      ...(filter.environment === undefined ? [] : ['environment = :environment']),
      ...(filter.after === undefined ? [] : ['cursor > :after']),
      ...(filter.since === undefined ? [] : ['time >= :since']),
      ...(filter.types === undefined ? [] : ['type IN (SELECT value FROM json_each(:types))']),
    ]
    const where = conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')}`
    const { types, ...rest } = filter
    const values = types === undefined ? rest : { ...rest, types: JSON.stringify(types) }
    return [`SELECT * FROM event ${where} ORDER BY cursor ${filter.limit === undefined ? '' : 'LIMIT :limit'}`, values]
  }

  /** An entry whose row is not even readable is undefined: it was changed. */
  const readable = (row: Row): Event | undefined => {
    try {
      return eventOf(row)
    } catch {
      return undefined
    }
  }

  return {
    transaction,
    inventory: createInventory({ transaction, all, run }),
    signatures: createSignatures({ transaction, all, run }),
    usage: createUsageBook({ all }),

    putEnvironment: value => {
      try {
        guarded(() => sql(upsert('environment', environmentColumns, environmentChanging)).run(rowOf(value)))
      } catch (error) {
        if (!isUniqueViolation(error instanceof Error ? error.cause : error)) throw error
        throw new DayflyError('conflict', `--name: there is an environment named ${value.spec.name} already`, {
          field: '--name',
          remedy: `Choose another name, or end it first: dayfly down ${value.spec.name}`,
          cause: error,
        })
      }
    },
    replaceSpec: (id, spec) => {
      guarded(() =>
        sql('UPDATE environment SET spec = :spec, owner = :owner WHERE id = :id').run({ id, owner: spec.owner, spec: JSON.stringify(spec) }),
      )
    },
    environment,
    environmentByName: name => {
      const row = one("SELECT * FROM environment WHERE name = :name AND state <> 'ended'", { name })
      return row && environmentOf(row)
    },
    environments: (filter: EnvironmentFilter = {}) => {
      const conditions = [
        ...(filter.ended === undefined ? [] : [filter.ended ? "state = 'ended'" : "state <> 'ended'"]),
        ...(filter.name === undefined ? [] : ['name = :name']),
      ]
      const where = conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')}`
      const labels = Object.entries(filter.labels ?? {})
      return all(`SELECT * FROM environment ${where} ORDER BY rowid DESC`, filter.name === undefined ? {} : { name: filter.name })
        .map(environmentOf)
        .filter(found => labels.every(([key, value]) => found.spec.labels[key] === value))
    },
    environmentIds: (prefix, limit) => ids(idsSql('environment'), { prefix, limit }),
    expired: (wall, limit) => ids('SELECT id FROM environment WHERE expires_at < :wall ORDER BY expires_at LIMIT :limit', { wall, limit }),

    putInstance: (value: Instance) => {
      const put = (): void => guarded(() => void sql(upsert('instance', instanceColumns, instanceChanging)).run(instanceRow(value)))
      if (value.state !== 'removed') return put()
      const { environment, workload, replica } = value
      transaction(() => {
        put()
        guarded(() => sql(agePlaceSql).run({ environment, workload, replica }))
      })
    },
    instance: id => {
      const row = one('SELECT * FROM instance WHERE id = :id', { id })
      return row && instanceOf(row)
    },
    instances: of =>
      (of === undefined
        ? all('SELECT * FROM instance ORDER BY rowid')
        : all('SELECT * FROM instance WHERE environment = :of ORDER BY rowid', { of })
      ).map(instanceOf),
    presentInstances: of => all(presentSql, { of }).map(instanceOf),
    instanceIds: (prefix, limit) => ids(idsSql('instance'), { prefix, limit }),
    held: owner => {
      const { environments, instances, cpus, memory } = one(heldSql, { owner }) ?? {}
      return { environments: Number(environments), instances: Number(instances), cpus: Number(cpus), memory: Number(memory) }
    },
    liveInstances: () => all("SELECT * FROM instance WHERE state IN ('pending', 'created', 'running') ORDER BY rowid").map(instanceOf),

    append: event => transaction(() => append(event, false)),
    seal: (of: string, actor: Actor) =>
      transaction(() => append({ environment: of, type: sealedType, actor, reason: 'the environment has ended', data: {} }, true)),
    events: filter => all(...eventsSql(filter)).map(eventOf),
    verify: of => {
      const found = environment(of)
      if (!found) throw new DayflyError('not_found', `there is no environment ${of}`, { field: 'environment' })
      const rows = all('SELECT * FROM event WHERE environment = :of ORDER BY cursor', { of })
      return firstBroken(of, rows.values().map(readable), head(of) ?? { count: 0, hash: genesisHash(of), sealed: false }, found.state === 'ended')
    },

    purge: of => {
      const found = environment(of)
      if (!found) return
      if (found.state !== 'ended') throw new DayflyError('wrong_state', `the environment ${of} has not ended`)
      guarded(() => sql('DELETE FROM environment WHERE id = :of').run({ of }))
    },

    fact: name => {
      const row = one('SELECT value FROM fact WHERE name = :name', { name })
      return row && String(row['value'])
    },
    setFact: (name, value) => {
      guarded(() => sql('INSERT INTO fact (name, value) VALUES (:name, :value) ON CONFLICT (name) DO UPDATE SET value = :value').run({ name, value }))
    },

    [Symbol.dispose]: () => {
      statements.clear()
      if (database.isOpen) database.close()
    },
  }
}
