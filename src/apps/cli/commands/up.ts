import { frameKind } from '../../../api/frames.ts'
import type { EnvironmentView, InstanceView } from '../../../api/schemas/environments.ts'
import type { ChangeView, WorkloadView } from '../../../api/schemas/workloads.ts'
import { formatDuration } from '../../../base/durations.ts'
import { DayflyError } from '../../../base/errors.ts'
import { given } from '../../../base/given.ts'
import { addressLines, leaseLine } from '../addresses.ts'
import type { Arguments } from '../arguments.ts'
import type { When } from '../builds.ts'
import { buildImages } from '../builds.ts'
import { changeLines } from '../changes.ts'
import type { Command, Context } from '../command.ts'
import { makeMountedFolders } from '../contents.ts'
import { withDaemon } from '../daemon.ts'
import { followLogs, instanceName } from '../follow-logs.ts'
import { createImagesProgress } from '../image-progress.ts'
import { painter, printable } from '../output.ts'
import { tellPolicyWarnings } from '../policy-warnings.ts'
import { createLineWriter, createPrefixes } from '../prefixed.ts'
import { placeTeller, queueOf, queueOption } from '../queue.ts'
import type { ProjectRequest } from '../request.ts'
import { diffOf, draftOptions, inWordsOfTheFile, projectRequest } from '../request.ts'
import { createStanding, isSettled } from '../standing.ts'

const defaultPatience = 300_000

const whenToBuild = (args: Arguments): When => {
  if (args.flag('build') && args.flag('no-build')) {
    throw new DayflyError('invalid', '--build: --no-build says the opposite', { field: '--build', remedy: 'Give one of them.' })
  }
  return args.flag('build') ? 'always' : args.flag('no-build') ? 'never' : 'missing'
}

const withImages = async <T>(
  context: Context,
  { loaded }: ProjectRequest,
  work: (onProgress: ReturnType<typeof createImagesProgress>['show']) => Promise<T>,
): Promise<T> => {
  const progress = process.stderr.isTTY && !context.json ? createImagesProgress() : undefined
  try {
    return await withDaemon(context, () => work(progress?.show ?? (() => {})))
  } catch (error) {
    throw inWordsOfTheFile(error, loaded.project.services)
  } finally {
    progress?.clear()
  }
}

/** The last output of what has failed: usually it says why. */
const lastLines = async (context: Context, instances: readonly InstanceView[]): Promise<void> => {
  const instance = [...instances].sort((left, right) => right.createdAt - left.createdAt)[0]
  if (instance === undefined) return
  const paint = painter(context.colour)
  const prefixes = createPrefixes(paint)
  const writer = createLineWriter(() => prefixes.of(instance.workload, instanceName(instance)), process.stderr)
  for await (const { kind, payload } of context.client.logs(instance.id, { tail: 10 })) if (kind !== frameKind.error) writer.write(payload)
  writer.end()
}

interface Waited {
  readonly workloads: readonly WorkloadView[]
  readonly outcome: 'ready' | 'failed' | 'over' | 'ended'
}

/** Shows how the workloads that are `wanted` stand until all are ready, one has failed, the environment has ended, or `patience` ms are over. */
const wait = async (context: Context, environment: EnvironmentView, wanted: readonly string[], patience: number): Promise<Waited> => {
  const standing = createStanding(context.json, context.say)
  let workloads: readonly WorkloadView[] = []
  const watch = async (): Promise<Waited> => {
    for await (const all of context.client.watchWorkloads(environment.id, enough.signal)) {
      const now = all.filter(({ name }) => wanted.includes(name))
      workloads = now
      standing.show(now)
      if (now.some(({ state }) => state === 'failed')) return { workloads, outcome: 'failed' }
      if (now.every(isSettled)) return { workloads, outcome: 'ready' }
    }
    return { workloads, outcome: 'ended' }
  }
  const enough = new AbortController() // Otherwise the open connection would keep this process.
  const timer = Promise.withResolvers<Waited>()
  const timeout = setTimeout(() => timer.resolve({ workloads, outcome: 'over' }), patience)
  const watching = watch()
  watching.catch(() => {}) // Given up once the time is over.
  try {
    return await Promise.race([watching, timer.promise])
  } finally {
    clearTimeout(timeout)
    enough.abort()
    standing.clear()
  }
}

const tellGuilty = async (context: Context, workloads: readonly WorkloadView[], isGuilty: (workload: WorkloadView) => boolean): Promise<void> => {
  for (const workload of workloads.filter(isGuilty)) {
    context.say(
      `dayfly: ${workload.name} ${workload.state === 'failed' ? 'failed' : `is ${workload.state}`}${workload.reason === '' ? '' : `: ${printable(workload.reason)}`}`,
    )
    await lastLines(context, workload.instances)
  }
}

const tellFailure = async (context: Context, environment: EnvironmentView, { workloads, outcome }: Waited, patience: number): Promise<void> => {
  const guilty = workloads.filter(workload => (outcome === 'failed' ? workload.state === 'failed' : !isSettled(workload)))
  if (outcome === 'ended') {
    const now = await context.client.environment(environment.id)
    context.say(`dayfly: ${environment.name} has ended: ${printable(now.reason)}`)
    return
  }
  await tellGuilty(context, workloads, workload => guilty.includes(workload))
  const why = outcome === 'over' ? `not all of it is ready after ${formatDuration(patience)}` : 'it is not ready'
  context.say(`dayfly: ${why}; it is left as it is: dayfly logs ${environment.name}, dayfly ps ${environment.name}, dayfly down ${environment.name}`)
}

const tell = (
  context: Context,
  environment: EnvironmentView,
  changes: readonly ChangeView[],
  workloads: readonly WorkloadView[],
  waited: boolean,
): void => {
  if (context.json) {
    context.write(`${JSON.stringify({ environment, changes, workloads })}\n`)
    return
  }
  const paint = painter(context.colour)
  const state = waited ? 'is ready' : 'comes up'
  const lines = [paint('bold', `${environment.name} ${state}`), ...addressLines(workloads, paint), leaseLine(environment, Date.now())]
  context.write(`${lines.filter(line => line !== '').join('\n')}\n`)
}

/** SIGINT and SIGTERM, once; disposing listens no more. */
const interrupted = (): Disposable & { readonly signal: Promise<number> } => {
  const { promise, resolve } = Promise.withResolvers<number>()
  const [onInt, onTerm] = [() => resolve(130), () => resolve(143)]
  process.on('SIGINT', onInt)
  process.on('SIGTERM', onTerm)
  return {
    signal: promise,
    [Symbol.dispose]: () => {
      process.off('SIGINT', onInt)
      process.off('SIGTERM', onTerm)
    },
  }
}

const follow = (context: Context, environment: EnvironmentView, workloads: readonly string[]): Promise<void> =>
  followLogs({ client: context.client, environment: environment.id, workloads, paint: painter(context.colour), live: workloads.length === 0 })

/** Follows the output until it ends or somebody interrupts, which ends it. */
const attached = async (context: Context, environment: EnvironmentView, workloads: readonly string[]): Promise<number> => {
  using interruption = interrupted()
  const code = await Promise.race([follow(context, environment, workloads).then(() => 0), interruption.signal])
  if (code === 0) return 0
  context.say(`\ndayfly: ending ${environment.name}`)
  await context.client.end(environment.id, { force: false })
  return code
}

/** Resolves with how all stands once the workload cannot come to its exit any more: it has failed without one, or waits for what has failed. */
const hopeless = async (context: Context, environment: EnvironmentView, workload: string): Promise<readonly WorkloadView[]> => {
  for await (const workloads of context.client.watchWorkloads(environment.id)) {
    const target = workloads.find(({ name }) => name === workload)
    const failed = workloads.some(({ state }) => state === 'failed')
    const neverRan = target === undefined || target.instances.every(({ startedAt }) => startedAt === null)
    if (failed && neverRan && (target?.state === 'failed' || target?.state === 'waiting')) return workloads
  }
  return await new Promise<never>(() => {}) // The environment has ended: so has what is waited for, and says how.
}

/** The environment has ended before the workload came to an exit: why, and the last words of what has failed. */
const endedWithout = async (context: Context, { id, name }: EnvironmentView, error: unknown): Promise<number> => {
  if (!(error instanceof DayflyError) || error.code !== 'wrong_state') throw error
  const { reason, instances } = await context.client.environment(id)
  context.say(`dayfly: ${name} has ended: ${printable(reason)}`)
  await lastLines(
    context,
    instances.filter(({ exit }) => exit !== null && exit.code !== 0),
  )
  return 1
}

/** Follows the workload until it is over, and ends the environment with it. */
const untilExit = async (
  context: Context,
  environment: EnvironmentView,
  workload: string,
): Promise<{ code: number; instance: InstanceView | undefined }> => {
  using interruption = interrupted()
  const following = context.json ? Promise.resolve() : follow(context, environment, [workload])
  following.catch(() => {}) // Waited for below; the exit is what counts.
  try {
    const exited = context.client.exited(environment.id, workload).catch(async (error: unknown) => await endedWithout(context, environment, error))
    const over = await Promise.race([exited, interruption.signal, hopeless(context, environment, workload)])
    if (typeof over === 'number') return { code: over, instance: undefined }
    if (!('id' in over)) {
      await tellGuilty(context, over, ({ state }) => state === 'failed')
      return { code: 1, instance: undefined }
    }
    return { code: over.exit?.code ?? 125, instance: over }
  } finally {
    await context.client.end(environment.id, { force: false })
    await following.catch(() => {})
  }
}

const dryRun = async (context: Context, planned: ProjectRequest): Promise<number> => {
  const { request, drafted } = planned
  const changes = await withImages(context, planned, onProgress => context.client.diff(diffOf(planned), onProgress))
  if (context.json) context.write(`${JSON.stringify({ draft: request.draft, builds: drafted.builds.map(({ image }) => image), changes })}\n`)
  else context.write(changes.length === 0 ? 'nothing would change\n' : `${changeLines(changes, painter(context.colour)).join('\n')}\n`)
  return 0
}

export const command: Command = {
  name: 'up',
  takes: ['[FILE|SERVICE...]'],
  summary: 'Bring up an environment from compose files, or change the living one to what they say.',
  details: [
    'Without FILE it is the compose.yaml of this folder or of one above, with its override file and .env, as docker compose has it. It returns once everything is ready, and prints where it is reached; then it lives until its lease ends it. Run again, it changes only what has changed: one instance after another, each new one well before the old one goes.',
    'With services named, it is these and what they depend on; what else lives in the environment stays as it is. What ends in .yaml, .yml or .json, or has a slash, is a file.',
    'Environments are closed by default: `x-dayfly.egress` opens ways out. `ports` are published on the loopback, and the first one that speaks HTTP has the name SERVICE.ENVIRONMENT.localhost.',
    'Exit code 1 when a service fails or not all of it is ready in time; with --until-exit, that of the service. What is wrong in the files is 2, and nothing has changed then.',
  ],
  completion: 'service',
  minds: 'broken pipes',
  options: [
    ...draftOptions,
    { name: 'build', help: 'Build images anew that services build. Default: those that are missing.' },
    { name: 'no-build', help: 'Build nothing.' },
    { name: 'detach', short: 'd', help: 'As it does without --attach anyway: return once it is ready.' },
    { name: 'attach', short: 'a', help: 'Show the output of all services (or those named), until it ends; Ctrl-C ends it.' },
    {
      name: 'until-exit',
      value: 'SERVICE',
      help: 'Show the output of this one, end all when it ends, and exit as it did: for tests.',
      completion: 'service',
    },
    { name: 'no-wait', help: 'Return once it is written down; it comes up by itself.' },
    { name: 'wait-timeout', value: 'DURATION', help: 'How long to wait until all is ready. Default: 5m.' },
    { name: 'dry-run', help: 'Only say what would change.' },
    queueOption,
  ],
  examples: [
    ['dayfly up', 'what the compose.yaml here says'],
    ['dayfly up web', 'of it only web, and what web depends on'],
    ['dayfly up --name pr-123 --source https://git.example.org/shop@feature --ttl 8h', 'a preview of a pull request; the same again updates it'],
    ['dayfly up -f compose.yaml -f compose.test.yaml --until-exit tests', 'a test stack: exits as the tests did, and leaves nothing'],
    ['dayfly up --seed data=./fixtures.tar.zst --scale worker=3', 'with data, and three workers'],
  ],
  run: async (context, args) => {
    const when = whenToBuild(args)
    const target = args.text('until-exit')
    const patience = args.duration('wait-timeout') ?? defaultPatience
    if (args.flag('attach') && (target !== undefined || args.flag('detach'))) {
      throw new DayflyError('invalid', `--attach: ${target === undefined ? '--detach' : '--until-exit'} excludes it`, {
        field: '--attach',
        remedy: 'Give one of them.',
      })
    }
    const planned = await projectRequest(context, args, args.flag('dry-run') ? 'secrets if they are to be had' : 'all')
    if (target !== undefined && !Object.hasOwn(planned.request.draft.workloads, target)) {
      throw new DayflyError('invalid', `--until-exit: there is no service ${target}`, {
        field: '--until-exit',
        remedy: `There are ${Object.keys(planned.request.draft.workloads).join(', ')}.`,
      })
    }
    if (args.flag('dry-run')) return await dryRun(context, planned)
    makeMountedFolders(planned.loaded)
    if (planned.drafted.builds.length > 0)
      await withDaemon(context, () => buildImages(context, planned.loaded, planned.drafted, when, planned.contents))
    const request = { ...planned.request, ...given({ queue: queueOf(args) }) }
    const onQueued = context.json ? undefined : placeTeller(context.say)
    const { environment, changes, warnings } = await withImages(context, planned, onProgress => context.client.up(request, onProgress, onQueued))
    if (!context.json) tellPolicyWarnings(context.say, warnings)
    if (!context.json && changes.some(({ kind }) => kind !== 'added'))
      for (const line of changeLines(changes, painter(process.stderr.isTTY === true))) context.say(line)

    if (target !== undefined) {
      const { code, instance } = await untilExit(context, environment, target)
      if (context.json)
        context.write(
          `${JSON.stringify({ environment: await context.client.environment(environment.id), changes, code, instance: instance ?? null })}\n`,
        )
      return code
    }
    const wanted = Object.keys(planned.request.draft.workloads)
    if (args.flag('attach')) return await attached(context, environment, planned.request.partial === true ? wanted : [])
    if (args.flag('no-wait')) {
      tell(context, environment, changes, await context.client.workloads(environment.id), false)
      return 0
    }
    const waited = await wait(context, environment, wanted, patience)
    if (waited.outcome === 'ready') {
      tell(context, await context.client.environment(environment.id), changes, waited.workloads, true)
      return 0
    }
    if (context.json) tell(context, await context.client.environment(environment.id), changes, waited.workloads, true)
    await tellFailure(context, environment, waited, patience)
    return 1
  },
}
