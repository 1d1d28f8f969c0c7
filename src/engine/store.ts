/**
 * The contract of a store: durable state and the record. `store.suite.ts` beside it is what every implementation passes.
 *
 * Synchronous on purpose: a change of state and its event are written in one transaction, with no await in which a crash or another
 * request could come between. A disk that is full or fails is a DayflyError `host`; nothing of the transaction is then kept.
 */
import type { Environment, EnvironmentSpec } from '../model/environment.ts'
import type { Actor, Event, NewEvent } from '../model/event.ts'
import type { Instance } from '../model/instance.ts'
import type { Inventory } from '../model/inventory.ts'
import type { Teams } from '../model/principal.ts'
import type { Replies } from '../model/reply.ts'
import type { Signatures } from '../model/seal.ts'
import type { UsageBook } from '../model/usage.ts'

/** Of each place, so many instances that are gone are present to whoever looks after it: what became of the last ones decides what comes next. */
export const presentPerPlace = 5

/** What an owner has now. */
export interface Held {
  readonly environments: number
  /** Live ones, and the sums of the limits that they were made with: cores, bytes. */
  readonly instances: number
  readonly cpus: number
  readonly memory: number
}

/** An entry of a list; it is known by its time when it is gone. */
export interface ListPlace {
  readonly id: string
  readonly createdAt: number
}

/** A part of a list. Its cost is that of what it holds. */
export interface ListPart {
  /** What comes after it. */
  readonly after?: ListPlace
  readonly limit?: number
}

export interface EnvironmentFilter extends ListPart {
  readonly ended?: boolean
  readonly name?: string
  readonly labels?: Readonly<Record<string, string>>
  readonly teams?: Teams
}

export interface InstanceFilter extends ListPart {
  readonly environment?: string
  readonly teams?: Teams
}

export interface EventFilter {
  readonly environment?: string
  /** Only entries with a greater cursor. */
  readonly after?: number
  /** Only entries with a smaller cursor. */
  readonly before?: number
  /** Wall clock, ms: only entries at or after it. */
  readonly since?: number
  /** Only entries of these types. */
  readonly types?: readonly string[]
  /** Only of environments of these. */
  readonly teams?: Teams
  /** The greatest cursor first: with a limit, the newest. */
  readonly newestFirst?: boolean
  readonly limit?: number
}

/** What a record's last entry is. */
export interface RecordHead {
  readonly count: number
  readonly hash: string
  readonly sealed: boolean
  /** This installation has written it, entry by entry. False: somebody else has, or has changed what it had written. */
  readonly own: boolean
}

export interface Store extends Disposable {
  /** What is remembered of the images that instances ran. */
  readonly inventory: Inventory
  /** Of records that are sealed. */
  readonly signatures: Signatures
  /** What was answered to requests that may be sent again. */
  readonly replies: Replies
  /** Of what instances used, as `instance.used` entries say that are appended. */
  readonly usage: UsageBook

  /** Runs `work` atomically; nests. What it throws undoes it, and only it. */
  transaction<T>(work: () => T): T

  /** Inserts or replaces. `conflict` with field `--name` when another that has not ended has its name. The spec stays as it was first put. */
  putEnvironment(environment: Environment): void
  /** An environment that is there gets another spec; its name stays. */
  replaceSpec(id: string, spec: EnvironmentSpec): void
  environment(id: string): Environment | undefined
  /** The one of that name that has not ended: of that team; without a team the default team's, else the only one's that there is. */
  environmentByName(name: string, team?: string): Environment | undefined
  /** Newest first. */
  environments(filter?: EnvironmentFilter): Environment[]
  /** Ids of all environments of these. */
  environmentIdsOf(teams: Teams): string[]
  /** At most `limit` ids that start with `prefix`. */
  environmentIds(prefix: string, limit: number): string[]
  /** At most `limit` ids of ended ones whose retention is over at `wall` (ms): what may be purged, the oldest end first. */
  expired(wall: number, limit: number): string[]

  /** Inserts or replaces. Its environment exists. */
  putInstance(instance: Instance): void
  instance(id: string): Instance | undefined
  /** Oldest first. */
  instances(environment: string): Instance[]
  /** Oldest first. */
  instanceList(filter: InstanceFilter): Instance[]
  /**
   * Of one environment, oldest first: those that are not removed, and of each place (workload and replica) the `presentPerPlace` newest that are and were not
   * retired. Of what scales or crashes for a week, the rest is history. Its cost is that of what it returns.
   */
  presentInstances(environment: string): Instance[]
  /** At most `limit` ids that start with `prefix`. */
  instanceIds(prefix: string, limit: number): string[]
  /** Those whose state is pending, created or running. */
  liveInstances(): Instance[]
  /** Of an owner's environments that have not ended; or of a team's: `team:NAME`. Its cost grows with what that owner has now, not with what anybody had. */
  held(owner: string): Held

  /** Appends to the environment's record and continues its hash chain. Returns the entry as it stands. `wrong_state` once it is sealed. */
  append(event: NewEvent): Event
  /** Appends `record.sealed`, which holds the `count` of entries before it and the `hash` of the last of them. Nothing comes after. */
  seal(environment: string, actor: Actor): Event
  /** In the order of their cursors, unless asked otherwise. */
  events(filter: EventFilter): Event[]
  /** Kept beside the entries, so that it tells when the last ones are missing. Undefined: there is no record. */
  recordHead(environment: string): RecordHead | undefined
  /**
   * Position (from 1) of the first entry that is not what was written there: changed, moved, missing (also from the end) or added after the
   * seal; undefined when the record is whole.
   */
  verify(environment: string): number | undefined

  /** Forgets an ended environment, its instances and its record: the end of its retention. */
  purge(environment: string): void

  /** Small facts about this installation, e.g. which slice of the host's ids it uses. */
  fact(name: string): string | undefined
  setFact(name: string, value: string): void
}
