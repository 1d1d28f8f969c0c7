import type { KernelEvent } from '../../model/kernel-event.ts'
import type { Subject } from '../detector.ts'
import type { Egress } from '../egress.ts'
import type { Process } from '../process.ts'

/** All that a rule can see: one event, who did it, and whose it is. */
export interface EventContext {
  readonly event: KernelEvent
  readonly process: Process
  readonly subject: Subject
  /** Which event of its instance this is, from 1 on (`evt.num`). */
  readonly number: number
  /** Of an event that leaves the environment: whether its policy opens that. */
  readonly egress?: Egress | undefined
  /** What its name server told the instance that an address is called, the newest last. */
  readonly namesOf?: ((address: string) => readonly string[]) | undefined
}
