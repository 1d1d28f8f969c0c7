/** A foreground run on one connection: progress, started, output, exit, ended; stdin, resizes and signals the other way. */
import { DayflyError } from '../../base/errors.ts'
import type { Actor } from '../../model/event.ts'
import type { Instance } from '../../model/instance.ts'
import type { LogRecord } from '../../model/log.ts'
import type { Session } from '../../model/session.ts'
import type { FrameStream } from '../frame-stream.ts'
import { decodeResize, encodeJson, encodeOutput, frameKind } from '../frames.ts'
import type { RunRequest } from '../schemas/environments.ts'
import type { PullProgress } from '../schemas/images.ts'
import type { OnProgress, Services, Started, Waiting } from '../services.ts'
import { environmentView, instanceView, startedView } from '../views.ts'

const workload = 'main'

/** Without `queue`, what there is no room for is refused. */
export const waitingOf = ({ queue }: { readonly queue?: number | undefined }, onPlace: Waiting['onPlace']): Waiting => ({ patience: queue, onPlace })

export const start = async (
  services: Services,
  request: RunRequest,
  actor: Actor,
  onProgress: OnProgress,
  onPlace: Waiting['onPlace'],
  signal: AbortSignal,
): Promise<Started> => {
  const spec = await services.plan(request, onProgress, signal)
  const contents = new Map(Object.entries(request.secrets).map(([name, base64]) => [name, Buffer.from(base64, 'base64')] as const))
  const [first = workload] = Object.keys(spec.workloads)
  return await services.lifecycle.run(spec, new Map([[first, contents]]), actor, signal, waitingOf(request, onPlace))
}

/**
 * Gives a session what the client sends, until the client is gone. Read from the beginning, before there is a session: nothing else notices that
 * the client goes. Signals go by `kill`, for an attached process has no channel of its own for them.
 */
export const forwardInput = async (
  stream: FrameStream,
  attached: Promise<Session | undefined>,
  kill: (signalName: string) => Promise<void> | void,
): Promise<void> => {
  for await (const { kind, payload } of stream.frames) {
    const session = await attached
    if (kind === frameKind.stdin) {
      session?.write(payload.length === 0 ? null : payload)
      await session?.drained()
    } else if (kind === frameKind.resize) {
      const { rows, columns } = decodeResize(payload)
      session?.resize(rows, columns)
    } else if (kind === frameKind.signal) {
      await kill(payload.toString())
    }
  }
}

/**
 * Does the work of a stream while its input is forwarded to the session that the work attaches. A fault of the input ends it; the end of the
 * input only aborts `gone`. Rejects as the work does.
 */
export const withInput = async (
  stream: FrameStream,
  stopping: AbortSignal,
  kill: (signalName: string) => Promise<void> | void,
  work: (attach: (session: Session | undefined) => void, gone: AbortSignal) => Promise<void>,
): Promise<void> => {
  const attached = Promise.withResolvers<Session | undefined>()
  const working = work(attached.resolve, AbortSignal.any([stream.closed, stopping])).finally(() => attached.resolve(undefined))
  const input = forwardInput(stream, attached.promise, kill)
  await Promise.race([working, input.then(() => working)])
}

/** The instance's output from its beginning, or from this call on, until it ends. */
export const outputOf = (services: Services, instance: Instance, since: 'beginning' | 'now', signal: AbortSignal): AsyncIterable<LogRecord> =>
  services.logs(instance, { follow: true, since: undefined, tail: since === 'now' ? 0 : undefined, streams: ['stdout', 'stderr'] }, signal)

/** Sends output as it is logged, then the instance's exit. */
export const forwardOutput = async (
  services: Services,
  stream: FrameStream,
  instance: Instance,
  output: AsyncIterable<LogRecord>,
  signal: AbortSignal,
): Promise<void> => {
  for await (const piece of output) await stream.send(...encodeOutput(frameKind[piece.stream], piece.data))
  const over = await services.lifecycle.wait(instance.id, signal)
  await stream.send(encodeJson(frameKind.exit, { code: exitCodeOf(over), instance: instanceView(over) }))
}

/** 125 where it is not known how it ended. */
const exitCodeOf = (instance: Instance): number => instance.exit?.code ?? 125

/** A short-lived process may have ended before anybody could attach: its output and exit are told all the same. */
const attachIfRunning = async (services: Services, instance: Instance, actor: Actor, signal: AbortSignal): Promise<Session | undefined> => {
  try {
    return await services.lifecycle.attach(instance.id, actor, signal)
  } catch (error) {
    if (error instanceof DayflyError && error.code === 'wrong_state') return undefined
    throw error
  }
}

/** As far as it still can be signalled: that it has ended meanwhile is no fault of whoever pressed the key. */
export const killIfRunning = async (services: Services, instance: Instance, name: string, actor: Actor): Promise<void> => {
  try {
    await services.lifecycle.kill(instance.id, name, actor)
  } catch (error) {
    if (!(error instanceof DayflyError) || error.code !== 'wrong_state') throw error
  }
}

/**
 * A client that goes away before the start gives the run up and nothing is left; one that goes later leaves it to its lease, as docker does.
 */
export const runStream =
  (services: Services, request: RunRequest, actor: Actor, signal: AbortSignal) =>
  async (stream: FrameStream): Promise<void> => {
    let running: Instance | undefined
    const kill = async (name: string): Promise<void> => {
      if (running !== undefined) await killIfRunning(services, running, name, actor)
    }
    await withInput(stream, signal, kill, async (attach, gone) => {
      const onProgress = (progress: PullProgress): void => void stream.send(encodeJson(frameKind.progress, progress))
      const onPlace: Waiting['onPlace'] = ({ place, reason }) => void stream.send(encodeJson(frameKind.queued, { place, reason }))
      const started = await start(services, request, actor, onProgress, onPlace, gone)
      const { environment } = started
      const [instance] = started.instances
      running = instance
      await stream.send(encodeJson(frameKind.started, startedView(services, started)))
      if (instance === undefined) return
      await using session = request.stdin || request.tty ? await attachIfRunning(services, instance, actor, gone) : undefined
      attach(session)
      await forwardOutput(services, stream, instance, outputOf(services, instance, 'beginning', gone), gone)
      await stream.send(encodeJson(frameKind.ended, environmentView(services, await services.lifecycle.ended(environment.id, gone))))
    })
  }
