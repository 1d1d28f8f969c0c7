import { z } from 'zod'

export const Actor = z.object({
  /** `user`: somebody asked; `dayfly`: the daemon by itself (a lease, a crash repair); `instance`: the workload ended by itself. */
  kind: z.enum(['user', 'dayfly', 'instance']),
  name: z.string(),
})
export type Actor = z.infer<typeof Actor>
export const dayfly: Actor = { kind: 'dayfly', name: 'dayfly' }

/** One entry of the record, append-only, hash-chained within its environment. */
export const Event = z.object({
  /** Position in the record of its environment, from 1, without gaps. */
  sequence: z.int(),
  /** Position in the whole store: what a follower resumes from. */
  cursor: z.int(),
  environment: z.string(),
  instance: z.string().optional(),
  /** Wall clock, ms. */
  time: z.number(),
  /** e.g. `environment.running`, `instance.exited`, `exec.started`, `record.sealed`. */
  type: z.string(),
  actor: Actor,
  reason: z.string(),
  data: z.record(z.string(), z.json()),
  /** hex SHA-256 of the previous entry's hash and this entry's canonical JSON. */
  hash: z.string(),
})
export type Event = z.infer<typeof Event>
export type NewEvent = Pick<Event, 'environment' | 'instance' | 'type' | 'actor' | 'reason' | 'data'>
