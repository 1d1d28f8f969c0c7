/** What numbers of the kernel are called, as Falco writes them. */

const errors = `
  EPERM ENOENT ESRCH EINTR EIO ENXIO E2BIG ENOEXEC EBADF ECHILD EAGAIN ENOMEM EACCES EFAULT ENOTBLK EBUSY EEXIST EXDEV ENODEV ENOTDIR EISDIR
  EINVAL ENFILE EMFILE ENOTTY ETXTBSY EFBIG ENOSPC ESPIPE EROFS EMLINK EPIPE EDOM ERANGE EDEADLK ENAMETOOLONG ENOLCK ENOSYS ENOTEMPTY ELOOP -
  ENOMSG EIDRM ECHRNG EL2NSYNC EL3HLT EL3RST ELNRNG EUNATCH ENOCSI EL2HLT EBADE EBADR EXFULL ENOANO EBADRQC EBADSLT - EBFONT ENOSTR ENODATA ETIME
  ENOSR ENONET ENOPKG EREMOTE ENOLINK EADV ESRMNT ECOMM EPROTO EMULTIHOP EDOTDOT EBADMSG EOVERFLOW ENOTUNIQ EBADFD EREMCHG ELIBACC ELIBBAD
  ELIBSCN ELIBMAX ELIBEXEC EILSEQ ERESTART ESTRPIPE EUSERS ENOTSOCK EDESTADDRREQ EMSGSIZE EPROTOTYPE ENOPROTOOPT EPROTONOSUPPORT ESOCKTNOSUPPORT
  EOPNOTSUPP EPFNOSUPPORT EAFNOSUPPORT EADDRINUSE EADDRNOTAVAIL ENETDOWN ENETUNREACH ENETRESET ECONNABORTED ECONNRESET ENOBUFS EISCONN ENOTCONN
  ESHUTDOWN ETOOMANYREFS ETIMEDOUT ECONNREFUSED EHOSTDOWN EHOSTUNREACH EALREADY EINPROGRESS ESTALE EUCLEAN ENOTNAM ENAVAIL EISNAM EREMOTEIO
  EDQUOT ENOMEDIUM EMEDIUMTYPE ECANCELED ENOKEY EKEYEXPIRED EKEYREVOKED EKEYREJECTED EOWNERDEAD ENOTRECOVERABLE ERFKILL -
`
  .trim()
  .split(/\s+/)

/** `-2` is `ENOENT`; what is not negative is `SUCCESS`. */
export const resultName = (result: number): string => (result >= 0 ? 'SUCCESS' : (errors[-result - 1]?.replace(/^-$/, '') ?? '') || String(result))

const signals = `
  SIGHUP SIGINT SIGQUIT SIGILL SIGTRAP SIGABRT SIGBUS SIGFPE SIGKILL SIGUSR1 SIGSEGV SIGUSR2 SIGPIPE SIGALRM SIGTERM SIGSTKFLT
  SIGCHLD SIGCONT SIGSTOP SIGTSTP SIGTTIN SIGTTOU SIGURG SIGXCPU SIGXFSZ SIGVTALRM SIGPROF SIGWINCH SIGIO SIGPWR SIGSYS
`
  .trim()
  .split(/\s+/)
export const signalName = (number: number): string => signals[number - 1] ?? (number >= 32 && number <= 64 ? `SIGRT${number}` : String(number))

/** Names by their bits, in the order in which they are written. */
type Bits = readonly (readonly [name: string, bits: number])[]

/** `A|B`, or `0` for none. */
const names = (bits: Bits, value: number): string =>
  bits
    .filter(([, mask]) => mask !== 0 && (value & mask) >>> 0 === mask)
    .map(([name]) => name)
    .join('|') || '0'

const openBits: Bits = [
  ...([
    ['O_LARGEFILE', 0o100000],
    ['O_DIRECTORY', 0o200000],
    ['O_DIRECT', 0o40000],
    ['O_TRUNC', 0o1000],
    ['O_SYNC', 0o4010000],
  ] as const),
  ...([
    ['O_NONBLOCK', 0o4000],
    ['O_EXCL', 0o200],
    ['O_DSYNC', 0o10000],
    ['O_APPEND', 0o2000],
    ['O_CREAT', 0o100],
  ] as const),
]

/** O_RDONLY has no bit: which access is asked for says the number of the last two. */
export const opensToRead = (flags: number): boolean => (flags & 3) === 0 || (flags & 3) === 2
export const opensToWrite = (flags: number): boolean => (flags & 3) === 1 || (flags & 3) === 2

/** O_* of <fcntl.h>. `isMade`: the file was not there before. */
export const openFlagNames = (flags: number, isMade: boolean): string => {
  const access = ['O_RDONLY', 'O_WRONLY', 'O_RDWR'][flags & 3]
  const known = names(openBits, flags)
  const isTemporary = (flags & 0o20200000) === 0o20200000
  const parts = [known === '0' ? undefined : known, access, flags & 0o2000000 ? 'O_CLOEXEC' : undefined, isTemporary ? 'O_TMPFILE' : undefined]
  return [...parts, isMade ? 'O_F_CREATED' : undefined].filter(part => part !== undefined).join('|')
}

const modeBits: Bits = [
  ...([
    ['S_IXOTH', 1],
    ['S_IWOTH', 2],
    ['S_IROTH', 4],
    ['S_IXGRP', 8],
    ['S_IWGRP', 16],
    ['S_IRGRP', 32],
    ['S_IXUSR', 64],
    ['S_IWUSR', 128],
  ] as const),
  ...([
    ['S_IRUSR', 256],
    ['S_ISVTX', 512],
    ['S_ISGID', 1024],
    ['S_ISUID', 2048],
  ] as const),
]
export const modeNames = (mode: number): string => names(modeBits, mode)

/** What kind of file a mode is of: mknod's. */
const fileKinds: Bits = [
  ['S_IFIFO', 0o010000],
  ['S_IFCHR', 0o020000],
  ['S_IFBLK', 0o060000],
  ['S_IFREG', 0o100000],
  ['S_IFSOCK', 0o140000],
]
export const nodeNames = (mode: number): string =>
  [fileKinds.find(([, kind]) => kind === (mode & 0o170000))?.[0] ?? 'S_IFREG', modeNames(mode & 0o7777)].filter(name => name !== '').join('|')

const cloneBits: Bits = [
  ...([
    ['CLONE_FILES', 0x400],
    ['CLONE_FS', 0x200],
    ['CLONE_IO', 0x80000000],
    ['CLONE_NEWIPC', 0x8000000],
    ['CLONE_NEWNET', 0x40000000],
  ] as const),
  ...([
    ['CLONE_NEWNS', 0x20000],
    ['CLONE_NEWPID', 0x20000000],
    ['CLONE_NEWUTS', 0x4000000],
    ['CLONE_SIGHAND', 0x800],
    ['CLONE_SYSVSEM', 0x40000],
  ] as const),
  ...([
    ['CLONE_THREAD', 0x10000],
    ['CLONE_VM', 0x100],
    ['CLONE_NEWUSER', 0x10000000],
    ['CLONE_NEWCGROUP', 0x2000000],
    ['CLONE_NEWTIME', 0x80],
  ] as const),
]
export const cloneFlagNames = (flags: number): string => names(cloneBits, flags)

const mountBits: Bits = [
  ...([
    ['RDONLY', 1],
    ['NOSUID', 2],
    ['NODEV', 4],
    ['NOEXEC', 8],
    ['SYNCHRONOUS', 16],
    ['REMOUNT', 32],
    ['MANDLOCK', 64],
    ['DIRSYNC', 128],
  ] as const),
  ...([
    ['NOATIME', 1024],
    ['NODIRATIME', 2048],
    ['BIND', 4096],
    ['MOVE', 8192],
    ['REC', 16384],
    ['SILENT', 32768],
    ['POSIXACL', 1 << 16],
  ] as const),
  ...([
    ['UNBINDABLE', 1 << 17],
    ['PRIVATE', 1 << 18],
    ['SLAVE', 1 << 19],
    ['SHARED', 1 << 20],
    ['RELATIME', 1 << 21],
    ['STRICTATIME', 1 << 24],
  ] as const),
]
export const mountFlagNames = (flags: number): string => names(mountBits, flags)
export const umountFlagNames = (flags: number): string =>
  names(
    [
      ['FORCE', 1],
      ['DETACH', 2],
      ['EXPIRE', 4],
      ['NOFOLLOW', 8],
    ],
    flags,
  )
export const memfdFlagNames = (flags: number): string =>
  names(
    [
      ['MFD_CLOEXEC', 1],
      ['MFD_ALLOW_SEALING', 2],
      ['MFD_HUGETLB', 4],
    ],
    flags,
  )

const requests: Readonly<Record<number, string>> = {
  ...{ 0: 'TRACEME', 1: 'PEEKTEXT', 2: 'PEEKDATA', 3: 'PEEKUSR', 4: 'POKETEXT', 5: 'POKEDATA', 6: 'POKEUSR', 7: 'CONT', 8: 'KILL', 9: 'SINGLESTEP' },
  ...{
    12: 'GETREGS',
    13: 'SETREGS',
    14: 'GETFPREGS',
    15: 'SETFPREGS',
    16: 'ATTACH',
    17: 'DETACH',
    18: 'GETFPXREGS',
    19: 'SETFPXREGS',
    24: 'SYSCALL',
  },
  ...{ 16896: 'SETOPTIONS', 16897: 'GETEVENTMSG', 16898: 'GETSIGINFO', 16899: 'SETSIGINFO', 16900: 'GETREGSET', 16901: 'SETREGSET', 16902: 'SEIZE' },
  ...{ 16903: 'INTERRUPT', 16904: 'LISTEN', 16905: 'PEEKSIGINFO', 16906: 'GETSIGMASK', 16907: 'SETSIGMASK' },
}
export const ptraceRequestName = (request: number): string => `PTRACE_${requests[request] ?? 'UNKNOWN'}`

const families: Readonly<Record<number, string>> = {
  ...{
    0: 'UNSPEC',
    1: 'UNIX',
    2: 'INET',
    3: 'AX25',
    4: 'IPX',
    5: 'APPLETALK',
    10: 'INET6',
    15: 'KEY',
    16: 'NETLINK',
    17: 'PACKET',
    21: 'RDS',
    29: 'CAN',
  },
  ...{ 30: 'TIPC', 31: 'BLUETOOTH', 33: 'RXRPC', 38: 'ALG', 39: 'NFC', 40: 'VSOCK', 44: 'XDP' },
}
export const socketFamilyName = (family: number): string => (families[family] === undefined ? String(family) : `AF_${families[family]}`)

const bpfCommands = `
  MAP_CREATE MAP_LOOKUP_ELEM MAP_UPDATE_ELEM MAP_DELETE_ELEM MAP_GET_NEXT_KEY PROG_LOAD OBJ_PIN OBJ_GET PROG_ATTACH PROG_DETACH PROG_TEST_RUN
  PROG_GET_NEXT_ID MAP_GET_NEXT_ID PROG_GET_FD_BY_ID MAP_GET_FD_BY_ID OBJ_GET_INFO_BY_FD PROG_QUERY RAW_TRACEPOINT_OPEN BTF_LOAD BTF_GET_FD_BY_ID
  TASK_FD_QUERY MAP_LOOKUP_AND_DELETE_ELEM MAP_FREEZE BTF_GET_NEXT_ID MAP_LOOKUP_BATCH MAP_LOOKUP_AND_DELETE_BATCH MAP_UPDATE_BATCH MAP_DELETE_BATCH
  LINK_CREATE LINK_UPDATE LINK_GET_FD_BY_ID LINK_GET_NEXT_ID ENABLE_STATS ITER_CREATE LINK_DETACH PROG_BIND_MAP TOKEN_CREATE
`
  .trim()
  .split(/\s+/)
export const bpfCommandName = (command: number): string => (bpfCommands[command] === undefined ? String(command) : `BPF_${bpfCommands[command]}`)

const capabilities = `
  CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE NET_BIND_SERVICE NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK
  IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE
  AUDIT_CONTROL SETFCAP MAC_OVERRIDE MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE
`
  .trim()
  .split(/\s+/)

/** Of hexadecimal digits: `CAP_CHOWN CAP_KILL`; '' for none and for what is no number. */
export const capabilityNames = (hexadecimal: string): string => {
  if (!/^(?:0x)?[0-9a-fA-F]{1,16}$/.test(hexadecimal)) return ''
  const set = BigInt(`0x${hexadecimal.replace(/^0x/, '')}`)
  return capabilities.flatMap((name, bit) => ((set >> BigInt(bit)) & 1n ? [`CAP_${name}`] : [])).join(' ')
}
