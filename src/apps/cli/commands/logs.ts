import type { LogParameters } from '../../../api/client/client.ts'
import { frameKind } from '../../../api/frames.ts'
import { fromProblem } from '../../../api/problems.ts'
import type { AccessView, EnvironmentView, InstanceView, LogEntry } from '../../../api/schemas/environments.ts'
import { parseDuration } from '../../../base/durations.ts'
import { DayflyError } from '../../../base/errors.ts'
import type { Command, Context } from '../command.ts'
import { followLogs, instanceName } from '../follow-logs.ts'
import { mergedByTime } from '../merged-logs.ts'
import { painter, printable } from '../output.ts'
import { createLineWriter, createPrefixes } from '../prefixed.ts'
import { momentOf } from '../values.ts'

const bytesOf = ({ data, encoding }: LogEntry): Buffer => Buffer.from(data, encoding === 'base64' ? 'base64' : 'utf8')

/** Byte for byte; with times, or as JSON, by the line. */
const ofOne = async (context: Context, ref: string, parameters: LogParameters, timestamps: boolean): Promise<void> => {
  if (context.json || timestamps) {
    const lineStarts = { stdout: true, stderr: true }
    for await (const entry of context.client.logEntries(ref, parameters)) {
      if (context.json) context.write(`${JSON.stringify(entry)}\n`)
      else {
        const data = bytesOf(entry)
        const time = lineStarts[entry.stream] ? `${new Date(entry.time).toISOString()} ` : ''
        lineStarts[entry.stream] = data.at(-1) === 10
        process[entry.stream].write(Buffer.concat([Buffer.from(time), data]))
      }
    }
    return
  }
  for await (const { kind, payload } of context.client.logs(ref, parameters)) {
    if (kind === frameKind.error) throw fromProblem(JSON.parse(payload.toString()))
    process[kind === frameKind.stderr ? 'stderr' : 'stdout'].write(payload)
  }
}

/** What is there, of all instances, in the order of time. */
const ofMany = async (context: Context, instances: readonly InstanceView[], parameters: LogParameters, timestamps: boolean): Promise<void> => {
  const prefixes = createPrefixes(painter(context.colour), instances.map(instanceName))
  const sources = instances.map(instance => {
    let time = 0
    const prefix = (): string => `${prefixes.of(instance.workload, instanceName(instance))}${timestamps ? `${new Date(time).toISOString()} ` : ''}`
    const writers = { stdout: createLineWriter(prefix, process.stdout), stderr: createLineWriter(prefix, process.stderr) }
    const write = (entry: LogEntry): void => {
      time = entry.time
      writers[entry.stream].write(bytesOf(entry))
    }
    const end = (): void => {
      writers.stdout.end()
      writers.stderr.end()
    }
    return { of: { instance, write, end }, entries: context.client.logEntries(instance.id, { ...parameters, follow: false }) }
  })
  for await (const { of, entry } of mergedByTime(sources)) {
    if (context.json)
      context.write(`${JSON.stringify({ workload: of.instance.workload, replica: of.instance.replica, instance: of.instance.id, ...entry })}\n`)
    else of.write(entry)
  }
  for (const { of } of sources) of.end()
}

/** The instance that a reference alone means; undefined when it means an environment of several. */
const single = async (context: Context, ref: string): Promise<InstanceView | undefined> => {
  try {
    return await context.client.instance(ref)
  } catch (error) {
    if (!(error instanceof DayflyError) || error.code !== 'not_found' || ref.includes('/')) throw error
    return undefined
  }
}

const chosen = (environment: EnvironmentView, workloads: readonly string[]): readonly InstanceView[] => {
  const unknown = workloads.find(name => !Object.hasOwn(environment.workloads, name))
  if (unknown !== undefined) {
    throw new DayflyError('not_found', `the environment ${environment.name} has no workload ${JSON.stringify(unknown)}`, {
      field: 'WORKLOAD',
      remedy: `It has ${Object.keys(environment.workloads).join(', ')}.`,
    })
  }
  return environment.instances.filter(({ workload }) => workloads.length === 0 || workloads.includes(workload))
}

/** For people, who want to see at a glance what came, how it went and how long it took. */
const accessLine = ({ time, workload, client, method, host, path, protocol, status, bytesIn, bytesOut, duration, instance }: AccessView): string => {
  const what = protocol === 'TCP' ? `TCP ${host}` : `${method} ${host}${path} ${protocol}`
  const outcome = status === 0 ? '' : ` ${status}`
  const to = instance === undefined ? 'no instance' : instance
  return printable(
    `${new Date(time).toISOString()} ${workload} ${client} ${what}${outcome} ${bytesIn} B in, ${bytesOut} B out, ${duration.toFixed(1)} ms, ${to}`,
  )
}

/** Flags that are about output, and mean nothing for requests. */
const ofOutput = ['stdout', 'stderr', 'timestamps'] as const
const valuesOfOutput = ['until', 'grep'] as const

const accessOf = async (context: Context, ref: string, workloads: readonly string[], parameters: LogParameters): Promise<void> => {
  const environment = await context.client.environment(ref)
  chosen(environment, workloads)
  for await (const entry of context.client.access(environment.id, parameters)) {
    if (workloads.length > 0 && !workloads.includes(entry.workload)) continue
    context.write(`${context.json ? JSON.stringify(entry) : accessLine(entry)}\n`)
  }
}

export const command: Command = {
  name: 'logs',
  takes: ['REF', '[WORKLOAD...]'],
  summary: 'Show the output of an instance, byte for byte; of an environment of several, each line after the name of its instance.',
  details: [
    'With --access, what came to an environment through the gateway: each request once it is answered, each connection once it is closed. The record vouches for it.',
    'REF is an instance, an environment, ENVIRONMENT/WORKLOAD or ENVIRONMENT/WORKLOAD/2. stdout goes to stdout, stderr to stderr. It is there from before the first instruction until its retention ends. Reading it is no activity.',
  ],
  completion: 'instance',
  options: [
    { name: 'follow', short: 'f', help: 'Go on until the instance ends; of an environment, until that does, new instances included.' },
    { name: 'since', value: 'TIME', help: 'Only from then on: 10m (ago), or a date.' },
    { name: 'until', value: 'TIME', help: 'Only until then.' },
    { name: 'grep', value: 'PATTERN', help: 'Only lines that have this: a regular expression of RE2. (?i) before it: in any case.' },
    { name: 'tail', short: 'n', value: 'LINES', help: 'Only the last lines of what is there already, of each instance.' },
    { name: 'timestamps', short: 't', help: 'The time before each line.' },
    { name: 'stdout', help: 'Only stdout.' },
    { name: 'stderr', help: 'Only stderr.' },
    { name: 'access', help: 'Not output, but the requests to an environment.' },
  ],
  examples: [
    ['dayfly logs -f web', 'as it comes'],
    ['dayfly logs -f shop web worker', 'of two workloads of an environment'],
    ['dayfly logs --since 10m --stderr web', 'recent complaints'],
    ["dayfly logs --since 2h --until 1h --grep '(?i)error' web", 'errors of an hour'],
    ['dayfly logs --access -f shop web', 'who asks web for what'],
  ],
  run: async (context, args) => {
    const [ref = '', ...workloads] = args.positionals
    const since = args.text('since')
    if (args.flag('access')) {
      const stray = ofOutput.find(name => args.flag(name)) ?? valuesOfOutput.find(name => args.text(name) !== undefined)
      if (stray !== undefined) {
        throw new DayflyError('invalid', `--${stray}: it is about output, not about requests`, {
          field: `--${stray}`,
          remedy: 'Leave it out with --access.',
        })
      }
      const tail = args.number('tail')
      if (tail !== undefined && workloads.length > 0) {
        throw new DayflyError('invalid', '--tail: with --access it counts the requests to all workloads', {
          field: '--tail',
          remedy: 'Leave WORKLOAD out, or use --since.',
        })
      }
      const from = since === undefined ? undefined : momentOf(since, '--since', parseDuration)
      await accessOf(context, ref, workloads, { follow: args.flag('follow'), since: from, tail })
      return 0
    }
    const until = args.text('until')
    if (until !== undefined && args.flag('follow')) {
      throw new DayflyError('invalid', '--until: what is followed has no end', { field: '--until', remedy: 'Leave one of --follow and --until out.' })
    }
    const both = args.flag('stdout') === args.flag('stderr')
    const parameters = {
      follow: args.flag('follow'),
      since: since === undefined ? undefined : momentOf(since, '--since', parseDuration),
      until: until === undefined ? undefined : momentOf(until, '--until', parseDuration),
      grep: args.text('grep'),
      tail: args.number('tail'),
      stdout: both || args.flag('stdout'),
      stderr: both || args.flag('stderr'),
    }
    const timestamps = args.flag('timestamps')
    const instance = workloads.length === 0 ? await single(context, ref) : undefined
    if (instance !== undefined) {
      await ofOne(context, instance.id, parameters, timestamps)
      return 0
    }
    const environment = await context.client.environment(ref)
    const instances = chosen(environment, workloads)
    if (!parameters.follow) {
      await ofMany(context, instances, parameters, timestamps)
      return 0
    }
    await followLogs({
      client: context.client,
      environment: environment.id,
      workloads,
      paint: painter(context.colour),
      timestamps,
      json: context.json,
      parameters,
    })
    return 0
  },
}
