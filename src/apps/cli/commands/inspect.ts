import type { EnvironmentView, InstanceView } from '../../../api/schemas/environments.ts'
import { formatBytes } from '../../../base/bytes.ts'
import { formatDuration } from '../../../base/durations.ts'
import type { Command } from '../command.ts'
import type { Paint } from '../output.ts'
import { fields, painter, printable, relative, timestamp } from '../output.ts'

const list = (values: readonly string[]): string => (values.length === 0 ? '-' : printable(values.join(', ')))
const moment = (time: number | null, now: number): string => (time === null ? '-' : `${timestamp(time)} (${relative(time, now)})`)

const instanceText = (instance: InstanceView, now: number, paint: Paint): string => {
  const { exit } = instance
  const ended =
    exit === null
      ? ''
      : `code ${exit.code}${exit.signal === null ? '' : `, signal ${exit.signal}`}${exit.oom ? ', out of memory' : ''}, ${exit.cause}, ${moment(exit.endedAt, now)}`
  const dropped = exit === null || exit.droppedBytes === 0 ? '' : `${formatBytes(exit.droppedBytes)} in ${exit.droppedLines} lines`
  return fields(
    [
      ['state', `${instance.state} (${printable(instance.reason)})`],
      ['started', `${moment(instance.startedAt, now)}${instance.start === null ? '' : `, ${instance.start}`}`],
      ...(instance.pid === null ? [] : [['host pid', String(instance.pid)] as const]),
      ...(ended === '' ? [] : [['exit', ended] as const]),
      ...(dropped === '' ? [] : [['output not kept', dropped] as const]),
    ],
    paint,
    '    ',
  )
}

const environmentText = (environment: EnvironmentView, now: number, paint: Paint): string => {
  const { lease } = environment
  const head = fields(
    [
      ['name', printable(environment.name)],
      ['owner', printable(environment.owner)],
      ['state', `${environment.state} (${printable(environment.reason)})`],
      ['labels', list(Object.entries(environment.labels).map(([name, value]) => `${name}=${value}`))],
      ['created', moment(environment.createdAt, now)],
      ...(environment.endedAt === null
        ? [['lease ends', `${moment(environment.expiresAt, now)}${environment.expiresBy === null ? '' : `, by ${environment.expiresBy}`}`] as const]
        : [['ended', moment(environment.endedAt, now)] as const]),
      ['lease', `ttl ${formatDuration(lease.ttl)}, idle ${formatDuration(lease.idle)}, retention ${formatDuration(lease.retention)}`],
    ],
    paint,
    '  ',
  )
  const workloads = Object.entries(environment.workloads).map(([name, workload]) => {
    const { limits } = workload
    const text = fields(
      [
        ['kind', workload.kind],
        ['image', `${printable(workload.imageName)} (${workload.image})`],
        ['command', printable(JSON.stringify(workload.command))],
        ['user', workload.user === '' ? '0' : printable(workload.user)],
        ['workdir', printable(workload.workdir)],
        ['environment', list(Object.keys(workload.env))],
        ['secrets', list(workload.secrets)],
        [
          'egress',
          workload.egress.length === 0 ? 'closed' : list(workload.egress.map(({ cidr, port }) => (port === undefined ? cidr : `${cidr}:${port}`))),
        ],
        ['capabilities', workload.capabilities.length === 0 ? 'the minimum' : `the minimum, ${list(workload.capabilities)}`],
        ['limits', `${limits.cpus} CPUs, ${formatBytes(limits.memory)} of memory, ${limits.pids} processes, ${formatBytes(limits.io)}/s`],
        ['root', workload.readOnly ? 'read-only' : 'writable'],
        ['runtime', workload.runtime],
      ],
      paint,
      '    ',
    )
    return `  ${paint('bold', `workload ${printable(name)}`)}\n${text}`
  })
  const instances = environment.instances.map(instance => `  ${paint('bold', `instance ${instance.id}`)}\n${instanceText(instance, now, paint)}`)
  return `${paint('bold', `environment ${environment.id}`)}\n${head}${workloads.join('')}${instances.join('')}`
}

export const command: Command = {
  name: 'inspect',
  takes: ['REF...'],
  summary: 'Show all there is to know of an environment.',
  details: [
    "REF is an environment's or instance's id, a unique prefix of one, or a name. Values of environment variables are shown with --json only.",
  ],
  completion: 'environment',
  options: [],
  examples: [
    ['dayfly inspect web', 'for people'],
    ['dayfly inspect web --json | jq .expiresAt', 'for programs: a document a line'],
  ],
  run: async (context, args) => {
    const environments: EnvironmentView[] = []
    for (const ref of args.positionals) environments.push(await context.client.environment(ref))
    const [now, paint] = [Date.now(), painter(context.colour)]
    context.write(
      context.json
        ? environments.map(environment => `${JSON.stringify(environment)}\n`).join('')
        : environments.map(environment => environmentText(environment, now, paint)).join('\n'),
    )
    return 0
  },
}
