import { parseEgress } from '../../../api/cidr.ts'
import type { FrameStream } from '../../../api/frame-stream.ts'
import type { EnvironmentView, RunInput, StartedView } from '../../../api/schemas/environments.ts'
import type { PullProgress } from '../../../api/schemas/images.ts'
import { formatBytes } from '../../../base/bytes.ts'
import { formatDuration } from '../../../base/durations.ts'
import { DayflyError } from '../../../base/errors.ts'
import type { Arguments } from '../arguments.ts'
import { passedOn } from '../arguments.ts'
import type { Watchers } from '../carry.ts'
import { carry } from '../carry.ts'
import type { Command, Context } from '../command.ts'
import { withDaemon } from '../daemon.ts'
import { defaultDetachKeys, parseDetachKeys } from '../detach-keys.ts'
import { jsonWatchers } from '../json-frames.ts'
import { tellPolicyWarnings } from '../policy-warnings.ts'
import { placeTeller, queueOf, queueOption } from '../queue.ts'
import { registryAuth } from '../registry-auth.ts'
import { environmentOf, labelsOf, secretsOf, wordsOf } from '../values.ts'

const oneOf = <T extends string>(text: string | undefined, field: string, values: readonly T[]): T | undefined => {
  if (text === undefined) return undefined
  const found = values.find(value => value === text)
  if (found === undefined)
    throw new DayflyError('invalid', `${field}: "${text}" is not one of ${values.join(', ')}`, {
      field,
      remedy: `Write it like ${field} ${values[0]}.`,
    })
  return found
}

type Given<T> = { [K in keyof T]?: Exclude<T[K], undefined> }

/** Without what was not given: the daemon has the defaults. */
const given = <T extends object>(values: T): Given<T> =>
  Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Given<T>

const requestOf = (context: Context, args: Arguments): RunInput => {
  const { first: image, words } = passedOn(args.positionals)
  const tty = args.flag('tty')
  const entrypoint = args.text('entrypoint')
  const pull = oneOf(args.text('pull'), '--pull', ['missing', 'always', 'never'])
  const terminal = tty ? { TERM: context.env['TERM'] ?? 'xterm' } : {}
  return {
    image,
    lease: given({ ttl: args.duration('ttl'), idle: args.duration('idle'), retention: args.duration('retention') }),
    limits: given({ cpus: args.number('cpus'), memory: args.bytes('memory'), pids: args.number('pids'), io: args.bytes('io') }),
    env: { ...terminal, ...environmentOf(args.list('env-file'), args.list('env'), context.env) },
    labels: labelsOf(args.list('label')),
    egress: args.list('allow').map(text => parseEgress(text, '--allow')),
    capabilities: args.list('cap-add').map(name => name.toUpperCase().replace(/^CAP_/, '')),
    secrets: secretsOf(args.list('secret'), context),
    readOnly: args.flag('read-only'),
    tty,
    stdin: args.flag('interactive'),
    ...given({
      name: args.text('name'),
      team: args.text('team'),
      hostname: args.text('hostname'),
      kind: oneOf(args.text('kind'), '--kind', ['job', 'service', 'sandbox']),
      user: args.text('user'),
      workdir: args.text('workdir'),
      runtime: oneOf(args.text('runtime'), '--runtime', ['crun', 'runsc']),
      pull,
      auth: pull === 'never' ? undefined : registryAuth(context.env),
      command: words.length === 0 ? undefined : [...words],
      entrypoint: entrypoint === undefined ? undefined : wordsOf(entrypoint, '--entrypoint'),
      stopSignal: signalName(args.text('stop-signal')),
      grace: args.duration('grace'),
      logLimit: args.bytes('log-limit'),
      queue: queueOf(args),
    }),
  }
}

/** `term`, `TERM` and `SIGTERM` are the same. */
const signalName = (text: string | undefined): string | undefined => (text === undefined ? undefined : `SIG${text.toUpperCase().replace(/^SIG/, '')}`)

/** The command was meant as an option of ours: after IMAGE everything belongs to the container. */
const misplaced = (error: unknown, words: readonly string[], image: string): unknown => {
  const [first = ''] = words
  if (!(error instanceof DayflyError) || error.code !== 'command_not_found' || !first.startsWith('-')) return error
  return new DayflyError(error.code, error.message, {
    field: 'command',
    remedy: `Options of dayfly come before the image: dayfly run ${first} … ${image}`,
    cause: error,
  })
}

/** What people should know about an end that was not the program's own doing. */
const remarks = (environment: EnvironmentView): string[] => {
  const [instance] = environment.instances
  const [workload] = Object.values(environment.workloads)
  const exit = instance?.exit
  const ended = environment.cause === 'ttl' || environment.cause === 'idle' || exit?.cause === 'deadline'
  return [
    ...(exit?.oom && workload
      ? [`dayfly: it was killed for using more than its ${formatBytes(workload.limits.memory)} of memory; --memory gives it more`]
      : []),
    ...(ended
      ? [
          `dayfly: its lease ended it (${environment.cause === 'idle' ? `--idle ${formatDuration(environment.lease.idle)}` : `--ttl ${formatDuration(environment.lease.ttl)}`})`,
        ]
      : []),
    ...(exit && exit.droppedBytes > 0
      ? [`dayfly: ${formatBytes(exit.droppedBytes)} of output beyond its --log-limit were not kept and are missing above`]
      : []),
    ...(instance?.state === 'lost' || environment.cause === 'lost' ? [`dayfly: its exit status cannot be known: ${environment.reason}`] : []),
  ]
}

/** Where there is no terminal for bars: that it is being fetched, once, for it may take its time. */
const oneLine = (context: Context, image: string): ((progress: PullProgress) => void) => {
  let said = false
  return () => {
    if (!said) context.say(`dayfly: fetching the image ${image}`)
    said = true
  }
}

/** Waits for the start, prints what was started, and leaves it to its lease. */
const detach = async (context: Context, stream: FrameStream, watchers: Watchers): Promise<number> => {
  const started = Promise.withResolvers<StartedView>()
  const carried = carry(stream, {
    stdin: false,
    tty: false,
    signals: 'escalate',
    say: context.say,
    onUnread: async () => {},
    watchers: { ...watchers, onStarted: started.resolve, onOutput: () => {} },
  })
  carried.catch(started.reject)
  const environment = await started.promise
  if (!context.json) tellPolicyWarnings(context.say, environment.warnings)
  stream.end()
  await carried.catch(() => {}) // Nothing that comes after the start concerns us.
  context.write(context.json ? `${JSON.stringify(environment)}\n` : `${environment.id}\n`)
  return 0
}

export const command: Command = {
  name: 'run',
  takes: ['IMAGE', '[COMMAND...]'],
  summary: 'Run a command in a new environment, and end it with the command.',
  details: [
    'Closed by default: no network but what --allow opens, no capability but a small documented set, container root is an unprivileged user of the host. Where no daemon answers, one is started.',
    'The exit code is that of the command; 125 when Dayfly failed, 126 when the command cannot be executed, 127 when it does not exist, 128+n when signal n ended it, 2 for input that cannot work.',
    'An image that is neither in the local store nor to be had from its registry is such input, whether the registry does not have it, refuses it or cannot be reached. With --pull always a registry that cannot be reached is a failure: 125, as with `dayfly image pull`.',
    'With -it, ctrl-p ctrl-q leaves the command to itself and its lease; `dayfly attach` takes it up again.',
    'Signals are passed on; a second Ctrl-C kills. When the client itself is killed or its connection breaks, the command goes on until it or its lease ends, as with docker; `dayfly logs -f` takes it up again.',
  ],
  passesOn: true,
  minds: 'broken pipes',
  completion: 'image',
  options: [
    { name: 'team', value: 'NAME', help: 'Whose it is. Default: the first team of the token, or `default`.' },
    { name: 'ttl', value: 'DURATION', help: 'Longest life of the environment. Default: 1h; at most 7d.' },
    { name: 'idle', value: 'DURATION', help: 'Longest time without activity; a running job is active. Default: 30m.' },
    { name: 'retention', value: 'DURATION', help: 'How long its record and output are kept. Default: 30d.' },
    { name: 'cpus', value: 'NUMBER', help: 'CPU cores, e.g. 0.5. Default: 1.' },
    { name: 'memory', short: 'm', value: 'SIZE', help: 'Memory and swap together. Default: 512m.' },
    { name: 'pids', value: 'NUMBER', help: 'Processes and threads. Default: 512.' },
    { name: 'io', value: 'SIZE', help: 'Bytes a second, of reading and of writing each. Default: 200m.' },
    { name: 'env', short: 'e', value: 'NAME[=VALUE]', repeats: true, help: 'Environment variable; without a value the one it has here.' },
    { name: 'env-file', value: 'FILE', repeats: true, help: 'File with a NAME=VALUE on each line.', completion: 'file' },
    {
      name: 'secret',
      value: 'NAME[=SOURCE]',
      repeats: true,
      help: 'File /run/secrets/NAME; from env:VARIABLE (default: NAME), file:PATH or cmd:COMMAND.',
    },
    { name: 'user', short: 'u', value: 'USER[:GROUP]', help: "Names of the image or numbers. Default: the image's." },
    { name: 'workdir', short: 'w', value: 'FOLDER', help: "Default: the image's." },
    { name: 'read-only', help: 'A root file system that cannot be written to; /tmp still can.' },
    { name: 'allow', value: 'CIDR[:PORT]', repeats: true, help: 'Opens egress to an IPv4 network.' },
    { name: 'cap-add', value: 'CAPABILITY', repeats: true, help: 'One capability more, e.g. NET_RAW.' },
    { name: 'runtime', value: 'NAME', help: 'crun (default), or runsc (gVisor) for code you do not trust.', completion: ['crun', 'runsc'] },
    {
      name: 'kind',
      value: 'KIND',
      help: 'job (default), service or sandbox: what counts as activity. sandbox is the default with --tty.',
      completion: ['job', 'service', 'sandbox'],
    },
    { name: 'name', value: 'NAME', help: 'Unique among environments that live. Default: made up.' },
    { name: 'hostname', value: 'NAME', help: 'What its processes are told that the host is called. Default: its name.' },
    { name: 'label', short: 'l', value: 'NAME=VALUE', repeats: true, help: 'To be found by.' },
    { name: 'detach', short: 'd', help: 'Print its id once it runs, and leave it to itself.' },
    { name: 'interactive', short: 'i', help: 'Pass our standard input on.' },
    { name: 'tty', short: 't', help: 'Give it a terminal.' },
    { name: 'pull', value: 'WHEN', help: 'missing (default), always or never.', completion: ['missing', 'always', 'never'] },
    { name: 'detach-keys', value: 'KEYS', help: 'With -it, they leave it to itself. Default: ctrl-p,ctrl-q.' },
    { name: 'entrypoint', value: 'WORD', help: "Instead of the image's; a JSON array for several words." },
    { name: 'log-limit', value: 'SIZE', help: 'Output that is kept; what exceeds it is counted. Default: 64m.' },
    { name: 'stop-signal', value: 'SIGNAL', help: "Default: the image's, or SIGTERM." },
    { name: 'grace', value: 'DURATION', help: 'From the stop signal to SIGKILL. Default: 10s.' },
    queueOption,
  ],
  examples: [
    ['dayfly run debian:12 -- cat /etc/os-release', 'one command, then nothing is left'],
    ['dayfly run -it --ttl 20m python:3 bash', 'a sandbox with a terminal'],
    ['dayfly run -d --name web --allow 192.0.2.0/24:443 nginx', 'in the background, with one way out'],
    ['dayfly run --secret token=cmd:"pass show ci" alpine -- wc -c /run/secrets/token', 'a secret that no listing shows'],
  ],
  run: async (context, args) => {
    const request = requestOf(context, args)
    const detachKeys = parseDetachKeys(args.text('detach-keys') ?? defaultDetachKeys, '--detach-keys')
    const detached = args.flag('detach')
    if (request.tty && !detached && !(process.stdin.isTTY && process.stdout.isTTY)) {
      throw new DayflyError('invalid', '--tty: standard input and output are not a terminal', {
        field: '--tty',
        remedy: 'Leave --tty out where there is no terminal.',
      })
    }
    const stream = await withDaemon(context, () => context.client.run(request))
    const watchers = context.json ? jsonWatchers(context.write) : {}
    const { createProgress } = process.stderr.isTTY && !context.json ? await import('../progress.ts') : { createProgress: undefined }
    const progress = createProgress?.(request.image)
    const onProgress = progress?.show ?? (context.json ? undefined : oneLine(context, request.image))
    const tellPlace = placeTeller(context.say)
    const onQueued: NonNullable<Watchers['onQueued']> = queued => {
      progress?.clear()
      tellPlace(queued)
    }
    const told: Watchers = { ...(context.json ? {} : { onQueued }), ...(onProgress === undefined ? {} : { onProgress }) }
    const withProgress: Watchers = { ...watchers, ...told }

    if (detached) return await detach(context, stream, told)
    let id: string | undefined
    let name = ''
    let last: EnvironmentView | undefined
    const code = await carry(stream, {
      stdin: request.stdin === true,
      tty: request.tty === true,
      signals: 'escalate',
      detachKeys,
      say: context.say,
      // As in any pipeline, whoever writes to nobody ends. Nothing else would: the first process of a container is deaf to SIGPIPE.
      onUnread: async () => {
        if (id !== undefined) await context.client.end(id, { force: true })
      },
      watchers: {
        ...withProgress,
        onStarted: environment => {
          progress?.clear()
          id = environment.id
          name = environment.name
          if (!context.json) tellPolicyWarnings(context.say, environment.warnings)
          watchers.onStarted?.(environment)
        },
        onDetached: () => {
          watchers.onDetached?.()
          if (!context.json) context.say(`\ndayfly: detached; it lives until its lease ends, and \`dayfly attach ${name}\` takes it up again`)
        },
        onEnded: environment => {
          last = environment
          watchers.onEnded?.(environment)
        },
      },
    }).catch((error: unknown) => {
      throw misplaced(error, passedOn(args.positionals).words, request.image)
    })
    if (last !== undefined && !context.json) for (const remark of remarks(last)) context.say(remark)
    return code
  },
}
