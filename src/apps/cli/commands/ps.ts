import type { EnvironmentView, InstanceView } from '../../../api/schemas/environments.ts'
import type { WorkloadView } from '../../../api/schemas/workloads.ts'
import { formatDuration } from '../../../base/durations.ts'
import { addressLines } from '../addresses.ts'
import type { Command, Context } from '../command.ts'
import type { Paint } from '../output.ts'
import { age, painter, printable, table } from '../output.ts'
import { counts, stateText } from '../standing.ts'

/** Of one that is kept running: how many of its workloads stand as they are to. */
const standing = (workloads: readonly WorkloadView[], paint: Paint): string => {
  const well = workloads.filter(({ state }) => state === 'ready' || state === 'completed' || state === 'idle').length
  if (workloads.some(({ state }) => state === 'failed')) return paint('red', `failed (${well}/${workloads.length})`)
  if (workloads.some(({ instances }) => instances.some(({ paused }) => paused))) return paint('cyan', 'paused')
  return well === workloads.length ? paint('green', 'ready') : paint('yellow', `starting (${well}/${workloads.length})`)
}

const state = (environment: EnvironmentView, workloads: readonly WorkloadView[], paint: Paint): string => {
  const [instance] = environment.instances
  const code = workloads.length > 0 ? undefined : instance?.exit?.code
  if (environment.state === 'ended') {
    const how = `${environment.cause ?? 'ended'}${code === undefined ? '' : ` (${code})`}`
    return environment.cause === 'completed' && code === 0 ? paint('dim', how) : paint('red', how)
  }
  if (environment.state === 'running') {
    if (workloads.length > 0) return standing(workloads, paint)
    return instance === undefined || instance.state === 'running' ? paint('green', 'running') : paint('yellow', instance.state)
  }
  return paint('yellow', environment.state)
}

const left = (environment: EnvironmentView, now: number, paint: Paint): string => {
  if (environment.expiresAt === null) return paint('dim', '-')
  const ms = Math.max(0, environment.expiresAt - now)
  const text = `${formatDuration(Math.max(1000, ms))}${environment.expiresBy === 'idle' ? ' (idle)' : ''}`
  return ms < 60_000 ? paint('yellow', text) : text
}

const isKept = ({ workloads }: EnvironmentView): boolean => Object.values(workloads).some(({ deployment }) => deployment !== undefined)

/** None for what is not kept running, and for what has ended meanwhile. */
const workloadsOf = async (context: Context, environment: EnvironmentView): Promise<WorkloadView[]> =>
  isKept(environment) && environment.state !== 'ended' ? await context.client.workloads(environment.id).catch(() => []) : []

/** What its instances run, or how many kinds of them there are. */
const imagesOf = ({ workloads }: EnvironmentView): string => {
  const names = [...new Set(Object.values(workloads).map(({ imageName }) => imageName))]
  return names.length > 2 ? `${names.slice(0, 2).join(', ')}, ${names.length - 2} more` : names.join(', ')
}

const workloadTable = (workloads: readonly WorkloadView[], paint: Paint): string =>
  table(
    ['WORKLOAD', 'STATE', 'READY', 'RESTARTS', ''],
    workloads.map(workload => [
      printable(workload.name),
      stateText(workload, paint),
      counts(workload),
      String(workload.restarts),
      printable(workload.reason),
    ]),
    paint,
  )

interface Shown extends InstanceView {
  readonly health?: string
  readonly paused?: boolean
}

const instanceTable = (environment: EnvironmentView, workloads: readonly WorkloadView[], now: number, paint: Paint): string => {
  const instances: readonly Shown[] = workloads.length > 0 ? workloads.flatMap(workload => workload.instances) : environment.instances
  const rows = instances.map(instance => [
    instance.id,
    printable(`${instance.workload}/${instance.replica}`),
    instance.paused === true ? 'paused' : instance.exit === null ? instance.state : `${instance.state} (${instance.exit.code})`,
    instance.health === undefined || instance.health === 'none' ? '-' : instance.health,
    age(instance.createdAt, now),
    instance.address ?? '-',
  ])
  return rows.length === 0 ? '' : `\n${table(['INSTANCE', 'OF', 'STATE', 'HEALTH', 'AGE', 'ADDRESS'], rows, paint)}`
}

const details = async (context: Context, refs: readonly string[], paint: Paint): Promise<void> => {
  const found = await Promise.all(
    refs.map(async ref => {
      const environment = await context.client.environment(ref)
      return { environment, workloads: await workloadsOf(context, environment) }
    }),
  )
  if (context.json) {
    context.write(`${JSON.stringify({ environments: found.map(({ environment, workloads }) => ({ ...environment, standing: workloads })) })}\n`)
    return
  }
  const now = Date.now()
  const texts = found.map(({ environment, workloads }) => {
    const head = `${paint('bold', printable(environment.name))}  ${state(environment, workloads, paint)}  lease left ${left(environment, now, paint)}`
    const ways = addressLines(workloads, paint)
    return `${[head, ...ways].join('\n')}\n${workloads.length === 0 ? '' : `\n${workloadTable(workloads, paint)}`}${instanceTable(environment, workloads, now, paint)}`
  })
  context.write(texts.join('\n'))
}

export const command: Command = {
  name: 'ps',
  takes: ['[REF...]'],
  summary: 'List environments, newest first; with REF how its workloads and instances stand.',
  completion: 'environment',
  options: [
    { name: 'all', short: 'a', help: 'Ended ones too, as long as their record is kept.' },
    { name: 'label', short: 'l', value: 'NAME=VALUE', repeats: true, help: 'Only those with this label.' },
    { name: 'quiet', short: 'q', help: 'Only ids.' },
  ],
  examples: [
    ['dayfly ps', 'what lives'],
    ['dayfly ps shop', 'its workloads, and where it is reached'],
    ['dayfly ps -a --label team=blue', 'what the blue team had'],
    ['dayfly ps --json', 'for programs'],
  ],
  run: async (context, args) => {
    const [now, paint] = [Date.now(), painter(context.colour)]
    if (args.positionals.length > 0) {
      await details(context, args.positionals, paint)
      return 0
    }
    const environments = await context.client.environments({ all: args.flag('all'), label: args.list('label') })
    if (context.json) context.write(`${JSON.stringify({ environments })}\n`)
    else if (args.flag('quiet')) context.write(environments.map(({ id }) => `${id}\n`).join(''))
    else {
      const rows = await Promise.all(
        environments.map(async environment => [
          environment.id,
          printable(environment.name),
          printable(imagesOf(environment)),
          state(environment, await workloadsOf(context, environment), paint),
          age(environment.createdAt, now),
          left(environment, now, paint),
          environment.instances[0]?.start ?? '-',
        ]),
      )
      context.write(table(['ID', 'NAME', 'IMAGE', 'STATE', 'AGE', 'LEASE LEFT', 'START'], rows, paint))
    }
    return 0
  },
}
