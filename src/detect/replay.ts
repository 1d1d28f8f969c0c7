/** A recorded environment's activity through rules: what they would have said, live. */
import type { KernelEvent } from '../model/kernel-event.ts'
import type { DetectorRules } from './create.ts'
import { createDetector } from './create.ts'
import type { Detection, Subject } from './detector.ts'

export interface Replayed {
  readonly detection: Detection
  readonly subject: Subject
}

export interface ReplayResult {
  readonly events: number
  /** Events of instances that nobody knows any more: they are not judged. */
  readonly unknown: number
}

/**
 * `subjects` are all instances of it; `events` in the order in which they were recorded. What is found goes to `onDetection` as it is found. Throws `invalid` for rules with errors.
 */
export const replay = async (
  rules: DetectorRules,
  subjects: readonly Subject[],
  events: AsyncIterable<KernelEvent> | Iterable<KernelEvent>,
  onDetection: (replayed: Replayed) => void,
): Promise<ReplayResult> => {
  const detector = createDetector(rules)
  const known = new Map(subjects.map(subject => [subject.instance, subject]))
  for (const subject of subjects) detector.introduce(subject)
  let [seen, unknown] = [0, 0]
  for await (const event of events) {
    const subject = known.get(event.instance)
    if (subject === undefined) {
      unknown++
      continue
    }
    seen++
    for (const detection of detector.observe(event)) onDetection({ detection, subject })
  }
  return { events: seen, unknown }
}
