import { DayflyError } from '../../base/errors.ts'
import { flagOf } from './flags.ts'

/** What the API calls a field is called by its option, for that is what the user wrote. */
const inWordsOfTheUser = (error: DayflyError): { message: string; field: string | undefined } => {
  const { field, message } = error
  const flag = field === undefined ? undefined : flagOf(field)
  if (field === undefined || flag === undefined) return { message, field }
  return { message: message.startsWith(field) ? flag + message.slice(field.length) : `${flag}: ${message}`, field: flag }
}

/** Tells an error on standard error, as one JSON document with `json`. Returns the exit code. */
export const tell = (error: unknown, { json, colour }: { json: boolean; colour: boolean }): number => {
  const known =
    error instanceof DayflyError
      ? error
      : new DayflyError('internal', `Dayfly has a defect: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`)
  const { message, field } = inWordsOfTheUser(known)
  if (json) {
    process.stderr.write(`${JSON.stringify({ error: { code: known.code, message, field: field ?? null, remedy: known.remedy ?? null } })}\n`)
  } else {
    const name = colour ? '\u001b[31mdayfly:\u001b[0m' : 'dayfly:'
    process.stderr.write(`${name} ${message}\n${known.remedy === undefined ? '' : `  ${known.remedy}\n`}`)
  }
  return known.exitCode
}
