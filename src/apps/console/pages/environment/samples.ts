/** Samples of what instances use, as series for charts. Pure. */
import type { FoundView } from '../../../../api/schemas/activity.ts'
import type { Sample } from '../../../../model/activity.ts'

export interface Series {
  /** Seconds since the Unix epoch, ascending. */
  readonly times: number[]
  /** By name of the line; null where it has no value. */
  readonly lines: ReadonlyMap<string, (number | null)[]>
}

export type Metric = 'cpu' | 'memory' | 'received' | 'sent' | 'disk'

/** Since the sample before, per second; undefined for sums that are not known or have begun anew. */
const rate = (now: number | undefined, before: number | undefined, seconds: number): number | undefined =>
  now === undefined || before === undefined || seconds <= 0 || now < before ? undefined : (now - before) / seconds

const amountOf = (metric: Metric, sample: Sample, before: Sample | undefined): number | undefined => {
  if (metric === 'memory') return sample.memory
  if (before === undefined) return undefined
  const seconds = (sample.time - before.time) / 1000
  switch (metric) {
    case 'cpu': {
      const used = rate(sample.cpu, before.cpu, seconds)
      return used === undefined ? undefined : used / 1e6
    }
    case 'received':
      return rate(sample.received, before.received, seconds)
    case 'sent':
      return rate(sample.sent, before.sent, seconds)
    case 'disk':
      return rate((sample.read ?? 0) + (sample.written ?? 0), (before.read ?? 0) + (before.written ?? 0), seconds)
  }
}

export const samplesOf = (found: readonly FoundView[]): Sample[] =>
  found.flatMap(({ activity }) => (activity.type === 'sample' ? [activity] : [])).sort((left, right) => left.time - right.time)

/** All lines share their times, by second. `nameOf` says what the line of an instance is called. */
export const seriesOf = (samples: readonly Sample[], metric: Metric, nameOf: (instance: string) => string): Series => {
  const before = new Map<string, Sample>()
  const values = new Map<string, Map<number, number>>()
  const times = new Set<number>()
  for (const sample of samples) {
    const value = amountOf(metric, sample, before.get(sample.instance))
    before.set(sample.instance, sample)
    if (value === undefined) continue
    const second = Math.round(sample.time / 1000)
    times.add(second)
    const name = nameOf(sample.instance)
    const line = values.get(name) ?? new Map<number, number>()
    line.set(second, value)
    values.set(name, line)
  }
  const ordered = [...times].sort((left, right) => left - right)
  return { times: ordered, lines: new Map([...values].sort().map(([name, line]) => [name, ordered.map(time => line.get(time) ?? null)])) }
}
