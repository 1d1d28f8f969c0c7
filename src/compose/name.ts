/** The project's name: given, else COMPOSE_PROJECT_NAME, else `name` in a file (the last one's), else the folder's. */
import { posix } from 'node:path'
import type { Environment } from './environment.ts'
import type { Reading } from './reading.ts'
import { isFailure, substitute } from './template.ts'
import type { Scalar } from './tree.ts'
import { isScalar, isText, member } from './tree.ts'

/** Lower-case letters, digits, `-` and `_`, beginning with a letter or digit; all else is left out. */
export const normalizeName = (text: string): string =>
  text
    .toLowerCase()
    .replaceAll(/[^a-z0-9_-]/g, '')
    .replace(/^[-_]+/, '')

const explicit = (name: string, whence: string, reading: Reading): string => {
  if (normalizeName(name) !== name) {
    reading.problems.error(undefined, ['name'], `${JSON.stringify(name)}, given by ${whence}, is no name for a project`, {
      remedy: 'Use lower-case letters, digits, - and _, and begin with a letter or digit.',
    })
  }
  return name
}

const fromFiles = async (files: readonly string[], environment: Environment, reading: Reading): Promise<string> => {
  let last: Scalar | undefined
  for (const file of files) {
    for (const document of await reading.documents(file, undefined, [])) {
      const name = member(document, 'name')
      if (isText(name) && name.value !== '') last = name
    }
  }
  if (!isScalar(last)) return ''
  const result = substitute(last.text, name => environment.get(name))
  // A failure is told when the document is read.
  return isFailure(result) ? '' : normalizeName(result.text)
}

export const projectName = async (
  given: string | undefined,
  files: readonly string[],
  folder: string,
  environment: Environment,
  reading: Reading,
): Promise<string> => {
  if (given !== undefined && given !== '') return explicit(given, '--project-name', reading)
  const variable = environment.get('COMPOSE_PROJECT_NAME')
  if (variable !== undefined && variable !== '') return explicit(variable, 'COMPOSE_PROJECT_NAME', reading)
  const name = (await fromFiles(files, environment, reading)) || normalizeName(posix.basename(folder))
  if (name === '' && !reading.problems.failed) {
    reading.problems.error(undefined, ['name'], 'the project has no name: the folder’s has no letter or digit that could be used', {
      remedy: 'Give it one with name: in the file, or with --project-name.',
    })
  }
  return name
}
