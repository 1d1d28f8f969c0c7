/** What the registry counts as OTLP metrics: the same numbers that /metrics shows. */
import type { Registry } from 'prom-client'
import type { Sender, Tree } from './otlp/tree.ts'
import { attributeTrees, nanoseconds, resourceOf, scopeOf } from './otlp/tree.ts'

type Family = Awaited<ReturnType<Registry['getMetricsAsJSON']>>[number]

interface Value {
  readonly value: number
  readonly labels: Readonly<Record<string, string | number | undefined>>
  readonly metricName: string
}

const cumulative = 2

const valuesOf = (family: Family): Value[] =>
  family.values.map(one => ({ value: one.value, labels: one.labels, metricName: 'metricName' in one ? String(one.metricName) : family.name }))

const unitOf = (name: string): string => {
  if (/_seconds(_total)?$/.test(name)) return 's'
  return /_bytes(_total)?$/.test(name) ? 'By' : '1'
}

const labelsOf = ({ labels }: Value): Record<string, string> =>
  Object.fromEntries(Object.entries(labels).flatMap(([name, value]) => (value === undefined || name === 'le' ? [] : [[name, String(value)]])))

const histogramPoints = (family: Family, times: Tree & object): Tree[] => {
  const series = Map.groupBy(valuesOf(family), value => JSON.stringify(Object.entries(labelsOf(value)).toSorted()))
  return [...series.values()].map(values => {
    const buckets = values
      .filter(({ metricName }) => metricName.endsWith('_bucket'))
      .map(({ value, labels }) => ({ value, bound: labels['le'] === '+Inf' ? Number.POSITIVE_INFINITY : Number(labels['le']) }))
      .toSorted((a, b) => a.bound - b.bound)
    const total = (suffix: string): number => values.find(({ metricName }) => metricName.endsWith(suffix))?.value ?? 0
    return {
      ...times,
      count: String(total('_count')),
      sum: total('_sum'),
      // Of Prometheus' buckets each holds all those below it as well.
      bucketCounts: buckets.map(({ value }, index) => String(value - (buckets[index - 1]?.value ?? 0))),
      explicitBounds: buckets.map(({ bound }) => bound).filter(Number.isFinite),
      attributes: attributeTrees(values[0] === undefined ? {} : labelsOf(values[0])),
    }
  })
}

const metricTree = (family: Family, since: string, now: string): Tree | undefined => {
  const times = { startTimeUnixNano: since, timeUnixNano: now }
  const { name, help } = family
  const said = { name, description: help, unit: unitOf(name) }
  const kind = String(family.type)
  if (kind === 'histogram') return { ...said, histogram: { dataPoints: histogramPoints(family, times), aggregationTemporality: cumulative } }
  const dataPoints = valuesOf(family).map(value => ({ ...times, asDouble: value.value, attributes: attributeTrees(labelsOf(value)) }))
  if (kind === 'counter') return { ...said, sum: { dataPoints, aggregationTemporality: cumulative, isMonotonic: true } }
  return kind === 'gauge' ? { ...said, gauge: { dataPoints } } : undefined
}

/** `since`: wall ms from which counters count. */
export const metricTrees = async (registry: Pick<Registry, 'getMetricsAsJSON'>, since: number, now: number): Promise<Tree[]> =>
  (await registry.getMetricsAsJSON()).flatMap(family => metricTree(family, nanoseconds(since), nanoseconds(now)) ?? [])

export const metricsRequest =
  (sender: Sender) =>
  (metrics: readonly Tree[]): Tree => ({
    resourceMetrics: [{ resource: resourceOf(sender), scopeMetrics: [{ scope: scopeOf(sender), metrics }] }],
  })
