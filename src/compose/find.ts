/** Which files a project is made of when none are given. */
import { posix } from 'node:path'
import type { Environment } from './environment.ts'
import type { Reading } from './reading.ts'

const names = ['compose.yaml', 'compose.yml', 'docker-compose.yml', 'docker-compose.yaml']
const overrides = ['compose.override.yml', 'compose.override.yaml', 'docker-compose.override.yml', 'docker-compose.override.yaml']

export interface Found {
  readonly files: readonly string[]
  /** The folder of the first file. */
  readonly folder: string
}

const present = async (folder: string, candidates: readonly string[], reading: Reading): Promise<string[]> => {
  const found: string[] = []
  for (const name of candidates) {
    const path = posix.join(folder, name)
    if ((await reading.sources.kind(path)) !== undefined) found.push(path)
  }
  return found
}

const first = (found: readonly string[], reading: Reading): string[] => {
  const [winner, ...others] = found
  if (winner === undefined) return []
  if (others.length > 0) {
    reading.problems.warn(
      'notice',
      { file: winner, line: 1, column: 1 },
      [],
      `${others.map(path => posix.basename(path)).join(', ')} lies beside it and is not read`,
    )
  }
  return [winner]
}

/** COMPOSE_FILE, else a file of a default name in the folder or the nearest one above, with its override file. undefined when there is none. */
export const findFiles = async (folder: string, environment: Environment, reading: Reading): Promise<Found | undefined> => {
  const listed = environment.get('COMPOSE_FILE')
  if (listed !== undefined && listed !== '') {
    const separator = environment.get('COMPOSE_PATH_SEPARATOR') || ':'
    const files = listed.split(separator).map(file => reading.path(folder, file))
    return { files, folder: posix.dirname(files[0] ?? folder) }
  }
  for (let here = folder; ; here = posix.dirname(here)) {
    const found = first(await present(here, names, reading), reading)
    if (found.length > 0) return { files: [...found, ...first(await present(here, overrides, reading), reading)], folder: here }
    if (here === posix.dirname(here)) return undefined
  }
}
