/**
 * Every error that reaches a user has a stable code from this table; a code decides the HTTP status and the CLI's exit code.
 * Messages name what was attempted; `field` names the input at fault and `remedy` what to do about it.
 */
const codes = {
  /** Input that can never work: exit 2, nothing was created. */
  invalid: { status: 400, exit: 2, title: 'The input can never work' },
  /** Nobody is known by the credentials, or there are none. */
  unauthenticated: { status: 401, exit: 2, title: 'Nobody is known by these credentials' },
  not_found: { status: 404, exit: 2, title: 'There is no such thing' },
  /** A name or id that exists already. */
  conflict: { status: 409, exit: 2, title: 'It exists already' },
  /** The thing exists, but its state does not allow the request. */
  wrong_state: { status: 409, exit: 125, title: 'Its state does not allow that' },
  /** Admission or a limit of this host says no. */
  denied: { status: 403, exit: 125, title: 'It is not allowed' },
  exhausted: { status: 429, exit: 125, title: 'A limit is reached' },
  /** The command of a container does not exist / cannot be executed (docker's 127 and 126). */
  command_not_found: { status: 422, exit: 127, title: 'The command does not exist' },
  command_not_executable: { status: 422, exit: 126, title: 'The command cannot be executed' },
  /** An image, layer or archive that is not what it claims to be. */
  corrupt: { status: 422, exit: 2, title: 'It is not what it claims to be' },
  /** A registry or another outside party failed. */
  upstream: { status: 502, exit: 125, title: 'An outside party failed' },
  /** Disk full, a missing tool, a kernel that refuses. */
  host: { status: 503, exit: 125, title: 'The host cannot do that' },
  /** No daemon answers, or it takes nothing on any more: nothing was begun. */
  unreachable: { status: 503, exit: 2, title: 'No daemon answers' },
  /** The daemon went away in the middle: what was begun may go on without it. */
  disconnected: { status: 503, exit: 125, title: 'The daemon went away' },
  timeout: { status: 504, exit: 125, title: 'It took too long' },
  aborted: { status: 499, exit: 130, title: 'It was given up' },
  internal: { status: 500, exit: 125, title: 'Dayfly failed' },
} as const

export type ErrorCode = keyof typeof codes

export interface ErrorDetail {
  /** The input field or flag at fault, as the user wrote it: `--ttl`, `lease.ttl`. */
  field?: string
  /** One sentence that says what to do. */
  remedy?: string
  cause?: unknown
}

export class DayflyError extends Error {
  override readonly name = 'DayflyError'
  readonly code: ErrorCode
  readonly field: string | undefined
  readonly remedy: string | undefined

  constructor(code: ErrorCode, message: string, detail: ErrorDetail = {}) {
    super(message, detail.cause === undefined ? undefined : { cause: detail.cause })
    this.code = code
    this.field = detail.field
    this.remedy = detail.remedy
  }

  get status(): number {
    return codes[this.code].status
  }

  /** What its code means. */
  get title(): string {
    return codes[this.code].title
  }

  get exitCode(): number {
    return codes[this.code].exit
  }
}

export const isErrorCode = (value: string): value is ErrorCode => Object.hasOwn(codes, value)

/** The errno name (`ENOENT`) of a Node system error, or undefined. */
export const errnoOf = (error: unknown): string | undefined =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined

export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

/** What a host can run out of, by errno, and what to do about it. */
const exhaustion: Readonly<Record<string, string>> = {
  ENOSPC: 'Free some space on the disk of the state folder; `dayfly image gc` removes images that nothing needs.',
  EDQUOT: 'Free some space on the disk of the state folder, or raise its quota.',
  ENOMEM: 'Free some memory on this host.',
  EMFILE: "Raise the daemon's limit of open files.",
  ENFILE: "Raise this host's limit of open files (fs.file-max).",
}

/** A system error that says the host has run out of something, as a DayflyError `host`: no defect, wherever it shows. undefined for any other. */
export const exhaustionOf = (error: unknown): DayflyError | undefined => {
  const remedy = exhaustion[errnoOf(error) ?? '']
  return remedy === undefined ? undefined : new DayflyError('host', messageOf(error), { remedy, cause: error })
}
