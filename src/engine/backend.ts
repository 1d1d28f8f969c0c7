/**
 * The contract of a backend: where instances run. `backend.suite.ts` beside it is what every implementation passes.
 *
 * Who owns what: the engine owns states, leases and the record; a backend owns kernel (or cluster) objects and nothing durable but them. It
 * is told ids and never invents one. Every method may be called again after a crash with the same arguments and then finishes the work:
 * `create` of an instance that exists and was not started throws `conflict`; `remove` of what is gone does nothing.
 * Calls for one id may overlap (a `remove` while a cancelled `create` is still noticing it): the outcome is that of some order of them.
 * A backend enforces `deadline` even when the daemon is dead.
 */
import type { Files } from '../model/file.ts'
import type { ExitStatus } from '../model/instance.ts'
import type { OwnedObject } from '../model/owned.ts'
import type { ExecRequest, Session } from '../model/session.ts'
import type { WorkloadSpec } from '../model/workload.ts'

export interface InstanceRequest {
  readonly id: string
  readonly environment: string
  readonly hostname: string
  readonly workload: WorkloadSpec
  /** Boot clock, ms: the workload's stop signal is sent now at the latest, SIGKILL `workload.grace` later. */
  readonly deadline: number
  /** File that gets the output, in the CRI log format, from before the first instruction until after the last. */
  readonly logPath: string
  /** Names of the environment's networks it is on; empty where it has one network only. */
  readonly networks: readonly string[]
}

/** What the instances of an environment share. */
export interface EnvironmentRequest {
  readonly id: string
  /** By name: instances reach each other where they share one. Empty: all are on one network. `internal` ones have no egress. */
  readonly networks: Readonly<Record<string, { readonly internal: boolean }>>
  /** Names of volumes: made empty, kept until the environment is removed. */
  readonly volumes: readonly string[]
  /** Contents of configuration files, by name. A change is seen by instances created after it. */
  readonly configs: ReadonlyMap<string, Uint8Array>
}

/** A name within an environment, with the instances that it stands for. */
export interface NetworkName {
  readonly name: string
  /** The network it is known on; undefined: all of them. */
  readonly network: string | undefined
  readonly instances: readonly string[]
}

/** What an instance has used. */
export interface Usage {
  /** Microseconds of processor time since its creation. */
  readonly cpu: number
  /** Bytes now. */
  readonly memory: number
}

/** One process, and never another that has its pid later. */
export interface ProcessOfHost {
  /** In the host's pid namespace. */
  readonly pid: number
  /** µs since the host's boot. */
  readonly start: number
}

export interface EvidenceRequest {
  /** Is there, empty, and nobody else's. */
  readonly folder: string
  /** How much may be written, of all files together. */
  readonly mostBytes: number
  /** What must be in none of the files: contents of secrets. */
  readonly secrets: readonly Uint8Array[]
}

export interface Evidence {
  /** Names of the files in the folder. */
  readonly files: readonly string[]
  /** What is not in them and why: a sentence each. */
  readonly gaps: readonly string[]
}

/** Packets that the closed egress of an environment has stopped, since it was made. */
export interface Denied {
  readonly instance: string | undefined
  /** An address, or the name that was asked for in vain. */
  readonly destination: string
  readonly port: number | undefined
  readonly protocol: 'tcp' | 'udp' | 'icmp' | 'dns' | 'other'
  readonly count: number
}

export interface Created {
  /** Host pid of the first process. */
  readonly pid: number
  readonly start: 'cold' | 'prepared'
  /** IPv4 address at which the host reaches it; undefined where it has none. */
  readonly address: string | undefined
}

/** What really exists. `created`: not yet started. `gone`: its monitor is dead and it left no exit status. */
export interface Observed {
  readonly id: string
  readonly environment: string
  readonly state: 'created' | 'running' | 'exited' | 'gone'
  readonly pid: number | undefined
  readonly exit: ExitStatus | undefined
}

export interface Backend extends AsyncDisposable {
  readonly name: string

  /**
   * Makes what the instances of an environment share, or changes it to this; before the first of them, and again after a restart. An environment of one
   * workload that needs none of it does without. What was taken away from the request stays until the environment is removed.
   */
  prepareEnvironment(request: EnvironmentRequest, signal: AbortSignal): Promise<void>
  /** Puts the content of a tar stream (plain, gzip or zstd) into a volume. Throws `invalid` naming the entry that is no ordinary one. */
  seedVolume(environment: string, volume: string, tar: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<void>
  /** The names that are known in an environment from now on: all of them. What is not among them resolves no more. */
  setNames(environment: string, names: readonly NetworkName[]): Promise<void>

  /** Container made and admitted, its first instruction not run. On failure nothing is left. */
  create(request: InstanceRequest, secrets: ReadonlyMap<string, Uint8Array>, signal: AbortSignal): Promise<Created>
  start(id: string, signal: AbortSignal): Promise<void>
  /** Resolves when the first process has ended and all its output is in the log file. Rejects `not_found` if it is unknown, `wrong_state` when gone. */
  wait(id: string, signal: AbortSignal): Promise<ExitStatus>
  /** `name` like SIGTERM. To the first process; SIGKILL to all of an instance that is frozen, which ends it where it stands. Does nothing when it has ended. */
  signal(id: string, name: string): Promise<void>
  /** `abrupt`: at the deadline it is killed at once, where it stands, without a stop signal. Holds until the next call. */
  setDeadline(id: string, deadline: number, abrupt?: boolean): Promise<void>
  /** Freezes every process of a running instance. Idempotent. Its deadline is kept all the same. */
  pause(id: string): Promise<void>
  resume(id: string): Promise<void>
  /**
   * SIGKILL to one process of an instance, also of one that is frozen, and to no other process that has its pid by now. False: it is gone. Throws `invalid` when
   * it is none of that instance's.
   */
  killProcess(id: string, process: ProcessOfHost): Promise<boolean>
  /**
   * What an instance is and has done, as files in a folder. To be asked while it is frozen, or has ended: otherwise it says what it likes. Within its own
   * deadline; what is missing then is among the gaps.
   */
  takeEvidence(id: string, request: EvidenceRequest, signal: AbortSignal): Promise<Evidence>
  /** Of the instances that it has, by id. */
  usage(): Promise<ReadonlyMap<string, Usage>>
  /**
   * Bytes on disk that environments occupy: what their instances wrote, and their volumes. One that is not there has none. Takes its time; what is not counted
   * when the signal aborts is missing from the answer, the last of `environments` first.
   */
  disk(environments: readonly string[], signal: AbortSignal): Promise<ReadonlyMap<string, number>>
  denied(environment: string): Promise<readonly Denied[]>
  /**
   * Nothing gets out of an environment any more, whatever was open to it: its instances, also those to come, reach each other as before, and are reached by
   * the host; names outside are not resolved. Connections that there are carry nothing any more. For good, and idempotent; also before its first instance.
   */
  isolate(environment: string): Promise<void>
  exec(id: string, request: ExecRequest, signal: AbortSignal): Promise<Session>
  attach(id: string, signal: AbortSignal): Promise<Session>
  /** Of a running instance, as one of its users (undefined: its own). What is under way ends with the signal. */
  files(id: string, user: string | undefined, signal: AbortSignal): Promise<Files>
  /** Ends it if it lives, then leaves nothing of it but its log. From any state; idempotent. */
  remove(id: string, signal: AbortSignal): Promise<void>
  /** Leaves nothing of the environment's own objects (network, ids). Its instances are removed before. Idempotent. */
  removeEnvironment(environment: string, signal: AbortSignal): Promise<void>

  /** Every instance that this backend can see, whoever started it. */
  observe(): Promise<readonly Observed[]>
  /** Every object it owns on this host, for `doctor --leaks` to subtract the explained ones from. */
  owned(): Promise<readonly OwnedObject[]>
}
