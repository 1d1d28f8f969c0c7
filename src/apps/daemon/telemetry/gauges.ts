/** What is only known when it is asked for: the process, the pools, the sensor, what waits. Asked at most as often as somebody scrapes. */
import { readdirSync } from 'node:fs'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { readVersion } from '../../../base/version.ts'
import type { Metrics } from '../../../telemetry/metrics.ts'
import type { Exporter } from '../../../telemetry/otlp/exporter.ts'
import type { Signal } from '../../../telemetry/otlp/messages.ts'

/** Given by the daemon's parts, each as soon as it is there. */
export interface Sources {
  readonly backend: string
  readonly pool: () => { readonly cells: number; readonly prepared: readonly { readonly ready: number }[] } | undefined
  readonly sensor: () =>
    | {
        readonly state: string
        readonly restarts: number
        readonly emitted: number
        readonly dropped: number
        readonly unowned: number
        readonly faults: number
      }
    | undefined
  readonly notify: () => readonly { readonly delivered: number; readonly lost: number; readonly waiting: number }[]
  /** ms until the next ttl is over; undefined: nothing lives. */
  readonly nextExpiry: () => number | undefined
  /** How many leaks there are. Its cost is that of a look at the whole host. */
  readonly leaks: () => Promise<number>
}

/** ms that a count of leaks is shown before it is counted again. */
const leaksAge = 60_000
const microseconds = 1_000_000

export interface Gauges extends Disposable {
  collect(metrics: Metrics): void
}

export const createGauges = (sources: Sources, exporters: () => Partial<Record<Signal, Exporter>>): Gauges => {
  const delay = monitorEventLoopDelay({ resolution: 20 })
  delay.enable()
  let leaks: { readonly count: number; readonly at: number } | undefined
  let looking = false

  const lookForLeaks = (): void => {
    if (looking || (leaks !== undefined && Date.now() - leaks.at < leaksAge)) return
    looking = true
    sources
      .leaks()
      .then(
        count => {
          leaks = { count, at: Date.now() }
        },
        () => {}, // It is shown by the time of the last count that there is no newer one.
      )
      .finally(() => {
        looking = false
      })
  }

  const ofProcess = (metrics: Metrics): void => {
    const { user, system } = process.cpuUsage()
    metrics.set('process_resident_memory_bytes', {}, process.memoryUsage.rss())
    metrics.total('process_cpu_seconds_total', {}, (user + system) / microseconds)
    metrics.set('process_start_time_seconds', {}, Math.round(performance.timeOrigin) / 1000)
    metrics.set('process_open_fds', {}, readdirSync('/proc/self/fd').length)
    metrics.total('dayfly_event_loop_busy_seconds_total', {}, performance.eventLoopUtilization().active / 1000)
    // It counts from when it was to wake up; without any wait there is no delay.
    const seconds = (nanoseconds: number): number => (Number.isFinite(nanoseconds) ? Math.max(0, nanoseconds / 1e9 - 0.02) : 0)
    metrics.set('dayfly_event_loop_delay_seconds', { statistic: 'p50' }, seconds(delay.percentile(50)))
    metrics.set('dayfly_event_loop_delay_seconds', { statistic: 'p99' }, seconds(delay.percentile(99)))
    metrics.set('dayfly_event_loop_delay_seconds', { statistic: 'max' }, seconds(delay.max))
    delay.reset()
  }

  const ofSensor = (metrics: Metrics): void => {
    const health = sources.sensor()
    metrics.set('dayfly_sensor_attached', {}, health?.state === 'attached' ? 1 : 0)
    if (health === undefined) return
    const { emitted, dropped, unowned, faults } = health
    for (const [outcome, value] of Object.entries({ emitted, dropped, unowned, unjudged: faults })) {
      metrics.total('dayfly_sensor_events_total', { outcome }, value)
    }
    metrics.total('dayfly_sensor_restarts_total', {}, health.restarts)
  }

  return {
    collect: metrics => {
      metrics.set('dayfly_build_info', { version: readVersion(), node: process.version, backend: sources.backend }, 1)
      ofProcess(metrics)
      ofSensor(metrics)
      const pool = sources.pool()
      metrics.set('dayfly_pool_cells', {}, pool?.cells ?? 0)
      metrics.set('dayfly_pool_prepared', {}, pool?.prepared.reduce((sum, { ready }) => sum + ready, 0) ?? 0)
      const targets = sources.notify()
      const sum = (of: 'delivered' | 'lost' | 'waiting'): number => targets.reduce((all, target) => all + target[of], 0)
      metrics.total('dayfly_notify_delivered_total', {}, sum('delivered'))
      metrics.total('dayfly_notify_lost_total', {}, sum('lost'))
      metrics.set('dayfly_notify_waiting', {}, sum('waiting'))
      metrics.clear('dayfly_lease_remaining_seconds')
      const left = sources.nextExpiry()
      if (left !== undefined) metrics.set('dayfly_lease_remaining_seconds', {}, left / 1000)
      for (const [signal, exporter] of Object.entries(exporters())) {
        const { sent, dropped } = exporter.state()
        metrics.total('dayfly_telemetry_items_total', { signal, outcome: 'sent' }, sent)
        metrics.total('dayfly_telemetry_items_total', { signal, outcome: 'dropped' }, dropped)
      }
      lookForLeaks()
      if (leaks === undefined) return
      metrics.set('dayfly_leaks', {}, leaks.count)
      metrics.set('dayfly_leaks_checked_timestamp_seconds', {}, leaks.at / 1000)
    },
    [Symbol.dispose]: () => delay.disable(),
  }
}
