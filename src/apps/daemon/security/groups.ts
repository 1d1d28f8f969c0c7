/** Findings of many images and environments, put together: the same thing once, with all the places where it is. */
import type { FindingGroupView } from '../../../api/schemas/security.ts'
import type { Severity } from '../../../model/finding.ts'
import { compareSeverity } from '../../../model/finding.ts'
import { riskOf } from './risk.ts'

type Where = FindingGroupView['where'][number]

export interface Occurrence extends Pick<FindingGroupView, 'key' | 'kind' | 'id' | 'title' | 'severity' | 'exploited' | 'epss' | 'settled'> {
  readonly aliases: readonly string[]
  readonly package: { readonly name: string; readonly version: string } | undefined
  readonly fixed: string | undefined
  /** Digest of the image that has it; what is of no image counts by itself. */
  readonly image: string | undefined
  readonly where: readonly Where[]
}

const mostPlaces = 20
const mostAliases = 20

interface Group {
  readonly first: Occurrence
  severity: Severity
  exploited: boolean
  epss: number | null
  /** Until one is not. */
  settled: boolean
  fixed: string | undefined
  readonly aliases: Set<string>
  readonly versions: Set<string>
  readonly images: Set<string>
  /** By environment, workload and image. */
  readonly places: Map<string, Where>
  count: number
}

const placeKey = ({ environment, workload, image }: Where): string => `${environment.id}\0${workload ?? ''}\0${image?.digest ?? ''}`

const widest = (before: Where | undefined, { until, ...one }: Where): Where => {
  if (before === undefined) return { ...one, until }
  const running = Math.max(before.running, one.running)
  const ended = before.until === null || until === null ? null : Math.max(before.until, until)
  return { ...one, running, from: Math.min(before.from, one.from), until: running > 0 ? null : ended }
}

const byNews = (left: Where, right: Where): number => Number(right.running > 0) - Number(left.running > 0) || right.from - left.from

export interface Groups {
  add(occurrence: Occurrence): void
  /** The greatest risk first. `now` is wall ms. */
  list(now: number): FindingGroupView[]
}

export const createGroups = (): Groups => {
  const groups = new Map<string, Group>()

  const view = (
    { first, severity, exploited, epss, settled, fixed, aliases, versions, images, places, count }: Group,
    now: number,
  ): FindingGroupView => {
    const where = [...places.values()].sort(byNews)
    const environments = new Set(where.map(({ environment }) => environment.id))
    const running = new Set(where.filter(place => place.running > 0).map(({ environment }) => environment.id)).size
    return {
      ...{ key: first.key, kind: first.kind, id: first.id, title: first.title, aliases: [...aliases].slice(0, mostAliases), severity },
      ...{ risk: riskOf({ severity, exploited, epss, settled, running }), exploited, epss, settled },
      package: first.package === undefined ? null : { name: first.package.name, versions: [...versions].sort() },
      fixed: fixed ?? null,
      since: where.reduce((least, { from }) => Math.min(least, from), now),
      last: running > 0 ? now : where.reduce((most, { from, until }) => Math.max(most, until ?? from), 0),
      ...{ count: Math.max(count, images.size), images: images.size, environments: environments.size, running },
      ...{ where: where.slice(0, mostPlaces), more: Math.max(0, where.length - mostPlaces) },
    }
  }

  return {
    add: one => {
      const known = groups.get(one.key)
      const group: Group = known ?? {
        ...{ first: one, severity: one.severity, exploited: false, epss: null, settled: true, fixed: undefined, count: 0 },
        ...{ aliases: new Set(), versions: new Set(), images: new Set(), places: new Map() },
      }
      if (known === undefined) groups.set(one.key, group)
      if (compareSeverity(one.severity, group.severity) > 0) group.severity = one.severity
      group.exploited ||= one.exploited
      group.settled &&= one.settled
      group.fixed ??= one.fixed
      if (one.epss !== null) group.epss = Math.max(group.epss ?? 0, one.epss)
      for (const alias of one.aliases) if (alias !== one.id) group.aliases.add(alias)
      if (one.package !== undefined) group.versions.add(one.package.version)
      if (one.image === undefined) group.count++
      else group.images.add(one.image)
      for (const place of one.where) group.places.set(placeKey(place), widest(group.places.get(placeKey(place)), place))
    },
    list: now =>
      [...groups.values()]
        .map(group => view(group, now))
        .sort((left, right) => right.risk - left.risk || right.last - left.last || (left.key < right.key ? -1 : 1)),
  }
}
