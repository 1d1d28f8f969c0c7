/** What is known in memory, and only there, of each environment that has not ended. Nothing in it is needed to repair a crash. */

import type { DayflyError } from '../base/errors.ts'
import type { EndCause } from '../model/environment.ts'
import type { Verdicts } from './admission.ts'
import type { Secrets, Seeds, Started } from './engine.ts'
import type { Why } from './lifecycle.ts'

export interface Live {
  readonly id: string
  /** What is being created, and with which secrets; undefined after a restart, and once it runs. */
  plan: { readonly started: Started; readonly secrets: Secrets; readonly seeds: Seeds; readonly verdicts: Verdicts; readonly why: Why } | undefined
  /** Instances whose start the backend was asked for and which are not written as running: only the backend knows what became of them. */
  readonly attempted: Set<string>
  /** While it is created: how to break that off, and when it is over, one way or the other. Never rejects. */
  creation: { abort(reason: DayflyError): void; readonly over: Promise<void> } | undefined
  /** While what is wanted of it is changed: the same. */
  update: Live['creation']
  /** While its workloads are kept running: stops doing that, and resolves when nothing of it is under way. */
  release: (() => Promise<void>) | undefined
  /** From the wish that it ends until it has ended. */
  ending: Ending | undefined
}

export interface Ending {
  readonly why: Why & { readonly cause: EndCause }
  /** Without the stop signal. */
  force: boolean
  /** The attempt under way. */
  work: Promise<void> | undefined
  /** Attempts that failed. */
  failures: number
  /** Boot clock, ms: not before this time again by itself. */
  retryAt: number
  retry: Disposable | undefined
}

export type Lives = Map<string, Live>

export const newLive = (id: string, plan: Live['plan']): Live => ({
  id,
  plan,
  attempted: new Set(),
  creation: undefined,
  update: undefined,
  release: undefined,
  ending: undefined,
})
