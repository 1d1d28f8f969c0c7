import type { Route } from '../route.ts'
import { defineRoute, nothing } from '../route.ts'
import { About, DoctorReport, LeakReport } from '../schemas/system.ts'
import type { Services } from '../services.ts'

export const systemRoutes = (services: Services): Route[] => [
  defineRoute({
    method: 'GET',
    path: '/v1/version',
    summary: 'What answers here',
    params: nothing,
    query: nothing,
    body: nothing,
    answers: [{ status: 200, description: 'The daemon.', mediaType: 'application/json', schema: About }],
    handle: async () => ({ kind: 'json', status: 200, body: services.about }),
  }),
  defineRoute({
    method: 'GET',
    path: '/v1/doctor',
    summary: 'Whether this host has what Dayfly needs',
    params: nothing,
    query: nothing,
    body: nothing,
    answers: [{ status: 200, description: 'The checks.', mediaType: 'application/json', schema: DoctorReport }],
    handle: async ({ signal }) => ({ kind: 'json', status: 200, body: { checks: await services.doctor(signal) } }),
  }),
  defineRoute({
    method: 'GET',
    path: '/v1/doctor/leaks',
    summary: 'Kernel objects and folders that Dayfly owns and no living instance explains',
    params: nothing,
    query: nothing,
    body: nothing,
    answers: [{ status: 200, description: 'The leaks; none is the rule.', mediaType: 'application/json', schema: LeakReport }],
    handle: async () => ({
      kind: 'json',
      status: 200,
      body: { leaks: (await services.lifecycle.leaks()).map(({ kind, name, owner }) => ({ kind, name, owner: owner ?? null })) },
    }),
  }),
  defineRoute({
    method: 'GET',
    path: '/metrics',
    summary: 'What is counted, for Prometheus',
    description: 'In its text format, version 0.0.4. docs/telemetry.md describes each metric.',
    params: nothing,
    query: nothing,
    body: nothing,
    answers: [{ status: 200, description: 'The metrics.', mediaType: 'text/plain' }],
    handle: async () => {
      const text = await services.metrics()
      const bytes = async function* (): AsyncGenerator<Buffer> {
        yield Buffer.from(text)
      }
      return { kind: 'bytes', mediaType: 'text/plain; version=0.0.4; charset=utf-8', bytes: bytes() }
    },
  }),
]
