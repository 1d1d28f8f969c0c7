/** Which entries of records are told to targets that want to know of the lifecycle, and how. */
import { hostname } from 'node:os'
import type { Event } from '../../model/event.ts'
import type { Notice, Urgency } from '../../notify/notice.ts'

const urgencies: Readonly<Record<string, Urgency>> = {
  'environment.running': 'informational',
  'environment.expiring': 'notice',
  'environment.paused': 'informational',
  'environment.resumed': 'informational',
  'environment.ended': 'informational',
  'environment.removal_failed': 'error',
  'instance.unhealthy': 'warning',
  'instance.failed': 'warning',
  'instance.lost': 'error',
  'admission.denied': 'warning',
}
const longest = 1024

/** Undefined: nobody is told of it. `name`: of the environment. */
export const lifecycleNotice = (
  { environment, instance, sequence, time, type, reason, data }: Event,
  name: string | undefined,
): Notice | undefined => {
  const priority = urgencies[type]
  if (priority === undefined) return undefined
  const short = reason.length > longest ? `${reason.slice(0, longest)}…` : reason
  const cause = data['cause']
  const workload = data['workload']
  return {
    ...{
      id: `${environment}/${sequence}`,
      kind: 'lifecycle',
      time,
      priority,
      text: `${name ?? environment}: ${type}: ${short}`,
      rule: type,
      tags: [],
    },
    fields: typeof cause === 'string' ? { cause } : {},
    environment,
    ...(name === undefined ? {} : { environmentName: name }),
    ...(instance === undefined ? {} : { instance }),
    ...(typeof workload === 'string' ? { workload } : {}),
    ...{ measures: [], audit: false, host: hostname(), left: 0 },
  }
}
