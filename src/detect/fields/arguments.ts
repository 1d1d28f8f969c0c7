/** Arguments of events (`evt.arg.flags`): Falco's names, in Falco's order. What Dayfly's sensor does not tell is left out. */
import type { KernelEvent } from '../../model/kernel-event.ts'
import type { EventContext } from './context.ts'
import { eventName } from './event-names.ts'
import {
  bpfCommandName,
  capabilityNames,
  cloneFlagNames,
  memfdFlagNames,
  modeNames,
  mountFlagNames,
  nodeNames,
  openFlagNames,
  ptraceRequestName,
  resultName,
  signalName,
  socketFamilyName,
  umountFlagNames,
} from './kernel-names.ts'
import { tupleText } from './tuples.ts'

type Raw = string | number | undefined
interface Argument {
  readonly name: string
  /** What `evt.rawarg` is. */
  readonly raw: (context: EventContext) => Raw
  /** What `evt.arg` is, when that is not the same. */
  readonly text?: (context: EventContext) => Raw
}

const argument = (name: string, raw: (event: KernelEvent, context: EventContext) => Raw): Argument => ({
  name,
  raw: context => raw(context.event, context),
})
const named = (name: string, raw: (event: KernelEvent) => number | undefined, nameOf: (value: number, event: KernelEvent) => string): Argument => ({
  name,
  raw: ({ event }) => raw(event),
  text: ({ event }) => {
    const value = raw(event)
    return value === undefined ? undefined : nameOf(value, event)
  },
})

const number = (index: number) => (event: KernelEvent) => event.numbers?.[index]
const res = named('res', ({ result }) => result, resultName)
const path = (name: string): Argument => argument(name, event => event.path)
const target = (name: string): Argument => argument(name, event => event.target)
const mode = named('mode', event => event.mode, modeNames)
const mark = (event: KernelEvent): string =>
  event.socket?.family === 'unix' ? 'u' : event.socket?.family === 'inet6' ? '6' : event.socket ? '4' : 'f'
const descriptor = (name: string, of: (event: KernelEvent) => number | undefined): Argument => ({
  name,
  raw: ({ event }) => of(event),
  text: ({ event }) => {
    const fd = of(event)
    if (fd === undefined) return undefined
    return fd < 0 ? resultName(fd) : `<${mark(event)}>${event.socket ? tupleText(event) : (event.path ?? '')}`
  },
})
const nodeMode = named('mode', event => event.mode, nodeNames)
/** `major:minor` of a device, as mknod is given it. */
const device: Argument = {
  name: 'dev',
  raw: ({ event }) => event.numbers?.[0],
  text: ({ event }) => {
    const dev = event.numbers?.[0]
    return dev === undefined ? undefined : `${(dev >>> 8) & 0xfff}:${(dev & 0xff) | ((dev >>> 12) & 0xfff00)}`
  },
}
const opened = descriptor('fd', ({ result }) => result)
const tuple = argument('tuple', event => (event.socket ? tupleText(event) : undefined))

const exeFlags = ({ flags = [] }: KernelEvent): string =>
  [flags.includes('upper') ? 'EXE_UPPER_LAYER' : flags.includes('memfd') ? '' : 'EXE_LOWER_LAYER', flags.includes('memfd') ? 'EXE_FROM_MEMFD' : '']
    .filter(name => name !== '')
    .join('|')

const program = [
  ...[
    res,
    argument('exe', (event, { process }) => process.exe ?? event.args?.[0]),
    argument('args', (_event, { process }) => process.args.join(' ')),
  ],
  ...[argument('tid', event => event.tid), argument('pid', event => event.pid), argument('ptid', event => event.parentPid)],
  ...[argument('cwd', (event, { process }) => event.cwd ?? process.cwd), argument('comm', event => event.name), argument('tty', event => event.tty)],
  ...[
    argument('vpgid', event => event.group),
    argument('flags', exeFlags),
    named('cap_effective', capabilitiesOf, (_value, event) => capabilityNames(event.capabilities ?? '')),
  ],
  ...[argument('exe_ino', event => event.inode), argument('uid', event => event.euid), argument('gid', event => event.gid)],
  ...[argument('trusted_exepath', (event, { process }) => process.exePath ?? event.exe), argument('filename', event => event.path)],
]
function capabilitiesOf({ capabilities }: KernelEvent): number | undefined {
  return capabilities === undefined ? undefined : Number.parseInt(capabilities, 16)
}

const open = [
  ...[
    opened,
    path('name'),
    named(
      'flags',
      event => event.openFlags,
      (flags, event) => openFlagNames(flags, event.mode !== undefined),
    ),
  ],
  argument('mode', event => event.mode),
]
const rename = [res, path('oldpath'), target('newpath')]
const chown = [argument('uid', number(0)), argument('gid', number(1))]
const kill = [argument('pid', event => event.targetPid ?? event.numbers?.[0])]
const signalAt = (index: number): Argument => named('sig', number(index), signalName)

const argumentsOf: Readonly<Record<string, readonly Argument[]>> = {
  ...{ execve: program, execveat: program },
  ...Object.fromEntries(['clone', 'clone3', 'fork', 'vfork'].map(name => [name, [argument('res', event => event.child), ...program.slice(1, 8)]])),
  procexit: [
    argument('status', event => event.result),
    argument('ret', event => event.result >> 8),
    named('sig', event => event.result & 127, signalName),
  ],
  dns: [path('name'), argument('answers', event => event.detail)],
  ...{
    open,
    openat: [opened, argument('dirfd', event => event.directory), ...open.slice(1)],
    openat2: [opened, argument('dirfd', event => event.directory), ...open.slice(1)],
  },
  creat: [opened, path('name'), argument('mode', event => event.mode)],
  open_by_handle_at: [opened, argument('mountfd', number(0)), named('flags', number(1), flags => openFlagNames(flags, false)), path('path')],
  connect: [res, tuple, descriptor('fd', event => event.fd), argument('addr', event => event.socket && tupleText(event))],
  bind: [res, argument('addr', event => event.socket && tupleText(event)), descriptor('fd', event => event.fd)],
  listen: [res, descriptor('fd', event => event.fd)],
  ...{ accept: [opened, tuple], accept4: [opened, tuple] },
  ...Object.fromEntries(['sendto', 'sendmsg', 'sendmmsg'].map(name => [name, [res, descriptor('fd', event => event.fd), tuple]])),
  ...{
    dup: [res, descriptor('fd', event => event.fd)],
    dup2: [res, descriptor('newfd', event => event.fd)],
    dup3: [res, descriptor('newfd', event => event.fd)],
  },
  ...{ unlink: [res, path('path')], unlinkat: [res, argument('dirfd', event => event.directory), path('name')], rmdir: [res, path('path')] },
  ...{ rename, renameat: rename, renameat2: rename, link: rename, linkat: rename },
  ...{
    symlink: [res, path('target'), target('linkpath')],
    symlinkat: [res, path('target'), argument('linkdirfd', event => event.directory), target('linkpath')],
  },
  ...{
    mkdir: [res, path('path'), argument('mode', event => event.mode)],
    mkdirat: [res, argument('dirfd', event => event.directory), path('path'), argument('mode', event => event.mode)],
  },
  ...{ chmod: [res, path('filename'), mode], fchmodat: [res, argument('dirfd', event => event.directory), path('filename'), mode] },
  ...{
    fchmodat2: [res, argument('dirfd', event => event.directory), path('filename'), mode],
    fchmod: [res, descriptor('fd', event => event.fd), mode],
  },
  ...{ chown: [res, path('path'), ...chown], lchown: [res, path('path'), ...chown], fchown: [res, descriptor('fd', event => event.fd), ...chown] },
  fchownat: [res, argument('dirfd', event => event.directory), path('pathname'), ...chown],
  ...{ setuid: [res, argument('uid', number(0))], setgid: [res, argument('gid', number(0))] },
  ...{ setfsuid: [res, argument('uid', number(0))], setfsgid: [res, argument('gid', number(0))], setgroups: [res, argument('size', number(0))] },
  ...{
    setreuid: [res, argument('ruid', number(0)), argument('euid', number(1))],
    setregid: [res, argument('rgid', number(0)), argument('egid', number(1))],
  },
  setresuid: [res, argument('ruid', number(0)), argument('euid', number(1)), argument('suid', number(2))],
  setresgid: [res, argument('rgid', number(0)), argument('egid', number(1)), argument('sgid', number(2))],
  capset: [res, named('cap_effective', capabilitiesOf, (_value, event) => capabilityNames(event.capabilities ?? ''))],
  memfd_create: [opened, path('name'), named('flags', number(0), memfdFlagNames)],
  ...Object.fromEntries(
    ['mount', 'move_mount', 'fsmount', 'open_tree', 'mount_setattr', 'fsopen'].map(name => [
      name,
      [res, path('dev'), target('dir'), argument('type', event => event.detail), named('flags', event => event.mountFlags, mountFlagNames)],
    ]),
  ),
  ...{ umount: [res, target('name')], umount2: [res, target('name'), named('flags', event => event.mountFlags, umountFlagNames)] },
  ptrace: [res, named('request', number(0), ptraceRequestName), argument('pid', event => event.targetPid ?? event.numbers?.[1])],
  ...{
    kill: [res, ...kill, signalAt(1)],
    tkill: [res, argument('tid', number(0)), signalAt(1)],
    tgkill: [res, ...kill, argument('tid', number(1)), signalAt(2)],
  },
  ...{
    pidfd_send_signal: [res, ...kill, signalAt(1)],
    rt_sigqueueinfo: [res, ...kill, signalAt(1)],
    rt_tgsigqueueinfo: [res, ...kill, argument('tid', number(1)), signalAt(2)],
  },
  ...{ process_vm_writev: [res, ...kill], process_vm_readv: [res, ...kill], pidfd_getfd: [res, ...kill] },
  ...{ truncate: [res, path('path')], ftruncate: [res, descriptor('fd', event => event.fd)] },
  ...{ mknod: [res, path('path'), nodeMode, device], mknodat: [res, argument('dirfd', event => event.directory), path('path'), nodeMode, device] },
  ...Object.fromEntries(
    ['setxattr', 'lsetxattr', 'fsetxattr', 'setxattrat', 'removexattr', 'lremovexattr', 'fremovexattr', 'removexattrat'].map(name => [
      name,
      [res, path('path'), argument('name', event => event.detail)],
    ]),
  ),
  socket: [opened, named('domain', number(0), socketFamilyName), argument('type', number(1)), argument('proto', number(2))],
  setns: [res, argument('fd', number(0)), named('nstype', number(1), cloneFlagNames)],
  unshare: [res, named('flags', number(0), cloneFlagNames)],
  pivot_root: [res, path('new_root'), target('put_old')],
  chroot: [res, path('path')],
  ...{ init_module: [res, argument('length', number(0))], delete_module: [res, path('name'), argument('flags', number(0))] },
  finit_module: [res, descriptor('fd', event => event.fd ?? event.numbers?.[0]), argument('flags', number(1))],
  bpf: [opened, named('cmd', number(0), bpfCommandName)],
  ...{ keyctl: [res, argument('operation', number(0))], add_key: [res, argument('type', event => event.detail), path('description')] },
  request_key: [res, argument('type', event => event.detail), path('description')],
  ...{ io_uring_setup: [res, argument('entries', number(0))], io_uring_enter: [res, argument('operation', event => event.detail)] },
  io_uring_register: [res, argument('opcode', number(0))],
  ...{ userfaultfd: [res, argument('flags', number(0))], perf_event_open: [res, argument('pid', number(0)), argument('cpu', number(1))] },
}

/** Undefined where the event has no such argument. `which` is a name, or a number from 0. */
const find = (context: EventContext, which: string): Argument | undefined => {
  const all = argumentsOf[eventName(context.event)] ?? []
  return /^\d+$/.test(which) ? all[Number(which)] : all.find(({ name }) => name === which)
}

export const readArgument = (context: EventContext, which: string): string | undefined => {
  const found = find(context, which)
  const value = found && (found.text ?? found.raw)(context)
  return value === undefined ? undefined : String(value)
}

export const readRawArgument = (context: EventContext, which: string): Raw => find(context, which)?.raw(context)

/** `name=value name=value` */
export const readArguments = (context: EventContext): string =>
  (argumentsOf[eventName(context.event)] ?? [])
    .flatMap(({ name, raw, text }) => {
      const value = (text ?? raw)(context)
      return value === undefined ? [] : [`${name}=${value}`]
    })
    .join(' ')

/** All names that some event has, so that a slip in a rule is told. */
export const argumentNames: ReadonlySet<string> = new Set(Object.values(argumentsOf).flatMap(all => all.map(({ name }) => name)))
