/** Falco's names for events (`evt.type`), and which of them Dayfly has. */
import type { KernelEvent, KernelEventType } from '../../model/kernel-event.ts'
import { syscallNames } from './syscall-names.ts'

/** The first one is the event's name when no other of them is its system call (io_uring, or fcntl that duplicates). */
const namesOf: Readonly<Record<KernelEventType, readonly string[]>> = {
  exec: ['execve', 'execveat'],
  fork: ['clone', 'clone3', 'fork', 'vfork'],
  exit: ['procexit'],
  open: ['openat', 'open', 'openat2', 'creat'],
  connect: ['connect'],
  bind: ['bind'],
  listen: ['listen'],
  accept: ['accept', 'accept4'],
  sendto: ['sendto', 'sendmsg', 'sendmmsg'],
  dns: ['dns'],
  dup: ['dup', 'dup2', 'dup3'],
  unlink: ['unlink', 'unlinkat', 'rmdir'],
  rename: ['rename', 'renameat', 'renameat2'],
  link: ['link', 'linkat'],
  symlink: ['symlink', 'symlinkat'],
  mkdir: ['mkdir', 'mkdirat'],
  chmod: ['chmod', 'fchmod', 'fchmodat', 'fchmodat2'],
  chown: ['chown', 'lchown', 'fchown', 'fchownat'],
  setuid: ['setuid', 'setgid', 'setreuid', 'setregid', 'setresuid', 'setresgid', 'setfsuid', 'setfsgid', 'setgroups'],
  capset: ['capset'],
  memfd: ['memfd_create'],
  mount: ['mount', 'move_mount', 'fsmount', 'open_tree', 'mount_setattr', 'fsopen'],
  umount: ['umount2', 'umount'],
  ptrace: ['ptrace'],
  kill: ['kill', 'tkill', 'tgkill', 'pidfd_send_signal', 'rt_sigqueueinfo', 'rt_tgsigqueueinfo'],
  process_vm_writev: ['process_vm_writev'],
  socket: ['socket'],
  setns: ['setns'],
  unshare: ['unshare'],
  pivot_root: ['pivot_root'],
  chroot: ['chroot'],
  module: ['init_module', 'finit_module', 'delete_module'],
  bpf: ['bpf'],
  keyctl: ['keyctl', 'add_key', 'request_key'],
  io_uring_setup: ['io_uring_setup'],
  io_uring: ['io_uring_enter', 'io_uring_register'],
  userfaultfd: ['userfaultfd'],
  perf_event_open: ['perf_event_open'],
  open_by_handle_at: ['open_by_handle_at'],
  truncate: ['truncate', 'ftruncate'],
  mknod: ['mknod', 'mknodat'],
  setxattr: ['setxattr', 'lsetxattr', 'fsetxattr', 'setxattrat', 'removexattr', 'lremovexattr', 'fremovexattr', 'removexattrat'],
  process_vm_readv: ['process_vm_readv'],
  pidfd_getfd: ['pidfd_getfd'],
}

/** Event type of each name. */
const typeOf = new Map(Object.entries(namesOf).flatMap(([type, names]) => names.map(name => [name, type] as const)))

/** What `evt.type` is. */
export const eventName = ({ type, syscall }: Pick<KernelEvent, 'type' | 'syscall'>): string => {
  if (syscall !== undefined) {
    if (typeOf.get(syscall) === type) return syscall
    // Of 32 bits, some calls have several forms: chown32, setuid16.
    const plain = syscall.replace(/(?:16|32|64)$/, '')
    if (typeOf.get(plain) === type) return plain
  }
  return namesOf[type][0] ?? type
}

/** All names that Dayfly's events have. `dns` is its own. */
export const eventNames: ReadonlySet<string> = new Set(typeOf.keys())
/** Of these, those that are no system calls. */
export const otherNames: ReadonlySet<string> = new Set(['procexit', 'dns'])

/** What Falco tells of itself or of the host, and Dayfly does not. */
const falcoNames = [
  'switch',
  'signaldeliver',
  'page_fault',
  'container',
  'procinfo',
  'pluginevent',
  'asyncevent',
  'syscall',
  'notification',
  'infra',
  'drop',
]

/** Whether there is such an event anywhere: if not, a rule that asks for it has a slip of the pen. */
export const isEventName = (name: string): boolean => eventNames.has(name) || syscallNames.has(name) || falcoNames.includes(name)
