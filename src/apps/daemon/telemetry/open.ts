/** Telemetry as this daemon has it: what is counted, and where it is sent by the environment's variables. Without an endpoint nothing leaves the host. */
import { arch, hostname } from 'node:os'
import type { Log } from '../../../base/log.ts'
import type { Engine } from '../../../engine/engine.ts'
import type { Store } from '../../../engine/store.ts'
import type { Report } from '../../../gateway/gateway.ts'
import type { Event } from '../../../model/event.ts'
import { logsRequest, logTree, tellingLog } from '../../../telemetry/logs.ts'
import { createMetrics } from '../../../telemetry/metrics.ts'
import type { Exporter } from '../../../telemetry/otlp/exporter.ts'
import { createExporter } from '../../../telemetry/otlp/exporter.ts'
import type { Signal } from '../../../telemetry/otlp/messages.ts'
import { metricsRequest, metricTrees } from '../../../telemetry/pushed-metrics.ts'
import { readTelemetrySettings } from '../../../telemetry/settings.ts'
import { spanTree, tracesRequest } from '../../../telemetry/spans.ts'
import type { Gauges, Sources } from './gauges.ts'
import { createGauges } from './gauges.ts'
import { countRecords, watchedStore } from './records.ts'
import type { Starts } from './starts.ts'
import { createStarts } from './starts.ts'
import { countTraffic } from './traffic.ts'

/** What of an API request is counted. */
export interface Served {
  readonly method: string
  /** As the route is written, with its parameters' names. */
  readonly route: string
  readonly code: number
  /** ms; undefined of what is streamed. */
  readonly took: number | undefined
}

export interface Telemetry extends AsyncDisposable {
  /** The daemon's log, which is sent as well where somebody wants it. */
  readonly log: Log
  readonly starts: Starts
  /** Counts what is written into it, and tells `also`. */
  store(store: Store, also: (event: Event) => void): Store
  traffic(report: Report): void
  served(request: Served): void
  /** Once everything is there: from now on it can be asked. */
  begin(store: Store, sources: Sources): void
  /** Prometheus' text format. */
  metrics(): Promise<string>
}

const methods = new Set(['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS'])

/** Throws `invalid` for a variable that is wrong. */
export const openTelemetry = (variables: NodeJS.ProcessEnv, log: Log): Telemetry => {
  const settings = readTelemetrySettings(variables, { 'host.name': hostname(), 'host.arch': arch(), 'process.pid': process.pid })
  const since = Date.now()
  const sender = { resource: settings.resource, version: String(settings.resource['service.version']) }
  const exporters: Partial<Record<Signal, Exporter>> = {}
  const { protocol } = settings
  if (settings.traces) {
    const options = { ...settings.spans, destination: settings.traces, requestOf: tracesRequest(sender) }
    exporters.traces = createExporter({ signal: 'traces', protocol, log, ...options })
  }
  if (settings.logs) exporters.logs = createExporter({ signal: 'logs', protocol, log, destination: settings.logs, requestOf: logsRequest(sender) })
  if (settings.metrics) {
    exporters.metrics = createExporter({
      signal: 'metrics',
      protocol,
      log,
      destination: settings.metrics,
      requestOf: metricsRequest(sender),
      delay: 1,
    })
  }

  let gauges: Gauges | undefined
  const metrics = createMetrics(into => {
    records.collect(into)
    traffic.collect(into)
    gauges?.collect(into)
  })
  const records = countRecords(metrics)
  const traffic = countTraffic(metrics)
  const { traces, logs } = exporters
  const starts = createStarts(metrics, traces && (span => traces.offer(spanTree(span))))

  const push = async (): Promise<void> => {
    await metrics.text()
    for (const tree of await metricTrees(metrics.registry, since, Date.now())) exporters.metrics?.offer(tree)
  }
  const pushing =
    exporters.metrics &&
    setInterval(() => void push().catch((error: unknown) => log.warn('metrics could not be pushed', { error })), settings.metricInterval)
  pushing?.unref()

  return {
    log:
      logs === undefined
        ? log
        : tellingLog(log, (level, message, fields) => {
            if (level !== 'debug') logs.offer(logTree(level, message, fields, Date.now(), starts.current()))
          }),
    starts,
    store: (store, also) =>
      watchedStore(store, event => {
        records.onEvent(event)
        starts.onEvent(event)
        also(event)
      }),
    traffic: traffic.see,
    served: ({ method, route, code, took }) => {
      const known = methods.has(method) ? method : 'other'
      metrics.count('dayfly_api_requests_total', { method: known, route, code: String(code) })
      if (took !== undefined) metrics.observe('dayfly_api_request_duration_seconds', { method: known }, took / 1000)
    },
    begin: (store, sources) => {
      records.begin(store)
      gauges = createGauges(sources, () => exporters)
    },
    metrics: metrics.text,
    [Symbol.asyncDispose]: async () => {
      clearInterval(pushing)
      // What they ask is closed by now.
      gauges?.[Symbol.dispose]()
      gauges = undefined
      if (pushing !== undefined) await push().catch(() => {})
      await Promise.all(Object.values(exporters).map(exporter => exporter[Symbol.asyncDispose]()))
    },
  }
}

/** ms until the next ttl of a living environment is over. */
export const nextExpiry = (engine: Pick<Engine, 'environments'>, now: number): number | undefined => {
  const deadlines = engine.environments({ ended: false }).map(({ ttlDeadline }) => ttlDeadline)
  return deadlines.length === 0 ? undefined : Math.max(0, Math.min(...deadlines) - now)
}
