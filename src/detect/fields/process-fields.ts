/** proc.* and thread.*: who did it, and who made them. */
import type { Process } from '../process.ts'
import type { EventContext } from './context.ts'
import { field, lackingField, nanoseconds } from './define.ts'
import type { Field, FieldType, Scalar } from './field.ts'
import { capabilityNames } from './kernel-names.ts'

type Of = (process: Process) => Scalar | undefined

/** Parents of parents, no further: what is longer has been made to be long. */
const mostAncestors = 64

const ancestor = (process: Process, level: number): Process | undefined => {
  let found: Process | undefined = process
  for (let left = level; left > 0 && found; left--) found = found.parent
  return found
}

const ancestors = (process: Process): readonly Process[] => {
  const found: Process[] = []
  for (let next = process.parent; next && found.length < mostAncestors; next = next.parent) found.push(next)
  return found
}

const argumentsText = ({ args }: Process): string => args.join(' ')
const commandLine = (process: Process): string => (process.args.length === 0 ? process.name : `${process.name} ${argumentsText(process)}`)

const own = (name: string, type: FieldType, doc: string, of: Of, extra?: Parameters<typeof field>[4]): Field =>
  field(name, type, doc, ({ process }) => of(process), extra)
const ofParent = (name: string, type: FieldType, doc: string, of: Of, extra?: Parameters<typeof field>[4]): Field =>
  field(name, type, doc, ({ process }) => process.parent && of(process.parent), extra)

/** `proc.aname[2]` is of that ancestor; without an argument it is of all, and of any when it is compared. */
const ofAncestors = (name: string, type: FieldType, doc: string, of: Of): Field => ({
  name,
  type,
  doc: `${doc} of an ancestor: [0] is the process itself, [1] its parent. Without a number: any of the ancestors`,
  holds: 'any',
  argument: { need: 'optional', kind: 'index' },
  plain: true,
  costly: true,
  bind: argument => {
    if (argument !== undefined) {
      const level = Number(argument)
      return {
        holds: 'one',
        read: ({ process }) => {
          const found = ancestor(process, level)
          return found && of(found)
        },
      }
    }
    return ({ process }) => {
      const values = ancestors(process).flatMap(found => of(found) ?? [])
      return values.length === 0 ? undefined : values
    }
  },
})

/** The process that leads, or the eldest ancestor of the same session or group. */
const leader = (process: Process, idOf: (process: Process) => number | undefined): Process | undefined => {
  const id = idOf(process)
  if (id === undefined) return undefined
  let found = process
  for (const next of [process, ...ancestors(process)]) {
    if (next.vpid === id) return next
    if (idOf(next) === id) found = next
  }
  return found
}

const ofLeader = (name: string, doc: string, idOf: (process: Process) => number | undefined, of: Of): Field =>
  field(
    name,
    'string',
    doc,
    ({ process }) => {
      const found = leader(process, idOf)
      return found && of(found)
    },
    { costly: true },
  )

const session = ({ session: id }: Process): number | undefined => id
const group = ({ group: id }: Process): number | undefined => id
const since = (context: EventContext, process: Process | undefined): number | undefined =>
  process?.startedAt === undefined ? undefined : Math.max(0, nanoseconds(context.event.time) - nanoseconds(process.startedAt))
const startOf = ({ startedAt }: Process): number | undefined => (startedAt === undefined ? undefined : nanoseconds(startedAt))

/** `proc.args[0]` is the first one after the program's own name. */
const args: Field = {
  name: 'proc.args',
  type: 'string',
  doc: 'Arguments without argv[0], with blanks between them; [N] is one of them, [0] the first. A list for getopt() and join()',
  argument: { need: 'optional', kind: 'index' },
  costly: true,
  asList: ({ process }) => process.args,
  bind: argument => {
    if (argument === undefined) return ({ process }) => argumentsText(process)
    const index = Number(argument)
    return ({ process }) => process.args[index]
  },
}

const notSensed = 'the sensor does not tell it'
const notCounted = 'usage is sampled by instance, not by process'

export const processFields: readonly Field[] = [
  own('proc.name', 'string', 'Name (comm), 15 bytes at most', ({ name }) => name),
  ofParent('proc.pname', 'string', "Parent's name", ({ name }) => name),
  ofAncestors('proc.aname', 'string', 'Name', ({ name }) => name),
  own('proc.exe', 'string', 'argv[0], which whoever started it has chosen', ({ exe }) => exe),
  ofParent('proc.pexe', 'string', "Parent's argv[0]", ({ exe }) => exe),
  ofAncestors('proc.aexe', 'string', 'argv[0]', ({ exe }) => exe),
  own('proc.exepath', 'string', 'The file that runs, as the kernel resolved it', ({ exePath }) => exePath),
  ofParent('proc.pexepath', 'string', 'The file that the parent runs', ({ exePath }) => exePath),
  ofAncestors('proc.aexepath', 'string', 'File', ({ exePath }) => exePath),
  args,
  ofAncestors('proc.aargs', 'string', 'Arguments', argumentsText),
  own('proc.cmdline', 'string', 'proc.name and proc.args', commandLine, { costly: true }),
  ofParent('proc.pcmdline', 'string', "Parent's command line", commandLine, { costly: true }),
  ofAncestors('proc.acmdline', 'string', 'Command line', commandLine),
  own(
    'proc.exeline',
    'string',
    'proc.exe and proc.args',
    process => (process.exe === undefined ? undefined : [process.exe, ...process.args].join(' ')),
    {
      costly: true,
    },
  ),
  own('proc.cmdnargs', 'number', 'How many arguments', ({ args: given }) => given.length),
  own('proc.cmdlenargs', 'number', 'Bytes of all arguments', ({ args: given }) => given.reduce((sum, text) => sum + Buffer.byteLength(text), 0)),
  own('proc.cwd', 'string', 'Working directory, as of its last exec', ({ cwd }) => cwd),
  own('proc.tty', 'number', 'Device number of the controlling terminal, 0 for none', ({ tty }) => tty),
  own('proc.pid', 'number', 'Process, on the host', ({ pid }) => pid),
  own('proc.ppid', 'number', 'Parent, on the host', ({ parentPid }) => parentPid),
  ofAncestors('proc.apid', 'number', 'Process, on the host', ({ pid }) => pid),
  own('proc.vpid', 'number', 'Process, in its own pid namespace', ({ vpid }) => vpid),
  ofParent('proc.pvpid', 'number', 'Parent, in its own pid namespace', ({ vpid }) => vpid),
  own('proc.sid', 'number', 'Session', session),
  ofLeader('proc.sname', "Name of the session's leader", session, ({ name }) => name),
  ofLeader('proc.sid.exe', "argv[0] of the session's leader", session, ({ exe }) => exe),
  ofLeader('proc.sid.exepath', "File of the session's leader", session, ({ exePath }) => exePath),
  own('proc.vpgid', 'number', 'Process group', group),
  ofLeader('proc.vpgid.name', "Name of the group's leader", group, ({ name }) => name),
  ofLeader('proc.vpgid.exe', "argv[0] of the group's leader", group, ({ exe }) => exe),
  ofLeader('proc.vpgid.exepath', "File of the group's leader", group, ({ exePath }) => exePath),
  own('proc.is_sid_leader', 'boolean', 'Whether it leads its session', process =>
    process.session === undefined ? undefined : process.session === process.vpid,
  ),
  own('proc.is_vpgid_leader', 'boolean', 'Whether it leads its group', process =>
    process.group === undefined ? undefined : process.group === process.vpid,
  ),
  own('proc.is_pgid_leader', 'boolean', 'Whether it leads its group', process =>
    process.group === undefined ? undefined : process.group === process.vpid,
  ),
  field('proc.duration', 'duration', 'Since it began', context => since(context, context.process)),
  field('proc.ppid.duration', 'duration', 'Since its parent began', context => since(context, context.process.parent)),
  own('proc.pid.ts', 'time', 'When it began', startOf),
  ofParent('proc.ppid.ts', 'time', 'When its parent began', startOf),
  own('proc.is_exe_upper_layer', 'boolean', "Its file is not the image's: it was made or changed since", ({ isUpper }) => isUpper),
  own('proc.is_exe_lower_layer', 'boolean', "Its file is the image's", ({ isUpper, isMemfd }) => !isUpper && !isMemfd),
  own('proc.is_exe_from_memfd', 'boolean', 'Its file has no name in any file system', ({ isMemfd }) => isMemfd),
  own('proc.exe_ino', 'number', 'Inode of its file', ({ inode }) => inode),
  own('proc.nchilds', 'number', 'Processes that it has made and that live still. Falco counts threads here', ({ children }) => children),
  field('proc.pidns_init_start_ts', 'time', 'When its instance began', ({ subject }) => nanoseconds(subject.startedAt)),
  field('proc.is_container_healthcheck', 'boolean', 'Always false: a health check is an exec like any other', () => false),
  field('proc.is_container_liveness_probe', 'boolean', 'Always false', () => false),
  field('proc.is_container_readiness_probe', 'boolean', 'Always false', () => false),
  field('thread.tid', 'number', 'Thread, on the host', ({ event }) => event.tid),
  field('thread.ismain', 'boolean', "Whether it is its process's first thread", ({ event }) => event.tid === event.pid),
  field('thread.cap_effective', 'string', 'Effective capabilities, as they were last told', ({ event, process }) => {
    const told = event.capabilities ?? process.capabilities
    return told === undefined ? undefined : capabilityNames(told)
  }),
  field('thread.nametid', 'string', 'proc.name and thread.tid', ({ event, process }) => `${process.name}${event.tid}`),
  ...['proc.env', 'proc.aenv'].map(name =>
    lackingField(name, 'string', 'the environment of a process is where secrets are: it is never read', {
      argument: { need: 'optional', kind: 'key' },
    }),
  ),
  ...['proc.pgid', 'proc.loginshellid', 'proc.fdlimit', 'thread.vtid', 'proc.nthreads', 'proc.fdopencount'].map(name =>
    lackingField(name, 'number', notSensed),
  ),
  ...['proc.pgid.name', 'proc.pgid.exe', 'proc.pgid.exepath', 'thread.cap_permitted', 'thread.cap_inheritable'].map(name =>
    lackingField(name, 'string', notSensed),
  ),
  ...['proc.stdin.type', 'proc.stdout.type', 'proc.stderr.type', 'proc.stdin.name', 'proc.stdout.name', 'proc.stderr.name'].map(name =>
    lackingField(name, 'string', `${notSensed}; a socket that becomes one is an event, dup`),
  ),
  lackingField('proc.is_exe_writable', 'boolean', `${notSensed}; see proc.is_exe_upper_layer`),
  ...['proc.exe_ino.ctime', 'proc.exe_ino.mtime', 'proc.exe_ino.ctime_duration_proc_start', 'proc.exe_ino.ctime_duration_pidns_start'].map(name =>
    lackingField(name, 'time', notSensed),
  ),
  lackingField('thread.cgroups', 'string', 'Dayfly decides on cgroups itself'),
  lackingField('thread.cgroup', 'string', 'Dayfly decides on cgroups itself', { argument: { need: 'required', kind: 'key', dotted: true } }),
  ...[
    'proc.vmsize',
    'proc.vmrss',
    'proc.vmswap',
    'proc.fdusage',
    'thread.pfmajor',
    'thread.pfminor',
    'thread.cpu',
    'thread.cpu.user',
    'thread.cpu.system',
  ].map(name => lackingField(name, 'number', notCounted)),
  ...['thread.vmsize', 'thread.vmrss', 'thread.vmsize.b', 'thread.vmrss.b'].map(name => lackingField(name, 'number', notCounted)),
  ...['thread.exectime', 'thread.totexectime'].map(name => lackingField(name, 'duration', notCounted)),
]
