import { EnvironmentRef as Ref } from '../parameters.ts'
import type { Route } from '../route.ts'
import { defineRoute, nothing } from '../route.ts'
import { CostQuery, CostView, RecordKeyList, VerificationView } from '../schemas/records.ts'
import { ReportView } from '../schemas/reports.ts'
import type { Services } from '../services.ts'

export const recordRoutes = (services: Services): Route[] => [
  defineRoute({
    method: 'GET',
    path: '/v1/environments/:ref/verify',
    summary: 'Whether the record of an environment, and what goes with it, is what was written',
    description:
      'Reads all of it: chain, seal, signature, logs, access log, activity, evidence. What is wrong is named; an answer that it is broken is no error.',
    params: Ref,
    query: nothing,
    body: nothing,
    answers: [{ status: 200, description: 'The verdict.', mediaType: 'application/json', schema: VerificationView }],
    handle: async ({ params }) => ({
      kind: 'json',
      status: 200,
      body: await services.records.verify(services.lifecycle.environment(params.ref)),
    }),
  }),
  defineRoute({
    method: 'GET',
    path: '/v1/environments/:ref/export',
    summary: 'All that is kept of an ended environment, as one signed bundle',
    description: 'A tar archive (docs/record.md has its layout). An answer that breaks off in the middle is a failure: see the log of the daemon.',
    params: Ref,
    query: nothing,
    body: nothing,
    answers: [{ status: 200, description: 'The bundle.', mediaType: 'application/x-tar' }],
    handle: async ({ params }) => ({
      kind: 'bytes',
      mediaType: 'application/x-tar',
      bytes: await services.records.export(services.lifecycle.environment(params.ref)),
    }),
  }),
  defineRoute({
    method: 'GET',
    path: '/v1/environments/:ref/report',
    summary: 'The whole life of an environment, in bounded size',
    description: 'Of one that lives, as far as it has come. Lists say how many more there are.',
    params: Ref,
    query: nothing,
    body: nothing,
    answers: [{ status: 200, description: 'The report.', mediaType: 'application/json', schema: ReportView }],
    handle: async ({ params }) => ({
      kind: 'json',
      status: 200,
      body: await services.records.report(services.lifecycle.environment(params.ref)),
    }),
  }),
  defineRoute({
    method: 'GET',
    path: '/v1/environments/:ref/report/page',
    summary: 'The report for people to read',
    description: 'One page without scripts that needs nothing else; it can be kept as it is.',
    params: Ref,
    query: nothing,
    body: nothing,
    answers: [{ status: 200, description: 'The page.', mediaType: 'text/html' }],
    handle: async ({ params }) => ({ kind: 'page', ...(await services.records.reportPage(services.lifecycle.environment(params.ref))) }),
  }),
  defineRoute({
    method: 'GET',
    path: '/v1/record/keys',
    summary: 'Public keys that records are, and were, signed with',
    params: nothing,
    query: nothing,
    body: nothing,
    answers: [{ status: 200, description: 'The one in use first.', mediaType: 'application/json', schema: RecordKeyList }],
    handle: async () => ({ kind: 'json', status: 200, body: { keys: services.records.keys() } }),
  }),
  defineRoute({
    method: 'GET',
    path: '/v1/cost',
    summary: 'What instances used, and what that cost',
    description: 'Of instances that have ended and whose record is kept.',
    params: nothing,
    query: CostQuery,
    body: nothing,
    answers: [{ status: 200, description: 'The sums.', mediaType: 'application/json', schema: CostView }],
    handle: async ({ query }) => ({ kind: 'json', status: 200, body: services.records.cost(query) }),
  }),
]
