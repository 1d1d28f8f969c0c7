/** Environments whose workloads are kept running: up, diff, how they stand, pause. */
import { z } from 'zod'
import { DayflyError } from '../../base/errors.ts'
import type { Actor } from '../../model/event.ts'
import { Flag, EnvironmentRef as Ref } from '../parameters.ts'
import type { Route } from '../route.ts'
import { defineRoute, nothing } from '../route.ts'
import { EnvironmentView, InstanceView } from '../schemas/environments.ts'
import type { ChangeView, UpRequest, WorkloadView } from '../schemas/workloads.ts'
import { DiffLine, DiffRequest, UpLine, UpRequest as UpSchema, WorkloadList } from '../schemas/workloads.ts'
import type { Change, OnImageProgress, Services, Waiting } from '../services.ts'
import { toldThen } from '../told.ts'
import { environmentView, instanceView, warningView, workloadView } from '../views.ts'
import { waitingOf } from './run.ts'

const WorkloadRef = Ref.extend({ workload: z.string().min(1).describe('Its name.') })

/** What is told of images, and of the place in line, as it comes; then the outcome. */
const progressThen = (work: (onProgress: OnImageProgress, onPlace: Waiting['onPlace']) => Promise<object>): AsyncGenerator<object> =>
  toldThen(tell =>
    work(
      (image, progress) => tell({ image, progress }),
      ({ place, reason }) => tell({ queued: { place, reason } }),
    ),
  )

const changeView = ({ subject, name, kind, fields, effect }: Change): ChangeView => ({ subject, name, kind, fields: [...fields], effect })

const secretsOf = (secrets: UpRequest['secrets']): Map<string, Map<string, Buffer>> =>
  new Map(
    Object.entries(secrets).map(([workload, files]) => [
      workload,
      new Map(Object.entries(files).map(([name, base64]) => [name, Buffer.from(base64, 'base64')])),
    ]),
  )

const up = async (
  services: Services,
  request: UpRequest,
  actor: Actor,
  onProgress: OnImageProgress,
  onPlace: Waiting['onPlace'],
  signal: AbortSignal,
) => {
  const stray = Object.keys(request.seeds).find(name => !request.draft.volumes.includes(name))
  if (stray !== undefined) {
    throw new DayflyError('invalid', `seeds.${stray}: the environment has no volume ${stray}`, {
      field: `seeds.${stray}`,
      remedy: request.draft.volumes.length === 0 ? 'It has none.' : `It has ${request.draft.volumes.join(', ')}.`,
    })
  }
  await using seeds = await services.openSeeds(request.seeds)
  const spec = await services.planUp(request, onProgress, signal)
  const waiting = waitingOf(request, onPlace)
  const { environment, changes, warnings } = await services.lifecycle.up(
    spec,
    secretsOf(request.secrets),
    seeds.streams,
    actor,
    signal,
    request.partial,
    waiting,
  )
  return { environment: environmentView(services, environment), changes: changes.map(changeView), warnings: warnings.map(warningView) }
}

const workloadViews = (services: Services, ref: string): WorkloadView[] => {
  const environment = services.lifecycle.environment(ref)
  return services.lifecycle.workloads(environment.id).map(status => workloadView(services, environment, status))
}

async function* followWorkloads(services: Services, ref: string, signal: AbortSignal): AsyncGenerator<object> {
  const environment = services.lifecycle.environment(ref)
  for await (const statuses of services.lifecycle.watch(environment.id, signal)) {
    yield { workloads: statuses.map(status => workloadView(services, environment, status)) }
  }
}

/** What is done with an environment as a whole, and gives it as it is then. */
const changing = (name: 'pause' | 'resume', summary: string, services: Services, description?: string): Route =>
  defineRoute({
    method: 'POST',
    path: `/v1/environments/:ref/${name}`,
    summary,
    ...(description === undefined ? {} : { description }),
    params: Ref,
    query: nothing,
    body: nothing,
    answers: [{ status: 200, description: 'The environment.', mediaType: 'application/json', schema: EnvironmentView }],
    handle: async ({ params, actor }) => ({
      kind: 'json',
      status: 200,
      body: environmentView(services, await services.lifecycle[name](params.ref, actor)),
    }),
  })

export const workloadRoutes = (services: Services): Route[] => [
  defineRoute({
    method: 'POST',
    path: '/v1/environments/up',
    summary: 'Bring up an environment whose workloads are kept running, or change the living one of that name to the draft',
    description:
      'Answers once that is written; the workloads follow in the order of their dependencies, whatever becomes of the client: see `workloads`. A client ' +
      'that goes away before that gives it up, and nothing has changed.',
    params: nothing,
    query: nothing,
    body: UpSchema,
    answers: [{ status: 200, description: 'Progress, then the environment.', mediaType: 'application/x-ndjson', schema: UpLine }],
    handle: async ({ body, actor, signal }) => ({
      kind: 'lines',
      lines: progressThen((onProgress, onPlace) => up(services, body, actor, onProgress, onPlace, signal)),
    }),
  }),
  defineRoute({
    method: 'POST',
    path: '/v1/environments/diff',
    summary: 'What `up` would change',
    description: 'Images that are not there are fetched, for they are part of what may differ. Nothing else is done.',
    params: nothing,
    query: nothing,
    body: DiffRequest,
    answers: [{ status: 200, description: 'Progress, then the changes.', mediaType: 'application/x-ndjson', schema: DiffLine }],
    handle: async ({ body, signal }) => ({
      kind: 'lines',
      lines: progressThen(async onProgress => {
        const spec = await services.planUp(body, onProgress, signal)
        return { changes: services.lifecycle.diff(spec, body.partial, body.secrets && secretsOf(body.secrets)).map(changeView) }
      }),
    }),
  }),
  defineRoute({
    method: 'GET',
    path: '/v1/environments/:ref/workloads',
    summary: 'How the workloads of an environment stand',
    description: 'With `follow` one document a line: the first at once, then each change until the environment ends. Looking is no activity.',
    params: Ref,
    query: z.strictObject({ follow: Flag.describe('Go on until the environment ends.') }),
    body: nothing,
    answers: [
      { status: 200, description: 'The workloads, in the order of their dependencies.', mediaType: 'application/json', schema: WorkloadList },
      { status: 200, description: 'With `follow`.', mediaType: 'application/x-ndjson', schema: WorkloadList },
    ],
    handle: async ({ params, query, signal }) =>
      query.follow
        ? { kind: 'lines', lines: followWorkloads(services, params.ref, signal) }
        : { kind: 'json', status: 200, body: { workloads: workloadViews(services, params.ref) } },
  }),
  defineRoute({
    method: 'GET',
    path: '/v1/environments/:ref/workloads/:workload/exit',
    summary: "Answer when a workload's instance has ended and is not restarted",
    params: WorkloadRef,
    query: nothing,
    body: nothing,
    answers: [{ status: 200, description: 'The instance with its exit.', mediaType: 'application/json', schema: InstanceView }],
    handle: async ({ params, signal }) => ({
      kind: 'json',
      status: 200,
      body: instanceView(await services.lifecycle.exited(params.ref, params.workload, signal)),
    }),
  }),
  changing(
    'pause',
    'Freeze all instances of an environment',
    services,
    'A request through the gateway, an exec or resume wakes it. Its ttl runs on.',
  ),
  changing('resume', 'Let the instances of a paused environment go on', services),
]
