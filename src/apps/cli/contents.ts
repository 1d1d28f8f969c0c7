/** What no compose file holds and the daemon needs: contents of secrets and configs, and folders that are to be there. Read with the caller's rights. */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { basename } from 'node:path'
import type { UpInput } from '../../api/schemas/workloads.ts'
import { DayflyError, messageOf } from '../../base/errors.ts'
import type { Loaded } from '../../compose/compose.ts'
import type { Drafted } from '../../compose/draft.ts'
import type { Origin } from '../../compose/draft-origins.ts'

const invalid = (field: string, message: string, remedy: string, cause?: unknown): DayflyError =>
  new DayflyError('invalid', `${field}: ${message}`, { field, remedy, cause })

const fromFile = (path: string, field: string): Buffer => {
  try {
    return readFileSync(path)
  } catch (error) {
    throw invalid(field, `${path} cannot be read: ${messageOf(error)}`, 'Name a file that you may read.', error)
  }
}

/** Its standard output without the last newline. What it prints never gets into a message. */
const fromCommand = ([program = '', ...args]: readonly string[], field: string, folder: string): Buffer => {
  try {
    const output = execFileSync(program, args, { stdio: ['inherit', 'pipe', 'inherit'], maxBuffer: 1024 * 1024, cwd: folder })
    return output.at(-1) === 10 ? output.subarray(0, -1) : output
  } catch (error) {
    const status = error instanceof Error && 'status' in error && typeof error.status === 'number' ? ` with exit code ${error.status}` : ''
    throw invalid(field, `its command failed${status}`, 'It has to print the content on standard output and exit with 0.')
  }
}

interface Known {
  readonly values: Readonly<Record<string, string>>
  /** By name, base64. */
  readonly given: Readonly<Record<string, string>>
  readonly folder: string
}

/** base64 */
const contentOf = (name: string, origin: Origin, field: string, { values, given, folder }: Known): string => {
  if (origin.kind === 'given') return given[name] ?? ''
  if (origin.kind === 'file') return fromFile(origin.path, field).toString('base64')
  if (origin.kind === 'command') return fromCommand(origin.command, field, folder).toString('base64')
  const value = values[name]
  if (value === undefined)
    throw invalid(field, `the variable ${origin.variable} is not set`, `Set ${origin.variable}, in the environment or in .env.`)
  return Buffer.from(value).toString('base64')
}

/** base64, by the project's names. `given`: those of the command line. */
export const secretContents = (loaded: Loaded, drafted: Drafted, given: Readonly<Record<string, string>>): Record<string, string> => {
  const unused = Object.keys(given).find(name => !Object.hasOwn(drafted.secrets, name))
  if (unused !== undefined) {
    const known = Object.keys(drafted.secrets)
    throw invalid(
      '--secret',
      `no service has a secret ${unused}`,
      known.length === 0 ? 'List it under secrets of a service.' : `There are ${known.join(', ')}.`,
    )
  }
  const known = { values: loaded.values.secrets, given, folder: loaded.project.folder }
  return Object.fromEntries(Object.entries(drafted.secrets).map(([name, { origin }]) => [name, contentOf(name, origin, `secrets.${name}`, known)]))
}

/** As the daemon takes them: files by workload. */
export const secretFiles = (drafted: Drafted, contents: Readonly<Record<string, string>>): NonNullable<UpInput['secrets']> => {
  const secrets: Record<string, Record<string, string>> = {}
  for (const [name, { files }] of Object.entries(drafted.secrets)) {
    for (const { workload, file } of files) secrets[workload] = { ...secrets[workload], [file]: contents[name] ?? '' }
  }
  return secrets
}

export const configsFor = (loaded: Loaded, drafted: Drafted): Record<string, string> =>
  Object.fromEntries(
    Object.entries(drafted.configs).map(([name, origin]) => [
      name,
      contentOf(name, origin, `configs.${name}`, { values: loaded.values.configs, given: {}, folder: loaded.project.folder }),
    ]),
  )

/**
 * Folders that services mount and that are not there yet, as docker compose makes them; but nothing whose name has an ending like a file's: a folder in the
 * place of a mistyped file helps nobody.
 */
export const makeMountedFolders = ({ project }: Loaded): void => {
  for (const service of Object.values(project.services)) {
    for (const { type, source, bind } of service.volumes ?? []) {
      if (type !== 'bind' || source === undefined || bind?.create_host_path === false) continue
      if (existsSync(source) || /.\.[A-Za-z0-9]+$/.test(basename(source))) continue
      mkdirSync(source, { recursive: true })
    }
  }
}
