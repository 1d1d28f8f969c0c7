/**
 * An environment: an isolated group of workloads with one network, one lease, one owner and one record. One writer (engine/lifecycle):
 *
 *   creating ──▶ running ──▶ ending ──▶ ended
 *       └────────────────────▲
 *
 * `ended` means: every kernel object is gone and the record is sealed. Delete works from every state and is idempotent.
 */
import { z } from 'zod'
import { DayflyError } from '../base/errors.ts'
import { Lease } from './lease.ts'
import { ResourceName } from './mount.ts'
import { TeamName } from './principal.ts'
import { SecretName, WorkloadName, WorkloadSpec } from './workload.ts'

export const EnvironmentState = z.enum(['creating', 'running', 'ending', 'ended'])
export type EnvironmentState = z.infer<typeof EnvironmentState>

const transitions: Readonly<Record<EnvironmentState, readonly EnvironmentState[]>> = {
  creating: ['running', 'ending'],
  running: ['ending'],
  ending: ['ended'],
  ended: [],
}

export const assertEnvironmentTransition = (from: EnvironmentState, to: EnvironmentState): void => {
  if (!transitions[from].includes(to)) throw new DayflyError('wrong_state', `an environment cannot go from ${from} to ${to}`)
}

/**
 * Why an environment ended: the stable part of its reason. `denied`: it was not admitted; `policy`: what became known of it while it ran is not allowed;
 * `detection`: what it did is not.
 */
export const EndCause = z.enum(['completed', 'requested', 'ttl', 'idle', 'failed', 'lost', 'denied', 'policy', 'detection'])
export type EndCause = z.infer<typeof EndCause>

export const EnvironmentName = z.string().regex(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/, 'lower-case letters, digits and inner hyphens, at most 63')

export const EnvironmentSpec = z.object({
  name: EnvironmentName,
  owner: z.string().min(1).max(256),
  /** Whose it is, beside the owner: nobody of another team knows of it. Left out: `default`. Names are unique within a team. */
  team: TeamName.optional(),
  labels: z.record(
    z.string().regex(/^[A-Za-z0-9]([A-Za-z0-9_./-]{0,126}[A-Za-z0-9])?$/, 'a label is letters, digits and inner `_`, `.`, `/` and `-`, at most 128'),
    z.string().max(1024),
  ),
  lease: Lease,
  /** By workload name. */
  workloads: z.record(WorkloadName, WorkloadSpec).refine(workloads => Object.keys(workloads).length > 0, 'there is no workload'),
  /** Networks that its workloads are on, by name: workloads reach each other where they share one. `internal` ones have no egress. */
  networks: z.record(ResourceName, z.object({ internal: z.boolean() })).optional(),
  /** Names of its volumes, which end with it. */
  volumes: z.array(ResourceName).optional(),
  /** Contents of configuration files by name, base64. What is secret is no configuration. */
  configs: z.record(ResourceName, z.base64()).optional(),
  /** Of the contents of secrets, by workload and name: what tells that one has changed. Nobody can tell the content from it. */
  secretDigests: z.record(WorkloadName, z.record(SecretName, z.string())).optional(),
})
export type EnvironmentSpec = z.infer<typeof EnvironmentSpec>

export interface Environment {
  readonly id: string
  readonly spec: EnvironmentSpec
  readonly state: EnvironmentState
  readonly reason: string
  readonly cause: EndCause | undefined
  /** Wall clock, ms, for people. */
  readonly createdAt: number
  readonly endedAt: number | undefined
  /** Boot clock, ms, and the boot it belongs to: what the lease is enforced on. Age is counted from `createdBoot`. */
  readonly bootId: string
  readonly createdBoot: number
  readonly ttlDeadline: number
  readonly lastActivity: number
}
