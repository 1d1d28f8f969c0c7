/**
 * The default seccomp profile: which system calls a container may make. Data, to be read.
 *
 * - `allowed`: everything that ordinary programs use. What reaches beyond the container even in a user namespace is not here.
 * - `refused`: what exists, is known, and is dangerous or nobody's business in a container. It fails with an errno that programs expect of a
 *   privilege they lack (EPERM), or of a kernel built without it, where they have a way around (EAFNOSUPPORT, ENOSYS). A refusal wins over an allowance.
 * - everything else, above all calls that are newer than this list, fails with ENOSYS: libc then falls back to the older call. With EPERM
 *   it would believe that the file or the process is at fault, which is how old profiles break new distributions.
 *
 * Left out on purpose, though other profiles have them: vmsplice (gave write access to pages of others, hardly used), modify_ldt (16-bit programs; its
 * holes were host-wide), remap_file_pages (emulated since Linux 4.0), memfd_secret (memory that cannot be swapped or limited), and the NUMA
 * policies (mbind, set_mempolicy, get_mempolicy, move_pages, migrate_pages: without them libnuma says that there is no NUMA).
 *
 * Names that this machine's architecture or libseccomp does not know are skipped. 32-bit x86 and x32 share the lists.
 */
import { constants } from 'node:os'

/** Compares argument number `argument` (from 0). `masked`: only the bits of `mask` count. */
export type Condition =
  | { readonly argument: number; readonly is: 'equal' | 'greater'; readonly value: bigint }
  | { readonly argument: number; readonly is: 'masked'; readonly mask: bigint; readonly value: bigint }

export interface CallGroup {
  /** What these calls are for, or why they are refused. */
  readonly why: string
  readonly calls: readonly string[]
  /** The group applies when all conditions of any alternative hold. Absent: always. */
  readonly when?: readonly (readonly Condition[])[]
}

export interface RefusedGroup extends CallGroup {
  readonly errno: number
}

export interface SeccompProfile {
  readonly allowed: readonly CallGroup[]
  readonly refused: readonly RefusedGroup[]
  /** Errno of every call that is in no group. */
  readonly otherwise: number
}

const { EPERM, ENOSYS, EAFNOSUPPORT, EPROTONOSUPPORT } = constants.errno

/** The kernel takes an `int` from the low half of a register only: the high half must not change what is compared. */
const low32 = (argument: number, value: bigint): Condition => ({ argument, is: 'masked', mask: 0xffff_ffffn, value })
const anyOf = (argument: number, values: readonly bigint[]): readonly (readonly Condition[])[] => values.map(value => [low32(argument, value)])

const namespaceFlags = {
  CLONE_NEWNS: 0x0002_0000n,
  CLONE_NEWCGROUP: 0x0200_0000n,
  CLONE_NEWUTS: 0x0400_0000n,
  CLONE_NEWIPC: 0x0800_0000n,
  CLONE_NEWUSER: 0x1000_0000n,
  CLONE_NEWPID: 0x2000_0000n,
  CLONE_NEWNET: 0x4000_0000n,
}
/** Only unshare knows it; to clone these bits are the signal to the parent. */
const CLONE_NEWTIME = 0x80n

const allBits = (bits: readonly bigint[]): bigint => bits.reduce((sum, bit) => sum | bit, 0n)
const noneOf = (argument: number, bits: readonly bigint[]): readonly (readonly Condition[])[] => [
  [{ argument, is: 'masked', mask: allBits(bits), value: 0n }],
]
const someOf = (argument: number, bits: readonly bigint[]): readonly (readonly Condition[])[] =>
  bits.map(bit => [{ argument, is: 'masked', mask: bit, value: bit }])

const cloneFlags = Object.values(namespaceFlags)
const unshareFlags = [...cloneFlags, CLONE_NEWTIME]

const AF_UNIX = 1n
const AF_INET = 2n
const AF_INET6 = 10n
const AF_NETLINK = 16n
const NETLINK_AUDIT = 9n
const socketFamilies = [AF_UNIX, AF_INET, AF_INET6, AF_NETLINK]
const otherFamilies: readonly (readonly Condition[])[] = [
  ...anyOf(
    0,
    Array.from({ length: Number(AF_NETLINK) }, (_, family) => BigInt(family)).filter(family => !socketFamilies.includes(family)),
  ),
  [{ argument: 0, is: 'greater', value: AF_NETLINK }],
]

const terminals = { TIOCSTI: 0x5412n, TIOCLINUX: 0x541cn, TIOCSETD: 0x5423n }

/** PER_LINUX and PER_LINUX32, each also with UNAME26, and the value that only asks. */
const personalities = [0x0n, 0x8n, 0x2_0000n, 0x2_0008n, 0xffff_ffffn]

const words = (text: string): string[] => text.trim().split(/\s+/)

const allowed: readonly CallGroup[] = [
  {
    why: 'opening, reading and writing files',
    calls: words(`
      open openat openat2 creat close close_range read write readv writev pread64 pwrite64 preadv pwritev preadv2 pwritev2 lseek _llseek
      sendfile sendfile64 splice tee copy_file_range dup dup2 dup3 fcntl fcntl64 flock fsync fdatasync sync syncfs sync_file_range
      truncate truncate64 ftruncate ftruncate64 fallocate fadvise64 fadvise64_64 readahead cachestat memfd_create`),
  },
  {
    why: 'names, folders and what is known about files',
    calls: words(`
      stat stat64 fstat fstat64 lstat lstat64 newfstatat fstatat64 statx statfs statfs64 fstatfs fstatfs64 access faccessat faccessat2 getdents getdents64
      getcwd chdir fchdir chroot mkdir mkdirat rmdir rename renameat renameat2 link linkat unlink unlinkat symlink symlinkat readlink readlinkat
      mknod mknodat chmod fchmod fchmodat fchmodat2 chown chown32 fchown fchown32 fchownat lchown lchown32 umask utime utimes utimensat utimensat_time64 futimesat
      name_to_handle_at`),
  },
  {
    why: 'extended attributes',
    calls: words(`
      getxattr lgetxattr fgetxattr getxattrat setxattr lsetxattr fsetxattr setxattrat listxattr llistxattr flistxattr listxattrat
      removexattr lremovexattr fremovexattr removexattrat`),
  },
  {
    why: 'waiting for files, changes and events',
    calls: words(`
      select _newselect pselect6 pselect6_time64 poll ppoll ppoll_time64 epoll_create epoll_create1 epoll_ctl epoll_ctl_old epoll_wait epoll_wait_old
      epoll_pwait epoll_pwait2 eventfd eventfd2 signalfd signalfd4 inotify_init inotify_init1 inotify_add_watch inotify_rm_watch pipe pipe2
      io_setup io_destroy io_submit io_cancel io_getevents io_pgetevents io_pgetevents_time64`),
  },
  {
    why: 'memory',
    calls: words(`
      brk mmap mmap2 munmap mremap mprotect madvise process_madvise process_mrelease mincore msync mlock mlock2 mlockall munlock munlockall mseal
      map_shadow_stack membarrier pkey_alloc pkey_free pkey_mprotect`),
  },
  {
    why: 'starting and ending processes and threads',
    calls: words(`
      fork vfork execve execveat exit exit_group wait4 waitid waitpid set_tid_address set_robust_list get_robust_list rseq
      futex futex_time64 futex_waitv futex_wait futex_wake futex_requeue arch_prctl set_thread_area get_thread_area prctl
      pidfd_open pidfd_send_signal pidfd_getfd restart_syscall`),
  },
  { why: 'threads and processes in the namespaces they have', calls: ['clone'], when: noneOf(0, cloneFlags) },
  { why: 'a file table, a folder or semaphores of its own; no namespace', calls: ['unshare'], when: noneOf(0, unshareFlags) },
  { why: 'the personalities that programs ask for: Linux, 32-bit Linux, and which one it is', calls: ['personality'], when: anyOf(0, personalities) },
  {
    why: 'debugging within the container: since Linux 4.8 a tracer cannot change a call after it was filtered',
    calls: words('ptrace process_vm_readv process_vm_writev kcmp'),
  },
  {
    why: 'who one is, within the user namespace',
    calls: words(`
      getpid getppid gettid getpgid getpgrp setpgid getsid setsid getuid getuid32 geteuid geteuid32 getgid getgid32 getegid getegid32
      setuid setuid32 setgid setgid32 setreuid setreuid32 setregid setregid32 setresuid setresuid32 setresgid setresgid32
      getresuid getresuid32 getresgid getresgid32 setfsuid setfsuid32 setfsgid setfsgid32 getgroups getgroups32 setgroups setgroups32 capget capset`),
  },
  {
    why: 'restrictions that a process puts on itself',
    calls: words('seccomp landlock_create_ruleset landlock_add_rule landlock_restrict_self'),
  },
  {
    why: 'signals',
    calls: words(`
      kill tkill tgkill rt_sigaction rt_sigprocmask rt_sigreturn rt_sigpending rt_sigsuspend rt_sigqueueinfo rt_tgsigqueueinfo
      rt_sigtimedwait rt_sigtimedwait_time64 sigaltstack sigaction sigprocmask sigreturn sigpending sigsuspend signal pause`),
  },
  {
    why: 'time; setting it takes a capability that no container has',
    calls: words(`
      time gettimeofday times nanosleep clock_gettime clock_gettime64 clock_getres clock_getres_time64 clock_nanosleep clock_nanosleep_time64
      clock_adjtime clock_adjtime64 adjtimex alarm getitimer setitimer timer_create timer_delete timer_getoverrun timer_gettime timer_gettime64
      timer_settime timer_settime64 timerfd_create timerfd_gettime timerfd_gettime64 timerfd_settime timerfd_settime64`),
  },
  {
    why: 'limits, priorities and processors',
    calls: words(`
      getrlimit ugetrlimit setrlimit prlimit64 getrusage getpriority setpriority nice ioprio_get ioprio_set sched_yield sched_getaffinity sched_setaffinity
      sched_getparam sched_setparam sched_getscheduler sched_setscheduler sched_getattr sched_setattr sched_get_priority_max sched_get_priority_min
      sched_rr_get_interval sched_rr_get_interval_time64 getcpu`),
  },
  { why: 'facts about the system, and random numbers', calls: words('uname sysinfo getrandom') },
  {
    why: 'sockets: of the container’s own network, local, and to ask the kernel about the network',
    calls: ['socket'],
    when: anyOf(0, socketFamilies),
  },
  {
    why: 'using sockets. socketcall is how 32-bit programs make the same calls',
    calls: words(`
      socketpair socketcall bind listen accept accept4 connect shutdown getsockname getpeername getsockopt setsockopt send sendto sendmsg sendmmsg
      recv recvfrom recvmsg recvmmsg recvmmsg_time64`),
  },
  {
    why: 'System V and POSIX queues, semaphores and shared memory, of the container’s own IPC namespace',
    calls: words(`
      ipc shmget shmat shmctl shmdt semget semop semctl semtimedop semtimedop_time64 msgget msgsnd msgrcv msgctl
      mq_open mq_unlink mq_timedsend mq_timedsend_time64 mq_timedreceive mq_timedreceive_time64 mq_notify mq_getsetattr`),
  },
  { why: 'controlling devices and terminals, but for what is refused below', calls: ['ioctl'] },
]

const refused: readonly RefusedGroup[] = [
  {
    why: 'a user namespace gives a process capabilities over kernel code that was never meant for it: most escapes begin here. The others need one',
    calls: ['clone'],
    when: someOf(0, cloneFlags),
    errno: EPERM,
  },
  { why: 'as clone', calls: ['unshare'], when: someOf(0, unshareFlags), errno: EPERM },
  { why: 'its flags lie in memory, where a filter cannot see them. libc falls back to clone', calls: ['clone3'], errno: ENOSYS },
  { why: 'enters a namespace of another process', calls: ['setns'], errno: EPERM },
  {
    why: 'mounts and the root folder are the container’s walls',
    calls: words('mount umount umount2 pivot_root open_tree open_tree_attr move_mount fsopen fsconfig fsmount fspick mount_setattr'),
    errno: EPERM,
  },
  { why: 'opens files by inode, past every folder and mount: how containers were left before', calls: ['open_by_handle_at'], errno: EPERM },
  { why: 'watches whole file systems, the host’s included', calls: words('fanotify_init fanotify_mark'), errno: EPERM },
  { why: 'programs in the kernel: its largest attack surface', calls: ['bpf'], errno: EPERM },
  { why: 'counts and traces the kernel and other processes; a long line of holes', calls: ['perf_event_open'], errno: EPERM },
  {
    why: 'stops the kernel in the middle of a copy for as long as the program likes, which makes races easy to win',
    calls: ['userfaultfd'],
    errno: EPERM,
  },
  {
    why: 'its requests pass this filter unseen, and it has been the source of many escapes. Programs fall back to epoll',
    calls: words('io_uring_setup io_uring_enter io_uring_register'),
    errno: ENOSYS,
  },
  { why: 'the kernel’s key rings know no containers', calls: words('add_key request_key keyctl'), errno: EPERM },
  { why: 'code into the kernel, or another kernel', calls: words('init_module finit_module delete_module kexec_load kexec_file_load'), errno: EPERM },
  {
    why: 'the host’s: its power, swap, clock, accounting, quotas, log and name',
    calls: words(`
      reboot swapon swapoff settimeofday stime clock_settime clock_settime64 acct quotactl quotactl_fd syslog sethostname setdomainname vhangup lookup_dcookie`),
    errno: EPERM,
  },
  { why: 'the host’s hardware', calls: words('iopl ioperm pciconfig_read pciconfig_write pciconfig_iobase'), errno: EPERM },
  {
    why: 'TIOCSTI types into the terminal that a container was given, TIOCLINUX also on the console; TIOCSETD loads line disciplines, old code with holes',
    calls: ['ioctl'],
    when: anyOf(1, Object.values(terminals)),
    errno: EPERM,
  },
  {
    why: 'other socket families, such as AF_ALG, AF_VSOCK (the hypervisor’s, past every firewall) and AF_PACKET, are kernel code that containers do not need',
    calls: ['socket', 'socketpair'],
    when: otherFamilies,
    errno: EAFNOSUPPORT,
  },
  {
    why: 'the host’s audit log. Login programs go on when the kernel has none, and give up when it may not be written to',
    calls: ['socket'],
    when: [[low32(0, AF_NETLINK), low32(2, NETLINK_AUDIT)]],
    errno: EPROTONOSUPPORT,
  },
  {
    why: 'SYS_SOCKET of 32-bit x86: the family lies in memory, where a filter cannot see it. Newer 32-bit programs call socket itself',
    calls: ['socketcall'],
    when: anyOf(0, [1n]),
    errno: EAFNOSUPPORT,
  },
]

export const defaultProfile: SeccompProfile = { allowed, refused, otherwise: ENOSYS }
