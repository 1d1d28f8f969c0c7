/** evt.*: what happened, when, and with what result. */
import type { KernelEvent, KernelEventType } from '../../model/kernel-event.ts'
import { argumentNames, readArgument, readArguments, readRawArgument } from './arguments.ts'
import { field, lackingField, nanoseconds } from './define.ts'
import { eventName, isEventName, otherNames } from './event-names.ts'
import type { Field } from './field.ts'
import { opensToRead, opensToWrite, resultName } from './kernel-names.ts'
import { resolvePath } from './resolve-path.ts'

/** An exit has a status and no result, and so has an answer to a question for a name. */
const resultOf = ({ type, result }: KernelEvent): number | undefined => (type === 'exit' || type === 'dns' ? undefined : result)

const isOpen = ({ type }: KernelEvent): boolean => type === 'open' || type === 'open_by_handle_at'
const openFlags = (event: KernelEvent): number => event.openFlags ?? (event.flags?.includes('write') ? 1 : 0)

const categories: Readonly<Record<string, readonly KernelEventType[]>> = {
  file: [
    'open',
    'unlink',
    'rename',
    'link',
    'symlink',
    'mkdir',
    'chmod',
    'chown',
    'mount',
    'umount',
    'open_by_handle_at',
    'chroot',
    'pivot_root',
    'dup',
  ],
  net: ['connect', 'bind', 'listen', 'accept', 'sendto', 'socket', 'dns'],
  process: ['exec', 'fork', 'exit', 'ptrace', 'setns', 'unshare', 'process_vm_writev'],
  user: ['setuid', 'capset'],
  signal: ['kill'],
  memory: ['memfd', 'userfaultfd'],
}
const categoryOf = new Map(Object.entries(categories).flatMap(([category, types]) => types.map(type => [type, category] as const)))

/** UTC, for a replay must say the same wherever it runs. */
const iso = (time: number): { readonly date: string; readonly clock: string; readonly fraction: string } => {
  const text = new Date(Math.floor(time)).toISOString()
  const microseconds = Math.round((time - Math.floor(time)) * 1000)
  return {
    date: text.slice(0, 10),
    clock: text.slice(11, 19),
    fraction: `${text.slice(20, 23)}${String(Math.min(999, microseconds)).padStart(3, '0')}000`,
  }
}

const checkArgument = (argument = ''): string => {
  if (/^\d{1,3}$/.test(argument) || argumentNames.has(argument)) return argument
  throw new RangeError(`no event of Dayfly has an argument ${argument}: %evt.args in an output shows those that an event has`)
}

const argumentField: Field = {
  name: 'evt.arg',
  type: 'string',
  doc: 'One argument, by its name or its number: `evt.arg.flags`, `evt.arg[0]`. Flags, modes, results and requests are written by their names',
  argument: { need: 'required', kind: 'key', dotted: true },
  costly: true,
  bind: argument => {
    const which = checkArgument(argument)
    return context => readArgument(context, which)
  },
}

const rawArgumentField: Field = {
  name: 'evt.rawarg',
  type: 'number',
  doc: 'One argument that is a number, as such',
  argument: { need: 'required', kind: 'key', dotted: true },
  plain: true,
  bind: argument => {
    const which = checkArgument(argument)
    return context => {
      const raw = readRawArgument(context, which)
      return typeof raw === 'number' ? raw : undefined
    }
  },
}

const typeIsField: Field = {
  name: 'evt.type.is',
  type: 'number',
  doc: '1 for events of that type, 0 for others: `evt.type.is.openat`',
  argument: { need: 'required', kind: 'key', dotted: true },
  bind: argument => {
    if (argument === undefined || !isEventName(argument)) throw new RangeError(`there is no event type ${argument}`)
    return ({ event }) => (eventName(event) === argument ? 1 : 0)
  },
}

const absolutePathField: Field = {
  name: 'evt.abspath',
  type: 'string',
  doc: 'The path of an event as an absolute one; `evt.abspath.src` and `evt.abspath.dst` of events with two',
  argument: { need: 'optional', kind: 'key', dotted: true },
  bind: argument => {
    if (argument !== undefined && argument !== 'src' && argument !== 'dst') throw new RangeError('evt.abspath takes src, dst or nothing')
    return context => resolvePath(context, argument === 'dst' ? context.event.target : context.event.path)
  },
}

const noEnter = 'there are no events of a call that begins'
const noBuffer = 'what is read and written is never looked at'

export const eventFields: readonly Field[] = [
  field('evt.num', 'number', "Which of the instance's events it is, from 1 on", ({ number }) => number),
  field('evt.type', 'string', 'Name of the event', ({ event }) => eventName(event)),
  typeIsField,
  field('syscall.type', 'string', 'The same, for system calls', ({ event }) => {
    const name = eventName(event)
    return otherNames.has(name) ? undefined : name
  }),
  field('evt.category', 'string', 'file, net, process, user, signal, memory or other', ({ event }) => categoryOf.get(event.type) ?? 'other'),
  field('evt.source', 'string', 'Always `syscall`', () => 'syscall'),
  field('evt.dir', 'string', 'Always `<`', () => '<', { deprecated: 'it is always <, so leave it out' }),
  field('evt.time', 'string', 'Time of day, UTC', ({ event }) => `${iso(event.time).clock}.${iso(event.time).fraction}`),
  field('evt.time.s', 'string', 'Time of day without fraction, UTC', ({ event }) => iso(event.time).clock),
  field(
    'evt.time.iso8601',
    'string',
    'Date and time, UTC',
    ({ event }) => `${iso(event.time).date}T${iso(event.time).clock}.${iso(event.time).fraction}+0000`,
  ),
  field(
    'evt.datetime',
    'string',
    'Date and time, UTC',
    ({ event }) => `${iso(event.time).date} ${iso(event.time).clock}.${iso(event.time).fraction}`,
  ),
  field('evt.datetime.s', 'string', 'Date and time without fraction, UTC', ({ event }) => `${iso(event.time).date} ${iso(event.time).clock}`),
  field('evt.rawtime', 'time', 'When it happened', ({ event }) => nanoseconds(event.time)),
  field('evt.rawtime.s', 'number', 'Seconds since the epoch', ({ event }) => Math.floor(event.time / 1000)),
  field('evt.rawtime.ns', 'number', 'Nanoseconds within the second', ({ event }) => Math.round((event.time % 1000) * 1000) * 1000),
  field('evt.reltime', 'duration', 'Since its instance began', ({ event, subject }) =>
    Math.max(0, nanoseconds(event.time) - nanoseconds(subject.startedAt)),
  ),
  field('evt.reltime.s', 'number', 'The same, seconds', ({ event, subject }) => Math.max(0, Math.floor((event.time - subject.startedAt) / 1000))),
  field('evt.res', 'string', 'SUCCESS, or the name of the error', ({ event }) => {
    const result = resultOf(event)
    return result === undefined ? undefined : resultName(result)
  }),
  field('evt.rawres', 'number', 'What was returned, or minus the error', ({ event }) => resultOf(event)),
  field('evt.failed', 'boolean', 'Whether it returned an error', ({ event }) => {
    const result = resultOf(event)
    return result === undefined ? undefined : result < 0
  }),
  field('evt.count', 'number', 'How often it happened: the same again within a second is told as one', ({ event }) => event.count ?? 1),
  field('evt.count.error', 'number', '1 for those that returned an error', ({ event }) => ((resultOf(event) ?? 0) < 0 ? 1 : 0)),
  field('evt.args', 'string', 'All arguments', readArguments, { costly: true }),
  field('evt.info', 'string', 'The same as evt.args', readArguments, { costly: true }),
  argumentField,
  rawArgumentField,
  absolutePathField,
  field('evt.is_open_read', 'boolean', 'Whether a file was opened to be read', ({ event }) => isOpen(event) && opensToRead(openFlags(event))),
  field('evt.is_open_write', 'boolean', 'Whether a file was opened to be written', ({ event }) => isOpen(event) && opensToWrite(openFlags(event))),
  field('evt.is_open_create', 'boolean', 'Whether opening made the file', ({ event }) => isOpen(event) && event.mode !== undefined),
  field(
    'evt.is_open_exec',
    'boolean',
    'Whether opening made a file that can be executed',
    ({ event }) => isOpen(event) && ((event.mode ?? 0) & 0o111) !== 0,
  ),
  ...['evt.is_io', 'evt.is_io_read', 'evt.is_io_write', 'evt.is_wait', 'evt.is_syslog', 'evt.is_async'].map(name =>
    field(name, 'boolean', 'Always false: there are no such events', () => false),
  ),
  ...['evt.latency', 'evt.latency.s', 'evt.latency.ns', 'evt.wait_latency'].map(name =>
    lackingField(name, 'duration', noEnter, { deprecated: noEnter }),
  ),
  lackingField('evt.latency.human', 'string', noEnter, { deprecated: noEnter }),
  ...['evt.deltatime', 'evt.deltatime.s', 'evt.deltatime.ns'].map(name => lackingField(name, 'duration', 'it would differ between live and replay')),
  lackingField('evt.cpu', 'number', 'the sensor does not tell it'),
  lackingField('evt.io_dir', 'string', noBuffer),
  lackingField('evt.buffer', 'bytes', noBuffer),
  lackingField('evt.buflen', 'number', noBuffer),
  lackingField('evt.around', 'number', 'it is for looking into captures', { argument: { need: 'required', kind: 'key' } }),
  ...['evt.count.error.file', 'evt.count.error.net', 'evt.count.error.memory', 'evt.count.error.other', 'evt.count.exit'].map(name =>
    lackingField(name, 'number', 'use evt.category and evt.failed'),
  ),
  ...['evt.pluginname', 'evt.plugininfo', 'evt.asynctype'].map(name => lackingField(name, 'string', 'there are no plugins')),
  lackingField('evt.hostname', 'string', 'rules are the same on all hosts; the record says which one it was'),
]
