import type { Route } from '../route.ts'
import { defineRoute, nothing } from '../route.ts'
import { HostQuery, HostView } from '../schemas/host.ts'
import type { Services } from '../services.ts'

export const hostRoutes = (services: Services): Route[] => [
  defineRoute({
    method: 'GET',
    path: '/v1/host',
    summary: 'What this host has, what is promised of it, and what is on it',
    description: 'By osquery where it is installed, otherwise from the files of a Debian system. Nothing is fetched.',
    params: nothing,
    query: HostQuery,
    body: nothing,
    answers: [{ status: 200, description: 'The host.', mediaType: 'application/json', schema: HostView }],
    handle: async ({ query }) => ({ kind: 'json', status: 200, body: await services.host(query.fresh) }),
  }),
]
