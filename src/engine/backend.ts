/**
 * The contract of a backend: where instances run. `backend.suite.ts` beside it is what every implementation passes.
 *
 * Who owns what: the engine owns states, leases and the record; a backend owns kernel (or cluster) objects and nothing durable but them. It
 * is told ids and never invents one. Every method may be called again after a crash with the same arguments and then finishes the work:
 * `create` of an instance that exists and was not started throws `conflict`; `remove` of what is gone does nothing.
 * Calls for one id may overlap (a `remove` while a cancelled `create` is still noticing it): the outcome is that of some order of them.
 * A backend enforces `deadline` even when the daemon is dead.
 */
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
}

export interface Created {
  /** Host pid of the first process. */
  readonly pid: number
  readonly start: 'cold' | 'prepared'
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

  /** Container made and admitted, its first instruction not run. On failure nothing is left. */
  create(request: InstanceRequest, secrets: ReadonlyMap<string, Uint8Array>, signal: AbortSignal): Promise<Created>
  start(id: string, signal: AbortSignal): Promise<void>
  /** Resolves when the first process has ended and all its output is in the log file. Rejects `not_found` if it is unknown, `wrong_state` when gone. */
  wait(id: string, signal: AbortSignal): Promise<ExitStatus>
  /** `name` like SIGTERM. To the first process. Does nothing when it has ended. */
  signal(id: string, name: string): Promise<void>
  setDeadline(id: string, deadline: number): Promise<void>
  exec(id: string, request: ExecRequest, signal: AbortSignal): Promise<Session>
  attach(id: string, signal: AbortSignal): Promise<Session>
  /** Ends it if it lives, then leaves nothing of it but its log. From any state; idempotent. */
  remove(id: string, signal: AbortSignal): Promise<void>
  /** Leaves nothing of the environment's own objects (network, ids). Its instances are removed before. Idempotent. */
  removeEnvironment(environment: string, signal: AbortSignal): Promise<void>

  /** Every instance that this backend can see, whoever started it. */
  observe(): Promise<readonly Observed[]>
  /** Every object it owns on this host, for `doctor --leaks` to subtract the explained ones from. */
  owned(): Promise<readonly OwnedObject[]>
}
