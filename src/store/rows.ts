/** Rows to model and back. What is read is checked: a row that is not what this version writes is an error, not a surprise later on. */
import type { SQLOutputValue } from 'node:sqlite'
import { z } from 'zod'
import { DayflyError } from '../base/errors.ts'
import type { Environment } from '../model/environment.ts'
import { EndCause, EnvironmentSpec, EnvironmentState } from '../model/environment.ts'
import { Actor, Event } from '../model/event.ts'
import type { Instance } from '../model/instance.ts'
import { ExitStatus, InstanceState } from '../model/instance.ts'
import { teamOf } from '../model/principal.ts'
import { WorkloadSpec } from '../model/workload.ts'

export type Row = Readonly<Record<string, SQLOutputValue>>

const wrong = (column: string, row: Row): never => {
  throw new DayflyError('internal', `the store holds a row that this version cannot read: ${column} of ${String(row['id'] ?? row['cursor'] ?? '?')}`)
}
const text = (row: Row, column: string): string => {
  const value = row[column]
  return typeof value === 'string' ? value : wrong(column, row)
}
const number = (row: Row, column: string): number => {
  const value = row[column]
  return typeof value === 'number' ? value : wrong(column, row)
}
const optional = <T>(read: (row: Row, column: string) => T, row: Row, column: string): T | undefined =>
  row[column] === null ? undefined : read(row, column)
const checked = <S extends z.ZodType>(schema: S, value: unknown, row: Row, column: string): z.output<S> => {
  const result = schema.safeParse(value)
  return result.success ? result.data : wrong(`${column} (${z.prettifyError(result.error)})`, row)
}
const json = <S extends z.ZodType>(schema: S, row: Row, column: string): z.output<S> => checked(schema, JSON.parse(text(row, column)), row, column)

/** Specs kept in memory, at most: as many as there are environments at once, and some that have ended. */
const cachedSpecs = 2048

const frozen = <T>(value: T): T => {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value)
    for (const member of Object.values(value)) frozen(member)
  }
  return value
}

export interface EnvironmentRows {
  rowOf(environment: Environment): Record<string, string | number | null>
  environmentOf(row: Row): Environment
}

/** A spec never changes, and to make text of it or to check it is the dearest part of writing or reading an environment: both are done once. */
export const createEnvironmentRows = (): EnvironmentRows => {
  const texts = new WeakMap<EnvironmentSpec, string>()
  const specs = new Map<string, EnvironmentSpec>()

  const textOf = (spec: EnvironmentSpec): string => {
    const known = texts.get(spec)
    if (known !== undefined) return known
    const made = JSON.stringify(spec)
    texts.set(spec, made)
    return made
  }
  const specOf = (row: Row): EnvironmentSpec => {
    const written = text(row, 'spec')
    const known = specs.get(written)
    if (known) return known
    const spec = frozen(json(EnvironmentSpec, row, 'spec'))
    texts.set(spec, written)
    if (specs.size >= cachedSpecs) for (const oldest of specs.keys().take(cachedSpecs / 8)) specs.delete(oldest)
    specs.set(written, spec)
    return spec
  }

  return {
    rowOf: environment => ({
      id: environment.id,
      name: environment.spec.name,
      owner: environment.spec.owner,
      team: teamOf(environment.spec),
      spec: textOf(environment.spec),
      state: environment.state,
      reason: environment.reason,
      cause: environment.cause ?? null,
      created_at: environment.createdAt,
      ended_at: environment.endedAt ?? null,
      expires_at: environment.endedAt === undefined ? null : environment.endedAt + environment.spec.lease.retention,
      boot_id: environment.bootId,
      created_boot: environment.createdBoot,
      ttl_deadline: environment.ttlDeadline,
      last_activity: environment.lastActivity,
    }),
    environmentOf: row => ({
      id: text(row, 'id'),
      spec: specOf(row),
      state: checked(EnvironmentState, row['state'], row, 'state'),
      reason: text(row, 'reason'),
      cause: row['cause'] === null ? undefined : checked(EndCause, row['cause'], row, 'cause'),
      createdAt: number(row, 'created_at'),
      endedAt: optional(number, row, 'ended_at'),
      bootId: text(row, 'boot_id'),
      createdBoot: number(row, 'created_boot'),
      ttlDeadline: number(row, 'ttl_deadline'),
      lastActivity: number(row, 'last_activity'),
    }),
  }
}

export const instanceRow = (instance: Instance): Record<string, string | number | null> => ({
  id: instance.id,
  environment: instance.environment,
  workload: instance.workload,
  state: instance.state,
  reason: instance.reason,
  created_at: instance.createdAt,
  started_at: instance.startedAt ?? null,
  pid: instance.pid ?? null,
  start: instance.start ?? null,
  exit: instance.exit === undefined ? null : JSON.stringify(instance.exit),
  replica: instance.replica,
  revision: instance.revision,
  wish: instance.wish ?? null,
  address: instance.address ?? null,
  origin: instance.origin === undefined ? null : JSON.stringify(instance.origin),
  earlier: instance.earlier,
  streak: instance.streak,
})

const Start = z.enum(['cold', 'prepared'])
const Wish = z.enum(['stopped', 'retired'])
const { kind, image, stopSignal, grace, limits } = WorkloadSpec.shape
const Origin = z.object({ kind, image, stopSignal, grace, cpus: limits.shape.cpus, memory: limits.shape.memory })

export const instanceOf = (row: Row): Instance => ({
  id: text(row, 'id'),
  environment: text(row, 'environment'),
  workload: text(row, 'workload'),
  state: checked(InstanceState, row['state'], row, 'state'),
  reason: text(row, 'reason'),
  createdAt: number(row, 'created_at'),
  startedAt: optional(number, row, 'started_at'),
  pid: optional(number, row, 'pid'),
  start: row['start'] === null ? undefined : checked(Start, row['start'], row, 'start'),
  exit: row['exit'] === null ? undefined : json(ExitStatus, row, 'exit'),
  replica: number(row, 'replica'),
  revision: text(row, 'revision'),
  wish: row['wish'] === null ? undefined : checked(Wish, row['wish'], row, 'wish'),
  address: optional(text, row, 'address'),
  origin: row['origin'] === null ? undefined : json(Origin, row, 'origin'),
  earlier: number(row, 'earlier'),
  streak: number(row, 'streak'),
})

export const eventRow = (event: Omit<Event, 'cursor'>): Record<string, string | number | null> => ({
  environment: event.environment,
  sequence: event.sequence,
  instance: event.instance ?? null,
  time: event.time,
  type: event.type,
  actor_kind: event.actor.kind,
  actor_name: event.actor.name,
  reason: event.reason,
  data: JSON.stringify(event.data),
  hash: event.hash,
})

export const eventOf = (row: Row): Event => {
  const instance = optional(text, row, 'instance')
  return {
    sequence: number(row, 'sequence'),
    cursor: number(row, 'cursor'),
    environment: text(row, 'environment'),
    ...(instance === undefined ? {} : { instance }),
    time: number(row, 'time'),
    type: text(row, 'type'),
    actor: checked(Actor, { kind: row['actor_kind'], name: row['actor_name'] }, row, 'actor'),
    reason: text(row, 'reason'),
    data: json(Event.shape.data, row, 'data'),
    hash: text(row, 'hash'),
  }
}
