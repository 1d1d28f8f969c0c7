/** Files that commands without a daemon read and write, and how faults of them are told. */
import { readFileSync, writeFileSync } from 'node:fs'
import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { DayflyError, errnoOf, messageOf } from '../../base/errors.ts'

const unreadable = (path: string, field: string, error: unknown): DayflyError => {
  const errno = errnoOf(error)
  const remedy = 'Name a file that you may read.'
  if (errno === 'ENOENT' || errno === 'ENOTDIR')
    return new DayflyError('not_found', `${field}: there is no file ${path}`, { field, remedy, cause: error })
  return new DayflyError('invalid', `${field}: ${path} cannot be read: ${errno ?? messageOf(error)}`, { field, remedy, cause: error })
}

/** A larger file is refused where one is read whole. */
const longest = 64 * 1024 * 1024

/** `-` is standard input. `field` is the option or positional that names it. */
export const readTextFile = async (path: string, field: string): Promise<string> => {
  try {
    if (path !== '-' && (await stat(path)).size > longest) {
      throw new DayflyError('invalid', `${field}: ${path} is larger than ${longest} bytes`, { field, remedy: 'Name another file.' })
    }
    // By its descriptor: a socket cannot be opened by a path.
    return path === '-' ? readFileSync(0, 'utf8') : await readFile(path, 'utf8')
  } catch (error) {
    throw error instanceof DayflyError ? error : unreadable(path, field, error)
  }
}

export const writeTextFile = (path: string, text: string, field: string): void => {
  try {
    writeFileSync(path, text)
  } catch (error) {
    throw new DayflyError('invalid', `${field}: ${path} cannot be written: ${errnoOf(error) ?? messageOf(error)}`, {
      field,
      remedy: 'Name a file in a folder that you may write to.',
      cause: error,
    })
  }
}

/** What the path is; undefined when there is nothing. Throws `invalid` where nobody may look. */
export const kindOf = async (path: string, field: string): Promise<'file' | 'folder' | undefined> => {
  try {
    return (await stat(path)).isDirectory() ? 'folder' : 'file'
  } catch (error) {
    const errno = errnoOf(error)
    if (errno === 'ENOENT' || errno === 'ENOTDIR' || errno === 'ENAMETOOLONG' || errno === 'ELOOP') return undefined
    throw unreadable(path, field, error)
  }
}

const mostFiles = 1000

/** The YAML and JSON files of a folder and of those in it, sorted; a path that is no folder stands for itself. */
export const documentFiles = async (path: string, field: string): Promise<string[]> => {
  if (path === '-' || (await kindOf(path, field)) !== 'folder') return [path]
  const entries = await readdir(path, { recursive: true, withFileTypes: true }).catch((error: unknown) => {
    throw unreadable(path, field, error)
  })
  const files = entries.filter(entry => entry.isFile() && /\.(ya?ml|json)$/.test(entry.name)).map(entry => join(entry.parentPath, entry.name))
  if (files.length > mostFiles) {
    throw new DayflyError('invalid', `${field}: ${path} has ${files.length} YAML and JSON files, more than ${mostFiles}`, {
      field,
      remedy: 'Name a folder of fewer.',
    })
  }
  return files.sort()
}
