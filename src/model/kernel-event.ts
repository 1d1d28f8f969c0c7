/**
 * What the sensor saw an instance do, as it is judged, kept and replayed. One shape for all kinds: what a kind does not have is absent. It holds facts of the
 * kernel only; who a process's ancestors are, say earlier events of it (`detect/processes`), live and in a replay alike.
 */
import { z } from 'zod'

/**
 *   exec              a program was started: exe, path, args, argsLength, argsCount, inode, sha256 (on first sight of that file)
 *   fork              child, childVpid, childStart: a new process, not a thread
 *   exit              of the last thread of a process: result is the wait status (code << 8 | signal)
 *   open              path (of the file that the kernel opened), openFlags (O_*), mode (of a file that was made). Sensitive ones, and writes where writes are watched.
 *                     With syscall `execve` or `execveat` and the flag `denied`: a script that Dayfly did not let be executed
 *   connect · bind · listen · accept · sendto     fd, socket
 *   dns               path: the name that was asked for; detail: the addresses answered, or `NXDOMAIN`, `REFUSED` …
 *   dup               a socket became standard input, output or error: fd (0 to 2), socket
 *   unlink · rename · link · symlink · mkdir · chmod · chown     path, target (the second one), directory, mode or owner and group
 *   setuid            also setgid, setresuid …: numbers hold what was asked for
 *   capset            capabilities (effective, hexadecimal) afterwards
 *   memfd             path: the name that was given
 *   mount · umount    path (source), target, detail (kind of file system), mountFlags
 *   truncate          path, size: what is left of it. By its path any; of an open file only what is watched
 *   mknod             path, mode (with the kind of file), numbers: the device
 *   setxattr          path, detail: the attribute's name (`security.capability`); also of its removal, by syscall
 *   ptrace · kill · process_vm_writev · process_vm_readv · pidfd_getfd     targetPid (host), targetInstance when that is another one, numbers
 *   socket            domain, kind, protocol in numbers: only packet, raw, netlink and vsock ones
 *   setns · unshare · pivot_root · chroot · module · bpf · keyctl · io_uring_setup · io_uring · userfaultfd · perf_event_open · open_by_handle_at     numbers: the call's arguments
 */
export const kernelEventTypes = [
  ...([
    'exec',
    'fork',
    'exit',
    'open',
    'connect',
    'bind',
    'listen',
    'accept',
    'sendto',
    'dns',
    'dup',
    'unlink',
    'rename',
    'link',
    'symlink',
  ] as const),
  ...(['mkdir', 'chmod', 'chown', 'setuid', 'capset', 'memfd', 'mount', 'umount', 'ptrace', 'kill', 'process_vm_writev', 'socket', 'setns'] as const),
  ...(['unshare', 'pivot_root', 'chroot', 'module', 'bpf', 'keyctl', 'io_uring_setup', 'io_uring', 'userfaultfd', 'perf_event_open'] as const),
  ...(['open_by_handle_at', 'truncate', 'mknod', 'setxattr', 'process_vm_readv', 'pidfd_getfd'] as const),
] as const
export const KernelEventType = z.enum(kernelEventTypes)
export type KernelEventType = z.infer<typeof KernelEventType>

/**
 *   upper       the file is not the image's: it was made or changed since          memfd       it has no name in any file system (memfd, deleted)
 *   denied      Dayfly did not let it happen, or killed for it                     would_deny  policy would have, but only audits
 *   truncated   args is cut off: argsLength is the true length                     sensitive   of the paths that are watched
 *   write       opened to be written                                               compat      by a 32-bit system call
 *   unread      memory of the process could not be read: what comes from it is absent or partial
 *   user        path and target are what the caller's memory held when the call returned, not what the kernel resolved
 */
export const KernelEventFlag = z.enum(['upper', 'memfd', 'denied', 'would_deny', 'truncated', 'sensitive', 'write', 'compat', 'unread', 'user'])
export type KernelEventFlag = z.infer<typeof KernelEventFlag>

export const SocketFacts = z.object({
  family: z.enum(['inet', 'inet6', 'unix', 'netlink', 'packet', 'vsock', 'other']),
  /** IPPROTO_*, e.g. 6 for TCP, 17 for UDP; 0 where there is none. */
  protocol: z.int(),
  /** Both sides as the kernel has them. Of unix sockets the path (abstract ones with a leading `@`) is in remoteAddress, or in localAddress of one that is bound. */
  localAddress: z.string().optional(),
  localPort: z.int().optional(),
  remoteAddress: z.string().optional(),
  remotePort: z.int().optional(),
})
export type SocketFacts = z.infer<typeof SocketFacts>

const Pid = z.int().min(0)

/** What the sensor tells, before anybody has said whose the cookie is. */
export const SensedEvent = z.object({
  type: KernelEventType,
  /** µs since the host's boot (CLOCK_BOOTTIME): of the first one, when `count` is there. */
  boot: z.int().min(0),
  /** The identity that was given to its pid namespace or process before its first instruction. */
  cookie: z.int().min(1),
  /** In the host's pid namespace: the process (thread group) and the thread. */
  pid: Pid,
  tid: Pid,
  /** The process in its own pid namespace. */
  vpid: Pid,
  /** When the process began, µs since boot: with `pid` it names one process and never another. */
  start: z.int().min(0),
  parentPid: Pid,
  parentStart: z.int().min(0),
  /** The parent in the instance's own pid namespace; 0 when it is outside of it: the first process has none there, nor has what was put in from outside (`dayfly exec`). */
  parentVpid: Pid.optional(),
  /** The host's numbers; in a KernelEvent those of the instance, where it has users of its own. */
  uid: Pid,
  euid: Pid,
  gid: Pid,
  /** 15 bytes at most, of the process and of its parent. A workload chooses it: never decide by it alone. */
  name: z.string(),
  parentName: z.string(),
  /** Name of the system call, e.g. `openat`; absent for exec, fork, exit, dns. */
  syscall: z.string().optional(),
  /** What it returned, or -errno. */
  result: z.int(),
  flags: z.array(KernelEventFlag).optional(),
  /** The same again and again by one process, told as one: how often within a second. Absent for once. */
  count: z.int().min(2).optional(),
  exe: z.string().optional(),
  path: z.string().optional(),
  target: z.string().optional(),
  directory: z.string().optional(),
  args: z.array(z.string()).optional(),
  argsLength: z.int().optional(),
  argsCount: z.int().optional(),
  inode: z.int().optional(),
  sha256: z.string().optional(),
  /** Working directory, of exec. */
  cwd: z.string().optional(),
  /** Of exec: controlling terminal's device number, 0 for none; session and process group in its own pid namespace. */
  tty: z.int().optional(),
  session: z.int().optional(),
  group: z.int().optional(),
  child: z.int().optional(),
  childVpid: z.int().optional(),
  childStart: z.int().optional(),
  openFlags: z.int().optional(),
  mode: z.int().optional(),
  /** Bytes of the file afterwards, of truncate. */
  size: z.number().optional(),
  fd: z.int().optional(),
  socket: SocketFacts.optional(),
  capabilities: z.string().optional(),
  mountFlags: z.int().optional(),
  targetPid: z.int().optional(),
  targetCookie: z.int().optional(),
  detail: z.string().optional(),
  numbers: z.array(z.number()).optional(),
})
export type SensedEvent = z.infer<typeof SensedEvent>

/** Bytes of paths and arguments that are no UTF-8 stand as U+FFFD. */
export const KernelEvent = SensedEvent.omit({ cookie: true, boot: true, targetCookie: true }).extend({
  /** Wall clock, ms, with microseconds as its fraction. */
  time: z.number(),
  environment: z.string(),
  instance: z.string(),
  targetInstance: z.string().optional(),
})
export type KernelEvent = z.infer<typeof KernelEvent>

/** What the sensor says of itself, of one instance: so many of each type. `dropped` ones are lost: there was no room. What is `filtered` was not asked for. */
export interface SensorCounts {
  readonly emitted: Readonly<Partial<Record<KernelEventType, number>>>
  readonly dropped: Readonly<Partial<Record<KernelEventType, number>>>
  readonly filtered: Readonly<Partial<Record<KernelEventType, number>>>
}
