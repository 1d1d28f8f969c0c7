/** Errors on the wire. */
import { DayflyError, exhaustionOf, isErrorCode, messageOf } from '../base/errors.ts'
import type { Problem } from './schemas/system.ts'

/** What is not a DayflyError is a defect of Dayfly: its message goes to the log, not to the caller. */
export const toDayflyError = (error: unknown, log: (message: string, error: unknown) => void): DayflyError => {
  if (error instanceof DayflyError) return error
  if (error instanceof Error && error.name === 'AbortError') return new DayflyError('aborted', 'the request was given up', { cause: error })
  const exhausted = exhaustionOf(error)
  if (exhausted !== undefined) return exhausted
  log(messageOf(error), error)
  return new DayflyError('internal', 'Dayfly failed on this request', { remedy: "The daemon's log tells more.", cause: error })
}

/** RFC 9457. */
export const problemMediaType = 'application/problem+json'

export const problemOf = (error: DayflyError): Problem => ({
  type: `urn:dayfly:problem:${error.code}`,
  title: error.title,
  status: error.status,
  detail: error.message,
  code: error.code,
  field: error.field ?? null,
  remedy: error.remedy ?? null,
})

/** The error that a problem speaks of; `internal` when it is none. */
export const fromProblem = (problem: unknown): DayflyError => {
  const text = (name: string): string | undefined => {
    const value: unknown = typeof problem === 'object' && problem !== null ? Reflect.get(problem, name) : undefined
    return typeof value === 'string' ? value : undefined
  }
  const code = text('code') ?? ''
  const field = text('field')
  const remedy = text('remedy')
  return new DayflyError(isErrorCode(code) ? code : 'internal', text('detail') ?? 'the daemon answered with an error that cannot be read', {
    ...(field === undefined ? {} : { field }),
    ...(remedy === undefined ? {} : { remedy }),
  })
}
