/**
 * The contract of detection: rules in, kernel events in, detections out. Pure: no clock but the events', no disk. The same events in the same order give the same
 * detections, so a replay says what was said live.
 */
import type { Priority } from '../model/detection.ts'
import type { KernelEvent } from '../model/kernel-event.ts'

export type { Priority } from '../model/detection.ts'

/** Of whom an event is: known whole, or the event is not judged. */
export interface Subject {
  readonly environment: string
  readonly environmentName: string
  readonly instance: string
  readonly workload: string
  readonly kind: string
  /** Digest, and the name that was asked for. */
  readonly image: string
  readonly imageName: string
  readonly owner: string
  readonly labels: Readonly<Record<string, string>>
  /** Wall ms. */
  readonly startedAt: number
  readonly privileged: boolean
  /** Egress that its policy opens: addresses or domains. `*`: it has no policy. */
  readonly egress: readonly string[]
  /** The host's numbers of users from `first` on are of user namespaces, `each` of them apiece, and stand for 0 and so on in there. Absent: users are the host's. */
  readonly userIds?: { readonly first: number; readonly each: number } | undefined
}

export interface Detection {
  readonly rule: string
  readonly priority: Priority
  /** The rule's output with its fields filled in; what has no value is `<NA>`. */
  readonly output: string
  /** The values that the output names. */
  readonly fields: Readonly<Record<string, string | number | boolean | null>>
  readonly tags: readonly string[]
  /** `syscall` rules of Falco's language, `sequence`, or `profile`. */
  readonly source: 'syscall' | 'sequence' | 'profile'
  /** Where one rule says many things: what this one says. The same of one instance is told once in a while. */
  readonly key?: string
  readonly event: KernelEvent
}

export interface Detector {
  /** To be told before the instance's first event. Events of an instance that it was not told of throw `internal`. */
  introduce(subject: Subject): void
  /** In the order in which they happened. What it returns is in the order of the rules. */
  observe(event: KernelEvent): readonly Detection[]
  /** Nothing more comes of that instance. */
  forget(instance: string): void
}
