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
import type { EnvironmentFilter, EventFilter, ListPart, RecordHead, Store } from '../engine/store.ts'
import { presentPerPlace } from '../engine/store.ts'
import type { AuditBook } from '../model/audit.ts'
import type { Environment } from '../model/environment.ts'
import type { Actor, Event, NewEvent } from '../model/event.ts'
import type { Instance } from '../model/instance.ts'
import type { Teams } from '../model/principal.ts'
import { defaultTeam, teamOf } from '../model/principal.ts'
import type { TokenBook } from '../model/token.ts'
import { instanceUsedType } from '../model/usage.ts'
import { createAuditBook } from './audit.ts'
import { entryHash, firstBroken, genesisHash, sealedType } from './chain.ts'
import { copyOwn } from './copy.ts'
import { isUniqueViolation, storeError } from './errors.ts'
import { createInventory } from './inventory.ts'
import { createReplies } from './replies.ts'
import type { Row } from './rows.ts'
import { createEnvironmentRows, eventOf, eventRow, instanceOf, instanceRow } from './rows.ts'
import { migrate } from './schema.ts'
import { createSignatures } from './signatures.ts'
import { createTokenBook } from './tokens.ts'
import { createUsageBook, noteUsage } from './usage.ts'
import { createVouching } from './vouching.ts'

export interface SqliteOptions {
  /** The file, made with mode 0600 when it is missing; or `:memory:`. */
  readonly path: string
  /** Time stamps the record. */
  readonly clock: Clock
  /** How long to wait for another process to let go of the file (ms); a daemon that is just ending. Default 1000. */
  readonly patience?: number
  /** Vouches for heads of records and keys that signed. `fresh`: it was just made, and what is there is taken over. Without it all is taken for what was written. */
  readonly headKey?: { readonly key: Uint8Array; readonly fresh: boolean }
  /** Gets the connection, to configure it further: tests make a small disk of it. */
  readonly onOpen?: (database: DatabaseSync) => void
}

const upsert = (table: string, columns: readonly string[], changing: readonly string[]): string =>
  `INSERT INTO ${table} (${columns.join(', ')}) VALUES (${columns.map(column => `:${column}`).join(', ')})
   ON CONFLICT (id) DO UPDATE SET ${changing.map(column => `${column} = excluded.${column}`).join(', ')}`

const environmentChanging = ['state', 'reason', 'cause', 'ended_at', 'expires_at', 'ttl_deadline', 'last_activity']
const environmentColumns = ['id', 'name', 'owner', 'team', 'spec', 'created_at', 'boot_id', 'created_boot', ...environmentChanging]
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
export const heldByTeamSql = heldSql.replace('environment.owner = :owner', 'environment.team = :owner')
/** Entries that are read at once. */
const page = 1000
const eventColumns = ['environment', 'sequence', 'instance', 'time', 'type', 'actor_kind', 'actor_name', 'reason', 'data', 'hash']

/** The labels that are asked for are all there, with their values. */
const hasLabels = `NOT EXISTS (
  SELECT 1 FROM json_each(:labels) AS wanted
  WHERE (SELECT own.value FROM json_each(environment.spec, '$.labels') AS own WHERE own.key = wanted.key) IS NOT wanted.value)`

const teamsOf = (teams: Teams | undefined): { readonly teams?: string } =>
  teams === undefined || teams === 'all' ? {} : { teams: JSON.stringify(teams) }

/** What comes after an entry in a list by age. When it is gone, what is as old as it is told again: better than left out. */
const beyond = (table: 'environment' | 'instance', newestFirst: boolean): string => {
  const [before, order, one] = newestFirst ? ['<', 'DESC', '+ 1'] : ['>', '', '- 1']
  const next = `SELECT rowid FROM ${table} WHERE created_at ${before}= :afterTime ORDER BY rowid ${order} LIMIT 1`
  return `rowid ${before} coalesce((SELECT rowid FROM ${table} WHERE id = :afterId), (${next}) ${one})`
}

const partOf = ({ after, limit }: ListPart): Record<string, string | number> => ({
  ...(after === undefined ? {} : { afterId: after.id, afterTime: after.createdAt }),
  ...(limit === undefined ? {} : { limit }),
})

const ofTeams = 'environment IN (SELECT id FROM environment WHERE team IN (SELECT value FROM json_each(:teams)))'

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

/** Also what only the daemon needs. */
export interface SqliteStore extends Store {
  readonly tokens: TokenBook
  readonly audit: AuditBook
  /** A copy as it is at one moment, while it is written, to a path where nothing is. */
  copyTo(path: string): Promise<void>
}

/** Opens the store, bringing its tables up to date. Throws `host` when another process has it open, or a newer Dayfly wrote it. */
export const openStore = ({ path, clock, patience = 1000, headKey, onOpen }: SqliteOptions): SqliteStore => {
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

  const vouching = createVouching(headKey?.key)
  const head = (environment: string): RecordHead | undefined => {
    const row = one('SELECT count, hash, sealed, mac FROM record WHERE environment = :environment', { environment })
    if (!row) return undefined
    const found = { count: Number(row['count']), hash: String(row['hash']), sealed: row['sealed'] === 1 }
    return { ...found, own: vouching.isOwnHead(environment, found, row['mac']) }
  }

  const fact = (name: string): string | undefined => {
    const row = one('SELECT value FROM fact WHERE name = :name', { name })
    return row && String(row['value'])
  }
  const setFact = (name: string, value: string): void => {
    guarded(() => sql('INSERT INTO fact (name, value) VALUES (:name, :value) ON CONFLICT (name) DO UPDATE SET value = :value').run({ name, value }))
  }

  const append = (event: NewEvent, seal: boolean): Event => {
    const before = head(event.environment) ?? { count: 0, hash: genesisHash(event.environment), sealed: false, own: true }
    if (before.sealed) throw new DayflyError('wrong_state', `the record of ${event.environment} is sealed`)
    const data = seal ? { count: before.count, hash: before.hash } : event.data
    const entry = { ...event, data, sequence: before.count + 1, time: clock.wall() }
    const hash = entryHash(before.hash, entry)
    const written = guarded(() => {
      const insert = sql(`INSERT INTO event (${eventColumns.join(', ')}) VALUES (${eventColumns.map(column => `:${column}`).join(', ')})`)
      const { lastInsertRowid } = insert.run(eventRow({ ...entry, hash }))
      sql(
        `INSERT INTO record (environment, count, hash, sealed, mac) VALUES (:environment, :count, :hash, :sealed, :mac)
         ON CONFLICT (environment) DO UPDATE SET count = excluded.count, hash = excluded.hash, sealed = excluded.sealed, mac = excluded.mac`,
      ).run({
        ...{ environment: entry.environment, count: entry.sequence, hash, sealed: seal ? 1 : 0 },
        // What somebody else has written stays that, whatever comes after it.
        mac: before.own ? vouching.headMac(entry.environment, { count: entry.sequence, hash, sealed: seal }) : null,
      })
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
      ...(filter.before === undefined ? [] : ['cursor < :before']),
      ...(filter.since === undefined ? [] : ['time >= :since']),
      ...(filter.types === undefined ? [] : ['type IN (SELECT value FROM json_each(:types))']),
      ...(filter.teams === undefined || filter.teams === 'all' ? [] : [ofTeams]),
    ]
    const where = conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')}`
    const { types, teams, newestFirst = false, ...rest } = filter
    const values = {
      ...rest,
      ...(types === undefined ? {} : { types: JSON.stringify(types) }),
      ...teamsOf(teams),
    }
    return [`SELECT * FROM event ${where} ORDER BY cursor ${newestFirst ? 'DESC' : ''} ${filter.limit === undefined ? '' : 'LIMIT :limit'}`, values]
  }

  /** An entry whose row is not even readable is undefined: it was changed. */
  const readable = (row: Row): Event | undefined => {
    try {
      return eventOf(row)
    } catch {
      return undefined
    }
  }

  if (headKey?.fresh === true) transaction(() => vouching.takeOver({ all, run }))

  return {
    transaction,
    inventory: createInventory({ transaction, all, run }),
    replies: createReplies({ transaction, one, run }, clock),
    signatures: createSignatures({ transaction, all, run }, vouching),
    usage: createUsageBook({ all }),
    tokens: createTokenBook({ all, run }),
    copyTo: path => copyOwn(database, path),
    audit: createAuditBook({ transaction, all, run, fact, setFact }),

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
    environmentByName: (name, team) => {
      const found = all("SELECT * FROM environment WHERE name = :name AND state <> 'ended'", { name }).map(environmentOf)
      if (team !== undefined) return found.find(({ spec }) => teamOf(spec) === team)
      return found.find(({ spec }) => teamOf(spec) === defaultTeam) ?? (found.length > 1 ? undefined : found[0])
    },
    environments: (filter: EnvironmentFilter = {}) => {
      const conditions = [
        ...(filter.ended === undefined ? [] : [filter.ended ? "state = 'ended'" : "state <> 'ended'"]),
        ...(filter.name === undefined ? [] : ['name = :name']),
        ...(filter.teams === undefined || filter.teams === 'all' ? [] : ['team IN (SELECT value FROM json_each(:teams))']),
        ...(filter.labels === undefined ? [] : [hasLabels]),
        ...(filter.after === undefined ? [] : [beyond('environment', true)]),
      ]
      const where = conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')}`
      const values = {
        ...(filter.name === undefined ? {} : { name: filter.name }),
        ...teamsOf(filter.teams),
        ...(filter.labels === undefined ? {} : { labels: JSON.stringify(filter.labels) }),
        ...partOf(filter),
      }
      // First which they are, of those that live by the index that has no others: a specification is long, and only those that are asked for are to be read.
      const from = filter.ended === false ? 'environment INDEXED BY environment_name' : 'environment'
      const which = `SELECT rowid FROM ${from} ${where} ORDER BY rowid DESC ${filter.limit === undefined ? '' : 'LIMIT :limit'}`
      return all(`SELECT * FROM environment WHERE rowid IN (${which}) ORDER BY rowid DESC`, values).map(environmentOf)
    },
    environmentIdsOf: teams =>
      ids(`SELECT id FROM environment ${teams === 'all' ? '' : 'WHERE team IN (SELECT value FROM json_each(:teams))'}`, teamsOf(teams)),
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
    instances: of => all('SELECT * FROM instance WHERE environment = :of ORDER BY rowid', { of }).map(instanceOf),
    instanceList: filter => {
      const { environment: of, teams, after, limit } = filter
      const conditions = [
        ...(of === undefined ? [] : ['environment = :of']),
        ...(teams === undefined || teams === 'all' ? [] : [ofTeams]),
        ...(after === undefined ? [] : [beyond('instance', false)]),
      ]
      const where = conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')}`
      const values = { ...(of === undefined ? {} : { of }), ...teamsOf(teams), ...partOf(filter) }
      return all(`SELECT * FROM instance ${where} ORDER BY rowid ${limit === undefined ? '' : 'LIMIT :limit'}`, values).map(instanceOf)
    },
    presentInstances: of => all(presentSql, { of }).map(instanceOf),
    instanceIds: (prefix, limit) => ids(idsSql('instance'), { prefix, limit }),
    held: owner => {
      const team = /^team:(.*)$/.exec(owner)?.[1]
      const { environments, instances, cpus, memory } = one(team === undefined ? heldSql : heldByTeamSql, { owner: team ?? owner }) ?? {}
      return { environments: Number(environments), instances: Number(instances), cpus: Number(cpus), memory: Number(memory) }
    },
    liveInstances: () => all("SELECT * FROM instance WHERE state IN ('pending', 'created', 'running') ORDER BY rowid").map(instanceOf),

    append: event => transaction(() => append(event, false)),
    seal: (of: string, actor: Actor) =>
      transaction(() => append({ environment: of, type: sealedType, actor, reason: 'the environment has ended', data: {} }, true)),
    events: filter => all(...eventsSql(filter)).map(eventOf),
    recordHead: head,
    verify: of => {
      const found = environment(of)
      if (!found) throw new DayflyError('not_found', `there is no environment ${of}`, { field: 'environment' })
      const entries = (function* (): Generator<Event | undefined> {
        for (let after = 0; ; ) {
          const rows = all(`SELECT * FROM event WHERE environment = :of AND cursor > :after ORDER BY cursor LIMIT ${page}`, { of, after })
          yield* rows.values().map(readable)
          if (rows.length < page) return
          after = Number(rows.at(-1)?.['cursor'])
        }
      })()
      return firstBroken(of, entries, head(of) ?? { count: 0, hash: genesisHash(of), sealed: false }, found.state === 'ended')
    },

    purge: of => {
      const found = environment(of)
      if (!found) return
      if (found.state !== 'ended') throw new DayflyError('wrong_state', `the environment ${of} has not ended`)
      guarded(() => sql('DELETE FROM environment WHERE id = :of').run({ of }))
    },

    fact,
    setFact,

    [Symbol.dispose]: () => {
      statements.clear()
      if (database.isOpen) database.close()
    },
  }
}
