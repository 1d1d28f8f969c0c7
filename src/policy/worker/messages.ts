/** What goes between the policies' thread and the one that asks. */
import type { AdmissionRequest } from '../decision.ts'
import type { CostLimits } from '../kubernetes/evaluate.ts'
import type { PolicySet } from '../kubernetes/schema.ts'
import type { Ruling } from '../policy.ts'

export interface Start {
  readonly set: PolicySet
  readonly limits: CostLimits
  /** `done` and `policy` below. */
  readonly progress: SharedArrayBuffer
}

/** Places in `progress`: number of the last request that was finished; index of the policy that is being asked. */
export const progressPlaces = { done: 0, policy: 1 } as const

export interface Question {
  readonly id: number
  readonly request: AdmissionRequest
}

export type Answer =
  | { readonly ready: true }
  | { readonly id: number; readonly rulings: readonly Ruling[]; readonly microseconds: number }
  | { readonly id: number; readonly failure: string }
