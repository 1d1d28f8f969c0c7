/** What the gateway reports, as metrics. */
import type { Report, TargetReport } from '../../../gateway/gateway.ts'
import type { Metrics } from '../../../telemetry/metrics.ts'

export interface TrafficCounts {
  see(report: Report): void
  collect(metrics: Metrics): void
}

export const countTraffic = (metrics: Metrics): TrafficCounts => {
  /** Of targets that somebody uses at the moment. */
  const busy = new Map<string, { readonly inFlight: number; readonly waiting: number }>()

  const see = ({ id, finished, inFlight, waiting, bytesIn, bytesOut, statuses, durations, took }: TargetReport): void => {
    if (inFlight + waiting > 0) busy.set(id, { inFlight, waiting })
    else busy.delete(id)
    let told = 0
    for (const [status, count] of Object.entries(statuses)) {
      told += count
      // The status is the workload's, who may say any number.
      metrics.count('dayfly_gateway_requests_total', { code: `${Math.floor(Number(status) / 100)}xx` }, count)
    }
    if (finished > told) metrics.count('dayfly_gateway_requests_total', { code: 'none' }, finished - told)
    if (bytesIn > 0) metrics.count('dayfly_gateway_bytes_total', { direction: 'in' }, bytesIn)
    if (bytesOut > 0) metrics.count('dayfly_gateway_bytes_total', { direction: 'out' }, bytesOut)
    // A bucket's mean lies within it: so its count and the sum of all are exact.
    for (const [bucket, count] of durations.entries()) {
      const mean = (took[bucket] ?? 0) / count / 1000
      for (let n = 0; n < count; n++) metrics.observe('dayfly_gateway_request_duration_seconds', {}, mean)
    }
  }

  return {
    see: ({ targets }) => {
      for (const target of targets) see(target)
    },
    collect: into => {
      const sum = (of: 'inFlight' | 'waiting'): number => [...busy.values()].reduce((all, one) => all + one[of], 0)
      into.set('dayfly_gateway_in_flight', {}, sum('inFlight'))
      into.set('dayfly_gateway_waiting', {}, sum('waiting'))
    },
  }
}
