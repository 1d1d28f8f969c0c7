/** What is fixed when a container is created. Two instances of one shape can take each other's prepared container. */
import { createHash } from 'node:crypto'
import type { WorkloadSpec } from '../../model/workload.ts'

const sorted = <T>(record: Readonly<Record<string, T>> = {}): [string, T][] => Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1))

/**
 * Everything else (egress, further lines of /etc/hosts, labels, log limit, grace, stop signal, names, deadline) is told to the monitor later; but gVisor keeps the host name that it was
 * made with.
 */
export const shapeOf = (workload: WorkloadSpec, hostname: string): string => {
  const fixed = [
    workload.image,
    workload.command,
    sorted(workload.env),
    workload.user,
    workload.workdir,
    workload.readOnly,
    [...workload.capabilities].sort(),
    workload.limits,
    workload.runtime,
    workload.runtime === 'runsc' ? hostname : '',
    workload.tty,
    workload.stdin,
    workload.secrets.length > 0,
    workload.mounts ?? [],
    sorted(workload.sysctls),
    sorted(workload.ulimits),
    workload.shmSize ?? 0,
    workload.init ?? false,
    workload.groups ?? [],
  ]
  return createHash('sha256').update(JSON.stringify(fixed)).digest('hex').slice(0, 16)
}
