/**
 * The contract of a store: durable state and the record. `store.suite.ts` beside it is what every implementation passes.
 *
 * Synchronous on purpose: a change of state and its event are written in one transaction, with no await in which a crash or another
 * request could come between. A full disk is a DayflyError `host`; nothing of the transaction is then kept.
 */
import type { Environment } from '../model/environment.ts'
import type { Event, NewEvent } from '../model/event.ts'
import type { Instance } from '../model/instance.ts'

export interface EnvironmentFilter {
  readonly ended?: boolean
  readonly name?: string
  readonly labels?: Readonly<Record<string, string>>
}

export interface EventFilter {
  readonly environment?: string
  /** Only entries with a greater cursor. */
  readonly after?: number
  /** Wall clock, ms: only entries at or after it. */
  readonly since?: number
  readonly limit?: number
}

export interface Store extends Disposable {
  /** Runs `work` atomically; nests. What it throws undoes it. */
  transaction<T>(work: () => T): T

  putEnvironment(environment: Environment): void
  environment(id: string): Environment | undefined
  /** The one of that name that has not ended. */
  environmentByName(name: string): Environment | undefined
  /** Newest first. */
  environments(filter?: EnvironmentFilter): Environment[]

  putInstance(instance: Instance): void
  instance(id: string): Instance | undefined
  instances(environment?: string): Instance[]
  liveInstances(): Instance[]

  /** Appends to the environment's record and continues its hash chain. Returns the entry as it stands. */
  append(event: NewEvent): Event
  events(filter: EventFilter): Event[]
  /** Position of the first entry whose hash does not follow from its predecessor, or undefined when the chain holds. */
  verify(environment: string): number | undefined

  /** Forgets an ended environment, its instances and its record: the end of its retention. */
  purge(environment: string): void

  /** Small facts about this installation, e.g. which slice of the host's ids it uses. */
  fact(name: string): string | undefined
  setFact(name: string, value: string): void
}
