import type { EnvironmentView } from '../../api/schemas/environments.ts'
import type { WorkloadView } from '../../api/schemas/workloads.ts'
import { formatDuration } from '../../base/durations.ts'
import type { Paint } from './output.ts'
import { printable } from './output.ts'

/** A line for each way in: a service and where it is reached. */
export const addressLines = (workloads: readonly WorkloadView[], paint: Paint): string[] => {
  const ways = workloads.flatMap(({ name, exposed }) =>
    exposed.flatMap(({ port, url }) => (url === null ? [] : [{ name, text: url.startsWith('http') ? paint('cyan', url) : `${url} → ${port}` }])),
  )
  const width = Math.max(0, ...ways.map(({ name }) => name.length))
  return ways.map(({ name, text }) => `  ${printable(name).padEnd(width)}  ${text}`)
}

/** When the lease ends it, and how to move that. */
export const leaseLine = ({ name, expiresAt, expiresBy, lease }: EnvironmentView, now: number): string => {
  if (expiresAt === null) return ''
  const left = formatDuration(Math.max(1000, expiresAt - now))
  if (expiresBy !== 'idle') return `it ends in ${left}; more time: dayfly extend ${name} 1h`
  const then = lease.onIdle === 'pause' ? 'pauses' : 'ends'
  return `it ${then} in ${left} if nobody uses it, and ends after ${formatDuration(lease.ttl)} in any case; more time: dayfly extend ${name} 1h`
}
