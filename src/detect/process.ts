/**
 * A process as the events that came before say it is: what the process table (`processes/`) keeps and what rules, sequences and profiles read. `pid` and `start`
 * together name one process and never another. What is not known, because the event that tells it was lost or came before the sensor did, is undefined.
 *
 * The table changes these as events come; a reader holds one no longer than it judges one event.
 */
export interface Process {
  /** In the host's pid namespace, and in its own. */
  readonly pid: number
  readonly vpid: number
  /** When it began, µs since boot. */
  readonly start: number
  /** Wall clock, ms with microseconds as its fraction: when it began, and when it last became another program. */
  readonly startedAt: number | undefined
  readonly execAt: number | undefined
  /** Who made it, if that is of the same instance; kept after the parent's end. Chains never have cycles. */
  readonly parent: Process | undefined
  readonly parentPid: number
  /** `outside`: it, or one that it comes from, was put into the instance from outside (`dayfly exec`, health checks), not made by the workload. */
  readonly origin: 'workload' | 'outside'
  /** 15 bytes at most; a workload chooses it. */
  readonly name: string
  /** argv[0], which whoever started it has chosen. */
  readonly exe: string | undefined
  /** The file that runs, as the kernel resolved it. */
  readonly exePath: string | undefined
  /** argv without argv[0]; `argsTruncated` when there were more than are kept. */
  readonly args: readonly string[]
  readonly argsTruncated: boolean
  readonly cwd: string | undefined
  readonly uid: number
  readonly euid: number
  readonly gid: number
  /** Device number of the controlling terminal, 0 for none. */
  readonly tty: number | undefined
  /** Session and process group, in its own pid namespace. */
  readonly session: number | undefined
  readonly group: number | undefined
  /** The program's file is not the image's: it was made or changed since. */
  readonly isUpper: boolean
  /** The program has no name in any file system. */
  readonly isMemfd: boolean
  readonly sha256: string | undefined
  readonly inode: number | undefined
  /** Effective capabilities, hexadecimal, as they were last told. */
  readonly capabilities: string | undefined
  /** It has run a program of its own since it was forked; until then what is above is its parent's. */
  readonly isExecd: boolean
  /** The first process of the instance. */
  readonly isInit: boolean
  /** How many processes it has made that live still. */
  readonly children: number
  readonly exitedAt: number | undefined
}
