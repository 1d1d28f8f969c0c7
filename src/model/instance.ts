/**
 * An instance: one running copy of a workload. One writer (engine/lifecycle) changes its state:
 *
 *            create            start              exit
 *   pending ────────▶ created ────────▶ running ────────▶ exited
 *      │                 │                 │                 │
 *      └───── failed ◀───┴──── lost ◀──────┘                 │
 *               │                │                           │
 *               └───────────────▶│◀──────────────────────────┘
 *                                ▼  remove (kernel objects are gone, proven)
 *                             removed
 *
 * `failed`: it never ran its first instruction. `lost`: it ran, and its exit status cannot be known (the host restarted, its monitor was killed).
 */
import { z } from 'zod'
import { DayflyError } from '../base/errors.ts'
import type { WorkloadSpec } from './workload.ts'

export const InstanceState = z.enum(['pending', 'created', 'running', 'exited', 'failed', 'lost', 'removed'])
export type InstanceState = z.infer<typeof InstanceState>

const transitions: Readonly<Record<InstanceState, readonly InstanceState[]>> = {
  pending: ['created', 'failed'],
  created: ['running', 'failed'],
  running: ['exited', 'lost'],
  exited: ['removed'],
  failed: ['removed'],
  lost: ['removed'],
  removed: [],
}

export const assertInstanceTransition = (from: InstanceState, to: InstanceState): void => {
  if (!transitions[from].includes(to)) throw new DayflyError('wrong_state', `an instance cannot go from ${from} to ${to}`)
}

/** Its main process may exist: it has not ended, and nothing of it has been taken away. */
export const isLive = (state: InstanceState): boolean => state === 'pending' || state === 'created' || state === 'running'

/** How an instance's main process ended, as its monitor saw it. */
export const ExitStatus = z.object({
  /** 0–255; 128+n when signal n ended it. */
  code: z.int().min(0).max(255),
  signal: z.int().optional(),
  /** The kernel's memory limit ended it. */
  oom: z.boolean(),
  /** `exit`: by itself or a signal from anybody; `deadline`: its monitor ended it at the hard deadline. */
  cause: z.enum(['exit', 'deadline']),
  /** Wall clock, ms. */
  endedAt: z.number(),
  /** Output beyond the log limit, not kept. */
  droppedBytes: z.int(),
  droppedLines: z.int(),
})
export type ExitStatus = z.infer<typeof ExitStatus>

/** What an instance was made from, as far as its life and its end depend on it: by then its workload may be specified otherwise, or be gone. */
export type Origin = Pick<WorkloadSpec, 'kind' | 'image' | 'stopSignal' | 'grace'> & Pick<WorkloadSpec['limits'], 'cpus' | 'memory'>

export const originOf = ({ kind, image, stopSignal, grace, limits: { cpus, memory } }: WorkloadSpec): Origin => ({
  ...{ kind, image, stopSignal, grace, cpus, memory },
})

export interface Instance {
  readonly id: string
  readonly environment: string
  /** Name of its workload in the environment. */
  readonly workload: string
  readonly state: InstanceState
  /** Why it is in this state, for people. */
  readonly reason: string
  readonly createdAt: number
  readonly startedAt: number | undefined
  /** Host pid of its first process, while running. */
  readonly pid: number | undefined
  /** Where it was started from. */
  readonly start: 'cold' | 'prepared' | undefined
  readonly exit: ExitStatus | undefined
  /** Which of its workload's places it fills, from 1. */
  readonly replica: number
  /** Of the workload's specification as it was when the instance was made: another one says that it is outdated. */
  readonly revision: string
  /** undefined: it was made by a version that did not write it down, and nothing of its specification is left. */
  readonly origin: Origin | undefined
  /** How many of its revision its place had before it: its restarts, but for those that Dayfly took away. */
  readonly earlier: number
  /** How many of these, the last ones, did not run long enough for their start to count as a success. */
  readonly streak: number
  /** `stopped`: somebody asked for its stop. `retired`: Dayfly takes it away, because there are to be fewer or it has a successor. */
  readonly wish: 'stopped' | 'retired' | undefined
  /** Its IPv4 address in the environment's network, from `created` on, where the backend has one. */
  readonly address: string | undefined
}
