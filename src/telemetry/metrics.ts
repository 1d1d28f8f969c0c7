/** The registry of what is counted. One mechanism: what /metrics shows is what is pushed (pushed-metrics.ts). */
import { Counter, Gauge, Histogram, Registry } from 'prom-client'
import { DayflyError } from '../base/errors.ts'
import type { MetricDefinition, MetricName } from './catalog.ts'
import { catalog } from './catalog.ts'

type Labels = Readonly<Record<string, string>>

export interface Metrics {
  readonly registry: Registry
  count(name: MetricName, labels?: Labels, by?: number): void
  /** For what somebody else has counted since the daemon's start. A total that falls begins anew. */
  total(name: MetricName, labels: Labels, value: number): void
  set(name: MetricName, labels: Labels, value: number): void
  /** Forgets all that a gauge says. */
  clear(name: MetricName): void
  observe(name: MetricName, labels: Labels, seconds: number): void
  /** Prometheus' text format. */
  text(): Promise<string>
}

/** Of Prometheus' text format. */
export const metricsMediaType = 'text/plain; version=0.0.4; charset=utf-8'

const make = (definition: MetricDefinition, registers: Registry[]): Counter | Gauge | Histogram => {
  const { name, help, labels: labelNames } = definition
  const common = { name, help, labelNames: [...labelNames], registers }
  if (definition.type === 'histogram') return new Histogram({ ...common, buckets: [...definition.buckets] })
  return definition.type === 'counter' ? new Counter(common) : new Gauge(common)
}

/** `collect`: brings up to date what is only known when it is asked for. Must not throw, and must not take long. */
export const createMetrics = (collect: (metrics: Metrics) => Promise<void> | void): Metrics => {
  const registry = new Registry()
  const all = new Map<string, Counter | Gauge | Histogram>(catalog.map(definition => [definition.name, make(definition, [registry])]))
  const totals = new Map<string, number>()

  const of = <T extends Counter | Gauge | Histogram>(name: MetricName, is: (metric: unknown) => metric is T): T => {
    const metric = all.get(name)
    if (!is(metric)) throw new DayflyError('internal', `the metric ${name} is of another type`)
    return metric
  }
  const counter = (metric: unknown): metric is Counter => metric instanceof Counter
  const gauge = (metric: unknown): metric is Gauge => metric instanceof Gauge
  const histogram = (metric: unknown): metric is Histogram => metric instanceof Histogram

  const metrics: Metrics = {
    registry,
    count: (name, labels = {}, by = 1) => of(name, counter).inc({ ...labels }, by),
    total: (name, labels, value) => {
      const key = `${name} ${JSON.stringify(labels)}`
      const before = totals.get(key) ?? 0
      totals.set(key, value)
      of(name, counter).inc({ ...labels }, value >= before ? value - before : value)
    },
    set: (name, labels, value) => of(name, gauge).set({ ...labels }, value),
    clear: name => {
      const metric = of(name, gauge)
      metric.reset()
      // One without labels would say 0, which is something.
      if (catalog.find(one => one.name === name)?.labels.length === 0) metric.remove()
    },
    observe: (name, labels, seconds) => of(name, histogram).observe({ ...labels }, seconds),
    text: async () => {
      await collect(metrics)
      return await registry.metrics()
    },
  }
  return metrics
}
