/** Detections of all records, and what an instance did before one. */
import type { DetectionList, DetectionQuery, DetectionView, StoryView } from '../../../api/schemas/security.ts'
import type { ActivitySearch } from '../../../api/services.ts'
import { DayflyError } from '../../../base/errors.ts'
import type { Store } from '../../../engine/store.ts'
import { priorities } from '../../../model/detection.ts'
import type { Event } from '../../../model/event.ts'
import { readDetection } from './detection-entry.ts'
import type { Sees } from './findings.ts'

export interface DetectionParts {
  readonly store: Pick<Store, 'events' | 'environment' | 'instance'>
  readonly activity: ActivitySearch
}

const type = 'detection.raised'
/** Entries that are read at once, and in all for one page: of rules that are seldom asked for there may be none. */
const chunk = 500
const mostRead = 20_000
/** ms of the story before, and of what was done about it after. */
const before = 60_000
const after = 60_000
const mostTold = 500
/** Marks that programs compare; people have no use for them. */
const untold = new Set(['activity.kept', 'gateway.access_log', 'sensor.totals', 'instance.used'])

export interface Detections {
  list(query: DetectionQuery, sees: Sees): DetectionList
  /** Throws `not_found`. */
  story(id: number, sees: Sees, signal: AbortSignal): Promise<StoryView>
}

export const createDetections = ({ store, activity }: DetectionParts): Detections => {
  const view = (event: Event): DetectionView | undefined => {
    const environment = store.environment(event.environment)
    const entry = readDetection(event)
    if (environment === undefined || entry === undefined) return undefined
    const { id, spec, state } = environment
    const workload = event.instance === undefined ? undefined : store.instance(event.instance)?.workload
    const { rule, priority, output, tags, source, at, event: what, fields, process, exemption, measures, audit } = entry
    return {
      ...{ id: event.cursor, time: at ?? event.time, rule, priority, output, tags, source, event: what },
      process: { pid: process.pid, vpid: process.vpid, name: process.name, exe: process.exe },
      ...{ fields, environment: { id, name: spec.name, owner: spec.owner, state }, instance: event.instance ?? null, workload: workload ?? null },
      image: workload === undefined ? null : (spec.workloads[workload]?.imageName ?? null),
      ...{ exemption, measures, audit },
    }
  }

  return {
    list: ({ environment, instance, rule, priority, since, before: from, limit }, sees) => {
      const urgent = priority === undefined ? priorities.length : priorities.indexOf(priority)
      const found: DetectionView[] = []
      let cursor = from
      for (let read = 0; read < mostRead; read += chunk) {
        const events = store.events({
          ...{ types: [type], newestFirst: true, limit: chunk },
          ...(environment === undefined ? {} : { environment }),
          ...(cursor === undefined ? {} : { before: cursor }),
          ...(since === undefined ? {} : { since }),
        })
        for (const event of events) {
          cursor = event.cursor
          if (!sees(event.environment) || (instance !== undefined && event.instance !== instance)) continue
          const one = view(event)
          if (one === undefined || (rule !== undefined && one.rule !== rule) || priorities.indexOf(one.priority) > urgent) continue
          found.push(one)
          if (found.length === limit) return { detections: found, next: cursor }
        }
        if (events.length < chunk) return { detections: found, next: null }
      }
      return { detections: found, next: cursor ?? null }
    },
    story: async (id, sees, signal) => {
      const [event] = store.events({ types: [type], after: id - 1, limit: 1 })
      const detection = event?.cursor === id && sees(event.environment) ? view(event) : undefined
      if (event === undefined || detection === undefined) {
        throw new DayflyError('not_found', `there is no detection ${id}`, { field: 'id', remedy: 'See which there are: dayfly detections.' })
      }
      const { instance } = event
      const [from, until] = [detection.time - before, detection.time]
      const told =
        instance === undefined
          ? []
          : await activity.search({ environment: event.environment, instance, since: from, until, limit: mostTold + 1 }, signal)
      const record = store
        .events({ environment: event.environment, since: from })
        .filter(one => one.time <= until + after && !untold.has(one.type) && (one.instance === instance || one.instance === undefined))
      return {
        ...{ detection, from, until, activity: told.slice(0, mostTold).reverse(), more: told.length > mostTold },
        record: record.slice(0, mostTold),
      }
    },
  }
}
