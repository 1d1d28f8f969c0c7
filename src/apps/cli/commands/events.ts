import type { ActivityParameters, Client } from '../../../api/client/client.ts'
import type { FoundView } from '../../../api/schemas/activity.ts'
import { parseDuration } from '../../../base/durations.ts'
import { DayflyError } from '../../../base/errors.ts'
import type { Event } from '../../../model/event.ts'
import { kernelEventTypes } from '../../../model/kernel-event.ts'
import { activityText } from '../activity-line.ts'
import type { Arguments } from '../arguments.ts'
import type { Command, Context } from '../command.ts'
import type { Paint } from '../output.ts'
import { painter, printable } from '../output.ts'
import { momentOf } from '../values.ts'

const columns = (paint: Paint, time: number, type: string, about: string, text: string): string =>
  `${paint('dim', new Date(time).toISOString())}  ${type.padEnd(20)}  ${about}  ${printable(text)}\n`

const recordLine = ({ time, type, environment, instance, reason, actor }: Event, paint: Paint): string => {
  const by = actor.kind === 'user' ? ` by ${actor.name}` : ''
  return columns(paint, time, type, instance === undefined ? environment : `${environment}/${instance}`, reason + by)
}

const activityLine = ({ activity }: FoundView, paint: Paint): string =>
  columns(paint, activity.time, activity.type, `${activity.environment}/${activity.instance}`, activityText(activity))

/** What only activity has: with one of them, entries of the record are left out. */
const ofActivity = ['instance', 'workload', 'image', 'owner', 'process', 'address', 'port', 'path'] as const

const activityTypes: ReadonlySet<string> = new Set(['sample', ...kernelEventTypes])

interface Wanted {
  readonly activity: boolean
  readonly record: boolean
  readonly types: { readonly activity: readonly string[]; readonly record: readonly string[] }
}

const wantedBy = (args: Arguments): Wanted => {
  const given = args.list('type')
  const types = { activity: given.filter(type => activityTypes.has(type)), record: given.filter(type => !activityTypes.has(type)) }
  const narrow = ofActivity.find(name => args.has(name))
  const [stray] = types.record
  if (narrow !== undefined && stray !== undefined) {
    throw new DayflyError('invalid', `--type: "${stray}" is not a type of activity, and entries of the record have no ${narrow}`, {
      field: '--type',
      remedy: `Leave out --${narrow}, or give a type of activity, e.g. exec, open, connect or sample.`,
    })
  }
  const asked = narrow !== undefined || types.activity.length > 0 || ((args.flag('activity') || args.has('text')) && given.length === 0)
  return { types, activity: asked, record: narrow === undefined && (given.length === 0 || types.record.length > 0) }
}

/** The newest of them, newest first. `more`: there are others. */
const searched = async (
  client: Pick<Client, 'activity'>,
  parameters: ActivityParameters,
  most: number,
): Promise<{ readonly found: readonly FoundView[]; readonly more: boolean }> => {
  const all: FoundView[] = []
  for (let after: number | undefined; ; ) {
    const { found, next } = await client.activity({ ...parameters, after, limit: Math.min(1000, most - all.length) })
    all.push(...found)
    if (next === null || all.length >= most) return { found: all, more: next !== null }
    after = next
  }
}

/** `instance` stands for all types that begin with `instance.`. */
const isOf = (event: Event, types: readonly string[]): boolean =>
  types.length === 0 || types.some(type => event.type === type || event.type.startsWith(`${type}.`))

const hasWords = (event: Event, words: readonly string[]): boolean => {
  const text = `${event.type} ${event.reason} ${event.actor.name} ${JSON.stringify(event.data)}`.toLowerCase()
  return words.every(word => text.includes(word))
}

interface Line {
  readonly time: number
  readonly line: () => string
}

const usualMost = 1000

const show = async (context: Context, args: Arguments, wanted: Wanted, environment: string | undefined): Promise<void> => {
  const moment = (name: string): number | undefined => {
    const text = args.text(name)
    return text === undefined ? undefined : Math.floor(momentOf(text, `--${name}`, parseDuration))
  }
  const [since, until, text, limit] = [moment('since'), moment('until'), args.text('text'), args.number('limit')]
  if (limit !== undefined && (!Number.isSafeInteger(limit) || limit < 1)) {
    throw new DayflyError('invalid', `--limit: ${limit} is not a whole number above 0`, { field: '--limit', remedy: 'Write it like --limit 100.' })
  }
  const paint = painter(context.colour)
  const lines: Line[] = []
  if (wanted.record) {
    const words = (text ?? '').toLowerCase().split(/\s+/)
    for (const event of await context.client.events({ environment, since, after: args.number('after') })) {
      if (until !== undefined && event.time > until) continue
      if (!isOf(event, wanted.types.record) || !hasWords(event, words)) continue
      lines.push({ time: event.time, line: () => (context.json ? `${JSON.stringify(event)}\n` : recordLine(event, paint)) })
    }
  }
  if (wanted.activity) {
    const own = Object.fromEntries(ofActivity.map(name => [name, args.text(name)]))
    const parameters = { ...own, environment, since, until, text, ...(wanted.types.activity.length === 0 ? {} : { type: wanted.types.activity }) }
    const { found, more } = await searched(context.client, parameters, limit ?? usualMost)
    for (const one of found.toReversed()) {
      lines.push({ time: one.activity.time, line: () => (context.json ? `${JSON.stringify(one)}\n` : activityLine(one, paint)) })
    }
    if (more && limit === undefined) context.say(`There is more activity: these are the newest ${usualMost}. Ask for others by --limit or --until.`)
  }
  // Both are in order already, but for what came late.
  const ordered = wanted.activity ? lines.toSorted((left, right) => left.time - right.time) : lines
  for (const { line } of limit === undefined ? ordered : ordered.slice(-limit)) context.write(line())
}

const assertOfRecord = (args: Arguments, name: 'follow' | 'after'): void => {
  if (!args.has(name)) return
  throw new DayflyError('invalid', `--${name}: it is for entries of the record, not for activity`, {
    field: `--${name}`,
    remedy: 'Leave it out, or leave out what only activity has.',
  })
}

const environmentOf = (args: Arguments): string | undefined => {
  const [positional] = args.positionals
  const option = args.text('environment')
  if (positional !== undefined && option !== undefined && positional !== option) {
    throw new DayflyError('invalid', `--environment: ${positional} is named already`, { field: '--environment', remedy: 'Name one environment.' })
  }
  return positional ?? option
}

export const command: Command = {
  name: 'events',
  takes: ['[ENV]'],
  summary: 'Show what happened, oldest first, of one environment or of all: entries of the record, and what instances did.',
  details: [
    'The record has what became of environments and instances, and what was decided and found. Activity is what their processes did, as the kernel saw it, and what they used. It is shown with --activity, with --text, and with any option that only activity has; all that is said must fit.',
    `Types of activity: ${[...kernelEventTypes].join(', ')} and sample.`,
  ],
  completion: 'environment',
  options: [
    { name: 'environment', value: 'REF', help: 'The same as ENV.', completion: 'environment' },
    { name: 'follow', short: 'f', help: 'Go on with what comes; entries of the record only.' },
    { name: 'since', value: 'TIME', help: 'Only from then on: 10m (ago), or a date.' },
    { name: 'until', value: 'TIME', help: 'Only up to then.' },
    { name: 'after', value: 'CURSOR', help: 'Only entries of the record after this one: nothing twice, nothing missed.' },
    {
      name: 'type',
      value: 'TYPE',
      repeats: true,
      help: 'Only of this type, or one of these: exec, connect, instance.exited; instance stands for all of its.',
    },
    { name: 'text', value: 'WORDS', help: 'Only what has all these words, in any order.' },
    { name: 'activity', help: 'What instances did, too.' },
    { name: 'instance', value: 'REF', help: 'Only activity of this one.', completion: 'instance' },
    { name: 'workload', value: 'NAME', help: 'Only activity of this workload.', completion: 'workload' },
    { name: 'image', value: 'IMAGE', help: 'Only activity of this image: its digest, or the name that was asked for.', completion: 'image' },
    { name: 'owner', value: 'USER', help: "Only activity in this user's environments." },
    { name: 'process', value: 'PROGRAM', help: 'Only activity of this program: its path, its last name, or what it calls itself.' },
    { name: 'address', value: 'ADDRESS', help: 'Only activity with this address on either side, or with a name that was asked for.' },
    { name: 'port', value: 'PORT', help: 'Only activity with this port on either side.' },
    { name: 'path', value: 'PATH', help: 'Only activity on this file; /etc/ stands for all below.' },
    { name: 'limit', short: 'n', value: 'COUNT', help: 'Only the newest so many. Of activity never more than 1000 unless this says so.' },
  ],
  examples: [
    ['dayfly events -f --since 1m', 'as it happens'],
    ['dayfly events web --json', 'the record of one environment, with its hashes'],
    ['dayfly events web --activity', 'and what was done in it'],
    ['dayfly events --type exec --process curl --since 7d', 'who ran curl'],
    ['dayfly events --path /etc/shadow --image nginx:1.27', 'what of an image read it'],
    ['dayfly events --address 169.254.169.254', 'who asked for cloud credentials'],
  ],
  run: async (context, args) => {
    const wanted = wantedBy(args)
    const environment = environmentOf(args)
    if (wanted.activity) for (const name of ['follow', 'after'] as const) assertOfRecord(args, name)
    if (!args.flag('follow')) {
      await show(context, args, wanted, environment)
      return 0
    }
    for (const name of ['until', 'limit'] as const) {
      if (args.has(name)) throw new DayflyError('invalid', `--${name}: what is followed has no end`, { field: `--${name}`, remedy: 'Leave it out.' })
    }
    const since = args.text('since')
    const parameters = {
      environment,
      since: since === undefined ? undefined : momentOf(since, '--since', parseDuration),
      after: args.number('after'),
    }
    const paint = painter(context.colour)
    for await (const event of context.client.follow(parameters)) {
      if (isOf(event, wanted.types.record)) context.write(context.json ? `${JSON.stringify(event)}\n` : recordLine(event, paint))
    }
    return 0
  },
}
