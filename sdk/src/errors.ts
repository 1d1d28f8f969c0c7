/** Errors of the SDK: a class for each kind that a program may want to catch, all with a stable code, and where it is known the field at fault and the remedy. */
import { DayflyError as BaseError } from '../../src/base/errors.ts'

/** The codes are those of the API: `invalid`, `not_found`, `conflict`, `wrong_state`, `denied`, `exhausted`, `timeout`, `unreachable` and others. */
export class DayflyError extends Error {
  override readonly name: string = 'DayflyError'
  readonly code: string
  /** The input at fault, e.g. `path`, `lease.ttl`, `services.web.image`. */
  readonly field: string | undefined
  /** One sentence that says what to do. */
  readonly remedy: string | undefined

  constructor(code: string, message: string, detail: { field?: string | undefined; remedy?: string | undefined; cause?: unknown } = {}) {
    super(message, detail.cause === undefined ? undefined : { cause: detail.cause })
    this.code = code
    this.field = detail.field
    this.remedy = detail.remedy
  }
}

/** Input that can never work; nothing was created. */
export class InvalidError extends DayflyError {
  override readonly name = 'InvalidError'
}
export class NotFoundError extends DayflyError {
  override readonly name = 'NotFoundError'
}
/** Something of that name is there already. */
export class ConflictError extends DayflyError {
  override readonly name = 'ConflictError'
}
/** It is there, but has ended, or is otherwise not in a state for this. */
export class WrongStateError extends DayflyError {
  override readonly name = 'WrongStateError'
}
/** Not admitted, or not allowed. */
export class DeniedError extends DayflyError {
  override readonly name = 'DeniedError'
}
/** Over a quota, or there is no room. */
export class ExhaustedError extends DayflyError {
  override readonly name = 'ExhaustedError'
}
export class TimeoutError extends DayflyError {
  override readonly name = 'TimeoutError'
}
/** No daemon answers, or it went away. */
export class UnreachableError extends DayflyError {
  override readonly name = 'UnreachableError'
}

/** A command ended with another exit code than 0. */
export class CommandExitError extends DayflyError {
  override readonly name = 'CommandExitError'
  readonly exitCode: number
  readonly stdout: string
  readonly stderr: string

  constructor(command: string, result: { readonly exitCode: number; readonly stdout: string; readonly stderr: string }) {
    const last = result.stderr.trim().split('\n').at(-1) ?? ''
    super('exit_code', `${command}: exit code ${result.exitCode}${last === '' ? '' : `: ${last}`}`)
    this.exitCode = result.exitCode
    this.stdout = result.stdout
    this.stderr = result.stderr
  }
}

const classes: Readonly<Record<string, typeof DayflyError>> = {
  invalid: InvalidError,
  corrupt: InvalidError,
  not_found: NotFoundError,
  command_not_found: NotFoundError,
  conflict: ConflictError,
  wrong_state: WrongStateError,
  denied: DeniedError,
  exhausted: ExhaustedError,
  timeout: TimeoutError,
  unreachable: UnreachableError,
  disconnected: UnreachableError,
}

/**
 * What is thrown inside as the class that users know. Anything else is left as it is.
 *
 * @internal
 */
export const asOurs = (error: unknown): unknown => {
  if (!(error instanceof BaseError)) return error
  const { code, message, field, remedy, cause } = error
  return new (classes[code] ?? DayflyError)(code, message, { field, remedy, cause })
}

/** @internal */
export const failure = (code: string, message: string, field?: string, remedy?: string): DayflyError =>
  new (classes[code] ?? DayflyError)(code, message, { field, remedy })
