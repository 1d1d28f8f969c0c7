/** Learns what one run of a workload does. */
import type { KernelEvent } from '../../model/kernel-event.ts'
import type { Process } from '../process.ts'
import type { BehaviourKind } from './behaviour.ts'
import { behavioursOf } from './behaviour.ts'
import { createNames } from './names.ts'
import type { Run } from './profile.ts'
import { mostValues } from './profile.ts'

export interface Learner {
  /** In their order; `process` is whose the event is. */
  observe(event: KernelEvent, process: Process): void
  readonly run: Run
}

export const createLearner = (): Learner => {
  const names = createNames()
  const values: Record<BehaviourKind, Set<string>> = {
    ...{ programs: new Set(), listens: new Set(), connects: new Set(), writes: new Set(), capabilities: new Set() },
  }
  const open = new Set<BehaviourKind>()
  return {
    observe: (event, process) => {
      names.see(event)
      for (const { kind, value } of behavioursOf(event, process, names)) {
        if (open.has(kind)) continue
        values[kind].add(value)
        if (values[kind].size <= mostValues) continue
        open.add(kind)
        values[kind].clear()
      }
    },
    run: { values, open },
  }
}
