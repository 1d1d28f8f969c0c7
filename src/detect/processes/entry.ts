/** One process of the table, as it is now. Only `table.ts` changes it; everybody else sees a `Process`. */
import type { KernelEvent } from '../../model/kernel-event.ts'
import type { Process } from '../process.ts'

/** Bytes that an entry is reckoned at beside its texts, which are reckoned at two bytes a character. */
export const entryWeight = 512

/** What a program is: an exec replaces all of it, a fork passes it on. */
type Program = Pick<
  Process,
  | 'exe'
  | 'exePath'
  | 'args'
  | 'argsTruncated'
  | 'cwd'
  | 'tty'
  | 'session'
  | 'group'
  | 'isUpper'
  | 'isMemfd'
  | 'sha256'
  | 'inode'
  | 'capabilities'
  | 'execAt'
>

const unknownProgram: Program = {
  exe: undefined,
  exePath: undefined,
  args: [],
  argsTruncated: false,
  cwd: undefined,
  tty: undefined,
  session: undefined,
  group: undefined,
  isUpper: false,
  isMemfd: false,
  sha256: undefined,
  inode: undefined,
  capabilities: undefined,
  execAt: undefined,
}

export interface Birth {
  readonly pid: number
  readonly vpid: number
  readonly start: number
  readonly startedAt: number | undefined
  readonly parent: Entry | undefined
  readonly parentPid: number
  readonly origin: Process['origin']
  readonly isInit: boolean
  readonly name: string
  readonly uid: number
  readonly euid: number
  readonly gid: number
}

export class Entry implements Process {
  readonly pid: number
  readonly vpid: number
  readonly start: number
  readonly startedAt: number | undefined
  readonly parentPid: number
  readonly origin: Process['origin']
  readonly isInit: boolean
  name: string
  uid: number
  euid: number
  gid: number
  isExecd = false
  children = 0
  exitedAt: number | undefined = undefined
  /** Entries of the table that have this one as their parent. */
  dependants = 0
  /** It is in the table no more: nothing leads to it. */
  gone = false
  weight = entryWeight
  #parent: Entry | undefined
  #program: Program

  constructor(birth: Birth) {
    this.pid = birth.pid
    this.vpid = birth.vpid
    this.start = birth.start
    this.startedAt = birth.startedAt
    this.parentPid = birth.parentPid
    this.origin = birth.origin
    this.isInit = birth.isInit
    this.name = birth.name
    this.uid = birth.uid
    this.euid = birth.euid
    this.gid = birth.gid
    this.#parent = birth.parent
    // A child shares its parent's texts until it runs a program of its own, so they weigh nothing here.
    this.#program = birth.parent === undefined ? unknownProgram : birth.parent.#program
  }

  get parent(): Entry | undefined {
    if (this.#parent?.gone === true) this.#parent = undefined
    return this.#parent
  }
  get exe(): string | undefined {
    return this.#program.exe
  }
  get exePath(): string | undefined {
    return this.#program.exePath
  }
  get args(): readonly string[] {
    return this.#program.args
  }
  get argsTruncated(): boolean {
    return this.#program.argsTruncated
  }
  get cwd(): string | undefined {
    return this.#program.cwd
  }
  get tty(): number | undefined {
    return this.#program.tty
  }
  get session(): number | undefined {
    return this.#program.session
  }
  get group(): number | undefined {
    return this.#program.group
  }
  get isUpper(): boolean {
    return this.#program.isUpper
  }
  get isMemfd(): boolean {
    return this.#program.isMemfd
  }
  get sha256(): string | undefined {
    return this.#program.sha256
  }
  get inode(): number | undefined {
    return this.#program.inode
  }
  get capabilities(): string | undefined {
    return this.#program.capabilities
  }
  get execAt(): number | undefined {
    return this.#program.execAt
  }

  /** It runs another program. `sha256` is that of the file, where it is known. */
  become(event: KernelEvent, sha256: string | undefined): void {
    const [exe, ...args] = event.args ?? []
    this.#program = {
      exe,
      exePath: event.exe,
      args,
      argsTruncated: event.flags?.includes('truncated') ?? false,
      cwd: event.cwd,
      tty: event.tty,
      session: event.session,
      group: event.group,
      isUpper: event.flags?.includes('upper') ?? false,
      isMemfd: event.flags?.includes('memfd') ?? false,
      sha256,
      inode: event.inode,
      capabilities: event.capabilities ?? this.#program.capabilities,
      execAt: event.time,
    }
    this.isExecd = true
    const characters = (event.exe?.length ?? 0) + (event.cwd?.length ?? 0) + (event.args ?? []).reduce((sum, each) => sum + each.length + 8, 0)
    this.weight = entryWeight + 2 * characters
  }

  hasCapabilities(capabilities: string): void {
    this.#program = { ...this.#program, capabilities }
  }

  /** Drops all that it holds, so that a child which still points here keeps nothing alive. */
  vanish(): void {
    this.gone = true
    this.#parent = undefined
    this.#program = unknownProgram
  }
}
