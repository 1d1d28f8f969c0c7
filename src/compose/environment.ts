/** The variables of a project: the caller's environment first, then the files given with --env-file, else `.env` of the project folder. */
import { posix } from 'node:path'
import { isEnvironmentFailure, parseDotenv } from './dotenv.ts'
import { booleanOf } from './interpolate.ts'
import type { Reading } from './reading.ts'
import type { Origin, Path } from './tree.ts'

export type Environment = ReadonlyMap<string, string>

/** What the files set, a later one over an earlier one. */
export const readEnvironmentFiles = async (
  files: readonly string[],
  environment: Environment,
  reading: Reading,
  mention: { readonly origin: Origin | undefined; readonly path: Path },
): Promise<Environment> => {
  let values: Environment = new Map()
  for (const file of files) {
    const text = await reading.text(file, 'environment file', mention.origin, mention.path)
    if (text === undefined) continue
    const parsed = parseDotenv(text, name => environment.get(name), values)
    if (isEnvironmentFailure(parsed)) {
      reading.problems.error({ file, line: parsed.line, column: 1 }, [], parsed.message)
      continue
    }
    for (const { name, line } of parsed.unset) {
      reading.problems.warn('unset', { file, line, column: 1 }, [], `the variable ${name} is not set; it is blank here`)
    }
    values = parsed.values
  }
  return values
}

const noMention = { origin: undefined, path: [] }

/** The caller's environment with what the files add. */
export const projectEnvironment = async (
  folder: string,
  caller: Environment,
  envFiles: readonly string[],
  reading: Reading,
): Promise<Environment> => {
  const named = envFiles.length > 0 ? envFiles : (caller.get('COMPOSE_ENV_FILES') ?? '').split(',').filter(file => file !== '')
  const files = named.map(file => reading.path(folder, file))
  if (named.length === 0 && booleanOf(caller.get('COMPOSE_DISABLE_ENV_FILE') ?? '') !== true) {
    const own = posix.join(folder, '.env')
    if ((await reading.sources.kind(own)) === 'file') files.push(own)
  }
  const values = await readEnvironmentFiles(files, caller, reading, noMention)
  return new Map([...values, ...caller])
}
