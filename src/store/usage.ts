/** What `instance.used` entries of the records say, as rows that can be summed up: written with the entry, gone with the record. */
import type { Event } from '../model/event.ts'
import type { Grouping, UsageBook, UsageQuestion, UsageSum } from '../model/usage.ts'
import { InstanceUsage } from '../model/usage.ts'
import type { Row } from './rows.ts'

type Values = Record<string, string | number | null>

interface Tables {
  all(text: string, values?: Values): Row[]
  run(text: string, values: Values): unknown
}

const GiB = 1024 ** 3

const insertSql = `INSERT INTO usage (instance, environment, owner, workload, image, image_name, labels, ended_at, cpu, memory, peak, sent, received, lifetime, samples, idle,
    idle_memory, held, last_activity)
  SELECT instance.id, environment.id, environment.owner, instance.workload, coalesce(instance.origin ->> '$.image', ''),
    coalesce(environment.spec ->> ('$.workloads."' || instance.workload || '".imageName'), ''), coalesce(environment.spec -> '$.labels', '{}'),
    coalesce(instance.exit ->> '$.endedAt', :time), :cpu, :memory, :peak, :sent, :received, :lifetime, :samples, :idle, :idleMemory, :held, :lastActivity
  FROM instance JOIN environment ON environment.id = instance.environment WHERE instance.id = :instance AND environment.id = :environment
  ON CONFLICT (instance) DO NOTHING`

/** Rows of what an entry says, in its transaction. An entry that says nothing that can be summed up has none. */
export const noteUsage = (
  { run }: Pick<Tables, 'run'>,
  { environment, instance, time, data }: Pick<Event, 'environment' | 'instance' | 'time' | 'data'>,
): void => {
  const parsed = InstanceUsage.safeParse(data)
  if (instance === undefined || !parsed.success) return
  const { cpuSeconds: cpu, memoryGiBSeconds: memory, peak, sent, received, lifetime, samples, idle, idleGiBSeconds: idleMemory } = parsed.data
  const { held = null, lastActivity = null } = parsed.data
  run(insertSql, { instance, environment, time, cpu, memory, peak, sent, received, lifetime, samples, idle, idleMemory, held, lastActivity })
}

const keys: Readonly<Record<Grouping, readonly [key: string, name: string]>> = {
  owner: ['owner', "''"],
  environment: ['environment', '(SELECT name FROM environment WHERE environment.id = usage.environment)'],
  image: ['image', 'max(image_name)'],
  label: ["coalesce(labels ->> ('$.\"' || :label || '\"'), '')", "''"],
  day: ["strftime('%Y-%m-%d', ended_at / 1000, 'unixepoch')", "''"],
}

const sums = `count(*) AS instances, count(DISTINCT environment) AS environments, total(cpu) AS cpu, total(memory) AS memory, total(sent) AS sent, total(received) AS received,
  total(lifetime) AS lifetime, total(idle) AS idle, total(idle_memory) AS idle_memory,
  total(CASE WHEN held IS NULL THEN 0 ELSE held / ${GiB}.0 * max(0, last_activity + :forgottenFor - ended_at) / 1000.0 END) AS saved`

const where = `WHERE ended_at >= :since AND ended_at < :until
  AND (:teams IS NULL OR environment IN (SELECT id FROM environment WHERE team IN (SELECT value FROM json_each(:teams))))`

export const usageSql = (by: Grouping): string => {
  const [key, name] = keys[by]
  return `SELECT ${key} AS key, ${name} AS name, ${sums} FROM usage ${where} GROUP BY 1 ORDER BY ${by === 'day' ? '1' : 'memory DESC, 1'} LIMIT :limit`
}
const totalSql = `SELECT '' AS key, '' AS name, ${sums} FROM usage ${where}`

const sumOf = (row: Row): UsageSum => ({
  key: String(row['key']),
  name: String(row['name'] ?? ''),
  instances: Number(row['instances']),
  environments: Number(row['environments']),
  cpuSeconds: Number(row['cpu']),
  memoryGiBSeconds: Number(row['memory']),
  sent: Number(row['sent']),
  received: Number(row['received']),
  lifetime: Number(row['lifetime']),
  idle: Number(row['idle']),
  idleGiBSeconds: Number(row['idle_memory']),
  savedGiBSeconds: Number(row['saved']),
})

const usageOf = (row: Row): InstanceUsage => ({
  cpuSeconds: Number(row['cpu']),
  memoryGiBSeconds: Number(row['memory']),
  peak: Number(row['peak']),
  sent: Number(row['sent']),
  received: Number(row['received']),
  lifetime: Number(row['lifetime']),
  samples: Number(row['samples']),
  idle: Number(row['idle']),
  idleGiBSeconds: Number(row['idle_memory']),
  ...(row['held'] === null ? {} : { held: Number(row['held']) }),
  ...(row['last_activity'] === null ? {} : { lastActivity: Number(row['last_activity']) }),
})

export const createUsageBook = ({ all }: Pick<Tables, 'all'>): UsageBook => ({
  sums: ({ by, label = '', since = 0, until = Number.MAX_SAFE_INTEGER, forgottenFor, limit, teams = 'all' }: UsageQuestion) => {
    const span = { since, until, forgottenFor, teams: teams === 'all' ? null : JSON.stringify(teams) }
    const rows = all(usageSql(by), { ...span, limit, ...(by === 'label' ? { label } : {}) }).map(sumOf)
    const [total] = all(totalSql, span).map(sumOf)
    return { rows, total: total ?? sumOf({}) }
  },
  of: environment =>
    new Map(all('SELECT * FROM usage WHERE environment = :environment', { environment }).map(row => [String(row['instance']), usageOf(row)])),
})
