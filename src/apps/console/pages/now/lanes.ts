/** What lives, as lanes of a timeline. Pure. */
import type { EnvironmentView, InstanceView } from '../../../../api/schemas/environments.ts'
import { imageName } from '../../format.ts'

export type BarKind = 'waiting' | 'running' | 'done' | 'failed'

/** One life. Times are wall ms; `end` undefined: it goes on. */
export interface Bar {
  readonly instance: string
  readonly workload: string
  readonly kind: BarKind
  readonly begin: number
  /** Until then it was being made. */
  readonly start: number | undefined
  readonly end: number | undefined
  /** Where it stands within its lane, from 0. */
  readonly track: number
}

export interface Lane {
  readonly environment: EnvironmentView
  readonly bars: readonly Bar[]
  /** How many bars stand above each other. */
  readonly tracks: number
  /** What a search looks into, in lower case. */
  readonly words: string
}

const barOf = (environment: EnvironmentView, instance: InstanceView, track: number): Bar => {
  const live = instance.state === 'pending' || instance.state === 'created' || instance.state === 'running'
  const end = live ? undefined : (instance.exit?.endedAt ?? environment.endedAt ?? instance.startedAt ?? instance.createdAt)
  const failed =
    instance.state === 'failed' ||
    instance.state === 'lost' ||
    // What nobody saw ending, in an environment that failed.
    (instance.exit === null
      ? environment.cause === 'failed' || environment.cause === 'lost'
      : instance.exit.code !== 0 && environment.cause !== 'requested')
  const kind: BarKind = live ? (instance.startedAt === null ? 'waiting' : 'running') : failed ? 'failed' : 'done'
  return {
    ...{ instance: instance.id, workload: instance.workload, kind, begin: instance.createdAt, track },
    start: instance.startedAt ?? undefined,
    end,
  }
}

/** Each place of each workload has a track of its own: whoever follows there, follows on the same line. */
export const laneOf = (environment: EnvironmentView): Lane => {
  const places = [...new Set(environment.instances.map(({ workload, replica }) => `${workload}\0${replica}`))].sort()
  const bars = environment.instances.map(instance => barOf(environment, instance, places.indexOf(`${instance.workload}\0${instance.replica}`)))
  const images = Object.values(environment.workloads).map(workload => imageName(workload.imageName))
  const words = [
    ...[environment.name, environment.id, environment.owner, environment.state, environment.cause ?? ''],
    ...Object.entries(environment.labels).map(([name, value]) => `${name}=${value}`),
    ...Object.keys(environment.workloads),
    ...images,
    ...environment.instances.map(({ id }) => id),
  ]
  return { environment, bars, tracks: Math.max(1, places.length), words: words.join('\n').toLowerCase() }
}

export const standings = ['living', 'all', 'ended'] as const
export type Standing = (typeof standings)[number]

/** Every word must be somewhere: `team=blue nginx`. */
export const filtered = (lanes: readonly Lane[], search: string, standing: Standing): Lane[] => {
  const words = search
    .toLowerCase()
    .split(/\s+/)
    .filter(word => word !== '')
  return lanes.filter(
    lane => (standing === 'all' || (lane.environment.state === 'ended') === (standing === 'ended')) && words.every(word => lane.words.includes(word)),
  )
}

/** What is left of its lease, from 1 to 0; undefined: it is ending. */
export const leaseLeft = (environment: EnvironmentView, now: number): number | undefined => {
  const { expiresAt, expiresBy, lease } = environment
  if (expiresAt === null) return undefined
  return Math.min(1, Math.max(0, (expiresAt - now) / (expiresBy === 'idle' ? lease.idle : lease.ttl)))
}

export interface View {
  /** Wall ms at the left and right edge. */
  readonly from: number
  readonly to: number
}

export const shortestSpan = 100
export const longestSpan = 7 * 86_400_000

/** Makes the span `factor` times as long, what is at `anchor` (wall ms) staying where it is. */
export const zoomed = ({ from, to }: View, factor: number, anchor: number): View => {
  const length = Math.min(longestSpan, Math.max(shortestSpan, (to - from) * factor))
  const share = (anchor - from) / (to - from)
  return { from: anchor - length * share, to: anchor + length * (1 - share) }
}

/** Times to write below the axis: round ones, about `wanted` of them. */
export const ticks = ({ from, to }: View, wanted: number): { step: number; times: number[] } => {
  const steps = [
    ...[10, 20, 50, 100, 200, 500],
    ...[1, 2, 5, 10, 15, 30].map(s => s * 1000),
    ...[1, 2, 5, 10, 15, 30, 60, 120, 240, 480, 1440].map(m => m * 60_000),
  ]
  const step = steps.find(each => (to - from) / each <= wanted) ?? 86_400_000
  // Round where the reader is.
  const offset = new Date(from).getTimezoneOffset() * 60_000
  const first = Math.ceil((from - offset) / step) * step + offset
  const times: number[] = []
  for (let time = first; time <= to; time += step) times.push(time)
  return { step, times }
}
