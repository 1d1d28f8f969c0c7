/** As whom the events of a recorded environment were judged, so that rules can be tried on them. */

import type { SubjectFacts } from '../../../detect/subject.ts'
import { parseSubject, subjectFacts } from '../../../detect/subject.ts'
import type { Store } from '../../../engine/store.ts'

/**
 * By the record where it says so, which is once an instance has ended; of one that lives, by what it was made from, which knows neither the addresses
 * that its egress opens nor its user numbers.
 */
export const recordedSubjects = (store: Pick<Store, 'events' | 'environment' | 'instances'>, environment: string): SubjectFacts[] => {
  const subjects = new Map<string, SubjectFacts>()
  for (const { data } of store.events({ environment, types: ['sensor.totals'] })) {
    if (data['subject'] === undefined) continue
    const subject = subjectFacts(parseSubject(data['subject'], 'the record'))
    subjects.set(subject.instance, subject)
  }
  const spec = store.environment(environment)?.spec
  for (const { id, workload, origin, startedAt, createdAt } of store.instances(environment)) {
    const made = spec?.workloads[workload]
    if (subjects.has(id) || spec === undefined || made === undefined) continue
    subjects.set(id, {
      ...{ environment, environmentName: spec.name, instance: id, workload, kind: origin?.kind ?? made.kind },
      ...{ image: origin?.image ?? made.image, imageName: made.imageName, owner: spec.owner, labels: spec.labels },
      ...{ startedAt: startedAt ?? createdAt, privileged: false, egress: [] },
    })
  }
  return [...subjects.values()]
}
