/** Where what an environment exposes is reached. */
import type { Exposed } from '../../api/services.ts'
import type { Environment } from '../../model/environment.ts'
import { environmentDomains, hostLabel } from './host-names.ts'

/** Which ports of this host lead into environments. */
export interface Doors {
  /** Of the listener that tells environments apart by host name; undefined where there is none. */
  readonly httpPort: number | undefined
  /** Of the loopback, for a port of a workload that goes by TCP; undefined while nothing listens for it. */
  tcpPort(environment: string, workload: string, port: number): number | undefined
}

export const exposedOf = (doors: Doors, environment: Environment, workload: string): readonly Exposed[] => {
  const { spec, state } = environment
  const open = state === 'creating' || state === 'running'
  return (spec.workloads[workload]?.deployment?.expose ?? []).map(({ port, protocol }) => {
    if (!open) return { port, protocol, url: undefined }
    if (protocol === 'tcp') {
      const published = doors.tcpPort(environment.id, workload, port)
      return { port, protocol, url: published === undefined ? undefined : `127.0.0.1:${published}` }
    }
    const { httpPort } = doors
    if (httpPort === undefined) return { port, protocol, url: undefined }
    const host = `${hostLabel(workload)}.${environmentDomains(environment, ['localhost'])[0] ?? spec.name}`
    return { port, protocol, url: httpPort === 80 ? `http://${host}` : `http://${host}:${httpPort}` }
  })
}
