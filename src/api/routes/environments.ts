import { z } from 'zod'
import { DayflyError } from '../../base/errors.ts'
import { framesMediaType } from '../frames.ts'
import { pageFrom, pageQuery } from '../pages.ts'
import { Flag, EnvironmentRef as Ref } from '../parameters.ts'
import type { Route } from '../route.ts'
import { defineRoute, nothing } from '../route.ts'
import { AccessView, EnvironmentList, EnvironmentView, ExtendRequest, RunRequest, StartedView } from '../schemas/environments.ts'
import type { Services } from '../services.ts'
import { environmentView, startedView } from '../views.ts'
import { runStream, start } from './run.ts'

const Count = z
  .string()
  .regex(/^\d{1,15}$/, 'must be a whole number')
  .transform(Number)

const labelFilter = (labels: readonly string[]): Record<string, string> =>
  Object.fromEntries(
    labels.map(label => {
      const at = label.indexOf('=')
      if (at < 1) throw new DayflyError('invalid', `label: "${label}" is not NAME=VALUE`, { field: 'label', remedy: 'Write it like team=blue.' })
      return [label.slice(0, at), label.slice(at + 1)]
    }),
  )

export const environmentRoutes = (services: Services): Route[] => [
  defineRoute({
    method: 'POST',
    path: '/v1/environments',
    summary: 'Create an environment with one workload, and start it',
    description:
      'Answers once it runs. With `Upgrade: dayfly-frames` the connection goes on as frames: progress, queued, started, output, exit and ended, and stdin, ' +
      'resizes and signals the other way. A client that goes away before the start gives it up and nothing is left; later, its lease ends it.',
    params: nothing,
    query: nothing,
    body: RunRequest,
    answers: [
      { status: 201, description: 'It runs.', mediaType: 'application/json', schema: StartedView },
      { status: 101, description: `Frames follow, as in a body of ${framesMediaType}.` },
    ],
    handle: async ({ body, actor, signal, upgrade }) => {
      if (upgrade) return { kind: 'stream', carry: runStream(services, body, actor, signal) }
      const started = await start(
        services,
        body,
        actor,
        () => {},
        () => {},
        signal,
      )
      return { kind: 'json', status: 201, body: startedView(services, started) }
    },
  }),
  defineRoute({
    method: 'GET',
    path: '/v1/environments',
    summary: 'List environments, newest first',
    params: nothing,
    query: z.strictObject({
      all: Flag.describe('Ended ones too, as long as their record is kept.'),
      label: z
        .union([z.string().transform(text => [text]), z.array(z.string())])
        .default([])
        .describe('NAME=VALUE; several must all match.'),
      ...pageQuery,
    }),
    body: nothing,
    answers: [{ status: 200, description: 'The environments.', mediaType: 'application/json', schema: EnvironmentList }],
    handle: async ({ query }) => {
      const labels = labelFilter(query.label)
      const filter = { ...(query.all ? {} : { ended: false }), ...(query.label.length === 0 ? {} : { labels }) }
      const { page, next } = pageFrom(part => services.lifecycle.environments({ ...filter, ...part }), query)
      return { kind: 'json', status: 200, body: { environments: page.map(environment => environmentView(services, environment)), next } }
    },
  }),
  defineRoute({
    method: 'GET',
    path: '/v1/environments/:ref',
    summary: 'One environment with its instances',
    params: Ref,
    query: nothing,
    body: nothing,
    answers: [{ status: 200, description: 'The environment.', mediaType: 'application/json', schema: EnvironmentView }],
    handle: async ({ params }) => ({ kind: 'json', status: 200, body: environmentView(services, services.lifecycle.environment(params.ref)) }),
  }),
  defineRoute({
    method: 'GET',
    path: '/v1/environments/:ref/access',
    summary: 'Requests and connections that came to an environment through the gateway, oldest first',
    description: 'One JSON document a line. Reading it is no activity.',
    params: Ref,
    query: z.strictObject({
      follow: Flag.describe('Go on until the environment ends.'),
      since: Count.optional().describe('Only those at or after this time.'),
      tail: Count.optional().describe('Only the last so many of what is there already.'),
    }),
    body: nothing,
    answers: [{ status: 200, description: 'The access log.', mediaType: 'application/x-ndjson', schema: AccessView }],
    handle: async ({ params, query, signal }) => {
      const { follow, since, tail } = query
      return { kind: 'lines', lines: services.access(services.lifecycle.environment(params.ref), { follow, since, tail }, signal) }
    },
  }),
  defineRoute({
    method: 'DELETE',
    path: '/v1/environments/:ref',
    summary: 'End an environment, and answer when nothing is left of it',
    description: 'Works in every state and may be repeated. Its record stays until its retention ends.',
    params: Ref,
    query: z.strictObject({ force: Flag.describe('Without the stop signal and its grace.') }),
    body: nothing,
    answers: [{ status: 200, description: 'The environment as it ended.', mediaType: 'application/json', schema: EnvironmentView }],
    handle: async ({ params, query, actor, signal }) => {
      const environment = await services.lifecycle.end(params.ref, 'requested', `${actor.name} asked for it`, actor, query.force, signal)
      return { kind: 'json', status: 200, body: environmentView(services, environment) }
    },
  }),
  defineRoute({
    method: 'POST',
    path: '/v1/environments/:ref/extend',
    summary: "Move the end of an environment's lease",
    params: Ref,
    query: nothing,
    body: ExtendRequest,
    answers: [{ status: 200, description: 'The environment with its new end.', mediaType: 'application/json', schema: EnvironmentView }],
    handle: async ({ params, body, actor }) => ({
      kind: 'json',
      status: 200,
      body: environmentView(services, await services.lifecycle.extend(params.ref, body.ttl, actor)),
    }),
  }),
]
