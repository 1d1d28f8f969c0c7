/**
 * What starts take, step by step: for histograms, and for spans where somebody wants traces. Requests are followed by the asynchronous context, instances by
 * their ids. Nothing here changes what is done or waits for anything.
 *
 *   request ── plan: image ── run: admit ── backend: network · mount · dedicate · run ── ready          one start, and one trace
 *   request ── plan: images ── up: admit ── network                                                     the beginning of a trace,
 *                                 └── each instance, when its time comes: network · … · ready           to which these belong
 */
import { AsyncLocalStorage } from 'node:async_hooks'
import { timed } from '../../../base/timed.ts'
import type { Admission } from '../../../engine/admission.ts'
import type { Backend, InstanceRequest } from '../../../engine/backend.ts'
import type { Engine } from '../../../engine/engine.ts'
import type { Event } from '../../../model/event.ts'
import type { OnStep, StartStep, StepTimes } from '../../../model/start.ts'
import type { Metrics } from '../../../telemetry/metrics.ts'
import type { Attributes } from '../../../telemetry/otlp/tree.ts'
import type { Span, SpanContext } from '../../../telemetry/spans.ts'
import { childContext, parseTraceparent } from '../../../telemetry/spans.ts'

interface Start {
  readonly kind: 'run' | 'up' | 'instance'
  readonly began: number
  readonly parent: SpanContext | undefined
  /** Undefined: nobody wants traces. */
  readonly context: SpanContext | undefined
  readonly steps: StepTimes[]
  readonly attributes: Record<string, string>
  start: 'cold' | 'prepared' | undefined
  /** When its instance had been started, and whether it has a health check to pass. */
  running: number | undefined
  checked: boolean
  over: boolean
}

/** What a request brings along: the caller's trace, and what it has begun. */
interface Request {
  readonly caller: SpanContext | undefined
  start: Start | undefined
}

export interface Starts {
  /** Serves a request: what it starts is part of the caller's trace. */
  request<T>(header: (name: string) => string | undefined, work: () => T): T
  /** Of the span that whatever is under way belongs to. */
  current(): SpanContext | undefined
  /** The image of what is about to be started is being found. */
  image<T>(work: () => Promise<T>): Promise<T>
  admission(admission: Admission): Admission
  backend(backend: Backend): Backend
  lifecycle(engine: Engine): Pick<Engine, 'run' | 'up'>
  readonly onStep: OnStep
  /** An entry of a record was written. */
  onEvent(event: Event): void
}

/** Environments whose trace is remembered for instances that come later; the latest of them. */
const mostRemembered = 2000

export const createStarts = (metrics: Metrics, emit: ((span: Span) => void) | undefined): Starts => {
  const requests = new AsyncLocalStorage<Request>()
  const byInstance = new Map<string, Start>()
  /** Of `up`, by environment. */
  const traces = new Map<string, SpanContext>()

  const begin = (kind: Start['kind'], parent: SpanContext | undefined): Start => ({
    ...{ kind, began: performance.now(), parent, context: emit === undefined ? undefined : childContext(parent) },
    ...{ steps: [], attributes: {}, start: undefined, running: undefined, checked: false, over: false },
  })
  const open = (): Start | undefined => {
    const start = requests.getStore()?.start
    return start?.over === false ? start : undefined
  }
  /** Of the request that is being served; what it starts begins with its first step. */
  const ofRequest = (): Start | undefined => {
    const request = requests.getStore()
    if (request === undefined) return undefined
    request.start ??= begin('run', request.caller)
    return request.start.over ? undefined : request.start
  }

  const emitSpans = (start: Start, ended: number, failure: string | undefined): void => {
    const { context, parent, steps, began } = start
    if (emit === undefined || context === undefined || !context.sampled) return
    const attributes: Attributes = { ...start.attributes, 'dayfly.start': start.start }
    const name = start.kind === 'up' ? 'up' : 'start'
    emit({ context, parent, name, kind: start.kind === 'instance' ? 'internal' : 'server', began, ended, attributes, failure })
    const own = { 'dayfly.environment.id': start.attributes['dayfly.environment.id'] }
    for (const step of steps) {
      emit({ ...{ context: childContext(context), parent: context, name: step.step, kind: 'internal', attributes: own }, ...step })
    }
  }

  const finish = (start: Start, failure: string | undefined): void => {
    if (start.over) return
    start.over = true
    const ended = performance.now()
    if (start.running !== undefined && failure === undefined) start.steps.push({ step: 'ready', began: start.running, ended, failure: undefined })
    const kind = start.start ?? 'unknown'
    if (start.kind !== 'up') {
      metrics.count('dayfly_starts_total', { start: kind, outcome: start.running === undefined ? 'failed' : 'ok' })
      if (start.running !== undefined) metrics.observe('dayfly_start_duration_seconds', { start: kind }, (start.running - start.began) / 1000)
    }
    for (const { step, began, ended } of start.steps) {
      metrics.observe('dayfly_start_step_duration_seconds', { step, start: start.kind === 'up' ? 'up' : kind }, (ended - began) / 1000)
    }
    emitSpans(start, ended, failure)
  }

  const add =
    (start: Start | undefined, step: StartStep) =>
    (began: number, ended: number, failure: string | undefined): void => {
      if (start?.over === false) start.steps.push({ step, began, ended, failure })
    }

  const remember = (environment: string, context: SpanContext | undefined): void => {
    if (context === undefined) return
    traces.set(environment, context)
    if (traces.size > mostRemembered) traces.delete(traces.keys().next().value ?? '')
  }

  const instanceOver = (id: string, failure: string | undefined): void => {
    const start = byInstance.get(id)
    if (start === undefined) return
    byInstance.delete(id)
    if (start.kind === 'instance') finish(start, failure)
  }

  const creating = ({ id, environment, workload }: InstanceRequest): Start => {
    const asked = open()
    const start = asked?.kind === 'run' ? asked : begin('instance', traces.get(environment))
    Object.assign(start.attributes, {
      ...{ 'dayfly.environment.id': environment, 'container.id': id, 'container.image.name': workload.imageName, 'dayfly.runtime': workload.runtime },
      'container.image.id': workload.image,
    })
    start.checked = workload.deployment?.health !== undefined
    byInstance.set(id, start)
    return start
  }

  /** A call of the engine that starts what the request asks for. */
  const asked = async <T>(kind: 'run' | 'up', attributes: Readonly<Record<string, string>>, work: () => Promise<T>): Promise<T> => {
    const request = requests.getStore() ?? { caller: undefined, start: undefined }
    const before = request.start?.over === false ? request.start : undefined
    const start: Start = { ...(before ?? begin(kind, request.caller)), kind, attributes: { ...attributes } }
    return await requests.run({ caller: request.caller, start }, async () => {
      try {
        const result = await work()
        finish(start, undefined)
        return result
      } catch (error) {
        finish(start, error instanceof Error ? error.message : String(error))
        throw error
      } finally {
        const id = start.attributes['container.id']
        if (id !== undefined) byInstance.delete(id)
      }
    })
  }

  return {
    request: (header, work) => requests.run({ caller: parseTraceparent(header('traceparent'), header('tracestate')), start: undefined }, work),
    current: () => open()?.context,
    image: work => timed(work, add(ofRequest(), 'image')),
    admission: admission => ({ admit: (question, signal) => timed(() => admission.admit(question, signal), add(open(), 'admit')) }),
    backend: backend => ({
      ...backend,
      prepareEnvironment: (request, signal) => {
        const start = open()
        if (start?.kind === 'up') {
          start.attributes['dayfly.environment.id'] = request.id
          remember(request.id, start.context)
        }
        return timed(() => backend.prepareEnvironment(request, signal), add(start, 'network'))
      },
      create: async (request, secrets, signal) => {
        const start = creating(request)
        try {
          const created = await backend.create(request, secrets, signal)
          start.start = created.start
          return created
        } catch (error) {
          instanceOver(request.id, error instanceof Error ? error.message : String(error))
          throw error
        }
      },
      start: async (id, signal) => {
        const start = byInstance.get(id)
        await timed(() => backend.start(id, signal), add(start, 'run'))
        if (start === undefined) return
        start.running = performance.now()
      },
      remove: (id, signal) => {
        instanceOver(id, 'it was removed')
        return backend.remove(id, signal)
      },
    }),
    lifecycle: engine => ({
      run: (spec, secrets, actor, signal, waiting) =>
        asked(
          'run',
          { 'dayfly.environment.name': spec.name, 'dayfly.owner': spec.owner, 'dayfly.workload': Object.keys(spec.workloads).join(' ') },
          () => engine.run(spec, secrets, actor, signal, waiting),
        ),
      up: (spec, secrets, seeds, actor, signal, partial, waiting) =>
        asked(
          'up',
          { 'dayfly.environment.name': spec.name, 'dayfly.owner': spec.owner, 'dayfly.workload': Object.keys(spec.workloads).join(' ') },
          () => engine.up(spec, secrets, seeds, actor, signal, partial, waiting),
        ),
    }),
    onStep: (instance, times) => {
      const start = byInstance.get(instance)
      if (start?.over === false) start.steps.push(times)
    },
    onEvent: ({ type, environment, instance }) => {
      if (type === 'environment.ended') traces.delete(environment)
      if (instance === undefined) return
      if (type === 'instance.healthy' || (type === 'instance.running' && byInstance.get(instance)?.checked === false))
        instanceOver(instance, undefined)
      else if (type === 'instance.exited' || type === 'instance.failed' || type === 'instance.lost') instanceOver(instance, type)
    },
  }
}
