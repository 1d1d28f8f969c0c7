/** What pages ask the daemon for, and under which keys it is remembered. */
import { z } from 'zod'
import { FoundList } from '../../../api/schemas/activity.ts'
import { EnvironmentList, EnvironmentView } from '../../../api/schemas/environments.ts'
import { VerificationView } from '../../../api/schemas/records.ts'
import { ReportView } from '../../../api/schemas/reports.ts'
import { EventList } from '../../../api/schemas/system.ts'
import { WorkloadList } from '../../../api/schemas/workloads.ts'
import type { Event } from '../../../model/event.ts'
import type { Query } from './http.ts'
import { get, pathOf, send } from './http.ts'

export const queryKeys = {
  /** All that live, and the last that have ended. */
  environments: ['environments'],
  environment: (id: string) => ['environment', id],
  workloads: (id: string) => ['workloads', id],
  report: (id: string) => ['report', id],
  record: (id: string) => ['record', id],
  activity: (id: string, what: string) => ['activity', id, what],
} as const

/** Of what has ended, so many: the rest is on its own page. */
const recent = 200

/** A page as the API gives them: with where the next one begins, where there is one. */
const Listed = EnvironmentList.extend({ next: z.union([z.string(), z.number()]).nullish() })

const allPages = async (query: Query, most: number, signal?: AbortSignal): Promise<EnvironmentView[]> => {
  const found: EnvironmentView[] = []
  let after: string | number | undefined
  do {
    const page = await get(Listed, pathOf('/v1/environments', {}, { ...query, after }), signal)
    found.push(...page.environments)
    after = page.next ?? undefined
  } while (after !== undefined && found.length < most)
  return found
}

/** All that live, newest first, then the last that have ended. */
export const getEnvironments = async (signal?: AbortSignal): Promise<EnvironmentView[]> => {
  const [living, last] = await Promise.all([
    allPages({ limit: 1000 }, Number.POSITIVE_INFINITY, signal),
    get(Listed, pathOf('/v1/environments', {}, { all: true, limit: recent }), signal),
  ])
  const known = new Set(living.map(({ id }) => id))
  return [...living, ...last.environments.filter(({ id }) => !known.has(id))]
}

/** Newest first, ended ones too. */
export const getAllEnvironments = (most: number, signal?: AbortSignal): Promise<EnvironmentView[]> =>
  allPages({ all: true, limit: 1000 }, most, signal)

export const getEnvironment = (ref: string, signal?: AbortSignal): Promise<EnvironmentView> =>
  get(EnvironmentView, pathOf('/v1/environments/:ref', { ref }), signal)

export const getWorkloads = async (ref: string, signal?: AbortSignal) =>
  (await get(WorkloadList, pathOf('/v1/environments/:ref/workloads', { ref }), signal)).workloads

export const getReport = (ref: string, signal?: AbortSignal) => get(ReportView, pathOf('/v1/environments/:ref/report', { ref }), signal)

export const getVerification = (ref: string, signal?: AbortSignal) => get(VerificationView, pathOf('/v1/environments/:ref/verify', { ref }), signal)

/** The whole record of one environment, oldest first; at most `most` entries. */
export const getRecord = async (environment: string, signal?: AbortSignal, most = 20_000): Promise<Event[]> => {
  const events: Event[] = []
  let after: number | undefined
  do {
    const page = await get(EventList, pathOf('/v1/events', {}, { environment, after, limit: 1000 }), signal)
    events.push(...page.events)
    after = page.next ?? undefined
  } while (after !== undefined && events.length < most)
  return events
}

/** What instances did. `query` as the API has it. */
export const getActivity = (query: Query, signal?: AbortSignal) => get(FoundList, pathOf('/v1/activity', {}, query), signal)

export const extend = (ref: string, ttl: number) => send(EnvironmentView, 'POST', pathOf('/v1/environments/:ref/extend', { ref }), { ttl })
export const pause = (ref: string) => send(EnvironmentView, 'POST', pathOf('/v1/environments/:ref/pause', { ref }))
export const resume = (ref: string) => send(EnvironmentView, 'POST', pathOf('/v1/environments/:ref/resume', { ref }))
export const end = (ref: string) => send(EnvironmentView, 'DELETE', pathOf('/v1/environments/:ref', { ref }))
