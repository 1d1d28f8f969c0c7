/** Errors on the wire. */
import { DayflyError, exhaustionOf, isErrorCode, messageOf } from '../base/errors.ts'
import type { ErrorDocument } from './schemas/system.ts'

/** What is not a DayflyError is a defect of Dayfly: its message goes to the log, not to the caller. */
export const toDayflyError = (error: unknown, log: (message: string, error: unknown) => void): DayflyError => {
  if (error instanceof DayflyError) return error
  if (error instanceof Error && error.name === 'AbortError') return new DayflyError('aborted', 'the request was given up', { cause: error })
  const exhausted = exhaustionOf(error)
  if (exhausted !== undefined) return exhausted
  log(messageOf(error), error)
  return new DayflyError('internal', 'Dayfly failed on this request', { remedy: "The daemon's log tells more.", cause: error })
}

export const errorDocument = (error: DayflyError): ErrorDocument => ({
  error: { code: error.code, message: error.message, field: error.field ?? null, remedy: error.remedy ?? null },
})

/** The error that a document speaks of; `internal` when it is none. */
export const fromErrorDocument = (document: unknown): DayflyError => {
  const body: unknown = typeof document === 'object' && document !== null && 'error' in document ? document.error : undefined
  const text = (name: string): string | undefined => {
    const value: unknown = typeof body === 'object' && body !== null ? Reflect.get(body, name) : undefined
    return typeof value === 'string' ? value : undefined
  }
  const code = text('code') ?? ''
  const field = text('field')
  const remedy = text('remedy')
  return new DayflyError(isErrorCode(code) ? code : 'internal', text('message') ?? 'the daemon answered with an error that cannot be read', {
    ...(field === undefined ? {} : { field }),
    ...(remedy === undefined ? {} : { remedy }),
  })
}
