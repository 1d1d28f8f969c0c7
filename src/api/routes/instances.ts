import { z } from 'zod'
import { DayflyError } from '../../base/errors.ts'
import type { Actor } from '../../model/event.ts'
import type { Instance } from '../../model/instance.ts'
import type { ExecRequest, Session } from '../../model/session.ts'
import type { FrameStream } from '../frame-stream.ts'
import { encodeJson, encodeOutput, frameKind, framesMediaType } from '../frames.ts'
import { pageFrom, pageQuery } from '../pages.ts'
import { flag } from '../parameters.ts'
import type { Route } from '../route.ts'
import { defineRoute, nothing } from '../route.ts'
import { ExecInput, InstanceList, InstanceView, KillRequest, LogEntry, StopRequest } from '../schemas/environments.ts'
import type { LogQuery, Services } from '../services.ts'
import { environmentView, instanceView, logEntry } from '../views.ts'
import { forwardOutput, killIfRunning, outputOf, withInput } from './run.ts'

const Ref = z.object({
  ref: z.string().min(1).describe('An id, a unique prefix of one of at least 4 characters, or the id or name of an environment with one instance.'),
})
const Count = z
  .string()
  .regex(/^\d{1,15}$/, 'must be a whole number')
  .transform(Number)

const found = { status: 200, description: 'The instance.', mediaType: 'application/json', schema: InstanceView } as const
const frames = { status: 101, description: `Frames follow, as in a body of ${framesMediaType}.` } as const

const upgradeRequired = (): DayflyError =>
  new DayflyError('invalid', 'upgrade: this route goes on as frames', {
    field: 'upgrade',
    remedy: 'Send `Connection: Upgrade` and `Upgrade: dayfly-frames`.',
  })

async function* logFrames(services: Services, instance: Instance, query: LogQuery, signal: AbortSignal): AsyncGenerator<Buffer> {
  for await (const piece of services.logs(instance, query, signal)) yield* encodeOutput(frameKind[piece.stream], piece.data)
}

async function* logLines(services: Services, instance: Instance, query: LogQuery, signal: AbortSignal): AsyncGenerator<LogEntry> {
  for await (const piece of services.logs(instance, query, signal)) yield logEntry(piece)
}

/** One more command, with its streams as frames. */
const execStream =
  (services: Services, instance: Instance, request: ExecRequest, actor: Actor, signal: AbortSignal) =>
  async (stream: FrameStream): Promise<void> => {
    let open: Session | undefined
    await withInput(
      stream,
      signal,
      name => open?.signal(name),
      async (attach, gone) => {
        await using session = await services.lifecycle.exec(instance.id, request, actor, gone)
        // A client that goes away hangs the command up, also while it prints nothing.
        const hangUp = (): void => void session[Symbol.asyncDispose]()
        if (gone.aborted) return
        gone.addEventListener('abort', hangUp, { once: true })
        open = session
        attach(session)
        for await (const { stream: name, data } of session.output) await stream.send(...encodeOutput(frameKind[name], data))
        const code = await session.exit
        gone.removeEventListener('abort', hangUp)
        await stream.send(encodeJson(frameKind.exit, { code, instance: null }))
      },
    )
  }

export const instanceRoutes = (services: Services): Route[] => [
  defineRoute({
    method: 'GET',
    path: '/v1/instances',
    summary: 'List instances, oldest first',
    params: nothing,
    query: z.strictObject({ environment: z.string().optional(), ...pageQuery }),
    body: nothing,
    answers: [{ status: 200, description: 'The instances.', mediaType: 'application/json', schema: InstanceList }],
    handle: async ({ query }) => {
      const filter = query.environment === undefined ? {} : { environment: services.lifecycle.environment(query.environment).id }
      const { page, next } = pageFrom(part => services.lifecycle.instanceList({ ...filter, ...part }), query)
      return { kind: 'json', status: 200, body: { instances: page.map(instanceView), next } }
    },
  }),
  defineRoute({
    method: 'GET',
    path: '/v1/instances/:ref',
    summary: 'One instance',
    params: Ref,
    query: nothing,
    body: nothing,
    answers: [found],
    handle: async ({ params }) => ({ kind: 'json', status: 200, body: instanceView(services.lifecycle.instance(params.ref)) }),
  }),
  defineRoute({
    method: 'GET',
    path: '/v1/instances/:ref/logs',
    summary: "An instance's output",
    description: `As frames with \`Accept: ${framesMediaType}\`, else one JSON document a line. Reading it is no activity.`,
    params: Ref,
    query: z.strictObject({
      follow: flag('false').describe('Go on until the instance ends.'),
      since: Count.optional().describe('Only output at or after this time.'),
      until: Count.optional().describe('Only output at or before this time. Not with `follow`.'),
      tail: Count.optional().describe('Only the last so many lines of what is there already: of them, those that `grep` finds.'),
      grep: z
        .string()
        .min(1)
        .max(1024)
        .optional()
        .describe('Only lines that have this: a regular expression of RE2. Of a line its first 64 KiB are looked at.'),
      stdout: flag('true'),
      stderr: flag('true'),
    }),
    body: nothing,
    answers: [
      { status: 200, description: 'The output.', mediaType: 'application/x-ndjson', schema: LogEntry },
      { status: 200, description: 'The output, byte for byte.', mediaType: framesMediaType },
    ],
    handle: async ({ params, query, signal, accepts }) => {
      const instance = services.lifecycle.instance(params.ref)
      const streams = [query.stdout ? ['stdout' as const] : [], query.stderr ? ['stderr' as const] : []].flat()
      if (query.follow && query.until !== undefined) {
        throw new DayflyError('invalid', 'until: what is followed has no end', { field: 'until', remedy: 'Leave one of follow and until out.' })
      }
      const { follow, since, until, tail, grep } = query
      const logQuery = { follow, since, until, tail, grep, streams }
      if (accepts(framesMediaType)) return { kind: 'frames', frames: logFrames(services, instance, logQuery, signal) }
      return { kind: 'lines', lines: logLines(services, instance, logQuery, signal) }
    },
  }),
  defineRoute({
    method: 'GET',
    path: '/v1/instances/:ref/wait',
    summary: 'Answer when an instance is no longer live, all its output being in its log',
    params: Ref,
    query: nothing,
    body: nothing,
    answers: [found],
    handle: async ({ params, signal }) => ({ kind: 'json', status: 200, body: instanceView(await services.lifecycle.wait(params.ref, signal)) }),
  }),
  defineRoute({
    method: 'POST',
    path: '/v1/instances/:ref/stop',
    summary: "Send the workload's stop signal, after its grace SIGKILL; answer when it has ended",
    params: Ref,
    query: nothing,
    body: StopRequest,
    answers: [found],
    handle: async ({ params, body, actor, signal }) => ({
      kind: 'json',
      status: 200,
      body: instanceView(await services.lifecycle.stop(params.ref, body.grace, actor, signal)),
    }),
  }),
  defineRoute({
    method: 'POST',
    path: '/v1/instances/:ref/kill',
    summary: 'Send a signal to the first process of an instance',
    params: Ref,
    query: nothing,
    body: KillRequest,
    answers: [found],
    handle: async ({ params, body, actor }) => {
      await services.lifecycle.kill(params.ref, body.signal, actor)
      return { kind: 'json', status: 200, body: instanceView(services.lifecycle.instance(params.ref)) }
    },
  }),
  defineRoute({
    method: 'POST',
    path: '/v1/instances/:ref/exec',
    summary: 'Run one more command in an instance',
    description: 'stdin, resizes and signals one way; stdout, stderr and the exit the other. A client that goes away hangs the command up.',
    params: Ref,
    query: nothing,
    body: ExecInput,
    answers: [frames],
    handle: async ({ params, body, actor, signal, upgrade }) => {
      if (!upgrade) throw upgradeRequired()
      const request = { ...body, user: body.user, workdir: body.workdir }
      const instance = services.lifecycle.instance(params.ref)
      return { kind: 'stream', carry: execStream(services, instance, request, actor, signal) }
    },
  }),
  defineRoute({
    method: 'GET',
    path: '/v1/instances/:ref/terminal',
    summary: 'A terminal in an instance, for pages',
    description:
      'A WebSocket (protocol `dayfly-frames`) whose binary messages are frames without their length: the kind, then the payload. Otherwise as exec: stdin, resizes and ' +
      'signals one way; stdout, stderr, the exit and an error the other.',
    params: Ref,
    query: z.strictObject({
      command: z
        .union([z.string().transform(text => [text]), z.array(z.string())])
        .pipe(ExecInput.shape.command)
        .default(['/bin/sh'])
        .describe('Its words, each as a member of the query.'),
      user: ExecInput.shape.user,
      workdir: ExecInput.shape.workdir,
      tty: flag('true'),
      rows: Count.pipe(z.int().max(65_535)).default(24),
      columns: Count.pipe(z.int().max(65_535)).default(80),
    }),
    body: nothing,
    answers: [{ status: 101, description: 'Messages follow.' }],
    handle: async ({ params, query, actor, signal, webSocket }) => {
      if (!webSocket) {
        throw new DayflyError('invalid', 'upgrade: this route goes on as a WebSocket', {
          field: 'upgrade',
          remedy: 'Open it as `wss://…`; outside of pages use exec.',
        })
      }
      const instance = services.lifecycle.instance(params.ref)
      const request = { ...query, env: {}, user: query.user, workdir: query.workdir }
      return { kind: 'stream', carry: execStream(services, instance, request, actor, signal) }
    },
  }),
  defineRoute({
    method: 'POST',
    path: '/v1/instances/:ref/attach',
    summary: 'Take part in the first process of an instance',
    description:
      'A started frame once it is attached, output from then on and its exit one way; stdin, resizes and signals the other. A client that goes away is only detached.',
    params: Ref,
    query: nothing,
    body: nothing,
    answers: [frames],
    handle: async ({ params, actor, signal, upgrade }) => {
      if (!upgrade) throw upgradeRequired()
      const instance = services.lifecycle.instance(params.ref)
      return {
        kind: 'stream',
        carry: async (stream: FrameStream) =>
          await withInput(
            stream,
            signal,
            name => killIfRunning(services, instance, name, actor),
            async (attach, gone) => {
              await using session = await services.lifecycle.attach(instance.id, actor, gone)
              // In this order: what answers the first that is typed is after the place in the log.
              const output = outputOf(services, instance, 'now', gone)
              await stream.send(encodeJson(frameKind.started, environmentView(services, services.lifecycle.environment(instance.environment))))
              attach(session)
              await forwardOutput(services, stream, instance, output, gone)
            },
          ),
      }
    },
  }),
]
