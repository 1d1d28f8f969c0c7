/** Errors on the wire. */
import { DayflyError, errnoOf, isErrorCode, messageOf } from '../base/errors.ts'
import type { ErrorDocument } from './schemas/system.ts'

/** What the host has run out of, by errno: no defect of Dayfly, wherever it shows. */
const exhaustion: Readonly<Record<string, string>> = {
  ENOSPC: 'Free some space on the disk of the state folder: `dayfly image gc`, `dayfly doctor`.',
  EDQUOT: 'Free some space on the disk of the state folder, or raise its quota.',
  ENOMEM: 'Free some memory on this host.',
  EMFILE: "Raise the daemon's limit of open files (LimitNOFILE).",
  ENFILE: "Raise this host's limit of open files (fs.file-max).",
}

/** What is not a DayflyError is a defect of Dayfly: its message goes to the log, not to the caller. */
export const toDayflyError = (error: unknown, log: (message: string, error: unknown) => void): DayflyError => {
  if (error instanceof DayflyError) return error
  if (error instanceof Error && error.name === 'AbortError') return new DayflyError('aborted', 'the request was given up', { cause: error })
  const remedy = exhaustion[errnoOf(error) ?? '']
  if (remedy !== undefined) return new DayflyError('host', messageOf(error), { remedy, cause: error })
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
